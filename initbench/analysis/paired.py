"""Paired replicates: their differences.

Runs at the same seed share their data and their batches, so that the differences of two
initializers are taken seed by seed. A diverged run's loss is inf, and stays in these
functions: the difference of two such runs is 0, since neither is worse; the difference to a finite
loss is infinite, and counts by its sign and as the largest rank.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from initbench.core.arrays import Array
from initbench.runs.records import Record

#: The signed-rank test of five differences has no p-value below 2/32 = 0.0625: with fewer than six
#: nothing can be told apart at 5 %.
MIN_SEEDS = 6


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
