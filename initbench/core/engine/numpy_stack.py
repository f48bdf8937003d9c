"""The reference engine: networks of one architecture, trained together with NumPy.

All weights and biases of a run lie in one row of ``theta`` (R, P), and an optimizer takes its step
in a few calls whatever the depth. A layer is an (O, I + 1) slice of that row: its weights, then its
bias as the last column, which multiplies a last input that is always 1. The products that compute
the weights' part of a forward pass and of a gradient compute the bias's part as well.

A hidden layer owns one buffer. It holds the pre-activation, then the activation, and on the way
back the delta, which halves the memory traffic of separate arrays. The buffer is (R, O + 1, B), and
its last row is the constant 1. Elementwise functions run over the whole buffer, and the ones are
set again afterwards: NumPy takes a quarter more time for a block with gaps.

Runs are the first axis, and so a run's strides do not depend on how many runs there are. BLAS
chooses its kernel by strides as well: with (O + 1, R, B) runs of one to three samples differed in
the last bit from the same runs alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from initbench.core.activations import Apply
from initbench.core.architecture import Architecture, aligned
from initbench.core.arrays import Array
from initbench.core.engine.blas import multiplies_small_matrices_well
from initbench.core.engine.protocol import Point, Split, TrainingTask, batch_order
from initbench.core.losses import LOSSES
from initbench.core.optimizers import OPTIMIZERS

#: How many samples are evaluated at once. It bounds the memory of a log point on large data.
EVALUATION_BATCH = 4096
#: Elements in a ufunc's buffer. Where an operand is broadcast or cast (a mask of bools), NumPy's
#: default of 8192 does not fit the L1 cache; 1024 saved 7 % of the article's iteration.
UFUNC_BUFFER = 1024
#: (samples, rows): with at least so many samples and at most so many rows, a product with each row
#: as a vector is faster than a matrix product, for which BLAS packs its operands first. Measured at
#: 2 to 12 rows beside 3 to 129: 2 and 3 rows took 0.5 to 0.9 of the time of a matrix product, 4 to
#: 6 rows 0.8 to 1.1, and 8 rows 1.2 and more.
FEW_ROWS = ((256, 6), (100, 3))


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a stack, as the views that the training loop needs."""

    weights: Array  # (R, O, I + 1), the bias last
    weights_back: Array  # (R, I, O): transposed, without the bias
    inputs: Array  # (R, I + 1, B) or (I + 1, B), the last row 1
    outputs: Array  # (R, O, B): pre-activation, activation, delta
    elements: Array  # the buffer of outputs and ones: contiguous, for elementwise functions
    ones: Array  # (R, 1 or more, B): the constant input of the next layer's biases
    slope: Array  # shaped as elements: the activation's derivative; empty for the last layer
    slope_back: Array  # the same memory; bools as int8, which NumPy casts without a branch
    delta: Array  # delta times inputs_back is the gradient: see _gradient_product
    inputs_back: Array
    gradient: Array


def with_ones(samples: Array) -> Array:
    """``samples`` (I, B) with a last row of ones, the bias's input: (I + 1, B)."""
    return np.concatenate([samples, np.ones((1, samples.shape[-1]), samples.dtype)])


def build(architecture: Architecture, theta: Array, gradient: Array, inputs: Array) -> list[Layer]:
    """The layers of a stack on ``inputs`` ((R, I + 1, B) or (I + 1, B), the last row 1)."""
    runs, batch = len(theta), inputs.shape[-1]
    layers: list[Layer] = []
    views, gradients = architecture.views(theta), architecture.views(gradient)
    for weights, grad in zip(views, gradients, strict=True):
        outputs = weights.shape[1]
        last = len(layers) == len(views) - 1
        rows = aligned(outputs if last else outputs + 1, batch * theta.itemsize)
        buffer = np.ones((runs, rows, batch), theta.dtype)
        slope = np.empty((runs, 0 if last else rows, batch), architecture.slope_dtype)
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
    """Three views: the matmul of the first two, written into the third, is the gradient.

    The product is (R, O, B) times (R, B, I + 1). Where one factor has few rows, it is the other
    factor times each of those rows as a vector (.., B, 1) instead.
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
    """Run the stack on its inputs and return the logits (R, O, B), a view of the last buffer."""
    *hidden, last = layers
    for layer in hidden:
        np.matmul(layer.weights, layer.inputs, out=layer.outputs)
        apply(layer.elements, layer.slope)
        layer.ones.fill(1.0)
    np.matmul(last.weights, last.inputs, out=last.outputs)
    return last.outputs


def backward(layers: list[Layer]) -> None:
    """Write every layer's gradient, from the delta that the loss left in the last outputs."""
    above: Layer | None = None
    for layer in reversed(layers):
        if above is not None:
            if above.outputs.shape[1] == 1:
                # A product with one row is an outer product, for which BLAS takes thrice the time.
                np.multiply(above.weights_back, above.outputs, out=layer.outputs)
            else:
                np.matmul(above.weights_back, above.outputs, out=layer.outputs)
            np.multiply(layer.elements, layer.slope_back, out=layer.elements)
        np.matmul(layer.delta, layer.inputs_back, out=layer.gradient)
        above = layer


