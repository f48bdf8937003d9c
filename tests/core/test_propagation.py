"""Measured signal propagation: against PyTorch's autograd, by hand, and as laws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import RandomState

from initbench.core import propagation
from initbench.core.activations import ACTIVATIONS
from initbench.core.arrays import Array
from initbench.core.engine.protocol import TrainingTask
from initbench.core.losses import LOSSES
from initbench.core.propagation import Measurement, distinct_units, mean_cosine, measure
from tests.core.conftest import Hyperparameters, MakeTask, Start

TORCH: dict[str, Callable[[Any, Any], Any]] = {
    "identity": lambda _, z: z * 1,
    "relu": lambda f, z: f.relu(z),
    "leaky_relu": lambda f, z: f.leaky_relu(z, 0.01),
    "elu": lambda f, z: f.elu(z),
    "selu": lambda f, z: f.selu(z),
    "gelu": lambda f, z: f.gelu(z),
    "silu": lambda f, z: f.silu(z),
    "tanh": lambda f, z: f.tanh(z),
    "sigmoid": lambda f, z: f.sigmoid(z),
    "softplus": lambda f, z: f.softplus(z, threshold=100),
    "sine": lambda _, z: z.sin(),  # of frequency 1, as conftest has it
}


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "cross_entropy"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_pytorch(name: str, loss: str, make_task: MakeTask, start: Start, torch: Any) -> None:
    """Activations, gradients at every z and every weight, and the Jacobian, run by run."""
    task = make_task(name, loss, hidden=(7, 5, 6), samples=9)
    theta = start(task, [2, 5])
    inputs, targets = task.train.inputs, task.train.targets
    signals = propagation.forward(task.architecture, theta, inputs)
    delta = propagation.output_delta(task.loss, signals[-1].preactivation, targets)
    deltas = propagation.backward(task.architecture, theta, signals, delta)
    gradient = propagation.weight_gradient(task.architecture, inputs, signals, deltas)
    jacobian = propagation.jacobian(task.architecture, theta, signals)

    for run in range(len(theta)):
        parts = [torch.tensor(view[run]) for view in task.architecture.views(theta)]
        parts = [part.clone().requires_grad_() for part in parts]

        def network(x: Any, parts: list[Any] = parts) -> tuple[list[Any], list[Any]]:
            zs, hs = [], [x]
            for part in parts:
                zs.append(hs[-1] @ part[:, :-1].T + part[:, -1])
                hs.append(TORCH[name](torch.nn.functional, zs[-1]))
            return zs, hs[1:]

        zs, hs = network(torch.tensor(inputs.T))
        y = torch.tensor(targets.T)
        functional = torch.nn.functional
        each = (
            functional.binary_cross_entropy_with_logits(zs[-1], y, reduction="none").sum(axis=1)
            if loss == "binary_cross_entropy"
            else functional.cross_entropy(zs[-1], y, reduction="none")
        )
        by_z = torch.autograd.grad(each.sum(), zs, retain_graph=True)
        by_weight = torch.autograd.grad(each.mean(), parts)
        for layer, signal in enumerate(signals):
            close(signal.preactivation[run].T, zs[layer])
            close(deltas[layer][run].T, by_z[layer])
            if layer < len(signals) - 1:
                close(signal.activation[run].T, hs[layer])
            close(task.architecture.views(gradient)[layer][run], by_weight[layer])
        for sample in range(inputs.shape[1]):
            x = torch.tensor(inputs[:, sample])
            expected = torch.autograd.functional.jacobian(lambda x: network(x[None])[0][-1][0], x)
            close(jacobian[run, sample], expected)


def close(got: Array, expected: Any) -> None:
    np.testing.assert_allclose(got, expected.detach().numpy(), rtol=1e-10, atol=1e-10)


def measured(
    task: TrainingTask, theta: Array, hyperparameters: Hyperparameters, steepest: float = 1.0
) -> Measurement:
    rates = hyperparameters(task, [0.1] * len(theta))
    return measure(task, theta, task.train, rates, steepest)


def test_by_definition(make_task: MakeTask, start: Start, hyperparameters: Hyperparameters) -> None:
    """Every statistic once more, in plain NumPy on one network."""
    task = make_task("tanh", "cross_entropy", "momentum", hidden=(6, 4), samples=8)
    theta = start(task, [3])
    theta *= 2  # so that some units are flat
    m = measured(task, theta, hyperparameters)
    h, n = task.train.inputs, task.train.inputs.shape[1]
    for layer, view in enumerate(task.architecture.views(theta)):
        z = view[0, :, :-1] @ h + view[0, :, -1:]
        h = np.tanh(z) if layer < 2 else z
        assert m.preactivation_mean[0, layer] == pytest.approx(z.mean())
        assert m.preactivation_variance[0, layer] == pytest.approx((z**2).mean())
        assert m.contrast[0, layer] == pytest.approx(z.var(axis=1).mean())
        assert m.activation_mean[0, layer] == pytest.approx(h.mean())
        assert m.activation_variance[0, layer] == pytest.approx(h.var())
        pairs = [
            z[:, a] @ z[:, b] / np.linalg.norm(z[:, a]) / np.linalg.norm(z[:, b])
            for a in range(n)
            for b in range(a)
        ]
        assert m.cosine[0, layer] == pytest.approx(np.mean(pairs))
        s = np.linalg.svd(h, compute_uv=False)
        assert m.effective_rank[0, layer] == pytest.approx((s**2).sum() ** 2 / (s**4).sum())
        if layer < 2:
            flat = (1 - h**2 < 0.02).mean()
            assert flat > 0
            assert m.flat[0, layer] == flat
            assert m.distinct_units[0, layer] == len(z)
    p = np.exp(z) / np.exp(z).sum(axis=0)
    assert m.flat[0, 2] == (p * (1 - p) < 0.005).all(axis=0).mean()
    correct = (p * task.train.targets).sum(axis=0)
    assert m.loss[0] == pytest.approx(-np.log(correct).mean())
    signals = propagation.forward(task.architecture, theta, task.train.inputs)
    values = np.linalg.svd(
        propagation.jacobian(task.architecture, theta, signals)[0], compute_uv=False
    )
    assert m.jacobian_largest[0] == pytest.approx(np.median(values[:, 0]))
    assert m.jacobian_smallest[0] == pytest.approx(np.median(values[:, -1]))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_run_does_not_depend_on_its_company(
    name: str, make_task: MakeTask, start: Start, hyperparameters: Hyperparameters
) -> None:
    task = make_task(name, "cross_entropy")
    theta = start(task, [1, 2, 3])
    together = measured(task, theta, hyperparameters)
    alone = measured(task, theta[[1]], hyperparameters)
    for field in fields(Measurement):
        a, b = getattr(together, field.name)[1], getattr(alone, field.name)[0]
        # Sums over units and samples run in another order: the last bits.
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15, err_msg=field.name)


def test_the_first_update_is_the_optimizers(
    make_task: MakeTask, start: Start, hyperparameters: Hyperparameters
) -> None:
    """Plain gradient descent moves a layer by learning rate times its gradient."""
    task = make_task("tanh")
    theta = start(task, [1])
    m = measured(task, theta, hyperparameters)
    signals = propagation.forward(task.architecture, theta, task.train.inputs)
    delta = propagation.output_delta(task.loss, signals[-1].preactivation, task.train.targets)
    deltas = propagation.backward(task.architecture, theta, signals, delta)
    gradient = propagation.weight_gradient(task.architecture, task.train.inputs, signals, deltas)
    for layer, (g, w) in enumerate(
        zip(task.architecture.views(gradient), task.architecture.views(theta), strict=True)
    ):
        expected = 0.1 * np.linalg.norm(g[0]) / np.linalg.norm(w[0])
        assert m.update_size[0, layer] == pytest.approx(expected)


def test_symmetric_units_are_counted_once() -> None:
    rng = RandomState(0)
    below, above = rng.standard_normal((2, 6, 4)), rng.standard_normal((2, 3, 7))
    assert distinct_units(below, above, np.dtype(np.float64)).tolist() == [6, 6]
    below[0, 1], above[0, :, 1] = below[0, 4], above[0, :, 4]  # units 1 and 4 of run 0
    below[1, :] = below[1, 0]  # all incoming weights of run 1, but not the outgoing
    assert distinct_units(below, above, np.dtype(np.float64)).tolist() == [5, 6]
    above[1, :, :-1] = 1.0
    assert distinct_units(below, above, np.dtype(np.float64)).tolist() == [5, 1]


@given(
    groups=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    seed=st.integers(0, 1000),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_distinct_units_ignore_order_and_rounding(
    groups: list[int], seed: int, dtype: type[np.floating[Any]]
) -> None:
    rng = RandomState(seed)
    unit = np.repeat(np.arange(len(groups)), groups)
    rng.shuffle(unit)
    below, above = rng.standard_normal((1, len(groups), 5)), rng.standard_normal((1, 3, 100))
    below, above = below[:, unit], above[:, :, [*unit, 99]]
    below *= 1 + 4 * np.finfo(dtype).eps * rng.standard_normal(below.shape)
    assert distinct_units(below, above, np.dtype(dtype))[0] == len(groups)


def test_zeros_and_overflow_are_findings(
    make_task: MakeTask, hyperparameters: Hyperparameters
) -> None:
    task = make_task("relu", hidden=(4, 3))
    theta = np.zeros((2, task.architecture.parameter_count))
    theta[1] = 1e200
    m = measured(task, theta, hyperparameters)
    assert m.born_dead.tolist() == [True, False]
    np.testing.assert_array_equal(m.preactivation_variance[0], 0)
    np.testing.assert_array_equal(m.dead[0, :2], 1)
    np.testing.assert_array_equal(m.distinct_units[:, :2], 1)
    assert np.isnan(m.cosine[0]).all()
    assert not np.isfinite(m.preactivation_variance[1, -1])


def test_dead_is_not_inactive(make_task: MakeTask, hyperparameters: Hyperparameters) -> None:
    """One unit off on half of the samples, one on all."""
    task = make_task("relu", hidden=(2,))
    theta = np.zeros((1, task.architecture.parameter_count))
    first, second = task.architecture.views(theta)
    first[0] = [[1, 0, 0], [0, 0, -1]]
    second[0] = [[1, 2, 0]]
    m = measured(task, theta, hyperparameters)
    off = (task.train.inputs[0] <= 0).mean()
    assert m.flat[0, 0] == pytest.approx((off + 1) / 2)
    assert m.dead[0, 0] == 0.5
    assert not m.born_dead[0]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_certain_output_is_saturated(
    loss: str, make_task: MakeTask, start: Start, hyperparameters: Hyperparameters
) -> None:
    task = make_task("tanh", loss)
    theta = start(task, [1])
    task.architecture.views(theta)[-1][:] *= 1e6
    flat = measured(task, theta, hyperparameters).flat[0, -1]
    if loss == "mean_squared_error":
        assert np.isnan(flat)
    else:
        assert flat > 0.95


def test_cosine_of_one_vector_is_unknown() -> None:
    vectors = np.zeros((1, 3, 4))
    vectors[0, :, 0] = [1, 2, 3]
    assert np.isnan(mean_cosine(vectors)).all()


def test_cosine_keeps_its_range_at_any_scale() -> None:
    vectors = RandomState(0).standard_normal((1, 5, 6))
    expected = mean_cosine(vectors)
    for scale in (1e-200, 1e200):
        np.testing.assert_allclose(mean_cosine(vectors * scale), expected, rtol=1e-12)


def test_no_hidden_layer(
    make_task: MakeTask, start: Start, hyperparameters: Hyperparameters
) -> None:
    task = make_task("relu", hidden=())
    m = measured(task, start(task, [1, 2]), hyperparameters)
    assert m.preactivation_variance.shape == (2, 1)
    assert not m.born_dead.any()
    assert task.architecture.shapes == [(1, 2)]
