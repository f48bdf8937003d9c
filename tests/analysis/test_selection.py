from __future__ import annotations

import math

import pytest

from initbench.analysis.comparison import Contest, Row, compare
from initbench.analysis.intervals import Interval
from tests.analysis.conftest import LN2, record


def swept(seeds: int) -> Row:
    """The first third of the seeds likes rate 1 better, the others rate 2, by more."""
    third = seeds // 3
    records = [
        record([loss], seed=seed, setting={"rate": rate})
        for seed in range(seeds)
        for rate, loss in (
            [(1, 0.1), (2, 0.2)] if seed < third else [(1, 0.5), (2, 0.3)]
        )
    ]  # fmt: skip
    (row,) = compare([Contest(records, LN2)])
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
    (row,) = compare([Contest(records, LN2)])
    assert {s.setting["rate"]: s.worse_by for s in row.settings} == {1: 0.0, 2: math.inf}


def test_of_a_sweep_cut_short_a_setting_that_can_be_judged_is_best() -> None:
    """Nine seeds asked for, three of them to choose: of the better setting only those finished."""
    better = [record([0.1], seed=seed, setting={"rate": 1}) for seed in range(3)]
    worse = [record([0.2], seed=seed, setting={"rate": 2}) for seed in range(9)]
    (row,) = compare([Contest([*better, *worse], LN2)])
    assert (row.setting, row.runs, row.chosen_by, row.apart) == ({"rate": 2}, 6, 3, True)
    assert [s.worse_by for s in row.settings] == [math.inf, 0.0]
