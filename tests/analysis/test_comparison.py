from __future__ import annotations

import math
from typing import Any

import pytest

from initbench.analysis import comparison as stats
from initbench.analysis.paired import MIN_SEEDS, Interval
from initbench.runs.records import NO_CURVE, Curve, Record


def record(
    losses: list[float],
    accuracy: float | None = 0.9,
    *,
    config: str = "c",
    seed: int = 0,
    setting: dict[str, Any] | None = None,
) -> Record:
    n = len(losses)
    accuracies = None if accuracy is None else (accuracy,) * n
    curve = Curve(tuple(range(n)), tuple(losses), accuracies, tuple(losses), accuracies)
    status = "ok" if math.isfinite(losses[-1]) else "diverged"
    return Record("", config, "zeros", setting or {}, seed, status, curve, 0.0)  # type: ignore[arg-type]


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


def test_failed_runs_are_counted_and_have_no_metrics() -> None:
    failed = Record("", "c", "zeros", {}, 1, "failed", NO_CURVE, 0.0, "it raised")
    summaries = stats.summarize([record([2.0]), failed])
    assert [(s.runs, s.failed, s.reasons) for s in summaries] == [(2, 1, ("it raised",))]
    assert summaries[0].metrics["train_loss"] == stats.Spread(2.0, 2.0, 2.0)
    (alone,) = stats.summarize([failed])
    assert set(alone.metrics.values()) == {None}


LN2 = math.log(2)


def compare(columns: dict[str, list[float]], metric: str = "train_loss") -> dict[str, stats.Row]:
    """Rows by config, of one contest: a column of final losses over seeds 0, 1, ... each."""
    records = [
        record([1.0, loss], 1 - loss, config=name, seed=seed)
        for name, losses in columns.items()
        for seed, loss in enumerate(losses)
    ]
    return {row.config: row for row in stats.compare([stats.Contest(records, LN2)], metric)}


@pytest.mark.parametrize(("metric", "best"), [("train_loss", "low"), ("test_accuracy", "high")])
def test_a_metric_knows_its_direction(metric: str, best: str) -> None:
    records = [record([1.0], 0.2, config="low"), record([2.0], 0.8, config="high")]
    first, *_ = stats.compare([stats.Contest(records, LN2)], metric)
    assert first.config == best


def test_contests_are_ranked_apart_and_equals_share_a_rank() -> None:
    values = {"a": 3.0, "b": 1.0, "c": 1.0, "d": math.inf, "e": math.inf}
    records = [record([loss], config=name) for name, loss in values.items()]
    contests = [stats.Contest(records[:1], LN2), stats.Contest(records[1:], LN2)]
    assert [(row.problem, row.config, row.rank) for row in stats.compare(contests)] == [
        (0, "a", 1),
        (1, "b", 1),
        (1, "c", 1),
        (1, "d", 3),
        (1, "e", 3),
    ]


def test_differences_are_paired_by_seed() -> None:
    """Rows that overlap over seeds, and differ at every one of them by the same."""
    base = [0.1 * seed for seed in range(8)]
    rows = compare({"low": base, "high": [loss + 0.05 for loss in base]})
    difference = rows["high"].difference
    assert difference is not None
    assert [difference.low, difference.estimate, difference.high] == pytest.approx([0.05] * 3)
    assert rows["high"].p_value == pytest.approx(2 / 2**8)  # all of one sign
    assert (rows["low"].best_group, rows["high"].best_group) == (True, False)


def test_holm_is_over_the_rows() -> None:
    base = [0.1 * seed for seed in range(7)]
    worse = {f"row {i}": [loss + 1 + i for loss in base] for i in range(2)}
    rows = compare({"best": base, **worse})
    # 2/128 each, twice.
    assert [rows[name].p_value for name in worse] == [2 / 64, 2 / 64]
    assert [row.best_group for row in rows.values()] == [True, False, False]


def test_seeds_too_few_for_so_many_rows_make_no_statement() -> None:
    """Six tell two rows apart, but not three: 2/64 twice is over 5 %, whatever the runs."""
    base = [0.1 * seed for seed in range(6)]
    worse = {f"row {i}": [loss + 1 + i for loss in base] for i in range(2)}
    rows = compare({"best": base, **worse})
    assert {(row.p_value, row.best_group) for row in rows.values()} == {(None, None)}


def test_fewer_than_six_seeds_make_no_statement() -> None:
    few = compare({"a": [0.1] * (MIN_SEEDS - 1), "b": [9.0] * (MIN_SEEDS - 1)})
    assert [row.best_group for row in few.values()] == [None, None]
    assert few["b"].p_value is None
    enough = compare({"a": [0.1] * MIN_SEEDS, "b": [9.0 + i for i in range(MIN_SEEDS)]})
    assert [row.best_group for row in enough.values()] == [True, False]


def test_diverged_runs_are_in_the_difference() -> None:
    inf = math.inf
    rows = compare({"a": [0.1, 0.2, 0.3, 0.4, 0.5, inf], "b": [inf] * 6})
    difference = rows["b"].difference
    assert difference is not None
    assert (difference.estimate, difference.high) == (inf, inf)
    assert (rows["b"].trained, rows["b"].runs) == (0, 6)
    assert rows["b"].p_value == 1.0  # five differ: one pair diverged together


