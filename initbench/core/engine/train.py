"""The training loop: one stack of runs, from drawn weights to a trace of losses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import DTypeLike, NDArray

from initbench.core.engine.network import Apply, backward, build, forward, parameters, with_ones
from initbench.core.losses import Loss
from initbench.core.optimizers import Optimizer

Array = NDArray[Any]

#: Samples that are evaluated at once: bounds the memory of a log point on large data.
EVALUATION_BATCH = 4096
#: Elements in a ufunc's buffer. NumPy's default of 8192 leaves the L1 cache where an operand
#: is broadcast or cast (a mask of bools); 1024 was worth 7 % of the article's iteration.
UFUNC_BUFFER = 1024
#: Sets the stream of a seed's batch order apart from the stream of its weights.
BATCH_STREAM = 1


@dataclass(frozen=True, slots=True)
class Split:
    """One split of a data set, samples last: inputs (I, N), targets (O, N)."""

    inputs: Array
    targets: Array


@dataclass(frozen=True, slots=True)
class Problem:
    """What all runs of a stack share; they differ in weights, seeds and hyperparameters."""

    sizes: tuple[int, ...]
    apply: Apply
    slope_dtype: DTypeLike
    loss: Loss
    optimizer: Optimizer
    train: Split
    test: Split
    iterations: int
    log_every: int
    batch_size: int | None
    dtype: DTypeLike


@dataclass(frozen=True, slots=True)
class Point:
    """The stack at one log point, after ``iteration`` updates; each array is (R,).

    A loss that is not finite is inf. Accuracies are None for a loss without classes.
    """

    iteration: int
    train_loss: Array
    train_accuracy: Array | None
    test_loss: Array
    test_accuracy: Array | None


def train(
    problem: Problem, theta: Array, seeds: Sequence[int], hyperparameters: dict[str, Array]
) -> Iterator[Point]:
    """Train ``theta`` (R, P) in place; yield a Point at k = 0, log_every, ..., iterations.

    ``seeds`` order each run's batches. ``hyperparameters`` are the optimizer's parameters
    as (R, 1) arrays of the problem's dtype. Ends early when no run has a finite loss left; a run
    that diverges in company trains on, and what comes after its first inf has no meaning.
    """
    gradient = parameters(len(theta), problem.sizes, theta.dtype)
    slots = tuple(np.zeros_like(theta) for _ in range(problem.optimizer.slots))
    batches = _batches(problem, seeds)
    inputs, targets = next(batches)
    layers = build(theta, gradient, problem.sizes, inputs, problem.slope_dtype)
    apply, delta, step = problem.apply, problem.loss.delta, problem.optimizer.step

    point = _evaluate(problem, theta, 0)
    yield point
    for start, stop in pairwise(
        [*range(0, problem.iterations, problem.log_every), problem.iterations]
    ):
        if not np.isfinite(point.train_loss).any():
            return
        with _quiet():
            for iteration in range(start + 1, stop + 1):
                logits = forward(layers, apply)
                delta(logits, targets)
                backward(layers)
                step(theta, gradient, slots, iteration, **hyperparameters)
                next(batches)
        point = _evaluate(problem, theta, stop)
        yield point


def batch_order(seed: int, samples: int, batch_size: int) -> Iterator[Array]:
    """Endless batches of sample indices, the same for every initializer at a seed.

    They are cut from a stream of permutations, one an epoch, so that all have
    ``batch_size`` samples and every sample comes once an epoch.
    """
    rng = RandomState([BATCH_STREAM, seed])
    pending = rng.permutation(samples)
    while True:
        while len(pending) < batch_size:
            pending = np.concatenate([pending, rng.permutation(samples)])
        yield pending[:batch_size]
        pending = pending[batch_size:]


def _batches(problem: Problem, seeds: Sequence[int]) -> Iterator[tuple[Array, Array]]:
    """Endless (inputs, targets), always the same two arrays, refilled at each ``next``."""
    inputs = with_ones(problem.train.inputs.astype(problem.dtype))
    targets = problem.train.targets.astype(problem.dtype)
    if problem.batch_size is None:
        while True:
            yield inputs, targets
    # Samples first: a batch is gathered by rows.
    sample_inputs, sample_targets = inputs.T.copy(), targets.T.copy()
    orders = {seed: batch_order(seed, len(sample_inputs), problem.batch_size) for seed in seeds}
    runs, size = len(seeds), problem.batch_size
    batch_inputs = np.empty((runs, size, sample_inputs.shape[1]), problem.dtype)
    batch_targets = np.empty((runs, size, sample_targets.shape[1]), problem.dtype)
    while True:
        batch = {seed: next(order) for seed, order in orders.items()}
        indices = np.stack([batch[seed] for seed in seeds])
        # mode="clip" because "raise" would gather into a second buffer first.
        sample_inputs.take(indices, axis=0, out=batch_inputs, mode="clip")
        sample_targets.take(indices, axis=0, out=batch_targets, mode="clip")
        yield batch_inputs.swapaxes(1, 2), batch_targets.swapaxes(1, 2)


def _evaluate(problem: Problem, theta: Array, iteration: int) -> Point:
    train_loss, train_accuracy = evaluate(problem, theta, problem.train)
    test_loss, test_accuracy = evaluate(problem, theta, problem.test)
    return Point(iteration, train_loss, train_accuracy, test_loss, test_accuracy)


def evaluate(problem: Problem, theta: Array, split: Split) -> tuple[Array, Array | None]:
    """Mean loss and accuracy of every run on ``split``, (R,) each, in float64."""
    runs, samples = len(theta), split.inputs.shape[1]
    loss, correct = np.zeros(runs), np.zeros(runs)
    with _quiet():
        for start in range(0, samples, EVALUATION_BATCH):
            part = slice(start, start + EVALUATION_BATCH)
            inputs = with_ones(split.inputs[:, part].astype(problem.dtype))
            targets = split.targets[:, part].astype(problem.dtype)
            layers = build(theta, theta, problem.sizes, inputs, problem.slope_dtype)
            logits = forward(layers, problem.apply)
            values = problem.loss.value(logits, targets)
            # Run by run: the order of a sum's terms must not depend on the stack.
            loss += [np.ascontiguousarray(row, np.float64).sum() for row in values]
            if problem.loss.correct is not None:
                correct += np.count_nonzero(problem.loss.correct(logits, targets), axis=1)
    loss[~np.isfinite(loss)] = np.inf
    return loss / samples, None if problem.loss.correct is None else correct / samples


@contextmanager
def _quiet() -> Iterator[None]:
    """Overflow on the way to divergence is a result here, not a warning."""
    with np.errstate(all="ignore"):
        np.setbufsize(UFUNC_BUFFER)  # NumPy 2 restores it where errstate ends
        yield
