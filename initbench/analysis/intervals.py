"""Medians of replicates and their confidence intervals. Pure functions of numbers.

The loss of a diverged run is inf, and is never dropped: it is the largest value of a median.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.random import RandomState

from initbench.core.arrays import Array

CONFIDENCE = 0.95
RESAMPLES = 10_000
BOOTSTRAP_SEED = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A median and its bootstrap confidence interval."""

    estimate: float
    low: float
    high: float


def median_interval(values: Sequence[float] | Array, confidence: float = CONFIDENCE) -> Interval:
    """The median and its percentile bootstrap interval.

    The bootstrap (Efron 1979, Annals of Statistics 7) draws n of the n values with replacement,
    ``RESAMPLES`` times, from the stated ``BOOTSTRAP_SEED``. The interval holds the middle
    ``confidence`` of the medians, and its ends are medians that occurred; ``scipy.stats.bootstrap``
    interpolates between them, which turns two infinities into NaN.

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
    """The median; for an even number of values the mean of the middle two, inf if the upper is.

    >>> median([1.0, 3.0, np.inf]), median([1.0, np.inf])
    (3.0, inf)
    """
    ordered = np.sort(np.asarray(values, float))
    (middle,) = _midpoints(ordered[[(len(ordered) - 1) // 2]], ordered[[len(ordered) // 2]])
    return float(middle)


@lru_cache(maxsize=64)
def _resampled_middles(n: int) -> tuple[Array, Array]:
    """The indices, into n ordered values, of the middle two of each resample.

    The k-th smallest of n uniform numbers has the distribution Beta(k, n + 1 - k), and the next one
    is the smallest of n - k uniform numbers on what is left: two draws for each resample, however
    large n is.
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
    """The means of ``low`` and ``high``; 0 between -inf and inf, which lean to neither side."""
    # Halved first: the sum of two large numbers may overflow.
    apart = (low != -high) | np.isfinite(low)
    middle = np.add(low / 2, high / 2, out=np.zeros_like(low), where=apart)
    result: Array = np.clip(middle, low, high)  # half of the smallest number is 0
    return result
