"""Runs over their iterations: a metric's median and middle half, and the share that has trained.

A diverged run keeps its last values from the log point that showed it on: its loss is inf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from initbench.analysis.comparison import learned_loss
from initbench.analysis.intervals import median
from initbench.metrics import METRICS
from initbench.runs.records import Record


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A metric of several runs after ``iteration`` updates.

    ``low`` and ``high`` are the quartiles, each a value that a run has (the inverse of the
    empirical distribution: no mean with infinity is taken).
    """

    iteration: int
    median: float
    low: float
    high: float
    runs: int


def curve_points(records: Sequence[Record], metric: str) -> list[CurvePoint]:
    """The metric of the runs that have it, at every log point that any of them has."""
    points = []
    for iteration in logged(records):
        values = [v for record in records if (v := _at(record, metric, iteration)) is not None]
        if values:
            low, high = np.quantile(values, (0.25, 0.75), method="inverted_cdf")
            points.append(
                CurvePoint(iteration, median(values), float(low), float(high), len(values))
            )
    return points


def trained_shares(records: Sequence[Record], constant_loss: float) -> list[tuple[int, float]]:
    """(iteration, share): the runs, failed ones among them, that have trained by then.

    A run has trained from the first log point on from which its train loss stays at
    :func:`initbench.analysis.comparison.learned_loss` or below it. The last share is that of
    :func:`initbench.analysis.comparison.has_trained`.
    """
    enough = learned_loss(constant_loss)
    since = [_since(record, enough) for record in records]
    return [
        (iteration, sum(start is not None and start <= iteration for start in since) / len(since))
        for iteration in logged(records)
    ]


def logged(records: Sequence[Record]) -> list[int]:
    """Every log point that any of the runs has, in order."""
    return sorted({iteration for record in records for iteration in record.curve.iteration})


def _since(record: Record, enough: float) -> int | None:
    """The first log point from which on the train loss is at most ``enough``."""
    backwards = zip(
        reversed(record.curve.iteration), reversed(record.curve.train_loss), strict=True
    )
    kept = list(takewhile(lambda pair: pair[1] <= enough, backwards))
    return kept[-1][0] if kept else None


def _at(record: Record, metric: str, iteration: int) -> float | None:
    """The metric after ``iteration`` updates; see :meth:`Record.metric`, which reads a text."""
    values: tuple[float, ...] | None = getattr(record.curve, METRICS[metric].name)
    if not values:
        return None
    if iteration > record.iterations:
        return values[-1] if record.status == "diverged" else None
    return dict(zip(record.curve.iteration, values, strict=True)).get(iteration)
