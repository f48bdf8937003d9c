"""Experiments -> Runs -> Stacks. Pure functions: nothing is read, nothing is trained."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initbench.core import ENGINE_REVISION
from initbench.core.activations import ACTIVATIONS
from initbench.core.network import parameter_count
from initbench.core.optimizers import OPTIMIZERS
from initbench.core.train import EVALUATION_BATCH
from initbench.spec import Choice, Experiment

#: What a stack may hold at once: large enough to divide Python's cost a call among many runs,
#: small enough to stay in the outer caches. On a core with 512 KiB of L2 and 32 MiB of L3, about
#: 3 MiB was within 5 % of the best size for the article's network and for digits.
STACK_BYTES = 3 * 2**20
MAX_STACK = 32
#: Keys that tune the training on a problem, not the problem.
TUNED = ("learning_rate", "optimizer", "batch_size")
#: Hexadecimal digits of an identity: 64 bits, so that a million runs collide once in 10^7 stores.
ID_LENGTH = 16
# Rough costs, to tell seconds of work from minutes: nothing but the default of --jobs reads them.
PRODUCTS_A_SECOND = 8e9
SECONDS_A_CALL = 1e-5
SECONDS_A_START = 1.5


@dataclass(frozen=True, slots=True)
class Run:
    """One training: an experiment's initializer at one seed.

    ``nudge`` k above 0 makes it the k-th twin of the run, whose initial weights are moved by
    one unit in the last place: see :func:`initbench.execute.nudge`.
    """

    experiment: Experiment
    initializer: Choice
    seed: int
    nudge: int = 0


@dataclass(frozen=True, slots=True)
class Stack:
    """Runs that train together, and where each stood among all the runs asked for."""

    runs: tuple[Run, ...]
    positions: tuple[int, ...]


def runs(experiments: Iterable[Experiment]) -> list[Run]:
    """Every (experiment, initializer, seed), in the order of the configs."""
    return [
        Run(experiment, initializer, seed)
        for experiment in experiments
        for initializer in experiment.initializer
        for seed in experiment.seeds
    ]


def resolved(run: Run, data: str | None) -> dict[str, Any]:
    """All that determines a run's numbers, defaults spelled out, as plain data.

    ``data`` is :func:`initbench.datasets.fingerprint`: a file counts by what it holds, not by
    where it lies. Names, descriptions, other seeds and other initializers are not in it.
    """
    e = run.experiment
    dataset = e.dataset.model_dump(mode="json")
    if data is not None:
        dataset = {**dataset, "path": None, "sha256": data}
    return {
        "initializer": run.initializer.model_dump(mode="json"),
        "layers": list(e.sizes),
        "activation": e.activation.model_dump(mode="json"),
        "dataset": dataset,
        "optimizer": e.optimizer.model_dump(mode="json"),
        "learning_rate": e.learning_rate,
        "iterations": e.iterations,
        "batch_size": e.batch_size,
        "dtype": e.dtype,
        "log_every": e.log_every,
        "seed": run.seed,
        "engine": ENGINE_REVISION,
        **({"nudge": run.nudge} if run.nudge else {}),
    }


def identity(run: Run, data: str | None) -> str:
    """A hash of :func:`resolved`: equal for runs whose numbers must be equal."""
    text = json.dumps(resolved(run, data), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


def problem(experiment: Experiment) -> Hashable:
    """What two configs share that pose the same problem, so that initializers compare.

    Under a sweep, how training is tuned (TUNED) is no part of it: each initializer may have its
    own best. Any other swept key makes problems of its values.
    """
    e = experiment
    tuned = sorted(key for key in e.sweep if key.partition(".")[0] in TUNED)
    parts = {"learning_rate": e.learning_rate, "optimizer": e.optimizer, "batch_size": e.batch_size}
    fixed = [value for key, value in parts.items() if not any(t.startswith(key) for t in tuned)]
    return (e.sizes, e.activation, e.dataset, e.iterations, e.dtype, *fixed, *tuned)


def shape(experiment: Experiment) -> Hashable:
    """What the runs of a stack share. Learning rate and optimizer parameters may differ."""
    e = experiment
    return (
        e.sizes, e.activation, e.dataset, e.optimizer.name,
        e.iterations, e.log_every, e.batch_size, e.dtype,
    )  # fmt: skip


def stacks(planned: Sequence[Run], jobs: int, samples: Callable[[Experiment], int]) -> list[Stack]:
    """Cut runs into stacks of equal shape, as many for every job where there are runs enough.

    ``samples`` gives the number of train samples of an experiment's data set.
    """
    groups: dict[Hashable, list[int]] = {}
    for position, run in enumerate(planned):
        groups.setdefault(shape(run.experiment), []).append(position)
    cut = []
    for positions in groups.values():
        experiment = planned[positions[0]].experiment
        fitting = STACK_BYTES // stack_bytes(experiment, samples(experiment))
        most = max(1, min(MAX_STACK, fitting))
        # A multiple of the jobs: else some would idle while others train the last stack.
        rounds = -(-len(positions) // (most * jobs))
        count = min(rounds * jobs, len(positions))
        for part in np.array_split(positions, count):
            mine = tuple(int(position) for position in part)
            cut.append(Stack(tuple(planned[position] for position in mine), mine))
    return cut


def stack_bytes(experiment: Experiment, samples: int) -> int:
    """What one run touches in every iteration: buffers, slopes, parameters, optimizer state."""
    itemsize = np.dtype(experiment.dtype).itemsize
    batch = experiment.batch_size or samples
    slope = 1 if ACTIVATIONS[experiment.activation.name].binary_slope else itemsize
    units = sum(experiment.sizes[1:])
    slots = 2 + OPTIMIZERS[experiment.optimizer.name].slots
    inputs = experiment.sizes[0] if experiment.batch_size else 0
    return (
        batch * (units * (itemsize + slope) + inputs * itemsize)
        + parameter_count(experiment.sizes) * slots * itemsize
    )


def memory_excess(experiment: Experiment, samples: int) -> str | None:
    """In words, why one run of the experiment cannot fit in this machine's memory, or None."""
    itemsize = np.dtype(experiment.dtype).itemsize
    evaluation = min(samples, EVALUATION_BATCH) * sum(experiment.sizes) * 2 * itemsize
    needed = stack_bytes(experiment, samples) + evaluation
    available = physical_memory()
    if available is None or needed <= available:
        return None
    return (
        f"one run needs {needed / 2**30:,.1f} GiB ({parameter_count(experiment.sizes):,} "
        f"parameters), this machine has {available / 2**30:,.1f} GiB; "
        "use smaller layers or a smaller batch_size"
    )


