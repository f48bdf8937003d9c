"""Weights that do not look at the layer: constants, normals, uniforms, and their laws."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.random import RandomState
from numpy.typing import DTypeLike
from scipy.special import ndtr

from initbench.core.initializers.protocol import Moments, Shape, Weights


def zeros(rng: RandomState, shape: Shape, dtype: DTypeLike) -> Weights:
    """All weights 0: hidden units start equal and stay so."""
    return np.zeros(shape, dtype)


def ones(rng: RandomState, shape: Shape, dtype: DTypeLike) -> Weights:
    """All weights 1: symmetric as zeros, and growing by a factor fan_in a layer."""
    return np.ones(shape, dtype)


def constant(rng: RandomState, shape: Shape, dtype: DTypeLike, *, value: float) -> Weights:
    """All weights ``value``."""
    return np.full(shape, value, dtype)


def constant_law(shape: Shape, *, value: float) -> Moments:
    """Of :func:`constant`: no spread at all."""
    return Moments(value, 0.0, value, value)


def normal(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    mean: float = 0.0,
    std: Annotated[float, Ge(0)] = 1.0,
) -> Weights:
    """N(mean, std^2), whatever the fans.

    >>> normal(RandomState(3), (1, 2), np.float64, std=10.0)
    array([[17.88628473,  4.36509851]])
    """
    return (rng.standard_normal(shape) * std + mean).astype(dtype)


def normal_law(shape: Shape, *, mean: float, std: float) -> Moments:
    """Of :func:`normal`."""
    return Moments(mean, std)


def uniform(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, low: float = -1.0, high: float = 1.0
) -> Weights:
    """U(low, high), whatever the fans. ValueError unless low < high, finitely apart."""
    uniform_law(shape, low=low, high=high)
    return rng.uniform(low, high, shape).astype(dtype)


def uniform_law(shape: Shape, *, low: float, high: float) -> Moments:
    """Of :func:`uniform`: standard deviation (high - low) / sqrt(12)."""
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
    bound: Annotated[float, Ge(0.5), Le(100)] = 2.0,
) -> Weights:
    """N(mean, std^2) cut off at ``bound`` standard deviations to either side.

    ``std`` is that of the normal before the cut, as in PyTorch's ``trunc_normal_``: with
    the default bound of 2 the weights' own is 0.8796 std. The family members below correct
    for this, as JAX and Keras do; this function does not.

    Values outside are drawn again, rather than mapped by the inverse of the normal's
    distribution function, so that the numbers rest on NumPy's frozen stream alone.
    """
    draws = rng.standard_normal(shape)
    outside = np.abs(draws) > bound
    while outside.any():
        draws[outside] = rng.standard_normal(np.count_nonzero(outside))
        outside = np.abs(draws) > bound
    return (draws * std + mean).astype(dtype)


def truncated_normal_law(shape: Shape, *, mean: float, std: float, bound: float) -> Moments:
    """Of :func:`truncated_normal`: std sqrt(1 - 2 b phi(b) / (2 Phi(b) - 1)), b the bound."""
    inside = 2 * float(ndtr(bound)) - 1
    density = math.exp(-(bound**2) / 2) / math.sqrt(2 * math.pi)
    shrunk = std * math.sqrt(1 - 2 * bound * density / inside)
    return Moments(mean, shrunk, mean - bound * std, mean + bound * std)
