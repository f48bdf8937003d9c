"""Activations: functions that turn pre-activations into activations, in place.

Each function takes ``z`` and ``slope``, arrays of one shape. It overwrites ``z`` with phi(z) and
``slope`` with phi'(z). They work in place because memory bounds the engine's speed: a layer's one
buffer holds its pre-activation, then its activation and, on the way back, its delta. ``slope`` is
an array of bools where :data:`ACTIVATIONS` says that the derivative is 0 or 1, else it has the type
of ``z``.

At a kink the derivative is PyTorch's choice: 0 for relu at 0, and the left derivative elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Le
from scipy.special import expit, ndtr

from initbench.core.arrays import Array

#: An activation with its parameters given: it overwrites ``z`` with phi(z), ``slope`` with phi'(z).
Apply = Callable[[Array, Array], None]

#: SELU's constants to double precision (Klambauer et al. 2017, arXiv:1706.02515, appendix A).
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946

#: Bytes. Arrays of zeros are kept up to this size. A comparison of a larger array waits for memory
#: anyway.
ZEROS_BYTES = 2**20


class Activation(NamedTuple):
    """A row of the registry.

    ``apply(z, slope, *, parameters)`` is the function, and ``binary_slope`` says whether its
    derivative is 0 or 1 everywhere. A change of ``apply`` that moves the numbers of runs raises
    ``revision``, which is part of the identity of this activation's runs alone.
    """

    apply: Callable[..., None]
    binary_slope: bool
    formula: str
    reference: str
    revision: int = 0


def identity(z: Array, slope: Array) -> None:
    """The identity: phi(z) = z.

    A network of it is linear, whatever its depth.

    Examples:
        >>> z, slope = np.array([-1.0, 2.0]), np.empty(2, bool)
        >>> identity(z, slope)
        >>> z.tolist(), slope.tolist()
        ([-1.0, 2.0], [True, True])
    """
    slope.fill(1)


def relu(z: Array, slope: Array) -> None:
    """The rectified linear unit: phi(z) = max(z, 0).

    Examples:
        >>> z, slope = np.array([-1.0, 0.0, 2.0]), np.empty(3, bool)
        >>> relu(z, slope)
        >>> z.tolist(), slope.tolist()
        ([0.0, 0.0, 2.0], [False, False, True])

    References:
        Nair and Hinton 2010, ICML.
    """
    zero = _zeros(z.shape[-2:], z.dtype) if z[:1].nbytes <= ZEROS_BYTES else 0.0
    np.maximum(z, zero, out=z)
    np.greater(z, 0.0, out=slope)


@lru_cache(maxsize=64)
def _zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Zeros to compare one run with. With them np.maximum takes a third of its time with 0.0."""
    zeros = np.zeros(shape, dtype)
    zeros.flags.writeable = False
    return zeros


def leaky_relu(z: Array, slope: Array, *, negative_slope: Annotated[float, Ge(0)] = 0.01) -> None:
    """The leaky rectifier: phi(z) = z where z > 0, else negative_slope z.

    Args:
        z: Pre-activations, which become activations.
        slope: Becomes the derivative.
        negative_slope: The slope below 0.

    Examples:
        >>> z, slope = np.array([-2.0, 2.0]), np.empty(2)
        >>> leaky_relu(z, slope, negative_slope=0.5)
        >>> z.tolist(), slope.tolist()
        ([-1.0, 2.0], [0.5, 1.0])

    References:
        Maas et al. 2013, ICML workshop on deep learning for audio, speech and language.
    """
    slope.fill(negative_slope)
    np.copyto(slope, 1.0, where=z > 0)
    z *= slope


def elu(z: Array, slope: Array, *, alpha: Annotated[float, Gt(0)] = 1.0) -> None:
    """The exponential linear unit: phi(z) = z where z > 0, else alpha (exp(z) - 1).

    Args:
        z: Pre-activations, which become activations.
        slope: Becomes the derivative.
        alpha: Minus the value that phi approaches far below 0.

    Examples:
        >>> z, slope = np.array([-100.0, 0.0, 2.0]), np.empty(3)
        >>> elu(z, slope)
        >>> z.tolist(), slope.round(3).tolist()
        ([-1.0, 0.0, 2.0], [0.0, 1.0, 1.0])

    References:
        Clevert et al. 2015, arXiv:1511.07289.
    """
    positive = z > 0
    below = np.minimum(z, 0.0)
    np.exp(below, out=slope)  # and not expm1(z) + 1, which cancels far below 0
    slope *= alpha
    np.copyto(slope, 1.0, where=positive)
    np.expm1(below, out=below)
    below *= alpha
    np.copyto(z, below, where=~positive)


def selu(z: Array, slope: Array) -> None:
    """The self-normalizing unit: phi(z) = 1.0507 elu(z), with alpha = 1.6733.

    The constants are those at which the maps of mean and variance, for weights of variance
    1 / fan_in, have their fixed point at mean 0 and variance 1.

    Examples:
        >>> z, slope = np.array([-100.0, 1.0]), np.empty(2)
        >>> selu(z, slope)
        >>> z.round(4).tolist(), slope.round(4).tolist()
        ([-1.7581, 1.0507], [0.0, 1.0507])

    References:
        Klambauer et al. 2017, arXiv:1706.02515.
    """
    elu(z, slope, alpha=SELU_ALPHA)
    z *= SELU_SCALE
    slope *= SELU_SCALE


