"""The stacked network: every gradient against numeric differentiation, and the views."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import RandomState

from initbench.core.activations import ACTIVATIONS
from initbench.core.architecture import Architecture
from initbench.core.arrays import Array
from initbench.core.engine.numpy_stack import Layer, backward, build, forward, with_ones
from initbench.core.engine.protocol import TrainingTask
from initbench.core.losses import LOSSES
from tests.core.conftest import MakeTask, Start

#: Wide layers, a hidden layer of width 1 below a wide one, and none at all: the delta's way
#: back is an outer product below a layer of one output, else a product of matrices.
HIDDEN = [(4, 3), (3, 1, 2), ()]


def stack_of(task: TrainingTask, theta: Array, inputs: Array) -> tuple[list[Layer], Array]:
    gradient = np.full_like(theta, np.nan)
    layers = build(task.architecture, theta, gradient, with_ones(inputs))
    return layers, gradient


def mean_loss(task: TrainingTask, theta: Array, targets: Array) -> Array:
    """(R,)"""
    layers, _ = stack_of(task, theta, task.train.inputs)
    return np.array(
        LOSSES[task.loss].value(forward(layers, task.architecture.apply), targets).mean(axis=1)
    )


def distance_to_kink(task: TrainingTask, theta: Array) -> float:
    """The hidden pre-activation closest to 0."""
    closest = [np.inf]

    def watch(z: Array, slope: Array) -> None:
        closest.append(float(np.abs(z).min()))
        task.architecture.apply(z, slope)

    forward(stack_of(task, theta, task.train.inputs)[0], watch)
    return min(closest)


@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient(
    activation: str,
    loss: str,
    hidden: tuple[int, ...],
    make_task: MakeTask,
    start: Start,
) -> None:
    task = make_task(activation, loss, hidden=hidden, samples=6)
    theta = start(task, [2, 5])
    h = 1e-5
    # A step of h in one parameter moves a pre-activation by less than 100 h in these networks:
    # none crosses a kink at 0, and the loss is smooth between theta - h and theta + h.
    assert distance_to_kink(task, theta) > 100 * h

    layers, gradient = stack_of(task, theta, task.train.inputs)
    LOSSES[task.loss].delta(forward(layers, task.architecture.apply), task.train.targets)
    backward(layers)

    numeric = np.empty_like(theta)
    for column in range(theta.shape[1]):
        step = np.zeros_like(theta)
        step[:, column] = h
        above, below = (mean_loss(task, theta + side, task.train.targets) for side in (step, -step))
        numeric[:, column] = (above - below) / (2 * h)
    # Truncation: h^2 / 6 = 2e-11 times a third derivative, up to a few hundred where weights
    # of 3 follow each other. Rounding: an ulp of a loss below 10, over 2 h, 1e-10.
    np.testing.assert_allclose(gradient, numeric, rtol=1e-8, atol=1e-8)
    # Or the comparison would say nothing.
    assert np.abs(numeric).max() > 0.01


@pytest.mark.parametrize("samples", [4, 120], ids=["matrix product", "vector products"])
@pytest.mark.parametrize("loss", LOSSES)
def test_batches_of_their_own(loss: str, samples: int, make_task: MakeTask, start: Start) -> None:
    """Runs on different batches, as mini-batches bring them, equal runs one by one."""
    task = make_task("tanh", loss, hidden=(4, 3))
    theta = start(task, [2, 5, 8])
    indices = RandomState(1).randint(33, size=(3, samples))
    inputs = with_ones(task.train.inputs).T[indices].swapaxes(1, 2)
    targets = task.train.targets.T[indices].swapaxes(1, 2)
    gradient = np.empty_like(theta)
    layers = build(task.architecture, theta, gradient, inputs)
    LOSSES[task.loss].delta(forward(layers, task.architecture.apply), targets)
    backward(layers)
    for run, batch in enumerate(indices):
        # The mean of samples one by one, whose gradients are tested above.
        ones = []
        for sample in batch:
            alone, expected = stack_of(task, theta[[run]], task.train.inputs[:, [sample]])
            LOSSES[task.loss].delta(
                forward(alone, task.architecture.apply), task.train.targets[:, [sample]]
            )
            backward(alone)
            ones.append(expected[0].copy())
        # Sums of up to 120 terms below 10, in another order: a few dozen ulps.
        np.testing.assert_allclose(gradient[run], np.mean(ones, axis=0), rtol=0, atol=1e-13)


def test_forward_by_hand() -> None:
    # Layer by layer: weights then bias, an output a row; relu between.
    theta = np.array([[1.0, 2.0, 0.5, -1.0, 1.0, -3.0, 2.0, -1.0, 0.25]])
    network = Architecture((2, 2, 1), np.dtype(np.float64), "relu", {})
    layers = build(network, theta, theta, with_ones(np.array([[1.0, -1.0], [1.0, 4.0]])))
    logits = forward(layers, network.apply)
    # First sample: relu(3.5), relu(-3); second: relu(7.5), relu(2).
    np.testing.assert_array_equal(logits, [[[2 * 3.5 + 0.25, 2 * 7.5 - 2 + 0.25]]])


def test_logits_are_not_activated() -> None:
    theta = np.array([[-1.0, 0.0]])
    network = Architecture((1, 1), np.dtype(np.float64), "relu", {})
    layers = build(network, theta, theta, np.array([[5.0], [1.0]]))
    logits = forward(layers, network.apply)
    np.testing.assert_array_equal(logits, [[[-5.0]]])


def test_with_ones() -> None:
    samples = RandomState(0).standard_normal((2, 5)).astype(np.float32)
    extended = with_ones(samples)
    assert extended.dtype == np.float32
    np.testing.assert_array_equal(extended, [*samples, np.ones(5)])


@pytest.mark.parametrize("runs", [1, 3])
def test_a_second_pass_is_the_first(runs: int, make_task: MakeTask, start: Start) -> None:
    """The buffers hold nothing that the next pass could trip over, the ones least of all."""
    task = make_task("relu", hidden=(4, 3))
    layers, gradient = stack_of(task, start(task, range(runs)), task.train.inputs)
    passes = []
    for _ in range(2):
        logits = forward(layers, task.architecture.apply)
        passes.append([logits.copy()])
        LOSSES[task.loss].delta(logits, task.train.targets)
        backward(layers)
        passes[-1].append(gradient.copy())
    for first, second in zip(*passes, strict=True):
        np.testing.assert_array_equal(first, second)
    assert np.isfinite(gradient).all()
    for layer in layers:
        np.testing.assert_array_equal(layer.inputs[..., -1, :], 1)
