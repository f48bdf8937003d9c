"""Paired replicates: their differences, and the tests of these.

Runs at the same seed share their data and their batches, so that the differences of two
initializers are taken seed by seed. A diverged run's loss is inf, and stays in every one of these
functions: the difference of two such runs is 0, since neither is worse; the difference to a finite
loss is infinite, and counts by its sign and as the largest rank.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from initbench.core.arrays import Array
from initbench.runs.records import Record

#: The signed-rank test of five differences has no p-value below 2/32 = 0.0625: with fewer than six
#: nothing can be told apart at 5 %.
MIN_SEEDS = 6
#: More differences than this are tested by the normal approximation.
MAX_EXACT = 50


def differences(values: Sequence[float] | Array, others: Sequence[float] | Array) -> Array:
    """``values`` less ``others``, pair by pair; two infinities differ by 0.

    >>> differences([0.3, np.inf, np.inf], [0.1, 0.2, np.inf])
    array([0.2, inf, 0. ])
    """
    a, b = np.asarray(values, float), np.asarray(others, float)
    result: Array = np.subtract(a, b, out=np.zeros_like(a), where=a != b)
    return result


def paired_differences(records: Sequence[Record], others: Sequence[Record], metric: str) -> Array:
    """``records`` less ``others`` in ``metric``, at the seeds where both have it."""
    values, reference = (
        {record.seed: record.metric(metric) for record in side} for side in (records, others)
    )
    pairs = [
        (value, other)
        for seed, value in values.items()
        if value is not None and (other := reference.get(seed)) is not None
    ]
    return differences([value for value, _ in pairs], [other for _, other in pairs])


def signed_rank_p(differences: Array) -> float:
    """The two-sided p-value of the Wilcoxon signed-rank test: differences are symmetric about 0.

    Differences of 0 are dropped (Wilcoxon 1945, Biometrics Bulletin 1), and p is 1 where fewer than
    ``MIN_SEEDS`` are left, because a test of so few cannot reach 5 %. Up to ``MAX_EXACT`` p is
    exact, with ties too: all 2^n patterns of signs are counted by their sum of ranks. Beyond, it is
    SciPy's normal approximation.

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
    """The number of seeds below which no difference can be significant among so many ``tests``.

    Even n differences of one sign have a p-value of 2 / 2^n, and Holm multiplies the smallest
    p-value by the number of tests.

    >>> seeds_needed(1), seeds_needed(5)
    (6, 8)
    """
    return math.ceil(math.log2(2 * max(1, tests) / significance))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number by Holm's step-down method, so that all hold at once.

    Holm 1979, Scandinavian Journal of Statistics 6.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