def test_zeros_against_zeros_cannot_be_told_apart() -> None:
    rows = compare({"zeros": [LN2] * 10, "also": [LN2] * 10})
    assert [row.best_group for row in rows.values()] == [True, True]
    assert [row.rank for row in rows.values()] == [1, 1]


def test_failed_runs_break_their_pairs_and_count_as_untrained() -> None:
    failed = Record("", "b", "zeros", {}, 0, "failed", NO_CURVE, 0.0, "it raised")
    records = [record([0.1], config="a", seed=seed) for seed in range(7)]
    records += [failed, *(record([0.2], config="b", seed=seed) for seed in range(1, 7))]
    rows = stats.compare([stats.Contest(records, LN2)])
    assert [(row.config, row.pairs, row.trained, row.runs) for row in rows] == [
        ("a", 7, 7, 7),
        ("b", 6, 6, 7),
    ]
    assert (rows[1].failed, rows[1].reasons) == (1, ("it raised",))
    alone = stats.compare([stats.Contest([failed], LN2)])
    assert (alone[0].metrics["train_loss"], alone[0].best_group) == (None, None)


@pytest.mark.parametrize(
    ("loss", "trained"),
    [(LN2, False), (0.96 * LN2, False), (0.94 * LN2, True), (0.0, True), (math.inf, False)],
)
def test_stuck_is_judged_by_the_loss(loss: float, trained: bool) -> None:
    """An accuracy of 90 % saves no run whose loss is the constant predictor's."""
    assert stats.has_trained(record([loss], 0.9), LN2) is trained


def test_iterations_to_a_target_are_infinite_where_it_is_not_reached() -> None:
    fast, slow = record([1.0, 0.5, 0.1]), record([1.0, 1.0, 0.6])
    target = stats.Target("train_loss", 0.5)
    (row,) = stats.compare([stats.Contest([fast], LN2)], target=target)
    assert row.iterations_to_target is not None
    assert (row.iterations_to_target.estimate, row.reached) == (1, 1)
    (row,) = stats.compare([stats.Contest([slow], LN2)], target=target)
    assert row.iterations_to_target is not None
    assert (row.iterations_to_target.estimate, row.reached) == (math.inf, 0)
    assert record([1.0], 0.9).iterations_to("test_accuracy", 0.9) == 0
    assert record([1.0], None).iterations_to("test_accuracy", 0.9) == math.inf


def swept(seeds: int) -> stats.Row:
    """The first third of the seeds likes rate 1 better, the others rate 2, by more."""
    third = seeds // 3
    records = [
        record([loss], seed=seed, setting={"rate": rate})
        for seed in range(seeds)
        for rate, loss in (
            [(1, 0.1), (2, 0.2)] if seed < third else [(1, 0.5), (2, 0.3)]
        )
    ]  # fmt: skip
    (row,) = stats.compare([stats.Contest(records, LN2)])
    return row


def test_seeds_that_choose_a_setting_do_not_judge_it() -> None:
    row = swept(9)
    assert (row.setting, row.runs, row.chosen_by, row.apart) == ({"rate": 1}, 6, 3, True)
    assert row.metrics["train_loss"] == Interval(0.5, 0.5, 0.5)
    worse = {s.setting["rate"]: s.worse_by for s in row.settings}
    assert worse == {1: 0.0, 2: pytest.approx(-0.2)}  # as it came out: no better by hindsight


def test_too_few_seeds_choose_and_judge_and_say_so() -> None:
    row = swept(8)
    assert (row.setting, row.runs, row.chosen_by, row.apart) == ({"rate": 2}, 8, 8, False)


def test_a_setting_that_always_diverges_is_infinitely_worse() -> None:
    records = [
        record([loss], seed=seed, setting={"rate": rate})
        for seed in range(9)
        for rate, loss in ((1, 0.1), (2, math.inf))
    ]
    (row,) = stats.compare([stats.Contest(records, LN2)])
    assert {s.setting["rate"]: s.worse_by for s in row.settings} == {1: 0.0, 2: math.inf}


def test_of_a_sweep_cut_short_a_setting_that_can_be_judged_is_best() -> None:
    """Nine seeds asked for, three of them to choose: of the better setting only those finished."""
    better = [record([0.1], seed=seed, setting={"rate": 1}) for seed in range(3)]
    worse = [record([0.2], seed=seed, setting={"rate": 2}) for seed in range(9)]
    (row,) = stats.compare([stats.Contest([*better, *worse], LN2)])
    assert (row.setting, row.runs, row.chosen_by, row.apart) == ({"rate": 2}, 6, 3, True)
    assert [s.worse_by for s in row.settings] == [math.inf, 0.0]


def test_an_initializer_that_failed_asks_for_no_more_seeds() -> None:
    """Six seeds tell two rows apart, and a third that has no run to test changes nothing."""
    records = [
        record([loss + seed / 100], config=name, seed=seed)
        for name, loss in (("good", 0.1), ("bad", 0.5))
        for seed in range(6)
    ]
    failed = [Record("", "f", "zeros", {}, s, "failed", NO_CURVE, 0.0, "x") for s in range(6)]
    rows = stats.compare([stats.Contest([*records, *failed], LN2)])
    assert [(row.config, row.best_group) for row in rows] == [
        ("good", True),
        ("bad", False),
        ("f", None),
    ]
