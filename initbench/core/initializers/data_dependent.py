"""Whole networks with data: layers are fitted to a batch of the train split, one after the other.

What a run starts from depends on its seed and on the data alone: every product here is over the
run's own weights, and no array of another run is touched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
from annotated_types import Gt, Lt
from numpy.random import RandomState

from initbench.core.architecture import Shape
from initbench.core.arrays import Array
from initbench.core.initializers.protocol import Network, Start
from initbench.core.initializers.structured import orthogonal

#: (weights (O, I), their pre-activations (O, B), the layer's number) -> fitted weights (O, I),
#: biases (O,), and a note.
Fit = Callable[[Array, Array, int], tuple[Array, Array, str]]


def lsuv(
    rng: RandomState,
    network: Network,
    *,
    tolerance: Annotated[float, Gt(0), Lt(1)] = 0.1,
) -> Start:
    """Layer-sequential unit variance: orthogonal weights, each layer scaled to variance 1.

    Use it where no formula is known for the activation or the data. The variance is that of all of
    a layer's pre-activations on the batch, and the layer is divided by its root. The paper repeats
    this up to ten times; for a linear layer once is exact. Where even that fails, since all of a
    layer's inputs are equal and the variance is 0, say, the layer stays orthogonal, and a note says
    so.

    Args:
        tolerance: A layer whose variance is within this of 1 stays as it is.

    Returns:
        Weights of each layer, and biases of 0.

    Examples:
        >>> inputs = RandomState(0).standard_normal((3, 200))
        >>> network = Network((3, 3, 1), np.dtype(np.float64), "tanh", {}, inputs)
        >>> weights, _ = lsuv(RandomState(3), network, tolerance=0.001).layers[0]
        >>> round(float((weights @ inputs).var()), 6)
        1.0

    References:
        Mishkin and Matas 2015, "All you need is a good init", arXiv:1511.06422.
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
    """Each unit's pre-activation gets mean 0 and variance 1 on a batch, layer after layer.

    Use it where every unit is to start as batch normalization or weight normalization would have
    it. Weights N(0, 1) are divided by each unit's standard deviation on the batch, and its bias
    takes away the mean. The paper offsets the bias; here the offset is 0, as in the data-dependent
    start of weight normalization. A unit without variance stays as it was drawn, and a note says
    so.

    Returns:
        Weights and biases of each layer.

    Examples:
        >>> inputs = RandomState(0).standard_normal((3, 200))
        >>> network = Network((3, 2, 1), np.dtype(np.float64), "tanh", {}, inputs)
        >>> weights, biases = within_layer_normalized(RandomState(3), network).layers[0]
        >>> (weights @ inputs + biases[:, None]).std(axis=1).round(6)
        array([1., 1.])

    References:
        Krähenbühl et al. 2015, "Data-dependent initializations of convolutional neural networks",
        arXiv:1511.06856. Salimans and Kingma 2016, "Weight normalization", arXiv:1602.07868.
    """

    def fit(weights: Array, z: Array, number: int) -> tuple[Array, Array, str]:
        std = z.std(axis=1)
        # Rounding leaves a tiny spread where there is none, which must not be scaled up to 1.
        flat = ~(std > 1e-12 * np.abs(z).max(axis=1, initial=0.0))
        std = np.where(flat, 1.0, std)
        count = np.count_nonzero(flat)
        note = f"layer {number}: {count} of {len(flat)} units have no variance" if count else ""
        return weights / std[:, None], -z.mean(axis=1) / std, note

    return _sequential(network, rng.standard_normal, fit)


def _sequential(network: Network, draw: Callable[[Shape], Array], fit: Fit) -> Start:
    """Draw and fit layer by layer, in float64, each on the activations of those before."""
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
