"""What paired replicates can tell: differences, intervals, tests. Pure functions on numbers.

A diverged run's loss is inf, and stays in every one of these: it is the largest in a median
and in a rank; a difference of two is 0, since neither is worse; a difference of one of them is
itself infinite, and counts by its sign and as the largest rank.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

Array = NDArray[Any]

CONFIDENCE = 0.95
#: The signed-rank test of five differences has no p-value under 2/32 = 0.0625: with fewer than
#: six, nothing can be told apart at 5 %.
MIN_SEEDS = 6
#: More differences than this are tested by the normal approximation.
MAX_EXACT = 50
RESAMPLES = 10_000
BOOTSTRAP_SEED = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A median and its bootstrap interval."""

    estimate: float
    low: float
    high: float


def differences(values: Sequence[float] | Array, others: Sequence[float] | Array) -> Array:
    """``values`` less ``others``, pair by pair; two infinities differ by 0.

    >>> differences([0.3, np.inf, np.inf], [0.1, 0.2, np.inf])
    array([0.2, inf, 0. ])
    """
    a, b = np.asarray(values, float), np.asarray(others, float)
    result: Array = np.subtract(a, b, out=np.zeros_like(a), where=a != b)
    return result


def median_interval(values: Sequence[float] | Array, confidence: float = CONFIDENCE) -> Interval:
    """The median, and the percentile bootstrap's interval of it.

    The bootstrap (Efron 1979) draws n of the n values with replacement, ``RESAMPLES`` times
    from the stated ``BOOTSTRAP_SEED``; the interval holds the middle ``confidence`` of the
    medians, and its ends are medians that occurred. ``scipy.stats.bootstrap`` interpolates
    between them, which of two infinities makes NaN.

    >>> median_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, np.inf])
    Interval(estimate=4.0, low=2.0, high=6.0)
    """
    ordered = np.sort(np.asarray(values, float))
    n = len(ordered)
    below, above = _resampled_middles(n)
    medians = np.sort(_midpoints(ordered[below], ordered[above]))
    tail = (1 - confidence) / 2
    low, high = (int(np.ceil(q * RESAMPLES)) - 1 for q in (tail, 1 - tail))
    return Interval(median(ordered), float(medians[low]), float(medians[high]))


def median(values: Sequence[float] | Array) -> float:
    """The median; of an even number the mean of the middle two, inf if the upper is inf."""
    ordered = np.sort(np.asarray(values, float))
    (middle,) = _midpoints(ordered[[(len(ordered) - 1) // 2]], ordered[[len(ordered) // 2]])
    return float(middle)


@lru_cache(maxsize=64)
def _resampled_middles(n: int) -> tuple[Array, Array]:
    """The indices, into n ordered values, of the middle two of each resample.

    Of n uniform numbers the k-th smallest is Beta(k, n + 1 - k), and the next the smallest of
    n - k uniform on what is left: two draws a resample, however large n is.
    """
    rng = RandomState(BOOTSTRAP_SEED)
    k = (n + 1) // 2
    first = rng.beta(k, n + 1 - k, RESAMPLES)
    second = first
    if n % 2 == 0:
        second = first + (1 - first) * rng.beta(1, n - k, RESAMPLES)
    below, above = (np.minimum(n - 1, (n * u).astype(int)) for u in (first, second))
    return below, above


def _midpoints(low: Array, high: Array) -> Array:
    """The means of ``low`` and ``high``; of -inf and inf, which lean nowhere, 0."""
    # Halved first: the sum of two large numbers may overflow.
    apart = (low != -high) | np.isfinite(low)
    middle = np.add(low / 2, high / 2, out=np.zeros_like(low), where=apart)
    result: Array = np.clip(middle, low, high)  # half of the smallest number is 0
    return result


def signed_rank_p(differences: Array) -> float:
    """Two-sided p of the Wilcoxon signed-rank test that differences are symmetric about 0.

    Differences of 0 are dropped (Wilcoxon 1945), and where fewer than ``MIN_SEEDS`` are left p
    is 1: no test of so few can reach 5 %. To ``MAX_EXACT`` p is exact, also with ties: all 2^n
    patterns of signs are counted by their sum of ranks. Above, it is SciPy's normal approximation.

    >>> signed_rank_p(np.array([0.1, 0.2, 0.3, 0.4, 0.5, np.inf]))
    0.03125
    >>> signed_rank_p(np.zeros(10))
    1.0
    """
    from scipy.stats import rankdata, wilcoxon

    moved = differences[differences != 0]
    if len(moved) < MIN_SEEDS:
        return 1.0
    # Ranks in place of sizes: the statistic is the same, and infinity has one.
    ranks = rankdata(np.abs(moved))
    if len(moved) > MAX_EXACT:
        return float(wilcoxon(np.sign(moved) * ranks, method="asymptotic").pvalue)
    doubled = np.rint(2 * ranks).astype(int)  # whole numbers, since ties share a mid-rank
    ways = np.zeros(doubled.sum() + 1, np.int64)  # of signs, by the sum of the positive ranks
    ways[0] = 1
    for rank in doubled:
        ways[rank:] += ways[:-rank].copy()
    positive = int(doubled[moved > 0].sum())
    tail = ways[: min(positive, int(doubled.sum()) - positive) + 1].sum()  # symmetric
    return float(min(1.0, 2 * tail / 2 ** len(moved)))


def seeds_needed(tests: int, significance: float = 0.05) -> int:
    """Seeds without which not even differences all of one sign pass as many tests.

    Their p is 2 / 2^n, of which Holm multiplies the smallest by the number of tests.

    >>> seeds_needed(1), seeds_needed(5)
    (6, 8)
    """
    return math.ceil(math.log2(2 * max(1, tests) / significance))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number by Holm's step-down (1979): all hold at once.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