def train(
    task: TrainingTask,
    theta: Array,
    seeds: Sequence[int],
    hyperparameters: Mapping[str, Array],
) -> Iterator[Point]:
    """Train ``theta`` (R, P) in place; yield a Point at k = 0, log_every, ..., iterations.

    The arguments, and where the iterator ends, are those of every
    :data:`~initbench.core.engine.protocol.Engine`.
    """
    architecture, optimizer = task.architecture, OPTIMIZERS[task.optimizer]
    gradient = architecture.zeros(len(theta))
    slots = tuple(np.zeros_like(theta) for _ in range(optimizer.slots))
    batches = _batches(task, seeds)
    inputs, targets = next(batches)
    layers = build(architecture, theta, gradient, inputs)
    no_biases = architecture.bias_columns_to_clear(gradient)
    apply, delta, step = architecture.apply, LOSSES[task.loss].delta, optimizer.step

    point = _evaluate(task, theta, 0)
    yield point
    for start, stop in pairwise([*range(0, task.iterations, task.log_every), task.iterations]):
        if not np.isfinite(point.train_loss).any():
            return
        with _quiet():
            for iteration in range(start + 1, stop + 1):
                logits = forward(layers, apply)
                delta(logits, targets)
                backward(layers)
                for column in no_biases:
                    column.fill(0.0)
                step(theta, gradient, slots, iteration, **hyperparameters)
                next(batches)
        point = _evaluate(task, theta, stop)
        yield point


def _batches(task: TrainingTask, seeds: Sequence[int]) -> Iterator[tuple[Array, Array]]:
    """Endless (inputs, targets), always the same two arrays, refilled at each ``next``."""
    dtype = task.architecture.dtype
    inputs = with_ones(task.train.inputs.astype(dtype))
    targets = task.train.targets.astype(dtype)
    if task.batch_size is None:
        while True:
            yield inputs, targets
    # Samples first: a batch is gathered by rows.
    sample_inputs, sample_targets = inputs.T.copy(), targets.T.copy()
    orders = {seed: batch_order(seed, len(sample_inputs), task.batch_size) for seed in seeds}
    runs, size = len(seeds), task.batch_size
    batch_inputs = np.empty((runs, size, sample_inputs.shape[1]), dtype)
    batch_targets = np.empty((runs, size, sample_targets.shape[1]), dtype)
    while True:
        batch = {seed: next(order) for seed, order in orders.items()}
        indices = np.stack([batch[seed] for seed in seeds])
        # With mode="raise" NumPy would gather into a second buffer first.
        sample_inputs.take(indices, axis=0, out=batch_inputs, mode="clip")
        sample_targets.take(indices, axis=0, out=batch_targets, mode="clip")
        yield batch_inputs.swapaxes(1, 2), batch_targets.swapaxes(1, 2)


def _evaluate(task: TrainingTask, theta: Array, iteration: int) -> Point:
    train_loss, train_accuracy = evaluate(task, theta, task.train)
    test_loss, test_accuracy = evaluate(task, theta, task.test)
    return Point(iteration, train_loss, train_accuracy, test_loss, test_accuracy)


def evaluate(task: TrainingTask, theta: Array, split: Split) -> tuple[Array, Array | None]:
    """The mean loss and the accuracy of every run on ``split``, each (R,) in float64.

    A loss that is not finite is inf. The accuracy is None for a loss without classes.
    """
    architecture, functions = task.architecture, LOSSES[task.loss]
    apply, dtype = architecture.apply, architecture.dtype
    runs, samples = len(theta), split.inputs.shape[1]
    loss, correct = np.zeros(runs), np.zeros(runs)
    with _quiet():
        for start in range(0, samples, EVALUATION_BATCH):
            part = slice(start, start + EVALUATION_BATCH)
            inputs = with_ones(split.inputs[:, part].astype(dtype))
            targets = split.targets[:, part].astype(dtype)
            logits = forward(build(architecture, theta, theta, inputs), apply)
            values = functions.value(logits, targets)
            # Run by run: the order of a sum's terms must not depend on the stack.
            loss += [np.ascontiguousarray(row, np.float64).sum() for row in values]
            if functions.correct is not None:
                correct += np.count_nonzero(functions.correct(logits, targets), axis=1)
    loss[~np.isfinite(loss)] = np.inf
    return loss / samples, None if functions.correct is None else correct / samples


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence NumPy's warnings: overflow on the way to divergence is a result here."""
    with np.errstate(all="ignore"):
        np.setbufsize(UFUNC_BUFFER)  # errstate restores it, from NumPy 2 on
        yield
