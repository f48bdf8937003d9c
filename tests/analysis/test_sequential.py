"""Adding seeds until rows are decided: all looks share out the chance of a false alarm."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import RandomState
from scipy.stats import binom

from initbench.analysis.best import LEVEL
from initbench.analysis.deciding import Decided, compare_until_decided
from initbench.analysis.sequential import GROWTH, looks, more_seeds
from initbench.runs.records import Record
from initbench.spec import Experiment
from tests.analysis.conftest import record

NAMES = ["he_normal", "lecun_normal", "glorot_normal", "orthogonal"]


@given(st.integers(1, 50), st.integers(1, 1000))
def test_looks_share_out_the_level(first: int, most: int) -> None:
    found = looks(first, max(first, most))
    assert sum(look.level for look in found) == pytest.approx(LEVEL)
    assert all(look.level > 0 for look in found)
    assert (found[0].seeds, found[-1].seeds) == (first, max(first, most))
    for one, other in pairwise(found):
        assert one.seeds < other.seeds <= GROWTH * one.seeds


@given(st.lists(st.integers(0, 30), unique=True, max_size=10), st.integers(0, 10))
def test_more_seeds_go_on_with_unused_ones(seeds: list[int], more: int) -> None:
    found = more_seeds(seeds, len(seeds) + more)
    assert found[: len(seeds)] == tuple(seeds)
    assert len(set(found)) == len(found) == len(seeds) + more


def decided(
    seed: int, shifts: dict[str, float], *, most: int = 40, cut: int | None = None
) -> tuple[Decided, list[int]]:
    """A comparison of four initializers with made-up losses; and the runs of each training."""
    rng = RandomState(seed)
    losses = {name: 0.3 + 0.02 * rng.standard_normal(most) + shifts.get(name, 0) for name in NAMES}
    config = {
        "name": "c", "initializer": NAMES, "layers": [2, 2, 1], "iterations": 1,
        "learning_rate": 0.1, "seeds": 10,
    }  # fmt: skip
    sizes: list[int] = []

    def train(experiments: list[Experiment]) -> list[Record] | None:
        done = [
            replace(record([float(losses[c.name][s])], config=e.name, seed=s), initializer=c.label)
            for e in experiments
            for c in e.initializer
            for s in e.seeds
        ]
        sizes.append(len(done))
        return None if cut is not None and len(sizes) > cut else done

    experiment = Experiment.model_validate(config)
    return compare_until_decided([experiment], "train_loss", None, train, most), sizes  # type: ignore[arg-type]


def test_only_what_is_undecided_gets_more_seeds() -> None:
    result, sizes = decided(0, {"orthogonal": 0.5, "glorot_normal": 0.012})
    rows = {row.initializer: row for row in result.rows}
    assert (rows["orthogonal"].standing, rows["orthogonal"].runs) == ("worse", 10)
    assert sizes[0] == 40
    assert all(later < 40 for later in sizes[1:])
    assert result.rows[0].standing == "best"
    assert [row.rank for row in result.rows] == sorted(row.rank for row in result.rows)


def test_it_stops_when_all_are_decided() -> None:
    result, sizes = decided(1, dict.fromkeys(NAMES[1:], 0.5))
    assert (sizes, result.undecided, len(result.looks)) == ([40], 0, 1)
    assert {row.standing for row in result.rows} == {"best", "worse"}


def test_it_stops_at_the_most_seeds_and_says_what_is_open() -> None:
    result, sizes = decided(2, {}, most=20)
    assert result.undecided == sum(row.standing == "undecided" for row in result.rows)
    assert sum(sizes) <= 80
    assert max(row.runs for row in result.rows) <= 20


def test_a_training_that_is_cut_short_ends_it() -> None:
    result, sizes = decided(3, {}, cut=1)
    assert len(sizes) == 2
    assert max(row.runs for row in result.rows) == 10


def test_over_all_looks_equal_rows_are_rarely_told_apart() -> None:
    """5 % of comparisons are promised; a right design fails here once in 10^4 tries."""
    tables = 40
    denied = sum(
        any(row.standing == "worse" for row in decided(100 + seed, {})[0].rows)
        for seed in range(tables)
    )
    assert denied <= binom.ppf(1 - 1e-4, tables, LEVEL)
