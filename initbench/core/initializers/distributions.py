"""Weights that ignore the layer's fans: constants, normals and uniforms."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.random import RandomState
from numpy.typing import DTypeLike
from scipy.special import ndtr

from initbench.core.architecture import Shape
from initbench.core.initializers.protocol import Moments, Weights


def zeros(rng: RandomState, shape: Shape, dtype: DTypeLike) -> Weights:
    """All weights are 0.

    Use it for biases, and as the bad example: the units of a hidden layer start equal, get equal
    gradients and stay equal.

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> zeros(RandomState(3), (2, 3), np.float64)
        array([[0., 0., 0.],
               [0., 0., 0.]])

    References:
        Goodfellow, Bengio and Courville 2016, "Deep learning", section 8.4, on breaking symmetry.
    """
    return np.zeros(shape, dtype)


def ones(rng: RandomState, shape: Shape, dtype: DTypeLike) -> Weights:
    """All weights are 1.

    Use it as the bad example: units stay equal, as with :func:`zeros`, and each layer multiplies
    the signal by up to fan_in.

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> ones(RandomState(3), (2, 3), np.float64)
        array([[1., 1., 1.],
               [1., 1., 1.]])

    References:
        Goodfellow, Bengio and Courville 2016, "Deep learning", section 8.4, on breaking symmetry.
    """
    return np.ones(shape, dtype)


def constant(rng: RandomState, shape: Shape, dtype: DTypeLike, *, value: float) -> Weights:
    """All weights have the same ``value``.

    Use it as the bad example at any scale: whatever the value, the units of a layer stay equal.

    Args:
        value: The weight.

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> constant(RandomState(3), (2, 3), np.float64, value=0.5)
        array([[0.5, 0.5, 0.5],
               [0.5, 0.5, 0.5]])

    References:
        Goodfellow, Bengio and Courville 2016, "Deep learning", section 8.4, on breaking symmetry.
    """
    return np.full(shape, value, dtype)


def constant_law(shape: Shape, *, value: float) -> Moments:
    """The mean and both bounds are the value, and nothing varies."""
    return Moments(value, 0.0, value, value)


zeros_law = partial(constant_law, value=0.0)
ones_law = partial(constant_law, value=1.0)


def normal(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    mean: float = 0.0,
    std: Annotated[float, Ge(0)] = 1.0,
) -> Weights:
    """Normal weights N(mean, std^2), whatever the layer's fans.

    Use it to set a standard deviation by hand, or to show what a wrong one does.

    Args:
        mean: The mean of the weights.
        std: The standard deviation of the weights.

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> normal(RandomState(3), (1, 2), np.float64, std=10.0)
        array([[17.88628473,  4.36509851]])

    References:
        PyTorch's ``torch.nn.init.normal_``, Keras' RandomNormal.
    """
    return (rng.standard_normal(shape) * std + mean).astype(dtype)


def normal_law(shape: Shape, *, mean: float, std: float) -> Moments:
    """The parameters are the moments, and no value is out of bounds."""
    return Moments(mean, std)


def uniform(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, low: float = -1.0, high: float = 1.0
) -> Weights:
    """Uniform weights U(low, high), whatever the layer's fans.

    Use it to set bounds by hand, or to show what wrong ones do. The standard deviation is
    (high - low) / sqrt(12).

    Args:
        low: The lower bound.
        high: The upper bound, above ``low``.

    Returns:
        Weights (fan_out, fan_in).

    Raises:
        ValueError: ``low`` is not below ``high``, or they are infinitely far apart.

    Examples:
        >>> uniform(RandomState(3), (1, 2), np.float64, low=0.0, high=0.1).round(4)
        array([[0.0551, 0.0708]])

    References:
        PyTorch's ``torch.nn.init.uniform_``, Keras' RandomUniform.
    """
    uniform_law(shape, low=low, high=high)
    return rng.uniform(low, high, shape).astype(dtype)


def uniform_law(shape: Shape, *, low: float, high: float) -> Moments:
    """The moments of U(low, high); ValueError where there is no such distribution."""
    if not low < high:
        raise ValueError(f"low must be below high, got low {low:g} and high {high:g}")
    if high - low == math.inf:
        raise ValueError(f"high - low must be finite, got low {low:g} and high {high:g}")
    return Moments((low + high) / 2, (high - low) / math.sqrt(12), low, high)


def truncated_normal(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    mean: float = 0.0,
    std: Annotated[float, Ge(0)] = 1.0,
    bound: Annotated[float, Ge(0.01), Le(100)] = 2.0,
) -> Weights:
    """Normal weights N(mean, std^2), cut off at ``bound`` standard deviations to either side.

    Use it to set a standard deviation by hand with no weight far out.

    Args:
        mean: The mean of the weights.
        std: The standard deviation of the normal before the cut, as in PyTorch's
            ``trunc_normal_``. That of the weights is smaller: 0.8796 std where ``bound`` is 2.
            ``he_truncated_normal`` and its kin correct for this, as those of JAX and Keras do.
        bound: Where the cut is, in units of ``std``.

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> truncated_normal(RandomState(3), (1, 4), np.float64, bound=1.0).round(4)
        array([[-0.2774,  0.4365,  0.0965, -0.3548]])

    References:
        PyTorch's ``torch.nn.init.trunc_normal_``, Keras' TruncatedNormal.
    """
    # Values outside are drawn again, and not mapped by the inverse of the normal's distribution
    # function: so the numbers rest on NumPy's frozen stream alone.
    draws = rng.standard_normal(shape)
    outside = np.abs(draws) > bound
    while outside.any():
        draws[outside] = rng.standard_normal(np.count_nonzero(outside))
        outside = np.abs(draws) > bound
    return (draws * std + mean).astype(dtype)


def truncated_normal_law(shape: Shape, *, mean: float, std: float, bound: float) -> Moments:
    """The standard deviation is std sqrt(1 - 2 b phi(b) / (2 Phi(b) - 1)), b the bound."""
    inside = 2 * float(ndtr(bound)) - 1
    density = math.exp(-(bound**2) / 2) / math.sqrt(2 * math.pi)
    shrunk = std * math.sqrt(1 - 2 * bound * density / inside)
    return Moments(mean, shrunk, mean - bound * std, mean + bound * std)
