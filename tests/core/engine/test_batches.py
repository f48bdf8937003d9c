"""Mini-batches: their order, and that a run trains on its own."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from numpy.random import RandomState
from scipy import special

from initbench.core.engine.numpy_stack import train
from initbench.core.engine.protocol import batch_order
from tests.core.conftest import Hyperparameters, MakeTask, Start


@pytest.mark.parametrize(("samples", "batch_size"), [(30, 10), (30, 7), (30, 1), (5, 12), (5, 5)])
def test_every_sample_once_an_epoch(samples: int, batch_size: int) -> None:
    count = 3 * samples  # batches that hold batch_size epochs times three
    batches = list(islice(batch_order(4, samples, batch_size), count))
    assert {len(batch) for batch in batches} == {batch_size}
    epochs = np.concatenate(batches).reshape(-1, samples)
    np.testing.assert_array_equal(np.sort(epochs), [range(samples)] * (3 * batch_size))
    assert len({epoch.tobytes() for epoch in epochs}) > 1


def test_batch_order_is_the_seeds() -> None:
    def first(seed: int) -> bytes:
        return np.concatenate(list(islice(batch_order(seed, 30, 7), 9))).tobytes()

    assert first(3) == first(3)
    assert len({first(seed) for seed in range(20)}) == 20


def test_batch_order_has_its_own_stream() -> None:
    (order,) = islice(batch_order(3, 30, 30), 1)
    assert (order != RandomState(3).permutation(30)).any()


def test_each_run_trains_on_its_own_batches(
    make_task: MakeTask,
    start: Start,
    hyperparameters: Hyperparameters,
) -> None:
    """Logistic regression with momentum, a run at a time, from first principles."""
    task = make_task(optimizer="momentum", hidden=(), iterations=20, batch_size=7)
    seeds, rates = [4, 5, 4], [0.3, 0.3, 0.1]
    theta = start(task, seeds)
    expected = theta.copy()
    *_, _ = train(task, theta, seeds, hyperparameters(task, rates))

    inputs, labels = task.train.inputs.T, task.train.targets[0]
    for row, seed, rate in zip(expected, seeds, rates, strict=True):
        velocity = np.zeros(3)
        for batch in islice(batch_order(seed, len(labels), 7), task.iterations):
            x, y = inputs[batch], labels[batch]
            error = special.expit(x @ row[:2] + row[2]) - y
            velocity = 0.9 * velocity + np.append(error @ x, error.sum()) / 7
            row -= rate * velocity
    # Rounding: 20 steps of a few ulps, 1e-14; a hundred times that.
    np.testing.assert_allclose(theta, expected, rtol=0, atol=1e-12)
