"""Activations: functions that turn pre-activations into activations, in place.

Each takes ``z`` and ``slope``, arrays of one shape: ``z`` becomes phi(z), ``slope``
becomes phi'(z). In place, because the engine's speed is that of its memory: the layer's
one buffer is pre-activation, activation and, on the way back, delta. ``slope`` is of
the type that :data:`ACTIVATIONS` names: a bool where the derivative is 0 or 1, else the
type of ``z``.

The derivative at a kink is PyTorch's choice: 0 for relu at 0, the left one elsewhere.
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


#: Zeros are kept up to this size; a larger array waits for memory, whatever it is compared to.
ZEROS_BYTES = 2**20


class Activation(NamedTuple):
    """A row of the registry: the function, whether its slope is 0 or 1, formula, source."""

    apply: Callable[..., None]
    binary_slope: bool
    formula: str
    reference: str


def identity(z: Array, slope: Array) -> None:
    """phi(z) = z."""
    slope.fill(1)


def relu(z: Array, slope: Array) -> None:
    """phi(z) = max(z, 0).

    >>> z, slope = np.array([-1.0, 0.0, 2.0]), np.empty(3, bool)
    >>> relu(z, slope)
    >>> z, slope
    (array([0., 0., 2.]), array([False, False,  True]))
    """
    of_one_run = _zeros(z.shape[-2:], z.dtype) if z[:1].nbytes <= ZEROS_BYTES else 0.0
    np.maximum(z, of_one_run, out=z)
    np.greater(z, 0.0, out=slope)


@lru_cache(maxsize=64)
def _zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Zeros to compare with: np.maximum takes a third of the time it takes with a number."""
    zeros = np.zeros(shape, dtype)
    zeros.flags.writeable = False
    return zeros


def leaky_relu(z: Array, slope: Array, *, negative_slope: Annotated[float, Ge(0)] = 0.01) -> None:
    """phi(z) = z where z > 0, else negative_slope z."""
    slope.fill(negative_slope)
    np.copyto(slope, 1.0, where=z > 0)
    z *= slope


def elu(z: Array, slope: Array, *, alpha: Annotated[float, Gt(0)] = 1.0) -> None:
    """phi(z) = z where z > 0, else alpha (exp(z) - 1)."""
    positive = z > 0
    np.minimum(z, 0.0, out=slope)
    np.expm1(slope, out=slope)
    slope *= alpha
    np.copyto(z, slope, where=~positive)
    slope += alpha
    np.copyto(slope, 1.0, where=positive)


def selu(z: Array, slope: Array) -> None:
    """phi(z) = 1.0507 elu(z) with alpha 1.6733: its fixed point is mean 0, variance 1."""
    elu(z, slope, alpha=SELU_ALPHA)
    z *= SELU_SCALE
    slope *= SELU_SCALE


def gelu(z: Array, slope: Array) -> None:
    """phi(z) = z Phi(z), Phi the normal distribution function (exact, not the tanh form)."""
    cdf = ndtr(z)
    np.multiply(z, z, out=slope)
    slope *= -0.5
    np.exp(slope, out=slope)
    slope *= z
    slope *= 1 / math.sqrt(2 * math.pi)
    slope += cdf
    z *= cdf


def silu(z: Array, slope: Array) -> None:
    """phi(z) = z sigmoid(z)."""
    gate = expit(z)
    np.subtract(1.0, gate, out=slope)
    slope *= z
    slope += 1.0
    slope *= gate
    z *= gate


def tanh(z: Array, slope: Array) -> None:
    """phi(z) = (exp(z) - exp(-z)) / (exp(z) + exp(-z))."""
    np.tanh(z, out=z)
    np.multiply(z, z, out=slope)
    np.subtract(1.0, slope, out=slope)


def sigmoid(z: Array, slope: Array) -> None:
    """phi(z) = 1 / (1 + exp(-z))."""
    expit(z, out=z)
    np.subtract(1.0, z, out=slope)
    slope *= z


def softplus(z: Array, slope: Array) -> None:
    """phi(z) = log(1 + exp(z))."""
    expit(z, out=slope)
    np.logaddexp(z, 0.0, out=z)


def sine(z: Array, slope: Array, *, frequency: Annotated[float, Gt(0), Le(1000)] = 30.0) -> None:
    """phi(z) = sin(frequency z)."""
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
        elu, False, "z or alpha (exp(z) - 1)", "Clevert et al. 2015, arXiv:1511.07289"
    ),
    "selu": Activation(
        selu, False, "1.0507 elu(z), alpha 1.6733", "Klambauer et al. 2017, arXiv:1706.02515"
    ),
    "gelu": Activation(gelu, False, "z Phi(z)", "Hendrycks and Gimpel 2016, arXiv:1606.08415"),
    "silu": Activation(silu, False, "z sigmoid(z)", "Elfwing et al. 2017, arXiv:1702.03118"),
    "tanh": Activation(tanh, False, "tanh(z)", "-"),
    "sigmoid": Activation(sigmoid, False, "1 / (1 + exp(-z))", "-"),
    "softplus": Activation(softplus, False, "log(1 + exp(z))", "Dugas et al. 2000, NIPS"),
    "sine": Activation(sine, False, "sin(frequency z)", "Sitzmann et al. 2020, arXiv:2006.09661"),
}

#: Other names of a registered activation.
ALIASES: dict[str, str] = {"linear": "identity", "swish": "silu", "logistic": "sigmoid"}
