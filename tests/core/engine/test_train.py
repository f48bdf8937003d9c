"""The loop: the article's numbers, the curve, divergence and what it leaves behind."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import RandomState
from scipy import special
from sklearn.datasets import make_circles

from initbench.core.architecture import Architecture
from initbench.core.arrays import Array
from initbench.core.engine import numpy_stack
from initbench.core.engine.numpy_stack import build, evaluate, forward, train, with_ones
from initbench.core.engine.protocol import Split, TrainingTask
from initbench.core.initializers import INITIALIZERS
from initbench.core.losses import LOSSES
from tests.core.conftest import Hyperparameters, MakeTask, Start


def circles(samples: int, seed: int) -> tuple[Array, Array]:
    """Samples first: inputs (N, 2), labels (N,)."""
    inputs, labels = make_circles(samples, noise=0.05, random_state=seed)
    return inputs, labels.astype(float)


def split(samples: int, seed: int) -> Split:
    inputs, labels = circles(samples, seed)
    return Split(inputs.T, labels[None])


def article(iterations: int, log_every: int) -> tuple[TrainingTask, Array]:
    """The article's task, and He's start at its seed 3 with biases 0."""
    task = TrainingTask(
        architecture=Architecture((2, 10, 5, 1), np.dtype(np.float64), "relu", {}),
        loss="binary_cross_entropy",
        optimizer="gd",
        train=split(300, 1),
        test=split(100, 2),
        iterations=iterations,
        log_every=log_every,
        batch_size=None,
    )
    theta, rng = np.zeros((1, task.architecture.parameter_count)), RandomState(3)
    for view in task.architecture.views(theta):
        shape = (view.shape[1], view.shape[2] - 1)
        view[0, :, :-1] = INITIALIZERS["he_normal"].draw(rng, shape, np.float64)
    return task, theta


#: The cost after 0, 1000, ..., 14000 iterations as deeplearning.ai's "Improving Deep Neural
#: Networks", exercise "Initialization", prints it for He's initialization.
PUBLISHED = [
    *(0.8830537463419761, 0.6879825919728063, 0.6751286264523371, 0.6526117768893807),
    *(0.6082958970572937, 0.5304944491717495, 0.4138645817071793, 0.3117803464844441),
    *(0.23696215330322556, 0.18597287209206828, 0.15015556280371808, 0.12325079292273548),
    *(0.09917746546525937, 0.08457055954024274, 0.07357895962677366),
]


def test_published_curve() -> None:
    task, theta = article(15_000, 1000)
    points = list(train(task, theta, [3], {"learning_rate": np.array([[0.01]])}))
    losses = [point.train_loss[0] for point in points[:-1]]
    # Published copies of the curve differ from each other by up to 1e-15, by their BLAS: a
    # thousand times that.
    np.testing.assert_allclose(losses, PUBLISHED, rtol=0, atol=1e-12)
    assert points[-1].train_accuracy == pytest.approx(298 / 300, abs=1e-12)
    assert points[-1].test_accuracy == pytest.approx(0.96, abs=1e-12)


def test_gradient_descent_from_first_principles() -> None:
    task, theta = article(50, 10)
    start = theta.copy()
    points = list(train(task, theta, [3], {"learning_rate": np.array([[0.01]])}))

    # Samples first, a matrix and a vector a layer, probabilities, the chain rule by hand.
    weights = [view[0, :, :-1].copy() for view in task.architecture.views(start)]
    biases = [view[0, :, -1].copy() for view in task.architecture.views(start)]
    (x, y), (x_test, y_test) = circles(300, 1), circles(100, 2)

    def activations(a: Array) -> list[Array]:
        layers = [a]
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            layers.append(np.maximum(layers[-1] @ w.T + b, 0))
        return [*layers, special.expit(layers[-1] @ weights[-1].T + biases[-1])[:, 0]]

    def metrics() -> list[float]:
        p, p_test = activations(x)[-1], activations(x_test)[-1]
        return [
            -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)),
            np.mean((p > 0.5) == (y == 1)),
            -np.mean(y_test * np.log(p_test) + (1 - y_test) * np.log(1 - p_test)),
            np.mean((p_test > 0.5) == (y_test == 1)),
        ]

    expected = [metrics()]
    for iteration in range(1, 51):
        *layers, p = activations(x)
        delta = (p - y)[:, None] / len(x)
        for i in reversed(range(3)):
            below = (delta @ weights[i]) * (layers[i] > 0)
            weights[i] -= 0.01 * delta.T @ layers[i]
            biases[i] -= 0.01 * delta.sum(axis=0)
            delta = below
        if iteration % 10 == 0:
            expected.append(metrics())

    found = [
        [p.train_loss[0], p.train_accuracy[0], p.test_loss[0], p.test_accuracy[0]]
        for p in points
        if p.train_accuracy is not None and p.test_accuracy is not None
    ]
    # Rounding: 1e-16 a sum of 300, 50 steps of 0.01: 1e-15 at most; a thousand times that.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    for view, w, b in zip(task.architecture.views(theta), weights, biases, strict=True):
        np.testing.assert_allclose(view[0], np.column_stack([w, b]), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("iterations", "log_every", "expected"),
    [
        (12, 4, [0, 4, 8, 12]),
        (12, 5, [0, 5, 10, 12]),
        (12, 12, [0, 12]),
        (12, 50, [0, 12]),
        (3, 1, [0, 1, 2, 3]),
        (0, 5, [0]),
    ],
)
def test_iterations_of_the_curve(
    iterations: int,
    log_every: int,
    expected: list[int],
    make_task: MakeTask,
    start: Start,
    hyperparameters: Hyperparameters,
) -> None:
    task = make_task(iterations=iterations, log_every=log_every)
    points = train(task, start(task, [0]), [0], hyperparameters(task, [0.1]))
    assert [point.iteration for point in points] == expected


@pytest.mark.parametrize("batch_size", [None, 7])
def test_logging_does_not_disturb(
    batch_size: int | None,
    make_task: MakeTask,
    start: Start,
    hyperparameters: Hyperparameters,
) -> None:
    ends = []
    for log_every in (1, 5, 100):
        task = make_task(optimizer="adam", log_every=log_every, batch_size=batch_size)
        theta = start(task, [0, 1])
        *_, last = train(task, theta, [0, 1], hyperparameters(task, [0.1, 0.1]))
        ends.append((theta.tobytes(), last.train_loss.tobytes(), last.test_loss.tobytes()))
    assert ends[0] == ends[1] == ends[2]


def test_evaluation_in_parts(
    make_task: MakeTask, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task("relu")
    theta = start(task, range(3))
    whole = evaluate(task, theta, task.train)
    monkeypatch.setattr(numpy_stack, "EVALUATION_BATCH", 10)
    parts = evaluate(task, theta, task.train)
    # A sum of 33 terms in another order: an ulp or two each.
    np.testing.assert_allclose(parts[0], whole[0], rtol=1e-14)
    np.testing.assert_array_equal(parts[1], whole[1])


def test_evaluation_is_in_float64(make_task: MakeTask, start: Start) -> None:
    task = make_task(dtype=np.float32)
    theta = start(task, [0])
    loss, accuracy = evaluate(task, theta, task.train)
    assert accuracy is not None
    assert loss.dtype == accuracy.dtype == np.float64

    inputs, targets = (a.astype(np.float32) for a in (task.train.inputs, task.train.targets))
    logits = forward(
        build(task.architecture, theta, theta, with_ones(inputs)), task.architecture.apply
    )
    (values,) = LOSSES[task.loss].value(logits, targets)
    # The samples' losses are float32; a sum in float32 would be off by 1e-8.
    assert loss[0] == pytest.approx(sum(map(float, values)) / values.size, rel=1e-14)


def test_regression_has_no_accuracy(make_task: MakeTask, start: Start) -> None:
    task = make_task(loss="mean_squared_error")
    assert evaluate(task, start(task, [0]), task.test)[1] is None


def test_divergence(make_task: MakeTask, start: Start, hyperparameters: Hyperparameters) -> None:
    task = make_task("identity", "mean_squared_error", iterations=100, log_every=10)
    seeds = [0, 1]

    def curve(rates: list[float]) -> list[tuple[int, list[bool]]]:
        points = train(task, start(task, seeds), seeds, hyperparameters(task, rates))
        # inf, never NaN: a diverged run is worse than any other.
        return [(p.iteration, (p.train_loss == np.inf).tolist()) for p in points]

    # One run lives on, to the end; the other stays at inf.
    mixed = curve([1e6, 0.01])
    assert mixed[0] == (0, [False, False])
    assert mixed[1:] == [(k, [True, False]) for k in range(10, 101, 10)]
    # No run is left: the curve ends with the first point that shows it.
    assert curve([1e6, 1e6]) == [(0, [False, False]), (10, [True, True])]


def test_a_start_without_a_finite_loss(
    make_task: MakeTask, start: Start, hyperparameters: Hyperparameters
) -> None:
    task = make_task()
    theta = start(task, [0, 1])
    theta[0] = np.nan
    theta[1] = np.inf
    points = list(train(task, theta, [0, 1], hyperparameters(task, [0.1, 0.1])))
    assert [point.iteration for point in points] == [0]
    for losses in (points[0].train_loss, points[0].test_loss):
        np.testing.assert_array_equal(losses, [np.inf, np.inf])
    np.testing.assert_array_equal(points[0].train_accuracy, [0, 0])


def test_numpys_settings_are_left_alone(
    make_task: MakeTask, start: Start, hyperparameters: Hyperparameters
) -> None:
    task = make_task()
    state = np.random.get_state(legacy=False)
    with np.errstate(over="raise", divide="warn", under="ignore", invalid="print"):
        points = train(task, start(task, [0]), [0], hyperparameters(task, [0.1]))
        before = np.geterr(), np.getbufsize()
        # At every yield, between them and at the end.
        for _ in points:
            assert (np.geterr(), np.getbufsize()) == before
        assert (np.geterr(), np.getbufsize()) == before
    np.testing.assert_equal(np.random.get_state(legacy=False), state)


def test_the_task_is_left_alone(
    make_task: MakeTask, start: Start, hyperparameters: Hyperparameters
) -> None:
    for batch_size in (None, 7):
        task = make_task(batch_size=batch_size, optimizer="adam")
        parameters = hyperparameters(task, [0.1])
        arrays = [*parameters.values()]
        for part in (task.train, task.test):
            arrays += [part.inputs, part.targets]
        before = [a.copy() for a in arrays]
        *_, _ = train(task, start(task, [0]), [0], parameters)
        for array, copy in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, copy)
