from __future__ import annotations

import math

from initbench.analysis.summary import Spread, summarize
from initbench.runs.records import NO_CURVE, Record
from tests.analysis.conftest import record


def test_a_summary_is_of_final_metrics_over_seeds() -> None:
    (summary,) = summarize([record([9.0, loss]) for loss in (1.0, 3.0, 2.0)])
    assert summary.metrics["train_loss"] == Spread(2.0, 1.0, 3.0)
    assert (summary.runs, summary.diverged) == (3, 0)


def test_diverged_runs_count_as_the_worst_and_are_never_dropped() -> None:
    (summary,) = summarize([record([loss]) for loss in (1.0, math.inf, 2.0)])
    assert summary.metrics["train_loss"] == Spread(2.0, 1.0, math.inf)
    assert summary.diverged == 1
    (half,) = summarize([record([loss]) for loss in (1.0, math.inf)])
    assert half.metrics["train_loss"] == Spread(math.inf, 1.0, math.inf)


def test_a_regression_has_no_accuracy() -> None:
    (summary,) = summarize([record([1.0], None)])
    assert summary.metrics["test_accuracy"] is None


def test_rows_keep_the_order_of_the_records() -> None:
    rows = summarize([record([1.0], config=name) for name in "bab"])
    assert [(row.config, row.runs) for row in rows] == [("b", 2), ("a", 1)]


def test_failed_runs_are_counted_and_have_no_metrics() -> None:
    failed = Record("", "c", "zeros", {}, 1, "failed", NO_CURVE, 0.0, "it raised")
    summaries = summarize([record([2.0]), failed])
    assert [(s.runs, s.failed, s.reasons) for s in summaries] == [(2, 1, ("it raised",))]
    assert summaries[0].metrics["train_loss"] == Spread(2.0, 2.0, 2.0)
    (alone,) = summarize([failed])
    assert set(alone.metrics.values()) == {None}
