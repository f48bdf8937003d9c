"""Multiple comparisons with the best: which rows can be told from the best one, and by how much.

One statistic gives a row's mark, its interval and its p-value, so that these cannot contradict each
other: Wilcoxon's signed-rank statistic of the row's paired differences to the best row, in the form
of Walsh averages. Of the n (n + 1) / 2 averages of two differences (each with itself, too) it
counts those on the rarer side of 0, and those at 0 on both sides. The estimate is the averages'
median (Hodges and Lehmann 1963, Annals of Mathematical Statistics 34). The interval reaches from
the K-th smallest average to the K-th largest, and excludes 0 exactly if fewer than K averages lie
on the rarer side.

The best row is chosen by the data that judge it, and there are several rows. So K does not come
from the signed-rank distribution of one pair, but from a permutation test (Fisher 1935): where all
rows are equal, each assignment of a seed's values to the rows is equally likely. Each permuted
table has a best row of its own; the most extreme score of its rows is one draw from the null
distribution. Rows that are told from the best are removed, and those that are left are tested again
(step-down: Westfall and Young 1993; Romano and Wolf 2005, JASA 100). Where all rows are equal, the
chance that a table tells any row from the best is at most LEVEL, whatever the distribution of the
values, with ties, zeros and infinities. For two rows this is the exact signed-rank test.
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.random import RandomState
from scipy.special import ndtr

from initbench.analysis.intervals import median
from initbench.analysis.paired import MIN_SEEDS, differences
from initbench.core.arrays import Array

#: The chance, where all rows are equal, that a table tells any row from the best.
LEVEL = 0.05
#: Random permutations of a table. A p-value is (1 + c + sqrt(c)) / (1 + permutations), c the number
#: that are as extreme. The ones count the table itself (Phipson and Smyth 2010), and sqrt(c) is one
#: standard error of c: the same permutations serve every table, and may by chance be too lenient.
PERMUTATIONS = 1_999
PERMUTATION_SEED = 0
#: Two rows have 2^n assignments of n pairs: so many are all tried, and the p-value is exact.
ENUMERATED_PAIRS = 12
#: Values of one array of permuted tables: bounds the memory of a comparison.
MAX_VALUES = 2_000_000
#: Of more pairs the nominal signed-rank distribution is taken for normal.
EXACT_PAIRS = 50
#: Of more pairs the Walsh averages are found by bisection rather than listed.
LISTED_PAIRS = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """A row against the best row, over the ``pairs`` of seeds at which both have a value.

    ``estimate`` is the Hodges-Lehmann estimate of the row's value less the best's; ``low`` and
    ``high`` are its interval at the row's own adjusted level; ``p_value`` is adjusted for the
    choice of the best and the number of rows. ``told_apart`` says whether the row is told from the
    best: then, and only then, the interval excludes 0. It is None for fewer than MIN_SEEDS pairs.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    pairs: int
    told_apart: bool | None


def compare_with_best(
    values: Array,
    *,
    smaller_is_better: bool = True,
    level: float = LEVEL,
    best: int | None = None,
) -> tuple[int, list[Difference]]:
    """The index of the best row, and each row's difference to it.

    Args:
        values: A row an initializer, a column a seed, (rows, seeds); NaN where a run has no value.
            A diverged run's loss is inf.
        smaller_is_better: Whether the best row has the smallest or the largest median.
        level: The chance, where all rows are equal, that any is told from the best.
        best: Which of several rows with the best median is the best; the first one by default.

    Returns:
        The best row, and a :class:`Difference` of every row, the best's own included.

    Examples:
        >>> seeds = np.arange(8.0)
        >>> best, (first, second) = compare_with_best(np.stack([seeds, seeds + 1]))
        >>> best, second.told_apart, second.estimate
        (0, True, 1.0)
    """
    oriented = values if smaller_is_better else -values
    if best is None:
        best = int(_best_rows(oriented[None])[0])
    scores = _scores(oriented[None], np.array([best]))[0]
    p_values, limits = _step_down(oriented, scores, level)
    compared = []
    for row, (p_value, limit) in enumerate(zip(p_values, limits, strict=True)):
        paired = differences(values[row], values[best])
        compared.append(
            _difference(paired[~np.isnan(paired)], p_value, limit, told=bool(scores[row] < limit))
        )
    return best, compared