def physical_memory() -> int | None:
    """Bytes of memory of this machine; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def useful_jobs(
    planned: Sequence[Run], processors: int, samples: Callable[[Experiment], int]
) -> int:
    """How many processes pay: one where the work is done before a second has started."""
    seconds = 0.0
    for run in planned:
        e = run.experiment
        products = 6 * parameter_count(e.sizes) * (e.batch_size or samples(e))
        seconds += e.iterations * (products / PRODUCTS_A_SECOND + SECONDS_A_CALL)
    return max(1, min(processors, int(seconds / SECONDS_A_START)))


def describe(experiments: Sequence[Experiment]) -> str:
    """The problem that a config poses, in a line of words; its swept keys are named as such."""
    e = experiments[0]
    swept = e.setting if len(experiments) > 1 else {}
    sizes = "-".join(map(str, e.sizes))
    if len(set(e.sizes[1:-1])) == 1 and len(e.sizes) > 6:
        sizes = f"{e.sizes[0]}-[{e.sizes[1]}]x{len(e.sizes) - 2}-{e.sizes[-1]}"
    if not swept.keys().isdisjoint({"layers", "width", "depth"}):
        sizes = "layers"
    words = {
        "dataset": e.dataset.label,
        "activation": f"{sizes} {e.activation.label}",
        "optimizer": e.optimizer.label,
        "learning_rate": f"learning rate {e.learning_rate:g}",
        "iterations": f"{e.iterations:,} iterations",
        "batch_size": f"batches of {e.batch_size:,}" if e.batch_size else "full batch",
        "dtype": e.dtype,
    }
    parts = [text for key, text in words.items() if key not in swept]
    return ", ".join(parts) + "".join(f", {key} swept" for key in swept)
