"""A stack of runs -> its networks, drawn, and what is measured in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from initbench.core.architecture import Architecture
from initbench.core.arrays import Array
from initbench.core.draw import Draws
from initbench.core.engine.numpy_stack import train
from initbench.core.engine.protocol import Split
from initbench.core.means import Phi, elementwise
from initbench.core.propagation import Measurement, measure
from initbench.runs.execute import Work, draw_work, prepare
from initbench.runs.plan import Stack

#: At this distance from 0, to either side, an activation that has a flat side is flat.
FAR = 40.0


@dataclass(frozen=True, slots=True)
class ActivationShape:
    """What a diagnosis needs to know about an activation: its largest slope and its flat sides.

    ``zero_below`` says that its value is 0 on the flat side below, as relu's is.
    """

    phi: Phi
    steepest: float
    flat_below: bool
    flat_above: bool
    zero_below: bool


@dataclass(frozen=True, slots=True)
class DrawnStack:
    """Networks with their first parameters ``theta`` (R, P), and the samples to measure them on."""

    work: Work
    theta: Array
    split: Split
    shape: ActivationShape


def draw_stack(stack: Stack, samples: int) -> tuple[DrawnStack, Draws]:
    """The networks of a stack that could be drawn, and the draw with its failures and notes."""
    work, draws = draw_work(prepare(stack))
    train_split = work.task.train
    count = train_split.inputs.shape[1]
    # Evenly spaced: a file may be sorted by class.
    chosen = np.unique(np.linspace(0, count - 1, min(samples, count)).astype(int))
    split = Split(train_split.inputs[:, chosen], train_split.targets[:, chosen])
    return DrawnStack(work, draws.theta, split, activation_shape(work.task.architecture)), draws


def measurements(drawn: DrawnStack, *, during: bool) -> Iterator[tuple[int, Measurement]]:
    """(iteration, measurement): before training, or ``during`` it at every log point."""
    work, theta = drawn.work, drawn.theta
    start = theta.copy() if during else None  # train moves theta in place

    def now() -> Measurement:
        steepest = drawn.shape.steepest
        return measure(work.task, theta, drawn.split, work.hyperparameters, steepest, start)

    if not during:
        yield 0, now()
        return
    for point in train(work.task, theta, work.seeds, work.hyperparameters):
        yield point.iteration, now()


def joined(parts: Sequence[Measurement]) -> Measurement:
    """The measurements of several stacks as one, run after run."""
    return Measurement(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Measurement)
        }
    )


def activation_shape(architecture: Architecture) -> ActivationShape:
    """The shape of a network's activation, found by evaluating it."""
    return _shape_of(architecture.activation, tuple(architecture.activation_parameters.items()))


@lru_cache
def _shape_of(activation: str, parameters: tuple[tuple[str, Any], ...]) -> ActivationShape:
    phi = elementwise(activation, dict(parameters))
    slope = np.abs(phi(np.linspace(-FAR, FAR, 8001))[1])
    value, ends = phi(np.array([-FAR, FAR]))
    steepest = float(slope.max())
    below, above = (bool(abs(end) < 1e-6 * steepest) for end in ends)
    return ActivationShape(phi, steepest, below, above, below and value[0] == 0)
