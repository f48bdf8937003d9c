from __future__ import annotations

import math

import pytest

from initbench import stats
from initbench.records import NO_CURVE, Curve, Record


def record(
    losses: list[float], accuracy: float | None = 0.9, *, config: str = "c", seed: int = 0
) -> Record:
    n = len(losses)
    accuracies = None if accuracy is None else (accuracy,) * n
    curve = Curve(tuple(range(n)), tuple(losses), accuracies, tuple(losses), accuracies)
    status = "ok" if math.isfinite(losses[-1]) else "diverged"
    return Record("", config, "zeros", {}, seed, status, curve, 0.0)  # type: ignore[arg-type]


def test_a_summary_is_of_final_metrics_over_seeds() -> None:
    (summary,) = stats.summarize([record([9.0, loss]) for loss in (1.0, 3.0, 2.0)])
    assert summary.metrics["train_loss"] == stats.Spread(2.0, 1.0, 3.0)
    assert (summary.runs, summary.diverged) == (3, 0)


def test_diverged_runs_count_as_the_worst_and_are_never_dropped() -> None:
    (summary,) = stats.summarize([record([loss]) for loss in (1.0, math.inf, 2.0)])
    assert summary.metrics["train_loss"] == stats.Spread(2.0, 1.0, math.inf)
    assert summary.diverged == 1
    (half,) = stats.summarize([record([loss]) for loss in (1.0, math.inf)])
    assert half.metrics["train_loss"] == stats.Spread(math.inf, 1.0, math.inf)


def test_a_regression_has_no_accuracy() -> None:
    (summary,) = stats.summarize([record([1.0], None)])
    assert summary.metrics["test_accuracy"] is None


def test_rows_keep_the_order_of_the_records() -> None:
    rows = stats.summarize([record([1.0], config=name) for name in "bab"])
    assert [(row.config, row.runs) for row in rows] == [("b", 2), ("a", 1)]


@pytest.mark.parametrize(("metric", "best"), [("train_loss", "low"), ("test_accuracy", "high")])
def test_a_metric_knows_its_direction(metric: str, best: str) -> None:
    rows = stats.summarize([record([1.0], 0.2, config="low"), record([2.0], 0.8, config="high")])
    assert stats.rank([rows], metric)[0].summary.config == best


def test_problems_are_ranked_apart_and_equals_share_a_rank() -> None:
    values = {"a": 3.0, "b": 1.0, "c": 1.0, "d": math.inf, "e": math.inf}
    rows = stats.summarize([record([loss], config=name) for name, loss in values.items()])
    ranked = stats.rank([rows[:1], rows[1:]], "train_loss")
    assert [(row.problem, row.summary.config, row.rank) for row in ranked] == [
        (0, "a", 1),
        (1, "b", 1),
        (1, "c", 1),
        (1, "d", 3),
        (1, "e", 3),
    ]


def test_failed_runs_are_counted_and_have_no_metrics() -> None:
    failed = Record("", "c", "zeros", {}, 1, "failed", NO_CURVE, 0.0, "it raised")
    summaries = stats.summarize([record([2.0]), failed])
    assert [(s.runs, s.failed, s.reasons) for s in summaries] == [(2, 1, ("it raised",))]
    assert summaries[0].metrics["train_loss"] == stats.Spread(2.0, 2.0, 2.0)
    (alone,) = stats.summarize([failed])
    assert set(alone.metrics.values()) == {None}
