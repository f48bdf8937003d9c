"""Every optimizer: PyTorch's trajectories, convergence, and the first steps by hand.

A new optimizer adds a row to `TORCH` and to `FIRST_STEPS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from initbench.core.activations import ACTIVATIONS
from initbench.core.engine.numpy_stack import train
from initbench.core.engine.protocol import batch_order
from initbench.core.losses import LOSSES
from initbench.core.optimizers import ALIASES, OPTIMIZERS
from tests.core.conftest import Hyperparameters, MakeTask, Start

#: Name -> PyTorch's optimizer class and its arguments; its defaults are ours.
TORCH: dict[str, tuple[str, dict[str, Any]]] = {
    "gd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "rmsprop": ("RMSprop", {}),
    "adam": ("Adam", {}),
}

TORCH_LOSSES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "binary_cross_entropy": lambda f, z, y: f.binary_cross_entropy_with_logits(z, y),
    "cross_entropy": lambda f, z, y: f.cross_entropy(z, y.argmax(dim=1)),
    "mean_squared_error": lambda f, z, y: f.mse_loss(z, y),
}

#: The parameter 1 after steps of gradient 2 and 1 at learning rate 0.1.
FIRST_STEPS: dict[str, list[float]] = {
    "gd": [1 - 0.2, 1 - 0.2 - 0.1],
    "momentum": [1 - 0.2, 1 - 0.2 - 0.1 * (0.9 * 2 + 1)],
    "nesterov": [1 - 0.1 * (2 + 1.8), 1 - 0.38 - 0.1 * (1 + 0.9 * 2.8)],
    "rmsprop": [1 - 0.1 * 2 / 0.04**0.5, 1 - 1 - 0.1 / (0.99 * 0.04 + 0.01) ** 0.5],
    # Bias-corrected, the first step is the learning rate whatever the gradient.
    "adam": [1 - 0.1, 1 - 0.1 - 0.1 * (0.28 / 0.19) / (0.004996 / 0.001999) ** 0.5],
}


def test_every_optimizer_has_a_row() -> None:
    assert set(TORCH) == set(OPTIMIZERS)
    assert set(FIRST_STEPS) == set(OPTIMIZERS)


def test_every_alias_names_an_optimizer() -> None:
    assert set(ALIASES.values()) <= set(OPTIMIZERS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_first_steps(name: str) -> None:
    optimizer = OPTIMIZERS[name]
    theta = np.ones((1, 1))
    slots = tuple(np.zeros((1, 1)) for _ in range(optimizer.slots))
    found = []
    for step, gradient in enumerate([2.0, 1.0], start=1):
        optimizer.step(theta, np.array([[gradient]]), slots, step, learning_rate=0.1)
        found.append(theta[0, 0])
    # The formulas above leave out epsilon: 1e-8 over sqrt(s) >= 0.2, times each step, up to 1.
    np.testing.assert_allclose(found, FIRST_STEPS[name], rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_epsilon_stands_outside_the_root(name: str) -> None:
    """Where the gradient is tiny, epsilon decides: g / (sqrt(g^2) + epsilon)."""
    optimizer = OPTIMIZERS[name]
    theta, tiny = np.zeros((1, 1)), 1e-8
    slots = tuple(np.zeros((1, 1)) for _ in range(optimizer.slots))
    optimizer.step(theta, np.full((1, 1), tiny), slots, 1, learning_rate=1.0)
    expected = {
        "gd": tiny,
        "momentum": tiny,
        "nesterov": 1.9 * tiny,
        "rmsprop": tiny / (0.1 * tiny + 1e-8),
        "adam": tiny / (tiny + 1e-8),
    }
    # A dozen roundings.
    assert -theta[0, 0] == pytest.approx(expected[name], rel=1e-14, abs=0)


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_trajectory_is_pytorchs(
    name: str,
    loss: str,
    batch_size: int | None,
    make_task: MakeTask,
    start: Start,
    hyperparameters: Hyperparameters,
    torch: Any,
) -> None:
    task = make_task(
        "tanh", loss, name, hidden=(4, 3), iterations=200, log_every=200, batch_size=batch_size
    )
    seeds, rates = [3, 4], [0.01, 0.003]
    theta = start(task, seeds)
    first = theta.copy()
    *_, _ = train(task, theta, seeds, hyperparameters(task, rates))

    for run, (seed, rate) in enumerate(zip(seeds, rates, strict=True)):
        layers = [
            torch.tensor(v[0]).requires_grad_() for v in task.architecture.views(first[[run]])
        ]
        kind, arguments = TORCH[name]
        optimizer = getattr(torch.optim, kind)(layers, lr=rate, **arguments)
        samples = task.train.inputs.shape[1]
        order = batch_order(seed, samples, batch_size or samples)
        for _ in range(task.iterations):
            batch = next(order) if batch_size else np.arange(samples)
            activations = torch.tensor(task.train.inputs.T[batch])
            for layer in layers:
                if layer is not layers[0]:
                    activations = torch.tanh(activations)
                activations = activations @ layer[:, :-1].T + layer[:, -1]
            targets = torch.tensor(task.train.targets.T[batch])
            optimizer.zero_grad()
            TORCH_LOSSES[loss](torch.nn.functional, activations, targets).backward()
            optimizer.step()
        expected = np.concatenate([layer.detach().numpy().ravel() for layer in layers])
        # Rounding: 1e-16 a step, 200 steps, 2e-14; g / sqrt(s) amplifies it where s is small.
        # 2e-15 was measured, the rest is room for other machines' BLAS.
        np.testing.assert_allclose(theta[run], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_convergence(
    name: str,
    loss: str,
    batch_size: int | None,
    make_task: MakeTask,
    start: Start,
    hyperparameters: Hyperparameters,
) -> None:
    task = make_task("tanh", loss, name, iterations=400, log_every=400, batch_size=batch_size)
    seeds = [0, 1, 2]
    rates = [{"gd": 0.3}.get(name, 0.03)] * 3
    first, last = train(task, start(task, seeds), seeds, hyperparameters(task, rates))
    assert (last.train_loss < 0.3 * first.train_loss).all()
    if last.train_accuracy is not None:
        assert (last.train_accuracy >= 0.9).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_trains(
    activation: str, make_task: MakeTask, start: Start, hyperparameters: Hyperparameters
) -> None:
    task = make_task(activation, optimizer="adam", iterations=200, log_every=200)
    seeds = [0, 1, 2]
    first, last = train(task, start(task, seeds), seeds, hyperparameters(task, [0.03] * 3))
    assert (last.train_loss < 0.5 * first.train_loss).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_slots_and_gradient_are_all_it_writes(name: str) -> None:
    """A step of zero length leaves theta, and a parameter's step looks at no other."""
    optimizer = OPTIMIZERS[name]
    gradients = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, 1.0]])
    theta, slots = np.ones((2, 3)), tuple(np.zeros((2, 3)) for _ in range(optimizer.slots))
    rates = np.array([[0.0], [0.1]])
    optimizer.step(theta, gradients.copy(), slots, 1, learning_rate=rates)
    np.testing.assert_array_equal(theta[0], 1)
    for column in range(3):
        alone, own = np.ones((1, 1)), tuple(np.zeros((1, 1)) for _ in range(optimizer.slots))
        optimizer.step(alone, gradients[1:, [column]], own, 1, learning_rate=rates[1:])
        assert alone[0, 0] == theta[1, column]
