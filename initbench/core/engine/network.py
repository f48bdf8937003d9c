"""The stacked network: its parameters in one row a run, its layers as views of them.

All weights and biases of a run lie in one row of ``theta`` (R, P), so that an optimizer
takes its step in a few calls whatever the depth. A layer is an (O, I + 1) slice of that
row: its weights, then its bias as the last column, which multiplies a last input that is
always 1. The bias's forward pass and its gradient so come out of the products that
compute the weights' own.

A hidden layer owns one buffer. It holds the pre-activation, then the activation, and on
the way back the delta: half the memory traffic of separate arrays. It is (R, O + 1, B),
its last row the constant 1. Elementwise functions run over all of it, ones too, and the
ones are set again: NumPy takes a quarter more time for a block with gaps.

Runs stand first so that a run's strides do not depend on how many there are. BLAS picks
its kernel by strides too: with (O + 1, R, B) runs of one to three samples differed in the
last bit from the same runs alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from initbench.core.engine.blas import multiplies_small_matrices_well

Array = NDArray[Any]
Apply = Callable[[Array, Array], None]

#: (samples, rows): from so many samples, up to so many rows, a product with each row as a vector
#: beats a matrix product for which BLAS packs its operands first. Measured at 2 to 12 rows beside
#: 3 to 129: 2 and 3 rows took 0.5 to 0.9 of its time, 4 to 6 rows 0.8 to 1.1, 8 rows 1.2 and more.
FEW_ROWS = ((256, 6), (100, 3))
ALIGNMENT = 16  # bytes: of memory that malloc returns, and of what SSE2 loads at once


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a stack, as the views that the training loop needs."""

    weights: Array  # (R, O, I + 1), the bias last
    weights_back: Array  # (R, I, O): transposed, without the bias
    inputs: Array  # (R, I + 1, B) or (I + 1, B), the last row 1
    outputs: Array  # (R, O, B): pre-activation, activation, delta
    elements: Array  # the buffer of outputs and ones: contiguous, for elementwise functions
    ones: Array  # (R, 1 or more, B): the constant input of the next layer's biases
    slope: Array  # as elements: the activation's derivative; empty for the last layer
    slope_back: Array  # the same memory; bools as int8, which NumPy casts without a branch
    delta: Array  # delta times inputs_back is the gradient, see _gradient_product
    inputs_back: Array
    gradient: Array


def parameter_count(sizes: tuple[int, ...]) -> int:
    """P, the number of weights and biases of a network.

    >>> parameter_count((2, 10, 5, 1))
    91
    """
    return sum(outputs * (inputs + 1) for inputs, outputs in itertools.pairwise(sizes))


def layer_views(theta: Array, sizes: tuple[int, ...]) -> list[Array]:
    """Each layer's (R, O, I + 1) view of ``theta`` (R, P), the bias last.

    >>> [view.shape for view in layer_views(np.zeros((4, 91)), (2, 10, 5, 1))]
    [(4, 10, 3), (4, 5, 11), (4, 1, 6)]
    """
    views, start = [], 0
    for inputs, outputs in itertools.pairwise(sizes):
        stop = start + outputs * (inputs + 1)
        views.append(theta[:, start:stop].reshape(len(theta), outputs, inputs + 1))
        start = stop
    return views


def parameters(runs: int, sizes: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Zeros (R, P), theta or a gradient before it is filled; each run's row aligned alike.

    >>> parameters(4, (2, 10, 5, 1), np.float64).shape
    (4, 91)
    """
    count = parameter_count(sizes)
    return np.zeros((runs, _aligned(count, np.dtype(dtype).itemsize)), dtype)[:, :count]


def _aligned(count: int, nbytes: int) -> int:
    """The least number from ``count`` of parts of ``nbytes`` that fills whole aligned blocks.

    A run's part of every array starts at the same alignment: BLAS may pick its kernel by that
    (its SSE2 ones do), and a run's last bit with it.
    """
    return next(n for n in itertools.count(count) if n * nbytes % ALIGNMENT == 0)


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
        last = len(layers) == len(sizes) - 2
        rows = _aligned(outputs if last else outputs + 1, batch * theta.itemsize)
        buffer = np.ones((runs, rows, batch), theta.dtype)
        slope = np.empty((runs, 0 if last else rows, batch), slope_dtype)
        layers.append(
            Layer(
                weights,
                weights[:, :, :-1].swapaxes(1, 2),
                inputs,
                buffer[:, :outputs],
                buffer,
                buffer[:, outputs:],
                slope,
                slope.view(np.int8) if slope.dtype == np.bool_ else slope,
                *_gradient_product(buffer[:, :outputs], inputs, grad),
            )
        )
        inputs = buffer[:, : outputs + 1]
    return layers


def _gradient_product(delta: Array, inputs: Array, gradient: Array) -> tuple[Array, Array, Array]:
    """Views of which the first times the second, a matmul, writes the gradient to the third.

    (R, O, B) times (R, B, I + 1); but where one of them has few rows, the other times each of
    those rows as a vector (.., B, 1).
    """
    rows, samples = inputs.shape[-2:]
    few = next((few for least, few in FEW_ROWS if samples >= least), 0)
    if multiplies_small_matrices_well() or delta.shape[1] == 1:
        few = 0  # NumPy itself takes a single row for a vector
    if rows <= few:
        return delta[:, None], inputs[..., None], gradient.swapaxes(1, 2)[..., None]
    if delta.shape[1] <= few:
        return inputs[..., None, :, :], delta[..., None], gradient[..., None]
    return delta, inputs.swapaxes(-1, -2), gradient


def forward(layers: list[Layer], apply: Apply) -> Array:
    """Run the stack on its inputs; the logits (R, O, B), a view of the last layer's buffer."""
    *hidden, last = layers
    for layer in hidden:
        np.matmul(layer.weights, layer.inputs, out=layer.outputs)
        apply(layer.elements, layer.slope)
        layer.ones.fill(1.0)
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
            np.multiply(layer.elements, layer.slope_back, out=layer.elements)
        np.matmul(layer.delta, layer.inputs_back, out=layer.gradient)
        above = layer
