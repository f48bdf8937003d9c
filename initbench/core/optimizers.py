"""Optimizers: functions that move the parameters of a stack one step, in place.

Every optimizer has the same positional arguments:

- ``theta`` (R, P) are the parameters, which it overwrites.
- ``gradient`` (R, P) is the gradient of each run's loss, which it may overwrite.
- ``slots`` are as many arrays (R, P) as the registry says: all of its state, and scratch. They are
  zeros before the first step.
- ``step`` is the number of the step, from 1.

Its keyword parameters are (R, 1) arrays, one value a run: runs of different learning rates share a
stack. In the formulas g is the gradient.

The update rules are PyTorch's, and trajectories agree with its trajectories to the last digits.
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
    """A row of the registry: ``step`` is the function, ``slots`` the number of arrays it keeps."""

    step: Callable[..., None]
    slots: int
    formula: str
    reference: str


def gd(theta: Array, gradient: Array, slots: Slots, step: int, *, learning_rate: float) -> None:
    """Gradient descent.

    theta <- theta - learning_rate g.

    Args:
        theta: Parameters (R, P).
        gradient: Gradients (R, P).
        slots: None are needed.
        step: The number of the step.
        learning_rate: The size of the step, in units of the gradient.

    Examples:
        >>> theta, gradient = np.array([[1.0]]), np.array([[2.0]])
        >>> gd(theta, gradient, (), 1, learning_rate=0.1)
        >>> theta
        array([[0.8]])
    """
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
    """Gradient descent with momentum, the heavy ball.

    v <- momentum v + g; theta <- theta - learning_rate v.

    Args:
        theta: Parameters (R, P).
        gradient: Gradients (R, P).
        slots: The velocity v.
        step: The number of the step.
        learning_rate: The size of the step, in units of the velocity.
        momentum: The share of the velocity that a step keeps.

    Examples:
        >>> theta, velocity = np.array([[1.0]]), np.array([[1.0]])
        >>> momentum(theta, np.array([[2.0]]), (velocity,), 2, learning_rate=0.1)
        >>> velocity, theta.round(4)
        (array([[2.9]]), array([[0.71]]))

    References:
        Polyak 1964, USSR Computational Mathematics and Mathematical Physics 4.
    """
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
    """Gradient descent with Nesterov's momentum, which looks ahead.

    v <- momentum v + g; theta <- theta - learning_rate (g + momentum v).

    Args:
        theta: Parameters (R, P).
        gradient: Gradients (R, P).
        slots: The velocity v, and scratch.
        step: The number of the step.
        learning_rate: The size of the step, in units of the gradient.
        momentum: The share of the velocity that a step keeps.

    Examples:
        >>> theta, slots = np.array([[1.0]]), (np.zeros((1, 1)), np.zeros((1, 1)))
        >>> nesterov(theta, np.array([[2.0]]), slots, 1, learning_rate=0.1)
        >>> theta.round(4)
        array([[0.62]])

    References:
        Sutskever et al. 2013, ICML, in the form that PyTorch gives it.
    """
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
    """RMSProp: gradient descent with each gradient over its running root mean square.

    s <- decay s + (1 - decay) g^2; theta <- theta - learning_rate g / (sqrt(s) + epsilon).

    Args:
        theta: Parameters (R, P).
        gradient: Gradients (R, P).
        slots: The mean square s, and scratch.
        step: The number of the step.
        learning_rate: The size of the step.
        decay: The share of s that a step keeps.
        epsilon: Keeps the quotient finite where gradients vanish.

    Examples:
        >>> theta, slots = np.array([[1.0]]), (np.zeros((1, 1)), np.zeros((1, 1)))
        >>> rmsprop(theta, np.array([[2.0]]), slots, 1, learning_rate=0.01)
        >>> theta.round(4)
        array([[0.9]])

    References:
        Tieleman and Hinton 2012, Coursera, Neural Networks for Machine Learning, lecture 6.5.
    """
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
    """Adam: momentum and root mean square together, both without the bias of their zero start.

    m <- beta1 m + (1 - beta1) g; s <- beta2 s + (1 - beta2) g^2;
    theta <- theta - learning_rate m' / (sqrt(s') + epsilon), with m' = m / (1 - beta1^step) and
    s' = s / (1 - beta2^step).

    Args:
        theta: Parameters (R, P).
        gradient: Gradients (R, P).
        slots: The means m and s, and scratch.
        step: The number of the step.
        learning_rate: The size of the step; the first moves every parameter by it.
        beta1: The share of m that a step keeps.
        beta2: The share of s that a step keeps.
        epsilon: Keeps the quotient finite where gradients vanish.

    Examples:
        >>> theta, slots = np.array([[1.0]]), tuple(np.zeros((3, 1, 1)))
        >>> adam(theta, np.array([[2.0]]), slots, 1, learning_rate=0.1)
        >>> theta.round(4)
        array([[0.9]])

    References:
        Kingma and Ba 2014, arXiv:1412.6980.
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

#: Other names -> registered names. Gradient descent on mini-batches is the same rule.
ALIASES: dict[str, str] = {"sgd": "gd"}
