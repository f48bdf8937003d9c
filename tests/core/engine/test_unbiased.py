"""Layers without biases: PyTorch's Linear(bias=False), in any company."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from initbench.core.engine.numpy_stack import train
from initbench.core.engine.protocol import TrainingTask
from initbench.core.losses import LOSSES
from initbench.core.optimizers import OPTIMIZERS
from initbench.core.propagation import measure
from tests.core.conftest import Hyperparameters, MakeTask, Start
from tests.core.test_optimizers import TORCH, TORCH_LOSSES


def without_biases(task: TrainingTask, *layers: int) -> TrainingTask:
    return replace(task, architecture=replace(task.architecture, unbiased=frozenset(layers)))


def cleared(task: TrainingTask, theta: Any) -> Any:
    for column in task.architecture.bias_columns_to_clear(theta):
        column[:] = 0
    return theta


@pytest.mark.parametrize("unbiased", [(0, 1, 2), (1,)])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_trajectory_is_that_of_linear_layers_without_bias(
    name: str,
    loss: str,
    unbiased: tuple[int, ...],
    make_task: MakeTask,
    start: Start,
    hyperparameters: Hyperparameters,
    torch: Any,
) -> None:
    plain = make_task("tanh", loss, name, hidden=(4, 3), iterations=20, log_every=20)
    task = without_biases(plain, *unbiased)
    theta = cleared(task, start(task, [3]))
    layers = []
    for index, (view,) in enumerate(task.architecture.views(theta)):
        outputs, inputs = view.shape[0], view.shape[1] - 1
        layer = torch.nn.Linear(inputs, outputs, bias=index not in unbiased, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(view[:, :-1]))
            if layer.bias is not None:
                layer.bias.copy_(torch.tensor(view[:, -1]))
        layers += [layer, torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers[:-1])
    kind, arguments = TORCH[name]
    optimizer = getattr(torch.optim, kind)(model.parameters(), lr=0.01, **arguments)
    inputs, targets = torch.tensor(task.train.inputs.T), torch.tensor(task.train.targets.T)
    for _ in range(task.iterations):
        optimizer.zero_grad()
        TORCH_LOSSES[loss](torch.nn.functional, model(inputs), targets).backward()
        optimizer.step()
    *_, _ = train(task, theta, [3], hyperparameters(task, [0.01]))
    for index, (view,) in enumerate(task.architecture.views(theta)):
        layer = model[2 * index]
        # The tolerance of the trajectories with biases, in tests/core/test_optimizers.py.
        np.testing.assert_allclose(view[:, :-1], layer.weight.detach(), rtol=0, atol=1e-10)
        if index in unbiased:
            np.testing.assert_array_equal(view[:, -1], 0)
        else:
            np.testing.assert_allclose(view[:, -1], layer.bias.detach(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_s_bits_do_not_depend_on_its_company(
    name: str,
    batch_size: int | None,
    make_task: MakeTask,
    start: Start,
    hyperparameters: Hyperparameters,
) -> None:
    task = without_biases(make_task("relu", optimizer=name, batch_size=batch_size), 0, 2)
    seeds, rates = [3, 4, 5], [0.1, 0.01, 0.3]
    theta = cleared(task, start(task, seeds))
    alone = [theta[[run]].copy() for run in range(3)]
    *_, _ = train(task, theta, seeds, hyperparameters(task, rates))
    for run, one in enumerate(alone):
        aligned = task.architecture.zeros(1)
        aligned[:] = one
        *_, _ = train(task, aligned, [seeds[run]], hyperparameters(task, [rates[run]]))
        assert aligned[0].tobytes() == theta[run].tobytes()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_measured_first_update_moves_no_bias_that_is_not_there(
    name: str, make_task: MakeTask, start: Start, hyperparameters: Hyperparameters
) -> None:
    task = without_biases(make_task("tanh", optimizer=name, iterations=1, log_every=1), 0, 1, 2)
    theta, rates = cleared(task, start(task, [3])), hyperparameters(task, [0.1])
    measured = measure(task, theta, task.train, rates, 1.0).update_size[0]
    before = theta.copy()
    *_, _ = train(task, theta, [3], rates)
    views = zip(task.architecture.views(before), task.architecture.views(theta), strict=True)
    sizes = [np.linalg.norm(after - first) / np.linalg.norm(first) for first, after in views]
    assert measured == pytest.approx(sizes, rel=1e-9)
