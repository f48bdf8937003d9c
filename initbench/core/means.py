"""Normal means of an activation, which mean-field theory is made of.

They are found by quadrature for any activation, and in closed form for a sine, whose waves no
quadrature can follow at every frequency and variance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from initbench.core.activations import ACTIVATIONS, sine
from initbench.core.arrays import Array
from initbench.core.quadrature import gaussian_mean, gaussian_product_mean

#: An activation as theory needs it: x -> (phi(x), phi'(x)), new arrays.
Phi = Callable[[Array], tuple[Array, Array]]


class Means(NamedTuple):
    """Means over x ~ N(0, q), as functions of q; and over pairs, as functions of q and c.

    A pair u, v is normal of variance q and correlation c. ``square`` is E[phi(x)^2], ``fourth``
    E[phi(x)^4], ``slope_square`` E[phi'(x)^2] and ``moment`` E[phi(x) phi'(x) x]. ``product`` is
    E[phi(u) phi(v)], and ``slope_product`` E[phi'(u) phi'(v)].
    """

    square: Callable[[float], float]
    fourth: Callable[[float], float]
    slope_square: Callable[[float], float]
    moment: Callable[[float], float]
    product: Callable[[float, float], float]
    slope_product: Callable[[float, float], float]


@dataclass(frozen=True, slots=True)
class Sine:
    """The activation sin(frequency x) as a plain function."""

    frequency: float

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """phi(x) and phi'(x)."""
        angle = self.frequency * np.asarray(x, np.float64)
        return np.sin(angle), self.frequency * np.cos(angle)


def means_of(phi: Phi) -> Means:
    """The means of an activation that is a :class:`Sine`, or smooth apart from a kink at 0."""
    if isinstance(phi, Sine):
        return _of_sine(phi.frequency)
    return Means(
        square=lambda q: gaussian_mean(lambda x: phi(x)[0] ** 2, q),
        fourth=lambda q: gaussian_mean(lambda x: phi(x)[0] ** 4, q),
        slope_square=lambda q: gaussian_mean(lambda x: phi(x)[1] ** 2, q),
        moment=lambda q: gaussian_mean(lambda x: math.prod(phi(x)) * x, q),
        product=lambda q, c: gaussian_product_mean(lambda x: phi(x)[0], q, c),
        slope_product=lambda q, c: gaussian_product_mean(lambda x: phi(x)[1], q, c),
    )


def _of_sine(w: float) -> Means:
    """The means of sin(w x), at any frequency.

    They follow from E[cos(k x)] = exp(-k^2 q / 2), since products of sines are sums of cosines.
    With a = w^2 q:

    - E[phi^2] = (1 - exp(-2 a)) / 2, and E[phi'^2] = w^2 (1 + exp(-2 a)) / 2;
    - E[phi(u) phi(v)] = exp(-a) sinh(a c), and E[phi'(u) phi'(v)] = w^2 exp(-a) cosh(a c);
    - E[phi phi' x] = a exp(-2 a), and E[phi^4] = (3 - 4 exp(-2 a) + exp(-8 a)) / 8.

    They are written so that nothing cancels where a is small or overflows where it is large.

    >>> means = means_of(Sine(frequency=30.0))
    >>> round(means.square(1.0), 6), round(means.product(1.0, 0.999), 6)
    (0.5, 0.203285)
    """

    def fourth(q: float) -> float:
        x = math.exp(-2 * w * w * q)
        return math.expm1(-2 * w * w * q) ** 2 * (3 + 2 * x + x * x) / 8

    def product(q: float, c: float) -> float:
        a, size = w * w * q, abs(c)
        return math.copysign(math.exp(-a * (1 - size)) * math.expm1(-2 * a * size) / 2, c)

    def slope_product(q: float, c: float) -> float:
        a = w * w * q
        return w * w * (math.exp(-a * (1 - c)) + math.exp(-a * (1 + c))) / 2

    return Means(
        square=lambda q: -math.expm1(-2 * w * w * q) / 2,
        fourth=fourth,
        slope_square=lambda q: w * w * (1 + math.exp(-2 * w * w * q)) / 2,
        moment=lambda q: w * w * q * math.exp(-2 * w * w * q),
        product=product,
        slope_product=slope_product,
    )


def elementwise(activation: str, parameters: Mapping[str, Any]) -> Phi:
    """An activation of the registry, which works in place, as a plain function.

    >>> elementwise("relu", {})(np.array([-1.0, 2.0]))
    (array([0., 2.]), array([0., 1.]))
    """
    row = ACTIVATIONS[activation]
    if row.apply is sine:
        return Sine(**{**(sine.__kwdefaults__ or {}), **parameters})
    slope_dtype: type[np.generic] = np.bool_ if row.binary_slope else np.float64

    def phi(x: Array) -> tuple[Array, Array]:
        value = np.array(x, np.float64)
        slope = np.empty(value.shape, slope_dtype)
        with np.errstate(all="ignore"):
            row.apply(value, slope, **parameters)
        return value, slope.astype(np.float64)

    return phi
