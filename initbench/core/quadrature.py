"""Moments of an activation under a normal law, by Gauss-Legendre quadrature."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: Beyond so many standard deviations a normal law has 4e-33 of its mass.
REACH = 12.0
#: Panels a side and nodes a panel: a sine of frequency 100 turns by half a radian in a panel.
PANELS, NODES = 1000, 8


def gaussian_moments(
    apply: Callable[[Array, Array], None], mean: float = 0.0, variance: float = 1.0
) -> tuple[float, float]:
    """``(E[phi(x)], E[phi(x)^2])`` for x ~ N(mean, variance), to 1e-8 relative.

    ``apply(z, slope)`` is an activation with its parameters given. The line is cut in panels at
    0, so that a kink there costs no accuracy.

    >>> from initbench.core.activations import relu
    >>> first, second = gaussian_moments(relu)
    >>> round(first, 10), round(second, 10)
    (0.3989422804, 0.5)
    """
    std = math.sqrt(variance)
    x, weights = _nodes(mean, std)
    value = x.copy()
    apply(value, np.empty_like(value))
    weights = weights * np.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))
    return float(weights @ value), float(weights @ value**2)


def _nodes(mean: float, std: float) -> tuple[Array, Array]:
    """Nodes and weights on mean +- REACH std, cut at 0 where it lies inside."""
    low, high = mean - REACH * std, mean + REACH * std
    cuts = [low, *([0.0] if low < 0 < high else []), high]
    parts = [_panels() for _ in cuts[1:]]
    nodes = [a + (b - a) * part[0] for a, b, part in zip(cuts, cuts[1:], parts, strict=False)]
    weights = [(b - a) * part[1] for a, b, part in zip(cuts, cuts[1:], parts, strict=False)]
    return np.concatenate(nodes), np.concatenate(weights)


@cache
def _panels() -> tuple[Array, Array]:
    """Nodes and weights of PANELS panels on (0, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    starts = np.arange(PANELS)[:, None]
    return ((starts + (nodes + 1) / 2) / PANELS).ravel(), np.tile(weights / 2 / PANELS, PANELS)
