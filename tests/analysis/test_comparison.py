from __future__ import annotations

import math

import pytest

from initbench.analysis.comparison import Contest, Target, compare, has_trained
from initbench.runs.records import NO_CURVE, Record
from tests.analysis.conftest import LN2, record


@pytest.mark.parametrize(("metric", "best"), [("train_loss", "low"), ("test_accuracy", "high")])
def test_a_metric_knows_its_direction(metric: str, best: str) -> None:
    records = [record([1.0], 0.2, config="low"), record([2.0], 0.8, config="high")]
    first, *_ = compare([Contest(records, LN2)], metric)
    assert first.config == best


def test_contests_are_ranked_apart_and_equals_share_a_rank() -> None:
    values = {"a": 3.0, "b": 1.0, "c": 1.0, "d": math.inf, "e": math.inf}
    records = [record([loss], config=name) for name, loss in values.items()]
    contests = [Contest(records[:1], LN2), Contest(records[1:], LN2)]
    assert [(row.problem, row.config, row.rank) for row in compare(contests)] == [
        (0, "a", 1),
        (1, "b", 1),
        (1, "c", 1),
        (1, "d", 3),
        (1, "e", 3),
    ]


def test_failed_runs_break_their_pairs_and_count_as_untrained() -> None:
    failed = Record("", "b", "zeros", {}, 0, "failed", NO_CURVE, 0.0, "it raised")
    records = [record([0.1], config="a", seed=seed) for seed in range(7)]
    records += [failed, *(record([0.2], config="b", seed=seed) for seed in range(1, 7))]
    rows = compare([Contest(records, LN2)])
    assert [(row.config, row.pairs, row.trained, row.runs) for row in rows] == [
        ("a", 7, 7, 7),
        ("b", 6, 6, 7),
    ]
    assert (rows[1].failed, rows[1].reasons) == (1, ("it raised",))
    alone = compare([Contest([failed], LN2)])
    assert (alone[0].metrics["train_loss"], alone[0].best_group) == (None, None)


@pytest.mark.parametrize(
    ("loss", "trained"),
    [(LN2, False), (0.96 * LN2, False), (0.94 * LN2, True), (0.0, True), (math.inf, False)],
)
def test_stuck_is_judged_by_the_loss(loss: float, trained: bool) -> None:
    """An accuracy of 90 % saves no run whose loss is the constant predictor's."""
    assert has_trained(record([loss], 0.9), LN2) is trained


def test_iterations_to_a_target_are_infinite_where_it_is_not_reached() -> None:
    fast, slow = record([1.0, 0.5, 0.1]), record([1.0, 1.0, 0.6])
    target = Target("train_loss", 0.5)
    (row,) = compare([Contest([fast], LN2)], target=target)
    assert row.iterations_to_target is not None
    assert (row.iterations_to_target.estimate, row.reached) == (1, 1)
    (row,) = compare([Contest([slow], LN2)], target=target)
    assert row.iterations_to_target is not None
    assert (row.iterations_to_target.estimate, row.reached) == (math.inf, 0)
    assert record([1.0], 0.9).iterations_to("test_accuracy", 0.9) == 0
    assert record([1.0], None).iterations_to("test_accuracy", 0.9) == math.inf
