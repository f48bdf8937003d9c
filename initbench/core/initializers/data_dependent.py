"""Whole networks with data: layers that are fitted to a batch of the train split, one by one.

A run's start is a function of its seed and of the data alone: products are over the run's own
weights, and no array of another run is in sight.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt, Lt
from numpy.random import RandomState
from numpy.typing import NDArray

from initbench.core.architecture import Shape
from initbench.core.initializers.protocol import Network, Start
from initbench.core.initializers.structured import orthogonal

Array = NDArray[Any]
#: (weights (O, I), their pre-activations (O, B), the layer's number) -> what replaces the weights,
#: the biases (O,), and a note.
Fit = Callable[[Array, Array, int], tuple[Array, Array, str]]


def lsuv(
    rng: RandomState,
    network: Network,
    *,
    tolerance: Annotated[float, Gt(0), Lt(1)] = 0.1,
) -> Start:
    """Layer-sequential unit variance: orthogonal weights, each layer scaled to variance 1.

    The variance is that of all of a layer's pre-activations on the batch. A layer is divided by
    its square root, unless that is within ``tolerance`` of 1 already. The paper does so up to ten
    times; for a linear layer one time is exact. Where even that fails (all inputs of a layer are
    equal, say: the variance is 0) the layer stays orthogonal, and a note says so.

    Source: Mishkin and Matas 2015, arXiv:1511.06422.
    """

    def fit(weights: Array, z: Array, number: int) -> tuple[Array, Array, str]:
        biases = np.zeros(len(weights))
        variance = z.var()
        if abs(variance - 1) < tolerance:
            return weights, biases, ""
        scaled = weights / np.sqrt(variance)
        if not np.isfinite(scaled).all():
            return weights, biases, f"layer {number} did not converge: variance {variance:.3g}"
        return scaled, biases, ""

    return _sequential(network, lambda shape: orthogonal(rng, shape, np.float64), fit)


def within_layer_normalized(rng: RandomState, network: Network) -> Start:
    """Each unit's pre-activation gets mean 0 and variance 1 on the batch, layer after layer.

    Weights N(0, 1) are divided by each unit's standard deviation, and its bias takes away the
    mean. A reading: the paper's offset of the bias is 0, which makes the same of the data as
    weight normalization's start. A unit without variance stays as it was drawn; a note says so.

    Source: Krähenbühl et al. 2015, arXiv:1511.06856; Salimans and Kingma 2016,
    arXiv:1602.07868.
    """

    def fit(weights: Array, z: Array, number: int) -> tuple[Array, Array, str]:
        std = z.std(axis=1)
        # Rounding leaves a spread where there is none: far below it nothing is to be scaled up.
        flat = ~(std > 1e-12 * np.abs(z).max(axis=1, initial=0.0))
        std = np.where(flat, 1.0, std)
        count = np.count_nonzero(flat)
        note = f"layer {number}: {count} of {len(flat)} units have no variance" if count else ""
        return weights / std[:, None], -z.mean(axis=1) / std, note

    return _sequential(network, rng.standard_normal, fit)


def _sequential(network: Network, draw: Callable[[Shape], Array], fit: Fit) -> Start:
    """Draw and fit layer by layer, in float64, each on what those before make of the batch."""
    x = network.inputs.astype(np.float64)  # (I, B)
    layers, notes = [], []
    for number, shape in enumerate(network.shapes, 1):
        weights = draw(shape)
        weights, biases, note = fit(weights, np.matmul(weights, x), number)
        layers.append((weights.astype(network.dtype), biases.astype(network.dtype)))
        notes += [note] if note else []
        x = np.matmul(weights, x) + biases[:, None]
        network.apply(x, np.empty_like(x))
    return Start(layers, "; ".join(notes))
