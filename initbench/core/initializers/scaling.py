"""The family of variance scaling: he, lecun and glorot are members of one formula."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from annotated_types import Gt
from numpy.random import RandomState
from numpy.typing import DTypeLike

from initbench.core.initializers.distributions import normal, truncated_normal, uniform
from initbench.core.initializers.protocol import Gain, Moments, Shape, Weights, fans

Mode = Literal["fan_in", "fan_out", "fan_avg"]
Distribution = Literal["normal", "uniform", "truncated_normal"]

#: Standard deviation of N(0, 1) truncated at +-2: sqrt(1 - 4 phi(2) / (Phi(2) - Phi(-2))).
TRUNCATED_STD = 0.87962566103423978


def variance_scaling(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    scale: Annotated[float, Gt(0)] = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "truncated_normal",
    gain: Gain = 1.0,
) -> Weights:
    """Zero-mean weights of variance ``gain^2 scale / n``: behind he, lecun and glorot.

    n is fan_in, fan_out or their mean, by ``mode``. The variance is that of the weights as
    drawn, for all three distributions: normal N(0, v); uniform U(-sqrt(3 v), sqrt(3 v));
    truncated normal cut off at two standard deviations and widened by 1/0.8796 to make up
    for the cut.

    Source: the three papers named in the family's rows of the registry, which differ in
    scale and mode alone.

    >>> variance_scaling(RandomState(3), (1, 2), np.float64, scale=2.0, distribution="normal")
    array([[1.78862847, 0.43650985]])
    """
    std = gain * np.sqrt(scale / _fan(shape, mode))
    if distribution == "normal":
        return normal(rng, shape, dtype, std=std)
    if distribution == "uniform":
        half_width = np.sqrt(3) * std
        return uniform(rng, shape, dtype, low=-half_width, high=half_width)
    return truncated_normal(rng, shape, dtype, std=std / TRUNCATED_STD)


def variance_scaling_law(
    shape: Shape, *, scale: float, mode: Mode, distribution: Distribution, gain: float
) -> Moments:
    """Of :func:`variance_scaling`: one standard deviation, and bounds by the distribution."""
    std = gain * math.sqrt(scale / _fan(shape, mode))
    widest = {"normal": math.inf, "uniform": math.sqrt(3), "truncated_normal": 2 / TRUNCATED_STD}
    return Moments(0.0, std, -widest[distribution] * std, widest[distribution] * std)


def member(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    scale: float,
    mode: Mode,
    distribution: Distribution,
    gain: Gain | None = None,
) -> Weights:
    """A member of the family: its own ``scale``, or ``gain^2`` where a gain is given.

    So does PyTorch: ``kaiming_normal_(nonlinearity="tanh")`` has variance (5/3)^2 / fan_in.
    """
    return variance_scaling(
        rng,
        shape,
        dtype,
        scale=scale if gain is None else 1.0,
        mode=mode,
        distribution=distribution,
        gain=1.0 if gain is None else gain,
    )


def member_law(
    shape: Shape, *, scale: float, mode: Mode, distribution: Distribution, gain: float | None
) -> Moments:
    """Of :func:`member`."""
    return variance_scaling_law(
        shape,
        scale=scale if gain is None else 1.0,
        mode=mode,
        distribution=distribution,
        gain=1.0 if gain is None else gain,
    )


def signed_constant(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain | None = None
) -> Weights:
    """Each weight +-sqrt(2 / fan_in), the sign a fair coin's: one size, random signs.

    ``gain``, where given, takes the place of sqrt(2).

    Source: Ramanujan et al. 2020, arXiv:1911.13299, "signed Kaiming constant".
    """
    size = signed_constant_law(shape, gain=gain).std
    return np.where(rng.random_sample(shape) < 0.5, -size, size).astype(dtype)


def signed_constant_law(shape: Shape, *, gain: float | None) -> Moments:
    """Of :func:`signed_constant`: its bounds are its only values."""
    std = (math.sqrt(2) if gain is None else gain) / math.sqrt(fans(shape)[0])
    return Moments(0.0, std, -std, std)


def _fan(shape: Shape, mode: Mode) -> float:
    fan_in, fan_out = fans(shape)
    return {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
