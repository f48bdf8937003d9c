"""Where each row of a comparison stands against the best: the one place that decides it.

The interval of a row's difference, its p-value, its mark and its word come from one method
(:mod:`initbench.analysis.best`), so that no two of them contradict each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from initbench.analysis.best import LEVEL, Difference, compare_with_best
from initbench.analysis.intervals import Interval
from initbench.core.arrays import Array
from initbench.metrics import METRICS
from initbench.runs.records import Record

#: What a row is, compared with the best one and with the least difference that counts.
Word = Literal["best", "as good", "worse", "undecided"]
#: More seeds than this are no advice: the rows are as good as equal.
MOST_SEEDS = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A row against the best row, over the ``pairs`` seeds at which both have the metric.

    Attributes:
        pairs: Seeds at which both have the metric.
        difference: The Hodges-Lehmann estimate of the row less the best, with its interval at the
            row's own adjusted level; None for the best row and without pairs.
        p_value: Adjusted for the choice of the best and the number of rows; None for the best row
            and where there are too few seeds for a test.
        best_group: Whether the row cannot be told from the best: then, and only then, its interval
            holds 0. None where there are too few seeds to say.
        word: ``as good`` where the whole interval is within the least difference that counts, else
            ``worse`` where the row is told from the best, else ``undecided``. None where there are
            too few seeds to say, or where no row has trained.
        seeds_to_decide: For an undecided row about how many seeds would make it one of the others,
            if the difference is as estimated; None where that is more than MOST_SEEDS.
    """

    pairs: int
    difference: Interval | None
    p_value: float | None
    best_group: bool | None
    word: Word | None
    seeds_to_decide: int | None = None


def standings(
    rows: Sequence[Sequence[Record]],
    metric: str,
    least: Sequence[float],
    level: float = LEVEL,
) -> list[Standing]:
    """Each row's standing.

    Args:
        rows: Each row's records; the best row, by the median of the metric, comes first.
        metric: The name of the metric that ranks.
        least: The least difference of the metric that counts, a number a row.
        level: The chance, where all rows are equal, that any is told from the best.
    """
    known = METRICS[metric]
    values = metric_table(rows, metric)
    # A row that equals the best is as good a best: the first one is.
    best, differences = compare_with_best(
        values, smaller_is_better=known.smaller_is_better, level=level, best=0
    )
    return [
        _best(difference) if row == best else _standing(difference, known.sign, least[row])
        for row, difference in enumerate(differences)
    ]


def metric_table(rows: Sequence[Sequence[Record]], metric: str) -> Array:
    """A metric's values, (rows, seeds): seeds in their order, NaN where a row has no value."""
    seeds = sorted({record.seed for records in rows for record in records})
    column = {seed: index for index, seed in enumerate(seeds)}
    table = np.full((len(rows), len(seeds)), np.nan)
    for row, records in enumerate(rows):
        for record in records:
            value = record.metric(metric)
            if value is not None:
                table[row, column[record.seed]] = value
    return table


def _best(difference: Difference) -> Standing:
    if difference.told_apart is None:
        return Standing(difference.pairs, None, None, None, None)
    return Standing(difference.pairs, None, None, True, "best")


def _standing(one: Difference, sign: int, least: float) -> Standing:
    if not one.pairs:
        return Standing(0, None, None, None, None)
    interval = Interval(one.estimate, one.low, one.high)
    if one.told_apart is None:
        return Standing(one.pairs, interval, None, None, None)
    # Oriented so that a positive difference is worse.
    low, high = sorted((sign * one.low, sign * one.high))
    word: Word = "undecided"
    if -least <= low and high <= least:
        word = "as good"
    elif one.told_apart:
        word = "worse"
    seeds = _seeds_to_decide(one.pairs, sign * one.estimate, low, high, least)
    return Standing(
        one.pairs,
        interval,
        one.p_value,
        not one.told_apart,
        word,
        seeds if word == "undecided" else None,
    )


def _seeds_to_decide(
    pairs: int, estimate: float, low: float, high: float, least: float
) -> int | None:
    """About how many pairs make the interval narrow enough, whose ends close in as 1 / sqrt(n)."""
    needed = []
    for reach, room in ((estimate - low, estimate), (high - estimate, least - estimate)):
        if room > 0 and math.isfinite(reach):
            needed.append(pairs * (reach / room) ** 2)
    fewest = min(needed, default=math.inf)
    return max(pairs + 1, math.ceil(fewest)) if fewest <= MOST_SEEDS else None
