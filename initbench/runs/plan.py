"""Experiments -> Runs -> Stacks. Pure functions: nothing is read, nothing is trained."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from initbench.runs.cost import run_bytes, run_seconds
from initbench.runs.records import RowKey
from initbench.spec import Experiment, InitializerChoice

#: Bytes that a stack may touch in an iteration: enough to divide the cost of Python's calls among
#: many runs, and few enough to stay in the outer caches. On a core with 512 KiB of L2 and 32 MiB of
#: L3, 3 MiB were within 5 % of the best size for the article's network and for digits.
STACK_BYTES = 3 * 2**20
#: Runs in a stack. 16 of the article's runs train within 1 % of the speed of 32, and half as much
#: is lost if their worker dies.
MAX_STACK = 16
#: Seconds of training that a worker's death may cost. No stack is cut below 8 runs for this, which
#: train at 90 % of the speed on the article's network.
STACK_SECONDS = 60.0
SMALL_STACK = 8


@dataclass(frozen=True, slots=True)
class Run:
    """One training: an experiment's initializer at one seed.

    With a ``nudge`` k above 0 it is the k-th twin of the run, whose first weights are moved by one
    unit in the last place: see :func:`initbench.runs.execute.nudge`.
    """

    experiment: Experiment
    initializer: InitializerChoice
    seed: int
    nudge: int = 0

    @property
    def row(self) -> RowKey:
        """The key of the row that this run counts for."""
        return RowKey.of(self.experiment.name, self.initializer.label, self.experiment.setting)


@dataclass(frozen=True, slots=True)
class Stack:
    """Runs that train together, and the position of each among all the runs asked for."""

    runs: tuple[Run, ...]
    positions: tuple[int, ...]

    def part(self, indices: Sequence[int]) -> Stack:
        """A stack of some of its runs."""
        return Stack(
            tuple(self.runs[index] for index in indices),
            tuple(self.positions[index] for index in indices),
        )


def runs(experiments: Iterable[Experiment]) -> list[Run]:
    """Every (experiment, initializer, seed), in the order of the configs."""
    return [
        Run(at_seed, initializer, seed)
        for experiment in experiments
        for at_seeds in [[experiment_at(experiment, seed) for seed in experiment.seeds]]
        for initializer in experiment.initializer
        for seed, at_seed in zip(experiment.seeds, at_seeds, strict=True)
    ]


def experiment_at(experiment: Experiment, seed: int) -> Experiment:
    """The experiment with the data that a run at this seed sees."""
    dataset = experiment.dataset.at_seed(seed)
    if dataset is experiment.dataset:
        return experiment
    return experiment.model_copy(update={"dataset": dataset})


def stack_key(experiment: Experiment) -> Hashable:
    """What runs must share to train in one stack.

    Learning rates and optimizer parameters are not in it: they may differ from run to run.
    """
    e, architecture = experiment, experiment.architecture
    return (
        architecture.sizes, architecture.unbiased, e.activation, e.dataset, e.optimizer.name,
        e.iterations, e.log_every, e.batch_size, e.dtype,
    )  # fmt: skip


def stacks(planned: Sequence[Run], jobs: int, samples: Callable[[Experiment], int]) -> list[Stack]:
    """Cut runs into stacks, the same number for every job where there are enough runs.

    For several jobs the stacks that take longest come first, so that at the end no job waits long
    for another.

    Args:
        planned: The runs, in any order. Only those of one :func:`stack_key` share a stack.
        jobs: How many stacks train at the same time.
        samples: Gives the number of train samples of an experiment's data set.
    """
    groups: dict[Hashable, list[int]] = {}
    for position, run in enumerate(planned):
        groups.setdefault(stack_key(run.experiment), []).append(position)
    cut: list[tuple[float, Stack]] = []
    for positions in groups.values():
        experiment = planned[positions[0]].experiment
        seconds = run_seconds(experiment, samples(experiment))
        fitting = STACK_BYTES // run_bytes(experiment, samples(experiment))
        quick = max(SMALL_STACK, int(STACK_SECONDS / seconds))
        most = max(1, min(MAX_STACK, fitting, quick))
        # The number is a multiple of the jobs: else some would idle while the last stack trains.
        rounds = -(-len(positions) // (most * jobs))
        count = min(rounds * jobs, len(positions))
        for part in np.array_split(positions, count):
            mine = tuple(int(position) for position in part)
            stack = Stack(tuple(planned[position] for position in mine), mine)
            cut.append((seconds * len(mine), stack))
    if jobs > 1:
        cut.sort(key=lambda pair: -pair[0])
    return [stack for _, stack in cut]
