"""Weight initializers: functions ``(rng, shape, dtype, *, parameters) -> weights``.

``shape`` is ``(O, I)``: fan_out rows of fan_in weights, as in PyTorch. ``rng`` is a
``numpy.random.RandomState``, whose streams NumPy has frozen for good (NEP 19), so that a
seed draws the same weights in ten years. Nothing here touches NumPy's global generator.

A new initializer is a function and a row in :data:`INITIALIZERS`. The bounds of its
parameters stand in its signature, and only there: configs, messages and the JSON Schema
read them from it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.random import RandomState
from numpy.typing import DTypeLike, NDArray

Weights = NDArray[np.floating]
Shape = tuple[int, int]
Mode = Literal["fan_in", "fan_out", "fan_avg"]
Distribution = Literal["normal", "uniform", "truncated_normal"]

#: Standard deviation of N(0, 1) truncated at +-2: sqrt(1 - 4 phi(2) / (Phi(2) - Phi(-2))).
TRUNCATED_STD = 0.87962566103423978


class Initializer(NamedTuple):
    """A row of the registry: how to draw, what is drawn, and who proposed it."""

    draw: Callable[..., Weights]
    formula: str
    reference: str


def fans(shape: Shape) -> tuple[int, int]:
    """``(fan_in, fan_out)`` of weights of shape ``(O, I)``.

    >>> fans((10, 2))
    (2, 10)
    """
    outputs, inputs = shape
    return inputs, outputs


def zeros(rng: RandomState, shape: Shape, dtype: DTypeLike) -> Weights:
    """All weights 0: hidden units start equal and stay so."""
    return np.zeros(shape, dtype)


def ones(rng: RandomState, shape: Shape, dtype: DTypeLike) -> Weights:
    """All weights 1: symmetric as zeros, and growing by a factor fan_in a layer."""
    return np.ones(shape, dtype)


def constant(rng: RandomState, shape: Shape, dtype: DTypeLike, *, value: float) -> Weights:
    """All weights ``value``."""
    return np.full(shape, value, dtype)


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


def uniform(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, low: float = -1.0, high: float = 1.0
) -> Weights:
    """U(low, high), whatever the fans. ValueError unless low < high, finitely apart."""
    if not low < high:
        raise ValueError(f"low must be below high, got low {low:g} and high {high:g}")
    if high - low == np.inf:
        raise ValueError(f"high - low must be finite, got low {low:g} and high {high:g}")
    return rng.uniform(low, high, shape).astype(dtype)


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


def variance_scaling(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    scale: Annotated[float, Gt(0)] = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "truncated_normal",
) -> Weights:
    """Zero-mean weights of variance ``scale / n``: the formula behind he, lecun and glorot.

    n is fan_in, fan_out or their mean, by ``mode``. The variance is that of the weights as
    drawn, for all three distributions: normal N(0, v); uniform U(-sqrt(3 v), sqrt(3 v));
    truncated normal cut off at two standard deviations and widened by 1/0.8796 to make up
    for the cut.

    Source: the three papers named in the family's rows of the registry, which differ in
    scale and mode alone.

    >>> variance_scaling(RandomState(3), (1, 2), np.float64, scale=2.0, distribution="normal")
    array([[1.78862847, 0.43650985]])
    """
    fan_in, fan_out = fans(shape)
    n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    std = np.sqrt(scale / n)
    if distribution == "normal":
        return normal(rng, shape, dtype, std=std)
    if distribution == "uniform":
        half_width = np.sqrt(3) * std
        return uniform(rng, shape, dtype, low=-half_width, high=half_width)
    return truncated_normal(rng, shape, dtype, std=std / TRUNCATED_STD)


def orthogonal(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Annotated[float, Gt(0)] = 1.0
) -> Weights:
    """``gain`` times a random matrix with orthonormal rows or columns, whichever are fewer.

    Q of the QR decomposition of a Gaussian matrix, its columns' signs set by the diagonal
    of R: without that, Q is not uniform over the orthogonal matrices (Haar).

    Source: Saxe, McClelland and Ganguli 2013, arXiv:1312.6120; the signs: Mezzadri 2006,
    arXiv:math-ph/0609050.
    """
    q, r = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return (gain * (q if q.shape == shape else q.T)).astype(dtype)


def identity(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Annotated[float, Gt(0)] = 1.0
) -> Weights:
    """``gain`` on the diagonal and 0 elsewhere, also where the matrix is not square."""
    return (gain * np.eye(*shape)).astype(dtype)


HE = "He et al. 2015, arXiv:1502.01852"
LECUN = "LeCun et al. 1998, Efficient BackProp"
GLOROT = "Glorot and Bengio 2010, AISTATS"

_he = partial(variance_scaling, scale=2.0, mode="fan_in")
_lecun = partial(variance_scaling, scale=1.0, mode="fan_in")
_glorot = partial(variance_scaling, scale=1.0, mode="fan_avg")

INITIALIZERS: dict[str, Initializer] = {
    "zeros": Initializer(zeros, "0", "-"),
    "ones": Initializer(ones, "1", "-"),
    "constant": Initializer(constant, "value", "-"),
    "normal": Initializer(normal, "N(mean, std^2)", "-"),
    "uniform": Initializer(uniform, "U(low, high)", "-"),
    "truncated_normal": Initializer(
        truncated_normal, "N(mean, std^2), cut off at mean +- bound std", "-"
    ),
    "variance_scaling": Initializer(
        variance_scaling, "variance scale / fan", "He 2015, LeCun 1998, Glorot 2010"
    ),
    "he_normal": Initializer(partial(_he, distribution="normal"), "N(0, 2 / fan_in)", HE),
    "he_uniform": Initializer(partial(_he, distribution="uniform"), "U(+-sqrt(6 / fan_in))", HE),
    "he_truncated_normal": Initializer(
        partial(_he, distribution="truncated_normal"), "variance 2 / fan_in, cut off", HE
    ),
    "lecun_normal": Initializer(partial(_lecun, distribution="normal"), "N(0, 1 / fan_in)", LECUN),
    "lecun_uniform": Initializer(
        partial(_lecun, distribution="uniform"), "U(+-sqrt(3 / fan_in))", LECUN
    ),
    "lecun_truncated_normal": Initializer(
        partial(_lecun, distribution="truncated_normal"), "variance 1 / fan_in, cut off", LECUN
    ),
    "glorot_normal": Initializer(
        partial(_glorot, distribution="normal"), "N(0, 2 / (fan_in + fan_out))", GLOROT
    ),
    "glorot_uniform": Initializer(
        partial(_glorot, distribution="uniform"), "U(+-sqrt(6 / (fan_in + fan_out)))", GLOROT
    ),
    "glorot_truncated_normal": Initializer(
        partial(_glorot, distribution="truncated_normal"),
        "variance 2 / (fan_in + fan_out), cut off",
        GLOROT,
    ),
    "orthogonal": Initializer(
        orthogonal, "gain * Q, Q orthonormal", "Saxe et al. 2013, arXiv:1312.6120"
    ),
    "identity": Initializer(identity, "gain on the diagonal", "-"),
}

#: Other names of a registered initializer: PyTorch's.
ALIASES: dict[str, str] = {
    "kaiming_normal": "he_normal",
    "kaiming_uniform": "he_uniform",
    "xavier_normal": "glorot_normal",
    "xavier_uniform": "glorot_uniform",
    "trunc_normal": "truncated_normal",
    "eye": "identity",
}
