"""Runs over their iterations: a metric's median and middle half, and the share that has trained.

A diverged run keeps its last values from the log point that showed it on: its loss is inf.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
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
    series = [(record, _series(record, metric)) for record in records]
    points = []
    for iteration in logged(records):
        values = [v for one in series if (v := _at(*one, iteration)) is not None]
        if values:
            low, high = np.quantile(values, (0.25, 0.75), method="inverted_cdf")
            points.append(
                CurvePoint(iteration, median(values), float(low), float(high), len(values))
            )
    return points


def median_curve(records: Sequence[Record], metric: str, iterations: Sequence[int]) -> list[float]:
    """The metric's median over the runs after each number of updates, or when last logged before.

    It is empty where no run has the metric.
    """
    series = [(record, _series(record, metric)) for record in records]
    moments = logged(records)
    last = [moments[bisect_right(moments, iteration) - 1] for iteration in iterations if moments]
    at = {
        moment: [v for one in series if (v := _at(*one, moment)) is not None]
        for moment in set(last)
    }
    return [median(at[moment]) for moment in last if at[moment]]


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


def _series(record: Record, metric: str) -> dict[int, float]:
    """The metric at each log point of a run."""
    values: tuple[float, ...] | None = getattr(record.curve, METRICS[metric].name)
    return dict(zip(record.curve.iteration, values, strict=True)) if values else {}


def _at(record: Record, series: Mapping[int, float], iteration: int) -> float | None:
    """The metric after ``iteration`` updates; see :meth:`Record.metric`, which reads a text."""
    if series and iteration > record.iterations:
        return series[record.iterations] if record.status == "diverged" else None
    return series.get(iteration)
