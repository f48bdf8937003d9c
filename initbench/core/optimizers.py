"""Optimizers: functions that move the parameters of a stack one step, in place.

Each takes ``theta`` and ``gradient``, (R, P), then ``slots``, as many zero-started arrays
of that shape as the registry says (its whole state, and scratch), the number of the step
from 1, and its parameters by name. ``gradient`` may be overwritten. Parameters arrive as
(R, 1) arrays, one value a run, so that runs of different learning rates share a stack.

The update rules are PyTorch's, so that trajectories can be compared to the last digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Lt

from initbench.core.arrays import Array

Slots = tuple[Array, ...]
Fraction = Annotated[float, Ge(0), Lt(1)]


class Optimizer(NamedTuple):
    """A row of the registry: the step, how many slots it needs, its rule, its source."""

    step: Callable[..., None]
    slots: int
    formula: str
    reference: str


def gd(theta: Array, gradient: Array, slots: Slots, step: int, *, learning_rate: float) -> None:
    """Theta <- theta - learning_rate g."""
    gradient *= learning_rate
    theta -= gradient


def momentum(
    theta: Array,
    gradient: Array,
    slots: Slots,
    step: int,
    *,
    learning_rate: float,
    momentum: Fraction = 0.9,
) -> None:
    """V <- momentum v + g; theta <- theta - learning_rate v."""
    (velocity,) = slots
    velocity *= momentum
    velocity += gradient
    np.multiply(velocity, learning_rate, out=gradient)
    theta -= gradient


def nesterov(
    theta: Array,
    gradient: Array,
    slots: Slots,
    step: int,
    *,
    learning_rate: float,
    momentum: Fraction = 0.9,
) -> None:
    """V <- momentum v + g; theta <- theta - learning_rate (g + momentum v)."""
    velocity, ahead = slots
    velocity *= momentum
    velocity += gradient
    np.multiply(velocity, momentum, out=ahead)
    gradient += ahead
    gradient *= learning_rate
    theta -= gradient


def rmsprop(
    theta: Array,
    gradient: Array,
    slots: Slots,
    step: int,
    *,
    learning_rate: float,
    decay: Fraction = 0.99,
    epsilon: Annotated[float, Gt(0)] = 1e-8,
) -> None:
    """S <- decay s + (1 - decay) g^2; theta <- theta - learning_rate g / (sqrt(s) + epsilon)."""
    square, scratch = slots
    np.multiply(gradient, gradient, out=scratch)
    scratch *= 1 - decay
    square *= decay
    square += scratch
    np.sqrt(square, out=scratch)
    scratch += epsilon
    gradient /= scratch
    gradient *= learning_rate
    theta -= gradient


def adam(
    theta: Array,
    gradient: Array,
    slots: Slots,
    step: int,
    *,
    learning_rate: float,
    beta1: Fraction = 0.9,
    beta2: Fraction = 0.999,
    epsilon: Annotated[float, Gt(0)] = 1e-8,
) -> None:
    """m, s <- running means of g and g^2; theta <- theta - learning_rate m' / (sqrt(s') + epsilon).

    m' = m / (1 - beta1^step) and s' = s / (1 - beta2^step) undo the bias of a zero start.
    """
    mean, square, scratch = slots
    np.multiply(gradient, gradient, out=scratch)
    scratch *= 1 - beta2
    square *= beta2
    square += scratch
    gradient *= 1 - beta1
    mean *= beta1
    mean += gradient
    np.divide(square, 1 - beta2**step, out=scratch)
    np.sqrt(scratch, out=scratch)
    scratch += epsilon
    np.divide(mean, scratch, out=gradient)
    gradient *= learning_rate / (1 - beta1**step)
    theta -= gradient


OPTIMIZERS: dict[str, Optimizer] = {
    "gd": Optimizer(gd, 0, "theta - lr g", "-"),
    "momentum": Optimizer(momentum, 1, "heavy ball", "Polyak 1964"),
    "nesterov": Optimizer(nesterov, 2, "look-ahead momentum", "Sutskever et al. 2013, ICML"),
    "rmsprop": Optimizer(rmsprop, 2, "g / sqrt(mean g^2)", "Tieleman and Hinton 2012"),
    "adam": Optimizer(adam, 3, "mean g / sqrt(mean g^2)", "Kingma and Ba 2014, arXiv:1412.6980"),
}

#: Other names: gradient descent on mini-batches is the same rule.
ALIASES: dict[str, str] = {"sgd": "gd"}
