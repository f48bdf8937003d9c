"""Growth: the factor by which a quantity changes from layer to layer, fitted over many layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: A line through fewer points has no error worth the name.
FEWEST = 3


@dataclass(frozen=True, slots=True)
class Growth:
    """A factor a layer with its standard error, and the layers in which it comes to e or 1/e."""

    factor: float
    error: float
    depth_scale: float


def fit(values: Sequence[float]) -> Growth | None:
    """Fit log(value) = a + b layer by least squares; the factor is e^b, its error e^b times b's.

    None where there are fewer than three values, or one is 0 or not finite.

    >>> growth = fit([1.0, 0.5, 0.25, 0.125])
    >>> round(growth.factor, 9), round(growth.error, 9), round(growth.depth_scale, 3)
    (0.5, 0.0, 1.443)
    """
    if len(values) < FEWEST or not all(0 < value < math.inf for value in values):
        return None
    logs = np.log(values)
    layers = np.arange(len(values)) - (len(values) - 1) / 2
    squares = float(layers @ layers)
    slope = float(layers @ logs) / squares
    left = logs - logs.mean() - slope * layers
    error = math.sqrt(float(left @ left) / (len(values) - 2) / squares)
    factor = math.exp(slope)
    return Growth(factor, factor * error, 1 / abs(slope) if slope else math.inf)
