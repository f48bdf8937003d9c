"""The seam between the engine and all that stands above it: what it is given, what it yields.

A training task is plain data: names, numbers and arrays. It pickles without a function, and it
says nothing of how the arithmetic is done. Planning, stores and statistics know this module; an
engine is another module that implements :data:`Engine`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.random import RandomState

from initbench.core.architecture import Architecture
from initbench.core.arrays import Array

#: Sets the stream of a seed's batch order apart from the stream of its weights.
BATCH_STREAM = 1


@dataclass(frozen=True, slots=True)
class Split:
    """One split of a data set, samples last: inputs (I, N), targets (O, N)."""

    inputs: Array
    targets: Array


@dataclass(frozen=True, slots=True)
class TrainingTask:
    """What all runs of a stack share; they differ in weights, seeds and hyperparameters.

    Args:
        architecture: The network that every run trains.
        loss: A name in :data:`~initbench.core.losses.LOSSES`.
        optimizer: A name in :data:`~initbench.core.optimizers.OPTIMIZERS`.
        train: The samples that gradients are computed on.
        test: The samples that are evaluated only.
        iterations: How many updates a run makes.
        log_every: Metrics are computed before training, after every so many updates, and at the
            end.
        batch_size: How many train samples an update sees; all of them where it is None.
    """

    architecture: Architecture
    loss: str
    optimizer: str
    train: Split
    test: Split
    iterations: int
    log_every: int
    batch_size: int | None


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


#: An engine is a function ``(task, theta, seeds, hyperparameters)`` that trains the rows of
#: ``theta`` (R, P) in place and yields a :class:`Point` after 0, log_every, 2 log_every, ...,
#: iterations updates.
#:
#: - ``theta`` is laid out as :meth:`.Architecture.views` reads it, and at each Point it holds the
#:   parameters that the Point was computed from.
#: - ``seeds`` (one a run) order the batches by :func:`batch_order`.
#: - ``hyperparameters`` are the optimizer's keyword parameters as (R, 1) arrays of the
#:   architecture's dtype, one value a run.
#: - A run's numbers do not depend, to the last bit, on which other runs stand in the stack.
#: - The iterator may end early once no run has a finite train loss. A run that diverges beside
#:   others goes on, and what it yields after its first inf has no meaning.
Engine: TypeAlias = Callable[
    [TrainingTask, Array, Sequence[int], Mapping[str, Array]], Iterator[Point]
]


def batch_order(seed: int, samples: int, batch_size: int) -> Iterator[Array]:
    """Endless batches of sample indices, the same for every initializer at a seed.

    The batches are cut from a stream of permutations, one permutation an epoch. Every batch has
    ``batch_size`` samples, and every sample comes once an epoch.

    >>> order = batch_order(seed=0, samples=5, batch_size=2)
    >>> [next(order).tolist() for _ in range(3)]
    [[1, 4], [0, 3], [2, 3]]
    """
    rng = RandomState([BATCH_STREAM, seed])
    pending = rng.permutation(samples)
    while True:
        while len(pending) < batch_size:
            pending = np.concatenate([pending, rng.permutation(samples)])
        yield pending[:batch_size]
        pending = pending[batch_size:]
