"""Medians and their intervals, against SciPy, exact laws and simulation."""

from __future__ import annotations

import itertools
import math
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import RandomState
from scipy import stats

from initbench.analysis import intervals

#: A busy machine is no finding.
UNTIMED = settings(deadline=None)
FINITE = st.floats(-1e6, 1e6)
LOSSES = st.lists(st.one_of(FINITE, st.just(math.inf)), min_size=1, max_size=12)
DIFFERENCES = st.lists(
    st.one_of(FINITE, st.sampled_from([0.0, math.inf, -math.inf])), min_size=1, max_size=12
)


@UNTIMED
@given(LOSSES)
def test_the_median_is_numpys_where_numpy_has_one(values: list[float]) -> None:
    assert intervals.median(values) == pytest.approx(float(np.median(values)), rel=1e-15)


def test_the_median_between_infinities_leans_nowhere() -> None:
    assert intervals.median([-math.inf, math.inf]) == 0.0
    assert intervals.median([math.inf, math.inf]) == math.inf
    assert intervals.median([1.0, math.inf]) == math.inf
    assert intervals.median([1.7e308, 1.7e308]) == 1.7e308


@UNTIMED
@given(DIFFERENCES)
def test_an_interval_is_of_numbers_and_holds_the_median(values: list[float]) -> None:
    interval = intervals.median_interval(values)
    assert interval.low <= interval.estimate <= interval.high
    assert min(values) <= interval.low
    assert interval.high <= max(values)


@UNTIMED
@given(DIFFERENCES, st.randoms(use_true_random=False))
def test_the_order_of_seeds_moves_no_interval(values: list[float], random: Random) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    assert intervals.median_interval(shuffled) == intervals.median_interval(values)


@UNTIMED
@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=12), st.integers(-1000, 1000))
def test_an_interval_moves_and_grows_with_its_values(values: list[int], by: int) -> None:
    """Whole numbers, so that arithmetic is exact."""
    one = intervals.median_interval([float(v) for v in values])
    moved = intervals.median_interval([float(v + by) for v in values])
    grown = intervals.median_interval([4.0 * v for v in values])
    assert (moved.estimate, moved.low, moved.high) == (
        one.estimate + by, one.low + by, one.high + by
    )  # fmt: skip
    assert (grown.estimate, grown.low, grown.high) == (
        4 * one.estimate, 4 * one.low, 4 * one.high
    )  # fmt: skip


@pytest.mark.parametrize("n", [1, 2, 5, 6, 9, 10, 25])
def test_resampled_medians_follow_the_exact_law(n: int) -> None:
    """P(the lower middle index <= i) is binomial: k of n draws fall among the first i + 1.

    10,000 resamples: by Dvoretzky, Kiefer and Wolfowitz a distribution function off by 0.02
    would come once in 2 exp(-2 * 10000 * 0.02^2) = 7e-4 seeds; the seed is stated, so: never.
    """
    below, above = intervals._resampled_middles(n)
    k = (n + 1) // 2
    i = np.arange(n)
    for indices, rank in ((below, k), (above, n // 2 + 1)):
        found = (indices[:, None] <= i).mean(axis=0)
        exact = stats.binom.sf(rank - 1, n, (i + 1) / n)
        assert np.abs(found - exact).max() < 0.02
    assert (below <= above).all()


@pytest.mark.parametrize("n", [7, 10, 30])
def test_the_interval_is_scipys_percentile_bootstrap(n: int) -> None:
    """SciPy interpolates and draws from another stream: ends agree to a neighbouring median."""
    values = RandomState(n).standard_normal(n)
    mine = intervals.median_interval(values)
    theirs = stats.bootstrap(
        (values,), np.median, n_resamples=9999, method="percentile", random_state=1
    ).confidence_interval
    medians = np.unique([(a + b) / 2 for a, b in itertools.product(values, values)])
    gap = np.diff(medians).max() if n % 2 == 0 else np.diff(np.sort(values)).max()
    assert mine.low == pytest.approx(theirs.low, abs=gap)
    assert mine.high == pytest.approx(theirs.high, abs=gap)


@pytest.mark.parametrize(("n", "least"), [(6, 0.93), (10, 0.93), (25, 0.93)])
def test_the_interval_covers_the_median(n: int, least: float) -> None:
    """Of 2,000 normal samples. Exact coverage of the order statistics that come out is 93 % (n =
    25, the 8th and 18th) to 97.9 % (n = 10, the 2nd and 9th, in part their neighbours'); three
    standard errors of 2,000 trials are 1.7 %."""
    rng = RandomState(n)
    covered = 0
    for _ in range(2000):
        interval = intervals.median_interval(rng.standard_normal(n))
        covered += interval.low <= 0 <= interval.high
    assert least - 0.017 <= covered / 2000
