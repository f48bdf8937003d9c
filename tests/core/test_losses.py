"""Every loss against naive formulas, PyTorch and numeric gradients.

A new loss adds a row to `ROWS`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.random import RandomState
from numpy.typing import DTypeLike
from scipy import special

from initbench.core.arrays import Array
from initbench.core.losses import LOSS_OF_TASK, LOSSES


class Row(NamedTuple):
    """A loss: its targets, its value by a naive formula and by PyTorch, its task."""

    name: str
    outputs: tuple[int, ...]  # how many it can have
    targets: Callable[[RandomState, int, int], Array]  # (rng, O, B) -> (O, B)
    value: Callable[[Array, Array], Array]  # of samples last: (O, B), (O, B) -> (B,)
    torch: Callable[[Any, Any, Any], Any]  # of samples first: (functional, z, y) -> mean
    task: str


def naive_bce(z: Array, y: Array) -> Array:
    p = 1 / (1 + np.exp(-z))
    mean: Array = -(special.xlogy(y, p) + special.xlogy(1 - y, 1 - p)).mean(axis=0)
    return mean


def naive_ce(z: Array, y: Array) -> Array:
    loss: Array = special.logsumexp(z, axis=0) - (y * z).sum(axis=0)
    return loss


def one_hot(rng: RandomState, outputs: int, samples: int) -> Array:
    return np.eye(outputs)[:, rng.randint(outputs, size=samples)]


ROWS = [
    Row(
        "binary_cross_entropy",
        (1,),
        lambda rng, o, b: rng.randint(2, size=(o, b)).astype(float),
        naive_bce,
        lambda f, z, y: f.binary_cross_entropy_with_logits(z, y),
        "binary",
    ),
    Row(
        "cross_entropy",
        (1, 3, 10),
        one_hot,
        naive_ce,
        lambda f, z, y: f.cross_entropy(z, y.argmax(dim=1)),
        "multiclass",
    ),
    Row(
        "mean_squared_error",
        (1, 3, 10),
        lambda rng, o, b: rng.standard_normal((o, b)),
        lambda z, y: np.asarray(((z - y) ** 2).mean(axis=0)),
        lambda f, z, y: f.mse_loss(z, y),
        "regression",
    ),
]

each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
each_size = pytest.mark.parametrize(
    ("row", "outputs"), [(row, o) for row in ROWS for o in row.outputs], ids=lambda v: str(v)[:22]
)


def draw(row: Row, runs: int, outputs: int, samples: int, scale: float = 3) -> tuple[Array, Array]:
    """Logits and targets, each (R, O, B)."""
    rng = RandomState(23)
    targets = np.array([row.targets(rng, outputs, samples) for _ in range(runs)])
    return rng.standard_normal((runs, outputs, samples)) * scale, targets


def delta(name: str, logits: Array, targets: Array) -> Array:
    overwritten = logits.copy(order="K")
    LOSSES[name].delta(overwritten, targets)
    return overwritten


def test_every_loss_has_a_row() -> None:
    assert {row.name for row in ROWS} == set(LOSSES)


def test_every_task_has_its_loss() -> None:
    assert {row.task: row.name for row in ROWS} == LOSS_OF_TASK


@each_size
def test_value(row: Row, outputs: int) -> None:
    logits, targets = draw(row, 2, outputs, 33)
    expected = [row.value(z, y) for z, y in zip(logits, targets, strict=True)]
    value = LOSSES[row.name].value(logits, targets)
    assert value.shape == (2, 33)
    # The naive 1 - p loses an ulp of 1 where p is near it, over 1 - p > 1e-5: 1e-11.
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=3e-12)
    # One row of targets serves all runs.
    shared = LOSSES[row.name].value(np.array([logits[0]] * 3), targets[0])
    np.testing.assert_array_equal(shared, [value[0]] * 3)


@each_size
def test_pytorch(row: Row, outputs: int, torch: Any) -> None:
    (logits, *_), (targets, *_) = draw(row, 1, outputs, 33)
    z = torch.tensor(logits.T, requires_grad=True)
    expected = row.torch(torch.nn.functional, z, torch.tensor(targets.T))
    (gradient,) = torch.autograd.grad(expected, z)
    # Sums of 33 samples of losses below 20: a few dozen ulps, 1e-13 at the worst.
    value = LOSSES[row.name].value(logits[None], targets).mean()
    assert value == pytest.approx(expected.item(), rel=1e-13, abs=1e-13)
    found = delta(row.name, logits[None], targets)[0]
    np.testing.assert_allclose(found, gradient.numpy().T, rtol=1e-13, atol=1e-14)


@each_size
def test_delta_is_the_gradient_of_the_mean(row: Row, outputs: int) -> None:
    logits, targets = draw(row, 2, outputs, 5, scale=1)
    h, numeric = 1e-5, np.empty_like(logits)
    for index in np.ndindex(logits.shape):
        step = np.zeros_like(logits)
        step[index] = h
        above, below = (
            LOSSES[row.name].value(logits + side, targets).mean(axis=1)[index[0]]
            for side in (step, -step)
        )
        numeric[index] = (above - below) / (2 * h)
    # Truncation: h^2 / 6 times a third derivative below 1, 2e-11; rounding: an ulp of a loss
    # below 10, 2e-15, over 2 h, 1e-10.
    np.testing.assert_allclose(delta(row.name, logits, targets), numeric, rtol=0, atol=3e-10)


@each_row
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_logits_have_a_finite_loss(row: Row, dtype: DTypeLike) -> None:
    outputs = row.outputs[-1]
    logits, targets = (a.astype(dtype) for a in draw(row, 1, outputs, 20))
    logits = np.sign(logits) * np.asarray(1e4, dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value = LOSSES[row.name].value(logits, targets)
    with np.errstate(over="ignore", invalid="raise", divide="raise"):  # exp to inf is meant
        gradient = delta(row.name, logits, targets)
    assert np.isfinite(value).all()
    assert value.max() >= 1e4
    assert np.isfinite(gradient).all()
    assert value.dtype == gradient.dtype == dtype


def test_a_saturated_start_costs_its_logit() -> None:
    wrong = LOSSES["binary_cross_entropy"].value(np.array([[[-1e4, 1e4]]]), np.array([[1.0, 0.0]]))
    np.testing.assert_array_equal(wrong, [[1e4, 1e4]])
    right = LOSSES["binary_cross_entropy"].value(np.array([[[-1e4, 1e4]]]), np.array([[0.0, 1.0]]))
    np.testing.assert_array_equal(right, [[0, 0]])


def test_correct_of_two_classes() -> None:
    correct = LOSSES["binary_cross_entropy"].correct
    assert correct is not None
    logits = np.array([[[-2.0, 2, -2, 2, 0, 0, np.nan, np.nan, np.inf, -np.inf]]])
    targets = np.array([[0.0, 1, 1, 0, 0, 1, 0, 1, 1, 0]])
    np.testing.assert_array_equal(correct(logits, targets), [[1, 1, 0, 0, 1, 0, 0, 0, 0, 0]])


def test_correct_of_many_classes() -> None:
    correct = LOSSES["cross_entropy"].correct
    assert correct is not None
    samples = [
        ([1.0, 3, 2], 1, True),
        ([1.0, 3, 2], 2, False),
        ([-3.0, -1, -2], 1, True),
        ([2.0, 2, 0], 0, True),  # the first of equals
        ([2.0, 2, 0], 1, False),
        ([np.nan, 0, 0], 0, False),
        ([0.0, np.inf, 0], 1, False),
        ([0.0, 1, -np.inf], 1, False),
    ]
    logits = np.array([[z for z, _, _ in samples]]).swapaxes(1, 2)
    targets = np.eye(3)[:, [label for _, label, _ in samples]]
    expected = [[right for _, _, right in samples]]
    np.testing.assert_array_equal(correct(logits, targets), expected)
    # A stack has targets of its own for each run.
    both = correct(np.concatenate([logits, logits]), np.array([targets, np.roll(targets, 1, 0)]))
    np.testing.assert_array_equal(both[:1], expected)
    assert not both[1][np.array(expected[0])].any()


def test_regression_has_no_accuracy() -> None:
    assert LOSSES["mean_squared_error"].correct is None


def in_c_order(logits: Array) -> Array:
    return logits.copy(order="C")


def in_engine_order(logits: Array) -> Array:
    """(R, O, B) as a view of (R, O + 1, B), the layout of a layer's buffer."""
    runs, outputs, samples = logits.shape
    buffer = np.ones((runs, outputs + 1, samples), logits.dtype)
    buffer[:, :-1] = logits
    return buffer[:, :-1]


@pytest.mark.parametrize("layout", [in_c_order, in_engine_order])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_size
def test_stacked_equals_alone(
    row: Row, outputs: int, dtype: DTypeLike, layout: Callable[[Array], Array]
) -> None:
    loss = LOSSES[row.name]
    for runs, samples in product(range(1, 6), (1, 2, 7, 8, 9, 33)):
        logits, targets = (a.astype(dtype) for a in draw(row, runs, outputs, samples))
        for shared in (True, False):
            of_run = [targets[0]] * runs if shared else list(targets)
            of_stack = targets[0] if shared else layout(targets)
            values = loss.value(layout(logits), of_stack)
            gradients = layout(logits)
            loss.delta(gradients, of_stack)
            for run in range(runs):
                alone, target = logits[run : run + 1], of_run[run]
                assert values[run].tobytes() == loss.value(layout(alone), target)[0].tobytes()
                gradient = layout(alone)
                loss.delta(gradient, target)
                assert gradients[run].tobytes() == gradient[0].tobytes()
                if loss.correct is not None:
                    verdict = loss.correct(layout(logits), of_stack)[run]
                    np.testing.assert_array_equal(verdict, loss.correct(layout(alone), target)[0])
