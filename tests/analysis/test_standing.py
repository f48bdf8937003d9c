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


def test_more_rows_make_a_p_value_larger() -> None:
    """The best of several rows is chosen by the data: two rows are not tested as six are."""
    base = [0.1 * seed for seed in range(10)]
    worse = [loss + 0.1 + 0.1 * (seed % 3) for seed, loss in enumerate(base)]
    others = {f"row {i}": base[i:] + base[:i] for i in range(1, 5)}
    alone = rows_of({"best": base, "worse": worse})["worse"].p_value
    among = rows_of({"best": base, "worse": worse, **others})["worse"].p_value
    assert alone is not None
    assert among is not None
    assert alone < among


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
    assert rows["b"].p_value == pytest.approx(4 / 2**6)  # of 2^6 signs; that of a 0 is either


def test_zeros_against_zeros_cannot_be_told_apart() -> None:
    rows = rows_of({"zeros": [LN2] * 10, "also": [LN2] * 10})
    assert [row.difference and row.difference.estimate for row in rows.values()] == [None, 0.0]
    assert [row.rank for row in rows.values()] == [1, 1]


def test_nobody_is_best_where_nobody_trained() -> None:
    rows = rows_of({"zeros": [LN2] * 10, "worse": [LN2 + seed / 100 for seed in range(10)]})
    assert {(row.best_group, row.standing) for row in rows.values()} == {(None, None)}


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


def test_words_are_told_by_the_least_difference_that_counts() -> None:
    """The gate's default is 5 % of the best row's loss, 0.5 here: 0.025."""
    base = [0.5 + 0.001 * seed for seed in range(10)]
    wavering = [0.02 * (-1) ** seed * seed for seed in range(10)]
    rows = rows_of({
        "best": base,
        "equal": [loss + 0.0001 for loss in base],
        "worse": [loss + 0.1 for loss in base],
        "open": [loss + 0.05 + more for loss, more in zip(base, wavering, strict=True)],
    })  # fmt: skip
    assert {name: row.standing for name, row in rows.items()} == {
        "best": "best", "equal": "as good", "worse": "worse", "open": "undecided",
    }  # fmt: skip
    assert rows["worse"].seeds_to_decide is None
    needed = rows["open"].seeds_to_decide
    assert needed is not None
    assert 10 < needed < 10_000


def test_a_difference_that_is_sure_and_too_small_to_count_is_as_good() -> None:
    base = [0.5 + 0.01 * seed for seed in range(8)]
    rows = rows_of({"best": base, "next": [loss + 1e-4 for loss in base]})
    assert (rows["next"].best_group, rows["next"].standing) == (False, "as good")
