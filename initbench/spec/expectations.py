"""What a config expects of its runs (``expect``), and which changes count (``gate``)."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field, model_validator

from initbench.metrics import PATTERN, Metric, parse_metric
from initbench.spec.fields import Model, NonNegative, Seed

#: The forms between two initializers: the key names the other one.
RELATIONS = ("above", "below", "faster_than")


class Expectation(Model):
    """What must come out: a metric's bounds, its value, or how two initializers compare.

    Of the run at ``seed``, or without one of the median over seeds; of ``initializer``, or
    without one of each that the config names. ``metric`` may name a moment:
    ``train_loss@14000`` is the loss after 14,000 updates. The forms:

    - ``min`` and ``max``, or ``value`` within atol + rtol |value|;
    - ``above`` or ``below`` another initializer: by at least ``margin``, in the median of the
      paired differences;
    - ``faster_than`` another: the median number of iterations until ``metric`` is as good as
      ``target`` is smaller, by at least ``margin``.
    """

    metric: Annotated[str, Field(pattern=PATTERN, examples=["test_accuracy"])]
    seed: Seed | None = None
    initializer: str | None = None
    min: float | None = None
    max: float | None = None
    value: float | None = None
    atol: NonNegative = 0.0
    rtol: NonNegative = 0.0
    above: str | None = None
    below: str | None = None
    faster_than: str | None = None
    target: float | None = None
    margin: NonNegative = 0.0

    @property
    def relation(self) -> str | None:
        """Which of RELATIONS this is, if it is one."""
        return next((key for key in RELATIONS if getattr(self, key) is not None), None)

    @property
    def other(self) -> str | None:
        """The initializer that the relation compares with."""
        return getattr(self, self.relation) if self.relation else None

    @model_validator(mode="after")
    def _has_one_form(self) -> Expectation:
        related = [key for key in RELATIONS if getattr(self, key) is not None]
        forms = ["min or max"] * (self.min is not None or self.max is not None)
        forms += ["value"] * (self.value is not None)
        forms += related
        if len(forms) > 1:
            raise ValueError(f"has both {forms[1]} and {forms[0]}; keep one form")
        if not forms:
            raise ValueError("expects nothing; add min, max, value, above, below or faster_than")
        if self.value is None and (self.atol or self.rtol):
            raise ValueError("has atol or rtol without value; add value, or remove them")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}; swap them")
        if not related and self.margin:
            raise ValueError("has margin without above, below or faster_than; remove it")
        if related and self.initializer is None:
            raise ValueError(f"has {related[0]} without initializer; name the one that must be")
        self._judge_target()
        return self

    def _judge_target(self) -> None:
        if self.faster_than is None:
            if self.target is not None:
                raise ValueError("has target without faster_than; remove it")
            return
        if self.target is None:
            raise ValueError(f"has faster_than without target; add the {self.metric} to reach")
        metric, iteration = parse_metric(self.metric)
        if iteration is not None:
            raise ValueError(f"has faster_than with a moment; write metric: {metric.name}")


class Gate(Model):
    """From which size on `check` takes a change for a regression or an improvement."""

    accuracy: Annotated[
        NonNegative, Field(description="Least change in accuracy that counts, a fraction.")
    ] = 0.01
    loss: Annotated[
        NonNegative, Field(description="Least change in loss that counts, a share of the loss.")
    ] = 0.05

    def least_change(self, metric: Metric, level: float) -> float:
        """The least change of ``metric`` that counts, where its value was ``level``.

        A bounded metric has an absolute minimum, an unbounded one a share of its level; from an
        infinite level every change counts.
        """
        least: float = getattr(self, metric.family)
        if not metric.can_be_infinite:
            return least
        return least * level if math.isfinite(level) else 0.0
