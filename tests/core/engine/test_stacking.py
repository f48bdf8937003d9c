"""A run's result never depends on its company: to the last bit, alone or in any stack.

Caching, resuming and replaying rest on this, and so nothing here has a tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from initbench.core.activations import ACTIVATIONS
from initbench.core.engine.numpy_stack import train
from initbench.core.engine.protocol import TrainingTask
from initbench.core.losses import LOSSES
from initbench.core.optimizers import OPTIMIZERS
from tests.core.conftest import Hyperparameters, MakeTask, Start

Run = tuple[int, float]  # seed, learning rate
Traces = Callable[[TrainingTask, Sequence[Run]], list[bytes]]

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])

#: Full batch (33 samples, the last of them outside every vector), one sample at a time, the
#: sizes that BLAS has kernels of their own for, and one that does not divide the samples.
BATCH_SIZES = [None, 1, 2, 3, 4, 7]


@pytest.fixture(scope="session")
def traces(start: Start, hyperparameters: Hyperparameters) -> Traces:
    """Each run's curve and final parameters, every bit of them, when all train together.

    The trace of a diverged run ends with its first loss of inf, as its record does: alone it
    trains no further, in company it runs on for nothing.
    """

    def together(task: TrainingTask, runs: Sequence[Run]) -> list[bytes]:
        seeds, rates = [seed for seed, _ in runs], [rate for _, rate in runs]
        theta = start(task, seeds)
        found, alive = [b""] * len(runs), [True] * len(runs)
        for point in train(task, theta, seeds, hyperparameters(task, rates)):
            metrics = [point.train_loss, point.test_loss]
            metrics += [a for a in (point.train_accuracy, point.test_accuracy) if a is not None]
            for run in np.flatnonzero(alive):
                found[run] += np.array([metric[run] for metric in metrics]).tobytes()
                alive[run] = bool(np.isfinite(point.train_loss[run]))
        for run in np.flatnonzero(alive):
            found[run] += theta[run].tobytes()
        return found

    return together


def assert_company_changes_nothing(task: TrainingTask, runs: Sequence[Run], traces: Traces) -> None:
    stacked = traces(task, runs)
    for run, trace in zip(runs, stacked, strict=True):
        assert [trace] == traces(task, [run])
    # A learning rate or a seed that got lost would make all runs equal and pass the above.
    assert len(set(stacked)) == len(set(runs))


@each_dtype
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_combination(
    activation: str,
    loss: str,
    optimizer: str,
    dtype: DTypeLike,
    make_task: MakeTask,
    traces: Traces,
) -> None:
    runs = [(5, 0.05), (3, 0.01), (8, 0.02)]
    for batch_size in (None, 1, 7):
        task = make_task(
            activation,
            loss,
            optimizer,
            iterations=6,
            log_every=4,
            batch_size=batch_size,
            dtype=dtype,
        )
        assert_company_changes_nothing(task, runs, traces)


runs_of_a_stack = st.lists(
    st.tuples(st.integers(0, 2**31), st.sampled_from([0.001, 0.01, 0.1])),
    min_size=2,
    max_size=9,
    unique=True,
)


@each_dtype
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@given(
    runs=runs_of_a_stack,
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    hidden=st.lists(st.integers(1, 11), max_size=3),
)
@settings(max_examples=20, deadline=None, derandomize=True)
def test_any_company(
    runs: list[Run],
    activation: str,
    loss: str,
    optimizer: str,
    hidden: list[int],
    batch_size: int | None,
    dtype: DTypeLike,
    make_task: MakeTask,
    traces: Traces,
) -> None:
    task = make_task(activation, loss, optimizer, hidden=hidden, batch_size=batch_size, dtype=dtype)
    stacked = traces(task, runs)
    for run, trace in zip(runs, stacked, strict=True):
        assert [trace] == traces(task, [run])


@each_dtype
@pytest.mark.parametrize("batch_size", [None, 7])
@given(order=st.permutations(range(6)))
@settings(max_examples=10, deadline=None, derandomize=True)
def test_any_order(
    order: list[int],
    batch_size: int | None,
    dtype: DTypeLike,
    make_task: MakeTask,
    traces: Traces,
) -> None:
    task = make_task("gelu", "cross_entropy", "adam", batch_size=batch_size, dtype=dtype)
    # Two seeds at three learning rates: the runs of one seed share their batches.
    runs = [(seed, rate) for seed in (1, 2) for rate in (0.001, 0.01, 0.1)]
    expected = traces(task, runs)
    assert traces(task, [runs[i] for i in order]) == [expected[i] for i in order]


@each_dtype
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("samples", [1, 2, 3, 5])
def test_few_samples(
    samples: int, loss: str, dtype: DTypeLike, make_task: MakeTask, traces: Traces
) -> None:
    task = make_task("relu", loss, samples=samples, dtype=dtype, iterations=5)
    assert_company_changes_nothing(task, [(seed, 0.01) for seed in range(5)], traces)


@each_dtype
@pytest.mark.parametrize("batch_size", [None, 32, 128])
@pytest.mark.parametrize("hidden", [(10, 5), (10, 1, 2), (128, 65)])
def test_large_networks(
    hidden: tuple[int, ...],
    batch_size: int | None,
    dtype: DTypeLike,
    make_task: MakeTask,
    traces: Traces,
) -> None:
    """Sizes at which BLAS works in blocks and threads; 21 runs, beyond the L1 cache."""
    task = make_task(
        "relu",
        hidden=hidden,
        samples=301,
        iterations=4,
        log_every=2,
        batch_size=batch_size,
        dtype=dtype,
    )
    runs = [(seed, 0.01 * (seed + 1)) for seed in range(21)]
    stacked = traces(task, runs)
    for position in (0, 1, 10, 20):
        assert [stacked[position]] == traces(task, [runs[position]])


@each_dtype
def test_a_diverging_neighbour(dtype: DTypeLike, make_task: MakeTask, traces: Traces) -> None:
    task = make_task("identity", "mean_squared_error", iterations=60, dtype=dtype)
    calm = [(1, 0.01), (2, 0.02)]
    wild = [(1, 1e4), (9, 1e9)]
    stacked = traces(task, [wild[0], calm[0], wild[1], calm[1]])
    assert [stacked[1], stacked[3]] == traces(task, calm)
    assert [stacked[1]] == traces(task, calm[:1])
    # They did diverge: their traces are a point or two, and have no parameters.
    assert max(len(stacked[0]), len(stacked[2])) < len(stacked[1]) / 4
