"""Integrals of activations under normal laws, by composite Gauss-Legendre quadrature.

Everything that needs a normal mean takes it from here. The line, or the plane, is cut into panels
where activations have their kinks, at 0, and each panel has Gauss-Legendre nodes. Two sets of
panels serve two needs:

- :func:`gaussian_moments` has equal panels, for a variance of the order of 1. Weights are drawn
  with its numbers, and so its nodes are frozen.
- :func:`gaussian_mean` and :func:`gaussian_product_mean` have panels graded by powers of two, for
  every variance from 1e-30 to 1e30. They hold to 1e-8 for every registered activation but ``sine``,
  whose means have a closed form in :mod:`initbench.core.means`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np

from initbench.core.activations import Apply
from initbench.core.arrays import Array

#: Equal panels: a normal law has 4e-33 of its mass beyond so many standard deviations.
REACH = 12.0
#: Equal panels a side, and nodes a panel: a sine of frequency 100 turns by half a radian in one.
PANELS, PANEL_NODES = 1000, 8
#: Graded panels: exp(-10^2 / 2) is 2e-22, and what lies beyond counts for nothing, phi^4 included.
TAIL = 10.0
#: Nodes of a graded panel on the line (exact for polynomials of degree 39), and in the plane.
LINE_NODES, PLANE_NODES = 20, 12
#: Graded panels are halved until two results agree so well, but no more often than LEVELS times.
AGREEMENT, LEVELS = 1e-9, 6


def gaussian_moments(apply: Apply, mean: float = 0.0, variance: float = 1.0) -> tuple[float, float]:
    """``(E[phi(x)], E[phi(x)^2])`` for x ~ N(mean, variance), to 1e-8 relative.

    Exact gains and AutoInit's weights come from these numbers, to the last bit: the nodes here are
    part of every run that was ever stored. The panels are equal, and one begins at 0, where an
    activation may have a kink.

    Args:
        apply: An activation with its parameters given: it overwrites ``z``, and ``slope``.
        mean: The mean of the normal law.
        variance: Its variance, above 0 and of the order of 1.

    Examples:
        >>> from initbench.core.activations import relu
        >>> first, second = gaussian_moments(relu)
        >>> round(first, 10), round(second, 10)
        (0.3989422804, 0.5)
    """
    std = math.sqrt(variance)
    x, weights = _uniform_nodes(mean, std)
    value = x.copy()
    apply(value, np.empty_like(value))
    weights = weights * np.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))
    return float(weights @ value), float(weights @ value**2)


def _uniform_nodes(mean: float, std: float) -> tuple[Array, Array]:
    """Nodes and weights on mean +- REACH std, cut at 0 where it lies inside."""
    low, high = mean - REACH * std, mean + REACH * std
    cuts = [low, *([0.0] if low < 0 < high else []), high]
    parts = [_uniform_panels() for _ in cuts[1:]]
    nodes = [a + (b - a) * part[0] for a, b, part in zip(cuts, cuts[1:], parts, strict=False)]
    weights = [(b - a) * part[1] for a, b, part in zip(cuts, cuts[1:], parts, strict=False)]
    return np.concatenate(nodes), np.concatenate(weights)


@cache
def _uniform_panels() -> tuple[Array, Array]:
    """Nodes and weights of PANELS equal panels on (0, 1)."""
    nodes, weights = _legendre(PANEL_NODES)
    starts = np.arange(PANELS)[:, None]
    return ((starts + (nodes + 1) / 2) / PANELS).ravel(), np.tile(weights / 2 / PANELS, PANELS)


def gaussian_mean(f: Callable[[Array], Array], q: float) -> float:
    """E[f(x)] for x ~ N(0, q), q above 0.

    >>> round(gaussian_mean(lambda x: x**4, 2.0), 9)  # 3 q^2
    12.0
    """
    scale = math.sqrt(q)
    previous = math.inf
    for level in range(LEVELS):  # a function that oscillates, as sin(30 x), needs finer panels
        z, weights = _line(_octave(scale), level)
        value = float(weights @ f(scale * z))
        if abs(value - previous) <= AGREEMENT * abs(value):
            break
        previous = value
    return value


def gaussian_product_mean(f: Callable[[Array], Array], q: float, c: float) -> float:
    """E[f(u) f(v)] for normal u and v of mean 0, variance q above 0 and correlation c.

    In polar coordinates u = sqrt(q) r cos(t) and v = sqrt(q) r cos(t - acos(c)). A kink at 0 then
    lies on a ray whatever c is, and each sector between rays is smooth.

    >>> round(gaussian_product_mean(lambda x: x, 2.0, 0.3), 9)  # q c
    0.6
    """
    angle = math.acos(float(np.clip(c, -1.0, 1.0)))
    r, radial = _radius(_octave(math.sqrt(q)))
    t, angular = _angles(_octave(math.sqrt(q)), angle)
    scaled = math.sqrt(q) * r[:, None]
    product = f(scaled * np.cos(t)) * f(scaled * np.cos(t - angle))
    return float(radial @ product @ angular) / (2 * math.pi)


def _octave(scale: float) -> int:
    """The power of two above ``scale``, which decides where panels are cut."""
    return math.ceil(math.log2(scale)) if scale > 0 else 0


@cache
def _line(octave: int, level: int) -> tuple[Array, Array]:
    """Nodes z and weights of E[f(s z)] for 2^(octave - 1) < s <= 2^octave."""
    unit = 2.0**-octave  # x = s z is about 1 at this z
    steps = {float(z) for z in range(1, int(TAIL) + 1)}
    steps |= {unit * x for x in range(1, 9) if unit * x < TAIL}
    power = unit / 8
    while power < TAIL:
        steps.add(power)
        power *= 2
    cuts = np.array([0.0, *sorted(steps)])
    for _ in range(level):
        cuts = np.sort(np.concatenate([cuts, (cuts[1:] + cuts[:-1]) / 2]))
    z, weights = _panels(cuts, LINE_NODES)
    weights = weights * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return np.concatenate([-z[::-1], z]), np.concatenate([weights[::-1], weights])


@cache
def _legendre(count: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on (-1, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights


def _panels(cuts: Sequence[float] | Array, nodes: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on every interval between neighbouring cuts."""
    at, weights = _legendre(nodes)
    low, high = np.array(cuts[:-1])[:, None], np.array(cuts[1:])[:, None]
    half = (high - low) / 2
    return (low + half * (at + 1)).ravel(), (half * weights).ravel()


@cache
def _radius(octave: int) -> tuple[Array, Array]:
    """Radii and weights in polar coordinates, the normal density included."""
    unit = 2.0**-octave
    steps = {TAIL * k / 5 for k in range(1, 6)}
    power = unit
    while power < TAIL:
        steps.add(power)
        power *= 2
    r, weights = _panels([0.0, *sorted(steps)], PLANE_NODES)
    return r, weights * r * np.exp(-0.5 * r * r)


def _angles(octave: int, angle: float) -> tuple[Array, Array]:
    """Angles from -pi/2 to 3 pi/2, graded towards the rays where u or v is 0."""
    rays = sorted({-math.pi / 2, angle - math.pi / 2, math.pi / 2, angle + math.pi / 2})
    rays = [*rays, 3 * math.pi / 2]
    levels = max(1, octave + 4)  # a steep function turns within 1 / (sqrt(q) TAIL) of a ray
    cuts = set(rays)
    for low, high in pairwise(rays):
        middle, half = (low + high) / 2, (high - low) / 2
        cuts.add(middle)
        for level in range(1, levels):
            cuts |= {low + half * 2.0**-level, high - half * 2.0**-level}
    return _panels(sorted(cuts), PLANE_NODES)
