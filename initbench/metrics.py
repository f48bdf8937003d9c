"""Metrics: what is measured of a run, and what its numbers mean. No other module knows.

Expectations, the gate, rankings, tables and exports ask a :class:`Metric` which direction is
better, how its values are written and how large a change counts; nobody reads that from its name.
A new metric is a new row of :data:`METRICS`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Metric:
    """A quantity that a run has at each log point.

    Args:
        name: The name in configs, options, JSON and CSV: ``train_loss``.
        label: The name in sentences: ``train loss``.
        unit: The unit of a written value: ``%``, or empty where the task decides (a loss is in nats
            under cross-entropy, and in squared target units for a regression).
        smaller_is_better: Which direction is an improvement.
        floor: What two machines may differ by without any change of the code: one ``sample`` of the
            split (1 / n of n samples), or ``rounding`` (some units in the last place).
        valid_range: The lowest and the highest value that a run can have. A metric whose range has
            no upper end is infinite for a diverged run, and a change of it is judged as a share of
            its value; a change of a bounded metric is judged as it is.
        digits: Digits of a written value: after the point for percent, significant ones otherwise.
        family: The key of a config's ``gate`` that says how large a change counts. An ``accuracy``
            needs a task with classes.
        split: The part of the data that the metric is computed on.
    """

    name: str
    label: str
    unit: str
    smaller_is_better: bool
    floor: Literal["sample", "rounding"]
    valid_range: tuple[float, float]
    digits: int
    family: Literal["loss", "accuracy"]
    split: Literal["train", "test"]

    @property
    def sign(self) -> int:
        """1 where smaller is better, else -1: ``sign * value`` is smaller for the better run."""
        return 1 if self.smaller_is_better else -1

    @property
    def can_be_infinite(self) -> bool:
        """Whether a diverged run's value is infinity, which JSON writes as null."""
        return math.isinf(self.valid_range[1])

    @property
    def scale(self) -> int:
        """What a value is multiplied by when it is written: 100 for percent."""
        return 100 if self.unit == "%" else 1

    def is_valid(self, value: float) -> bool:
        """Whether a run can have this value; NaN is none.

        >>> METRICS["test_accuracy"].is_valid(0.96), METRICS["test_accuracy"].is_valid(96)
        (True, False)
        """
        low, high = self.valid_range
        return low <= value <= high

    def reaches(self, value: float, target: float) -> bool:
        """Whether ``value`` is as good as ``target``.

        >>> METRICS["train_loss"].reaches(0.1, 0.2), METRICS["test_accuracy"].reaches(0.8, 0.9)
        (True, False)
        """
        return self.sign * value <= self.sign * target

    def text(self, value: float, digits: int | None = None) -> str:
        """The value as tables write it, without its unit; ``digits`` replaces the metric's own.

        >>> METRICS["train_loss"].text(0.101941), METRICS["test_accuracy"].text(0.945)
        ('0.1019', '94.5')
        """
        digits = self.digits if digits is None else digits
        return f"{self.scale * value:.{digits}{'f' if self.unit else 'g'}}"

    def quantity(self, value: float, digits: int = 6) -> str:
        """The value with its unit, for a sentence; ``digits`` are significant ones.

        >>> METRICS["train_loss"].quantity(0.101941), METRICS["test_accuracy"].quantity(0.945)
        ('0.101941', '94.5 %')
        """
        return f"{self.scale * value:.{digits}g}" + (f" {self.unit}" if self.unit else "")

    def change(self, size: float, digits: int = 2) -> str:
        """The size of a change with its unit, for a sentence: of percentages in points.

        >>> METRICS["train_loss"].change(0.0227), METRICS["test_accuracy"].change(0.015)
        ('0.023', '1.5 points')
        """
        text = f"{self.scale * size:.{digits}g}"
        if not self.unit:
            return text
        return f"{text} point" if text == "1" else f"{text} points"

    def difference_text(self, difference: float, digits: int) -> str:
        """A difference of two values with its sign; of percentages in percentage points.

        ``digits`` are significant ones, or in percentage points those after the point.

        >>> METRICS["train_loss"].difference_text(0.0227, 3)
        '+0.0227'
        >>> METRICS["test_accuracy"].difference_text(-0.005, 1)
        '-0.5'
        """
        text = format(self.scale * difference, f"+.{digits}{'f' if self.unit else 'g'}")
        return text if float(text) else text[1:]  # 0 has no sign


def _loss(split: Literal["train", "test"]) -> Metric:
    return Metric(
        f"{split}_loss", f"{split} loss", "", True, "rounding", (0.0, math.inf), 4, "loss", split
    )


def _accuracy(split: Literal["train", "test"]) -> Metric:
    return Metric(
        f"{split}_accuracy", f"{split} accuracy", "%", False, "sample", (0.0, 1.0), 1, "accuracy",
        split,
    )  # fmt: skip


#: Every metric by its name, in the order of columns.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (_loss("train"), _accuracy("train"), _loss("test"), _accuracy("test"))
}

#: What a config or an option may write: a metric, or a metric @ the number of updates before it.
PATTERN = rf"^({'|'.join(METRICS)})(@\d{{1,12}})?$"


class MetricAt(NamedTuple):
    """A metric after so many updates of the weights; None is the end of the run."""

    metric: Metric
    iteration: int | None

    def __str__(self) -> str:
        moment = "" if self.iteration is None else f"@{self.iteration}"
        return f"{self.metric.name}{moment}"


def parse_metric(text: str) -> MetricAt:
    """The metric that a text names: ``train_loss``, or ``train_loss@14000`` after 14,000 updates.

    Raises:
        ValueError: The text names no metric; the message lists those that there are.

    >>> parse_metric("test_accuracy@50").iteration
    50
    """
    if not re.fullmatch(PATTERN, text):
        raise ValueError(
            f"must be {known()}, or one of these @ an iteration, got {text!r}; "
            "write e.g. train_loss@14000"
        )
    name, _, moment = text.partition("@")
    return MetricAt(METRICS[name], int(moment) if moment else None)


def parse_target(text: str) -> tuple[str, float]:
    """The metric and the value of ``METRIC=VALUE``: a target, which runs may reach.

    Raises:
        ValueError: The text names no metric, or a value that the metric cannot have.

    >>> parse_target("test_accuracy=0.9")
    ('test_accuracy', 0.9)
    """
    name, _, figure = text.partition("=")
    try:
        value = float(figure)
    except ValueError:
        value = math.nan
    if name not in METRICS or not math.isfinite(value) or not METRICS[name].is_valid(value):
        raise ValueError(
            f"must be METRIC=VALUE, as in test_accuracy=0.9, got {text!r}; "
            f"METRIC is one of {', '.join(METRICS)}, a loss is at least 0, an accuracy from 0 to 1"
        )
    return name, value


def known() -> str:
    """All metrics' names, for a message: ``a, b, c or d``."""
    *names, last = METRICS
    return f"{', '.join(names)} or {last}"
