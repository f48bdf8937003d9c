"""Where rows stand against the best: the marks, p-values and intervals of comparisons."""

from __future__ import annotations

import math

import pytest

from initbench.analysis.comparison import Contest, compare
from initbench.analysis.paired import MIN_SEEDS
from initbench.runs.records import NO_CURVE, Record
from tests.analysis.conftest import LN2, record, rows_of


def test_differences_are_paired_by_seed() -> None:
    """Rows that overlap over seeds, and differ at every one of them by the same."""
    base = [0.1 * seed for seed in range(8)]
    rows = rows_of({"low": base, "high": [loss + 0.05 for loss in base]})
    difference = rows["high"].difference
    assert difference is not None
    assert [difference.low, difference.estimate, difference.high] == pytest.approx([0.05] * 3)
    assert rows["high"].p_value == pytest.approx(2 / 2**8)  # all of one sign
    assert (rows["low"].best_group, rows["high"].best_group) == (True, False)


def test_holm_is_over_the_rows() -> None:
    base = [0.1 * seed for seed in range(7)]
    worse = {f"row {i}": [loss + 1 + i for loss in base] for i in range(2)}
    rows = rows_of({"best": base, **worse})
    # 2/128 each, twice.
    assert [rows[name].p_value for name in worse] == [2 / 64, 2 / 64]
    assert [row.best_group for row in rows.values()] == [True, False, False]


def test_seeds_too_few_for_so_many_rows_make_no_statement() -> None:
    """Six tell two rows apart, but not three: 2/64 twice is over 5 %, whatever the runs."""
    base = [0.1 * seed for seed in range(6)]
    worse = {f"row {i}": [loss + 1 + i for loss in base] for i in range(2)}
    rows = rows_of({"best": base, **worse})
    assert {(row.p_value, row.best_group) for row in rows.values()} == {(None, None)}


def test_fewer_than_six_seeds_make_no_statement() -> None:
    few = rows_of({"a": [0.1] * (MIN_SEEDS - 1), "b": [9.0] * (MIN_SEEDS - 1)})
    assert [row.best_group for row in few.values()] == [None, None]
    assert few["b"].p_value is None
    enough = rows_of({"a": [0.1] * MIN_SEEDS, "b": [9.0 + i for i in range(MIN_SEEDS)]})
    assert [row.best_group for row in enough.values()] == [True, False]


def test_diverged_runs_are_in_the_difference() -> None:
    inf = math.inf
    rows = rows_of({"a": [0.1, 0.2, 0.3, 0.4, 0.5, inf], "b": [inf] * 6})
    difference = rows["b"].difference
    assert difference is not None
    assert (difference.estimate, difference.high) == (inf, inf)
    assert (rows["b"].trained, rows["b"].runs) == (0, 6)
    assert rows["b"].p_value == 1.0  # five differ: one pair diverged together


def test_zeros_against_zeros_cannot_be_told_apart() -> None:
    rows = rows_of({"zeros": [LN2] * 10, "also": [LN2] * 10})
    assert [row.best_group for row in rows.values()] == [True, True]
    assert [row.rank for row in rows.values()] == [1, 1]


def test_an_initializer_that_failed_asks_for_no_more_seeds() -> None:
    """Six seeds tell two rows apart, and a third that has no run to test changes nothing."""
    records = [
        record([loss + seed / 100], config=name, seed=seed)
        for name, loss in (("good", 0.1), ("bad", 0.5))
        for seed in range(6)
    ]
    failed = [Record("", "f", "zeros", {}, s, "failed", NO_CURVE, 0.0, "x") for s in range(6)]
    rows = compare([Contest([*records, *failed], LN2)])
    assert [(row.config, row.best_group) for row in rows] == [
        ("good", True),
        ("bad", False),
        ("f", None),
    ]
