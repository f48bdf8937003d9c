"""Records: what each run was, how it went and how it ended."""

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
    """The key of a row: in a table, in the gate and in a diagnosis.

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
    """Metrics at the log points; ``iteration`` holds the number of updates before each."""

    iteration: tuple[int, ...]
    train_loss: tuple[float, ...]
    train_accuracy: tuple[float, ...] | None
    test_loss: tuple[float, ...]
    test_accuracy: tuple[float, ...] | None


#: The curve of a failed run.
NO_CURVE = Curve((), (), None, (), None)


@dataclass(frozen=True, slots=True)
class Record:
    """One run's result. Its final metrics are the last values of its curve.

    A run whose train loss stopped being finite is ``diverged``: its curve ends at the log point
    that showed it, with a loss of inf. A run that could not be trained, because its initializer
    raised, say, is ``failed``, and its curve is empty. A regression has no accuracies: they are
    None.

    Attributes:
        id: The :func:`initbench.runs.identity.identity`, equal for runs of equal numbers.
        config: The name of the config that asked for the run.
        initializer: The label of the initializer, with the parameters that differ from defaults.
        setting: The point of the config's sweep; empty without a sweep.
        seed: The seed of weights and batches.
        status: How the run ended.
        curve: The metrics at each log point.
        seconds: The run's share of its stack's time.
        reason: Why the run failed, in words; empty otherwise.
        note: What the initializer of a run that trained reports; most often empty.
        numerics: The NumPy and BLAS that made the numbers. Where they differ between records of
            equal ids, last digits may differ.
        cached: Whether the record was read from a store, and not trained now.
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
        """The number of updates that the run did."""
        return self.curve.iteration[-1] if self.curve.iteration else 0

    def metric(self, name: str) -> float | None:
        """The final value of a metric; None where the task has no such metric, or the run failed.

        ``train_loss@14000`` names the value after 14,000 updates. It is None where no log point is
        there, and the last value where the run had diverged before.
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
        """The updates before a log point where ``metric`` is as good as ``target``; inf: never."""
        for iteration, value in zip(
            self.curve.iteration, getattr(self.curve, metric) or (), strict=False
        ):
            if METRICS[metric].reaches(value, target):
                return iteration
        return math.inf


def curve_of(points: Sequence[Point], run: int) -> tuple[Status, Curve]:
    """One run's part of a stack's log points: whether it diverged, and its curve up to there."""
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
