"""The stacked network: its parameters in one row a run, its layers as views of them.

All weights and biases of a run lie in one row of ``theta`` (R, P), so that an optimizer
takes its step in a few calls whatever the depth. A layer is an (O, I + 1) slice of that
row: its weights, then its bias as the last column, which multiplies a last input that is
always 1. The bias's forward pass and its gradient so come out of the products that
compute the weights' own.

A hidden layer owns one buffer. It holds the pre-activation, then the activation, and on
the way back the delta: half the memory traffic of separate arrays. In memory it is
(O + 1, R, B), whose first O rows are one contiguous block for the elementwise functions;
the products see it as (R, O + 1, B), whose last row is the constant 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]
Apply = Callable[[Array, Array], None]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a stack, as the views that the training loop needs."""

    weights: Array  # (R, O, I + 1), the bias last
    gradient: Array  # (R, O, I + 1)
    weights_back: Array  # (R, I, O): transposed, without the bias
    inputs: Array  # (R, I + 1, B) or (I + 1, B), the last row 1
    inputs_back: Array  # the same, transposed
    outputs: Array  # (R, O, B): pre-activation, activation, delta
    elements: Array  # (O, R, B): outputs in their order in memory
    slope: Array  # (O, R, B): the activation's derivative; empty for the last layer


def parameter_count(sizes: tuple[int, ...]) -> int:
    """P, the number of weights and biases of a network.

    >>> parameter_count((2, 10, 5, 1))
    91
    """
    return sum(outputs * (inputs + 1) for inputs, outputs in pairwise(sizes))


def layer_views(theta: Array, sizes: tuple[int, ...]) -> list[Array]:
    """Each layer's (R, O, I + 1) view of ``theta`` (R, P), the bias last.

    >>> [view.shape for view in layer_views(np.zeros((4, 91)), (2, 10, 5, 1))]
    [(4, 10, 3), (4, 5, 11), (4, 1, 6)]
    """
    views, start = [], 0
    for inputs, outputs in pairwise(sizes):
        stop = start + outputs * (inputs + 1)
        views.append(theta[:, start:stop].reshape(len(theta), outputs, inputs + 1))
        start = stop
    return views


def with_ones(samples: Array) -> Array:
    """``samples`` (I, B) with a last row of ones, the bias's input: (I + 1, B)."""
    return np.concatenate([samples, np.ones((1, samples.shape[-1]), samples.dtype)])


def build(
    theta: Array, gradient: Array, sizes: tuple[int, ...], inputs: Array, slope_dtype: DTypeLike
) -> list[Layer]:
    """The layers of a stack on ``inputs`` ((R, I + 1, B) or (I + 1, B), the last row 1)."""
    runs, batch = len(theta), inputs.shape[-1]
    layers: list[Layer] = []
    for weights, grad in zip(layer_views(theta, sizes), layer_views(gradient, sizes), strict=True):
        outputs = weights.shape[1]
        buffer = np.ones((outputs + 1, runs, batch), theta.dtype)
        last = len(layers) == len(sizes) - 2
        layers.append(
            Layer(
                weights=weights,
                gradient=grad,
                weights_back=weights[:, :, :-1].swapaxes(1, 2),
                inputs=inputs,
                inputs_back=inputs.swapaxes(-1, -2),
                outputs=buffer[:-1].swapaxes(0, 1),
                elements=buffer[:-1],
                slope=np.empty((0 if last else outputs, runs, batch), slope_dtype),
            )
        )
        inputs = buffer.swapaxes(0, 1)
    return layers


def forward(layers: list[Layer], apply: Apply) -> Array:
    """Run the stack on its inputs; the logits (R, O, B), a view of the last layer's buffer."""
    *hidden, last = layers
    for layer in hidden:
        np.matmul(layer.weights, layer.inputs, out=layer.outputs)
        apply(layer.elements, layer.slope)
    np.matmul(last.weights, last.inputs, out=last.outputs)
    return last.outputs


def backward(layers: list[Layer]) -> None:
    """Every layer's gradient, from the delta that the loss left in the last one's outputs."""
    above: Layer | None = None
    for layer in reversed(layers):
        if above is not None:
            if above.outputs.shape[1] == 1:
                # A product with one row is an outer product: BLAS needs three times as long.
                np.multiply(above.weights_back, above.outputs, out=layer.outputs)
            else:
                np.matmul(above.weights_back, above.outputs, out=layer.outputs)
            np.multiply(layer.elements, layer.slope, out=layer.elements)
        np.matmul(layer.outputs, layer.inputs_back, out=layer.gradient)
        above = layer