def hodges_lehmann(values: Array) -> float:
    """The median of the Walsh averages of ``values``.

    >>> hodges_lehmann(np.array([1.0, 2.0, 6.0]))
    2.75
    """
    count = _averages(len(values))
    lower, upper = (walsh_average(values, k) for k in ((count + 1) // 2, count // 2 + 1))
    return lower if lower == upper else lower / 2 + upper / 2


def walsh_average(values: Array, k: int) -> float:
    """The ``k``-th smallest average of two values, k from 1; that of inf and -inf is 0.

    >>> [walsh_average(np.array([1.0, 5.0]), k) for k in (1, 2, 3)]
    [1.0, 3.0, 5.0]
    """
    ordered = np.sort(values)
    if len(ordered) <= LISTED_PAIRS:
        i, j = np.triu_indices(len(ordered))
        halves = ordered / 2
        leaning = (ordered[i] != -ordered[j]) | np.isfinite(ordered[i])
        averages = np.add(halves[i], halves[j], out=np.zeros(len(i)), where=leaning)
        return float(np.partition(averages, k - 1)[k - 1])
    return _walsh_by_bisection(ordered, k)


def _step_down(values: Array, scores: Array, level: float) -> tuple[Array, Array]:
    """Each row's adjusted p-value, and the score below which it is told from the best."""
    p_values, limits = np.ones(len(values)), np.zeros(len(values))
    left = np.flatnonzero(~np.isnan(values).all(axis=1))  # a row of failed runs is in no test
    smallest = 0.0  # an adjusted p-value is no smaller than those of the steps before
    while len(left) > 1:
        null, own = _null(values[left])
        allowed = _as_extreme_within(level * (len(null) + own) - own, random=bool(own))
        limit = null[allowed] if allowed >= 0 else 0.0
        counts = np.searchsorted(null, scores[left], side="right")
        counts = counts + own * (1 + np.sqrt(counts))
        p_values[left] = np.maximum(smallest, np.minimum(1.0, counts / (own + len(null))))
        limits[left] = limit
        told = left[scores[left] < limit]
        if not len(told):
            break
        smallest = p_values[told].max()
        left = left[scores[left] >= limit]
    return p_values, limits


def _as_extreme_within(budget: float, *, random: bool) -> int:
    """The largest c with c <= budget, or for random permutations c + sqrt(c) <= budget."""
    if budget < 0:
        return -1
    return math.floor(((math.sqrt(1 + 4 * budget) - 1) / 2) ** 2 if random else budget)


def _difference(paired: Array, p_value: float, limit: float, *, told: bool) -> Difference:
    pairs = len(paired)
    if not pairs:
        return Difference(math.nan, -math.inf, math.inf, 1.0, 0, None)
    low, high = _interval(paired, limit)
    if not told:  # on the limit itself, rounding could say otherwise
        low, high = min(low, 0.0), max(high, 0.0)
    estimate = hodges_lehmann(paired)
    apart = told if pairs >= MIN_SEEDS else None
    return Difference(estimate, low, high, float(p_value), pairs, apart)


def _interval(paired: Array, limit: float) -> tuple[float, float]:
    """The shifts of the row at which its score would not be below ``limit``."""
    pairs = len(paired)
    count = _averages(pairs)
    # As many averages are cut off at either end as statistics are extreme enough.
    cut = bisect_left(range(count + 1), limit, key=lambda rarer: _nominal(rarer, pairs))
    if cut:
        return walsh_average(paired, cut), walsh_average(paired, count + 1 - cut)
    if limit == 0:
        return -math.inf, math.inf
    # Wider than the differences: it reaches beyond their ends by a part of their own spread.
    beyond = _nominal(0, pairs) / limit - 1
    middle = median(paired)

    def end(value: float) -> float:
        if value == middle or math.isinf(value):
            return value
        return value - beyond * (middle - value) if beyond else value

    return end(float(paired.min())), end(float(paired.max()))


def _null(values: Array) -> tuple[Array, int]:
    """The smallest score of each permuted table, sorted; and whether they lack the table itself."""
    rows, seeds = values.shape
    if rows == 2 and seeds <= ENUMERATED_PAIRS and not np.isnan(values).any():
        flips = (np.arange(2**seeds)[:, None] >> np.arange(seeds)) & 1
        tables = np.where(flips[:, None, :] == 1, values[::-1], values)
        return np.sort(_scores(tables).min(axis=1)), 0
    rng = RandomState(PERMUTATION_SEED)
    parts = []
    left = PERMUTATIONS
    while left:
        count = min(left, max(1, MAX_VALUES // values.size))
        parts.append(_scores(_permuted(values, count, rng)).min(axis=1))
        left -= count
    return np.sort(np.concatenate(parts)), 1


def _permuted(values: Array, count: int, rng: RandomState) -> Array:
    """``count`` tables, in each of which every seed's values are assigned to its rows anew.

    A run that failed stays where it is: which rows have a value is no part of what is tested.
    """
    tables = np.broadcast_to(values, (count, *values.shape)).copy()
    for seed, column in enumerate(values.T):
        there = np.flatnonzero(~np.isnan(column))
        order = rng.random_sample((count, len(there))).argsort(axis=1)
        tables[:, there, seed] = column[there][order]
    return tables


def _scores(tables: Array, best: Array | None = None) -> Array:
    """How far each row is from its table's best row, (tables, rows): the smaller, the farther.

    The score is the nominal p-value of the signed-rank test of one pair of rows, as a scale on
    which rows with different numbers of pairs compare; it is no probability here. Where all
    differences have one sign it is divided by 1 + c, c the ratio of the smallest difference to its
    distance from the median: else a row that is worse by far and one that is worse by a little,
    both at every seed, would count alike, and no row of a long table could be told from the best
    at few seeds.
    """
    index = _best_rows(tables) if best is None else best
    moved = differences(tables, np.take_along_axis(tables, index[:, None, None], axis=1))
    size = np.abs(moved)
    order = size.argsort(axis=2)  # NaN comes last
    size, moved = (np.take_along_axis(a, order, axis=2) for a in (size, moved))
    # The average of two differences has the sign of the larger, or of both where they are equal.
    index = np.arange(size.shape[2])
    starts = np.ones(size.shape, bool)
    starts[:, :, 1:] = size[:, :, 1:] != size[:, :, :-1]
    first = np.maximum.accumulate(np.where(starts, index, 0), axis=2)
    sides = []
    for of_side in (moved > 0, moved < 0):
        so_far = of_side.cumsum(axis=2)
        before = np.take_along_axis(so_far - of_side, first, axis=2)
        sides.append((of_side * (first + so_far - before)).sum(axis=2))
    pairs = np.count_nonzero(~np.isnan(moved), axis=2)
    rarer = _averages(pairs) - np.maximum(*sides)
    scores: Array = _nominal(rarer, pairs)
    unanimous = (rarer == 0) & (pairs > 0)
    scores[unanimous] /= 1 + _margins(size[unanimous], pairs[unanimous])
    return scores


def _margins(sizes: Array, pairs: Array) -> Array:
    """The smallest of each row of sorted sizes over its distance from their median; inf at 0."""
    smallest = sizes[:, 0]
    row = np.arange(len(sizes))
    median = sizes[row, (pairs - 1) // 2] / 2 + sizes[row, pairs // 2] / 2
    spread = np.zeros(len(sizes))
    np.subtract(median, smallest, out=spread, where=np.isfinite(smallest))
    margins: Array = np.divide(smallest, spread, out=np.full(len(sizes), np.inf), where=spread > 0)
    return margins


def _best_rows(tables: Array) -> Array:
    """The index of the row of each table with the smallest median, (tables,)."""
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row without values has no median
        of_rows = np.nanmedian if np.isnan(tables).any() else np.median
        medians = of_rows(tables, axis=2)
    index: Array = np.where(np.isnan(medians), np.inf, medians).argmin(axis=1)
    return index


def _averages(pairs: Any) -> Any:
    """The number of Walsh averages."""
    return pairs * (pairs + 1) // 2


def _nominal(rarer: Any, pairs: Any) -> Any:
    """Two-sided p of the signed-rank test: so many averages on the rarer side, of so many pairs."""
    rarer, pairs = np.asarray(rarer), np.asarray(pairs)
    if pairs.ndim == 0:
        return _nominal_table(int(pairs))[rarer] if pairs <= EXACT_PAIRS else _normal(rarer, pairs)
    result = np.empty(rarer.shape)
    for count in np.unique(pairs):
        chosen = pairs == count
        result[chosen] = _nominal(rarer[chosen], count)
    return result


@lru_cache(maxsize=EXACT_PAIRS + 1)
def _nominal_table(pairs: int) -> Array:
    """min(1, 2 P(W <= w)) for w = 0 ... pairs (pairs + 1) / 2, by counting patterns of signs."""
    ways = np.zeros(_averages(pairs) + 1)
    ways[0] = 1
    for rank in range(1, pairs + 1):
        ways[rank:] += ways[:-rank].copy()
    return np.minimum(1.0, 2 * ways.cumsum() / 2.0**pairs)


def _normal(rarer: Array, pairs: Array) -> Array:
    deviation = np.sqrt(pairs * (pairs + 1) * (2 * pairs + 1) / 24)
    two_sided: Array = 2 * ndtr((rarer + 0.5 - _averages(pairs) / 2) / deviation)
    return np.minimum(1.0, two_sided)


def _walsh_by_bisection(ordered: Array, k: int) -> float:
    """The k-th smallest Walsh average of sorted differences, without listing them.

    Bisects the floating-point numbers themselves, as whole numbers of the same order: 64 counts.
    """
    finite = ordered[np.isfinite(ordered)]
    largest = float(np.abs(finite).max(initial=1.0))
    # Infinities become so large that an average with one is beyond all others; inf and -inf give 0.
    clipped = np.clip(ordered, -8 * largest, 8 * largest)

    def at_most(value: float) -> int:
        both = np.searchsorted(clipped, 2 * value - clipped, side="right").sum()
        return int(both + np.searchsorted(clipped, value, side="right")) // 2

    high = int(np.float64(8 * largest).view(np.uint64))
    low = -high - 1
    while low < high:
        middle = (low + high) // 2
        if at_most(_float_at(middle)) >= k:
            high = middle
        else:
            low = middle + 1
    found = _float_at(low)
    return found if abs(found) <= largest else math.copysign(math.inf, found)


def _float_at(position: int) -> float:
    """The floating-point number at a position of their order, 0.0 at 0."""
    magnitude = np.array(abs(position) if position >= 0 else -position - 1, np.uint64)
    return math.copysign(float(magnitude.view(np.float64)), position)
