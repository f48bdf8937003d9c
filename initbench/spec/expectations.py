"""What a config expects of its runs (``expect``), and how large a change counts (``gate``)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge
from pydantic import BeforeValidator, Field, model_validator

from initbench.metrics import PATTERN, Metric, parse_metric
from initbench.spec.fields import Model, NonNegative, Seed

#: The keys that compare with another initializer, which their value names.
RELATIONS = ("above", "below", "faster_than")


def _pairs(value: Any) -> Any:
    """A mapping as pairs, which are frozen."""
    if not isinstance(value, Mapping):
        raise ValueError("must be `key: value` lines, as in {learning_rate: 0.1}")
    return tuple(value.items())


class Expectation(Model):
    """What `check` expects: bounds or a value of a metric, or a comparison of two initializers.

    An expectation is about one run where ``seed`` is given, and about the median over the seeds
    where it is not; about one ``initializer``, or about each that the config names. It has one of
    these forms:

    - ``min``, ``max`` or both: bounds of the metric, included;
    - ``value``: the metric differs from it by at most ``atol + rtol * |value|``;
    - ``above`` or ``below`` another initializer: the median of the paired differences is at least
      ``margin`` in that direction; with a negative ``margin`` it may be so much on the other side
      (non-inferiority: at most two points under He is ``above: he_normal, margin: -0.02``);
    - ``faster_than`` another initializer: the median number of iterations until ``metric`` is as
      good as ``target`` is smaller than the other's, by at least ``margin``.

    With ``at_least`` the first two forms must hold at so many of the seeds, in place of the median.
    With ``where`` only one point of a sweep is judged.
    """

    metric: Annotated[
        str,
        Field(
            pattern=PATTERN,
            description="A metric, or a metric at an iteration: train_loss@14000 is the loss "
            "after 14,000 updates.",
            examples=["test_accuracy"],
        ),
    ]
    seed: Annotated[
        Seed | None, Field(description="Seed of the run; null for the median over the seeds.")
    ] = None
    initializer: Annotated[
        str | None,
        Field(description="Name or label of one of the config's initializers; null for each."),
    ] = None
    min: Annotated[float | None, Field(description="Least value of the metric.")] = None
    max: Annotated[float | None, Field(description="Greatest value of the metric.")] = None
    value: Annotated[float | None, Field(description="Value of the metric.")] = None
    atol: Annotated[NonNegative, Field(description="Absolute tolerance, in the metric's unit.")] = (
        0.0
    )
    rtol: Annotated[NonNegative, Field(description="Tolerance as a share of the value.")] = 0.0
    above: Annotated[str | None, Field(description="Initializer that has a lower metric.")] = None
    below: Annotated[str | None, Field(description="Initializer that has a higher metric.")] = None
    faster_than: Annotated[
        str | None, Field(description="Initializer that needs more iterations to the target.")
    ] = None
    target: Annotated[
        float | None, Field(description="Value of the metric to reach, with faster_than.")
    ] = None
    margin: Annotated[
        float,
        Field(
            description="Least difference between the two initializers: in the metric's unit, or "
            "in iterations with faster_than. A negative one allows to be so much worse."
        ),
    ] = 0.0
    at_least: Annotated[
        Annotated[int, Ge(1)] | None,
        Field(
            description="Number of seeds at which min, max or value must hold; null for the median."
        ),
    ] = None
    where: Annotated[
        tuple[tuple[str, Any], ...],
        BeforeValidator(_pairs, json_schema_input_type=dict[str, Any]),
        Field(description="Point of the sweep that is judged, as {key: value}; empty for each."),
    ] = ()

    @property
    def relation(self) -> str | None:
        """The key of RELATIONS that is given, or None."""
        return next((key for key in RELATIONS if getattr(self, key) is not None), None)

    @property
    def other(self) -> str | None:
        """The initializer that :attr:`relation` names, or None."""
        return getattr(self, self.relation) if self.relation else None

    def is_about(self, setting: Mapping[str, Any]) -> bool:
        """Whether a point of the sweep is judged."""
        return all(key in setting and setting[key] == value for key, value in self.where)

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
            raise ValueError(f"has {related[0]} without initializer; name the one to compare")
        if self.at_least is not None and (related or self.seed is not None):
            raise ValueError(
                f"has at_least with {related[0] if related else 'seed'}; at_least counts seeds for "
                "min, max or value"
            )
        self._check_target()
        return self

    def _check_target(self) -> None:
        if self.faster_than is None:
            if self.target is not None:
                raise ValueError("has target without faster_than; remove it")
            return
        if self.target is None:
            raise ValueError(f"has faster_than without target; add the target {self.metric}")
        metric, iteration = parse_metric(self.metric)
        if iteration is not None:
            raise ValueError(
                f"has faster_than with a metric at an iteration; write metric: {metric.name}"
            )


class Gate(Model):
    """The least changes that `check` takes for a regression or an improvement."""

    accuracy: Annotated[
        NonNegative,
        Field(description="Least change in accuracy that counts: 0.01 is one percentage point."),
    ] = 0.01
    loss: Annotated[
        NonNegative, Field(description="Least change in loss that counts, as a share of the loss.")
    ] = 0.05
    loss_floor: Annotated[
        NonNegative,
        Field(
            description="Least change in loss that counts in any case: a loss of 0 has no share."
        ),
    ] = 1e-6

    def least_change(self, metric: Metric, level: float) -> float:
        """The least change of ``metric`` that counts, where its value was ``level``.

        A bounded metric has an absolute minimum. An unbounded one has a share of its level, but no
        less than ``loss_floor``; from an infinite level every change counts.
        """
        least: float = getattr(self, metric.family)
        if not metric.can_be_infinite:
            return least
        return max(least * level, self.loss_floor) if math.isfinite(level) else 0.0
