"""Record: what one run was, did and ended as."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from initbench.core.engine.protocol import Point
from initbench.metrics import METRICS, parse_metric

Status = Literal["ok", "diverged", "failed"]


class RowKey(NamedTuple):
    """What a row of a table, a group of the gate or a diagnosis is found by.

    ``setting`` is the point of the config's sweep as :func:`setting_key` writes it, so that a key
    can be hashed and sorted.
    """

    config: str
    initializer: str
    setting: str

    @classmethod
    def of(cls, config: str, initializer: str, setting: Mapping[str, Any]) -> RowKey:
        """The key of an initializer of a config, at a point of its sweep.

        >>> RowKey.of("he", "he_normal", {"learning_rate": 0.1})
        RowKey(config='he', initializer='he_normal', setting='{"learning_rate": 0.1}')
        """
        return cls(config, initializer, setting_key(setting))


def setting_key(setting: Mapping[str, Any]) -> str:
    """The point of a sweep as a text, the same in whatever order the sweep names its keys.

    >>> setting_key({"learning_rate": 0.1, "batch_size": None})
    '{"batch_size": null, "learning_rate": 0.1}'
    """
    return json.dumps(dict(setting), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Curve:
    """Metrics at the log points: after ``iteration`` updates each."""

    iteration: tuple[int, ...]
    train_loss: tuple[float, ...]
    train_accuracy: tuple[float, ...] | None
    test_loss: tuple[float, ...]
    test_accuracy: tuple[float, ...] | None


#: A failed run's.
NO_CURVE = Curve((), (), None, (), None)


@dataclass(frozen=True, slots=True)
class Record:
    """One run's result. Its metrics are the last of its curve.

    A run whose train loss stopped being finite is ``diverged``: its curve ends at the log
    point that showed it, with a loss of inf, and ``iterations`` is that point's. Accuracies
    are None for a regression. A run that could not be trained (its initializer raised, say) is
    ``failed``: its curve is empty, and ``reason`` says in words what happened. ``note`` is what
    the initializer of a run that trained reports, most often nothing.

    ``id`` is :func:`initbench.runs.identity.identity`: equal for runs whose numbers must be equal.
    ``numerics`` are the NumPy and BLAS that made them, and may differ between equal ids: then
    last digits may, too. ``cached`` records were read from a store, not trained now.
    """

    id: str
    config: str
    initializer: str
    setting: dict[str, Any]
    seed: int
    status: Status
    curve: Curve
    seconds: float
    reason: str = ""
    note: str = ""
    numerics: str = ""
    cached: bool = False

    @property
    def row(self) -> RowKey:
        """The key of the row that this run counts for."""
        return RowKey.of(self.config, self.initializer, self.setting)

    @property
    def iterations(self) -> int:
        """Updates done."""
        return self.curve.iteration[-1] if self.curve.iteration else 0

    def metric(self, name: str) -> float | None:
        """The final value of one of METRICS; None where the task, or a failed run, has none.

        ``train_loss@14000`` is the value after 14,000 updates, None where no log point is; of a
        run that has diverged before, the last.
        """
        metric, iteration = parse_metric(name)
        values: tuple[float, ...] | None = getattr(self.curve, metric.name)
        if not values:
            return None
        if iteration is None or (self.status == "diverged" and iteration > self.iterations):
            return values[-1]
        logged = dict(zip(self.curve.iteration, values, strict=True))
        return logged.get(iteration)

    def iterations_to(self, metric: str, target: float) -> float:
        """Updates until a log point at which ``metric`` is as good as ``target``; else inf."""
        for iteration, value in zip(
            self.curve.iteration, getattr(self.curve, metric) or (), strict=False
        ):
            if METRICS[metric].reaches(value, target):
                return iteration
        return math.inf


def curve_of(points: Sequence[Point], run: int) -> tuple[Status, Curve]:
    """One run's share of a stack's trace: whether it diverged, and its curve up to there."""
    losses = [float(point.train_loss[run]) for point in points]
    finite = [bool(np.isfinite(loss)) for loss in losses]
    status: Status = "ok" if all(finite) else "diverged"
    kept = points if status == "ok" else points[: finite.index(False) + 1]

    def column(name: str) -> tuple[float, ...] | None:
        if getattr(kept[0], name) is None:
            return None
        return tuple(float(getattr(point, name)[run]) for point in kept)

    return status, Curve(
        iteration=tuple(point.iteration for point in kept),
        train_loss=tuple(losses[: len(kept)]),
        train_accuracy=column("train_accuracy"),
        test_loss=tuple(float(point.test_loss[run]) for point in kept),
        test_accuracy=column("test_accuracy"),
    )