def gelu(z: Array, slope: Array) -> None:
    """The Gaussian error linear unit: phi(z) = z Phi(z).

    Phi is the distribution function of N(0, 1). It is the exact one, not its approximation by tanh.

    Examples:
        >>> z, slope = np.array([0.0, 10.0]), np.empty(2)
        >>> gelu(z, slope)
        >>> z.tolist(), slope.round(4).tolist()
        ([0.0, 10.0], [0.5, 1.0])

    References:
        Hendrycks and Gimpel 2016, arXiv:1606.08415.
    """
    cdf = ndtr(z)
    np.multiply(z, z, out=slope)
    slope *= -0.5
    np.exp(slope, out=slope)
    slope *= z
    slope *= 1 / math.sqrt(2 * math.pi)
    slope += cdf
    z *= cdf


def silu(z: Array, slope: Array) -> None:
    """The sigmoid linear unit, or swish: phi(z) = z / (1 + exp(-z)).

    Examples:
        >>> z, slope = np.array([0.0, 50.0]), np.empty(2)
        >>> silu(z, slope)
        >>> z.tolist(), slope.tolist()
        ([0.0, 50.0], [0.5, 1.0])

    References:
        Elfwing et al. 2017, arXiv:1702.03118.
    """
    gate = expit(z)
    np.subtract(1.0, gate, out=slope)
    slope *= z
    slope += 1.0
    slope *= gate
    z *= gate


def tanh(z: Array, slope: Array) -> None:
    """The hyperbolic tangent: phi(z) = (exp(z) - exp(-z)) / (exp(z) + exp(-z)).

    Examples:
        >>> z, slope = np.array([0.0, 100.0]), np.empty(2)
        >>> tanh(z, slope)
        >>> z.tolist(), slope.tolist()
        ([0.0, 1.0], [1.0, 0.0])
    """
    np.tanh(z, out=z)
    np.multiply(z, z, out=slope)
    np.subtract(1.0, slope, out=slope)


def sigmoid(z: Array, slope: Array) -> None:
    """The logistic function: phi(z) = 1 / (1 + exp(-z)).

    Examples:
        >>> z, slope = np.array([0.0, 100.0]), np.empty(2)
        >>> sigmoid(z, slope)
        >>> z.tolist(), slope.tolist()
        ([0.5, 1.0], [0.25, 0.0])
    """
    expit(z, out=z)
    np.subtract(1.0, z, out=slope)
    slope *= z


def softplus(z: Array, slope: Array) -> None:
    """A smooth rectifier: phi(z) = log(1 + exp(z)).

    Examples:
        >>> z, slope = np.array([0.0, 100.0]), np.empty(2)
        >>> softplus(z, slope)
        >>> z.round(4).tolist(), slope.tolist()
        ([0.6931, 100.0], [0.5, 1.0])

    References:
        Dugas et al. 2000, NIPS.
    """
    expit(z, out=slope)
    np.logaddexp(z, 0.0, out=z)


def sine(z: Array, slope: Array, *, frequency: Annotated[float, Gt(0), Le(1000)] = 30.0) -> None:
    """The sine of networks that represent signals: phi(z) = sin(frequency z).

    Args:
        z: Pre-activations, which become activations.
        slope: Becomes the derivative.
        frequency: How fast phi oscillates; the paper writes omega_0.

    Examples:
        >>> z, slope = np.array([0.0]), np.empty(1)
        >>> sine(z, slope)
        >>> z.tolist(), slope.tolist()
        ([0.0], [30.0])

    References:
        Sitzmann et al. 2020, arXiv:2006.09661.
    """
    z *= frequency
    np.cos(z, out=slope)
    slope *= frequency
    np.sin(z, out=z)


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(identity, True, "z", "-"),
    "relu": Activation(relu, True, "max(z, 0)", "Nair and Hinton 2010, ICML"),
    "leaky_relu": Activation(
        leaky_relu, False, "z, or negative_slope z where z < 0", "Maas et al. 2013, ICML workshop"
    ),
    "elu": Activation(
        elu, False, "z or alpha (exp(z) - 1)", "Clevert et al. 2015, arXiv:1511.07289", revision=1
    ),
    "selu": Activation(
        selu,
        False,
        "1.0507 elu(z), alpha 1.6733",
        "Klambauer et al. 2017, arXiv:1706.02515",
        revision=1,
    ),
    "gelu": Activation(gelu, False, "z Phi(z)", "Hendrycks and Gimpel 2016, arXiv:1606.08415"),
    "silu": Activation(silu, False, "z sigmoid(z)", "Elfwing et al. 2017, arXiv:1702.03118"),
    "tanh": Activation(tanh, False, "tanh(z)", "-"),
    "sigmoid": Activation(sigmoid, False, "1 / (1 + exp(-z))", "-"),
    "softplus": Activation(softplus, False, "log(1 + exp(z))", "Dugas et al. 2000, NIPS"),
    "sine": Activation(sine, False, "sin(frequency z)", "Sitzmann et al. 2020, arXiv:2006.09661"),
}

#: Other names -> the names of registered activations.
ALIASES: dict[str, str] = {"linear": "identity", "swish": "silu", "logistic": "sigmoid"}
