"""Experiments -> Runs -> Stacks. Pure functions: nothing is read, nothing is trained."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initbench.core import ENGINE_REVISION
from initbench.core.activations import ACTIVATIONS
from initbench.core.draw import BATCH
from initbench.core.engine.network import parameter_count
from initbench.core.engine.train import EVALUATION_BATCH
from initbench.core.initializers import Network
from initbench.core.optimizers import OPTIMIZERS
from initbench.interop import frameworks
from initbench.spec import Experiment, InitializerChoice
from initbench.spec.choice import Choice

#: What a stack may hold at once: large enough to divide Python's cost a call among many runs,
#: small enough to stay in the outer caches. On a core with 512 KiB of L2 and 32 MiB of L3, about
#: 3 MiB was within 5 % of the best size for the article's network and for digits.
STACK_BYTES = 3 * 2**20
#: 16 of the article's runs train within 1 % of the speed of 32, and half as much is lost with
#: them if their worker dies.
MAX_STACK = 16
#: What a worker's death may cost, as long as no stack gets smaller for it than 8 runs, which on
#: the article's network train at 90 % of the speed.
STACK_SECONDS = 60.0
SMALL_STACK = 8
#: Keys that tune the training on a problem, not the problem.
TUNED = ("learning_rate", "optimizer", "batch_size")
#: Hexadecimal digits of an identity: 64 bits, so that a million runs collide once in 10^7 stores.
ID_LENGTH = 16
# Rough costs, to tell seconds of work from minutes: for the default of --jobs and STACK_SECONDS.
PRODUCTS_A_SECOND = 8e9
SECONDS_A_CALL = 1e-5
SECONDS_A_START = 1.5


@dataclass(frozen=True, slots=True)
class Run:
    """One training: an experiment's initializer at one seed.

    ``nudge`` k above 0 makes it the k-th twin of the run, whose initial weights are moved by
    one unit in the last place: see :func:`initbench.runs.execute.nudge`.
    """

    experiment: Experiment
    initializer: InitializerChoice
    seed: int
    nudge: int = 0


@dataclass(frozen=True, slots=True)
class Stack:
    """Runs that train together, and where each stood among all the runs asked for."""

    runs: tuple[Run, ...]
    positions: tuple[int, ...]

    def part(self, indices: Sequence[int]) -> Stack:
        """Some of its runs."""
        return Stack(
            tuple(self.runs[index] for index in indices),
            tuple(self.positions[index] for index in indices),
        )


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
    where it lies, and so does an initializer of the user's own. Names, descriptions, other
    seeds and other initializers are not in it.
    """
    e = run.experiment
    dataset = e.dataset.model_dump(mode="json")
    if data is not None:
        dataset = {**dataset, "path": None, "sha256": data}
    # Without what is null: so a parameter that comes to be does not change existing identities.
    initializer = run.initializer.model_dump(mode="json", exclude_none=True)
    if run.initializer.plugin is not None:
        initializer["sha256"] = run.initializer.plugin.sha256
    framework = frameworks.versions(run.initializer.name)
    return {
        "initializer": initializer,
        **({"framework": framework} if framework else {}),
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
    return _hashed(resolved(run, data))


def identities(planned: Iterable[Run], data: Callable[[Choice], str | None]) -> list[str]:
    """Each run's :func:`identity`; ``data`` gives the fingerprint of a data set."""
    return [_hashed({**common, "seed": run.seed}) for run, common in _with_settings(planned, data)]


def settings(planned: Iterable[Run], data: Callable[[Choice], str | None]) -> list[str]:
    """Each run's :func:`resolved` without its seed, as JSON: one text for all seeds."""
    return [json.dumps(common, sort_keys=True) for _, common in _with_settings(planned, data)]


def _with_settings(
    planned: Iterable[Run], data: Callable[[Choice], str | None]
) -> Iterator[tuple[Run, dict[str, Any]]]:
    """Each run, and what it shares with its neighbours that differ in nothing but the seed."""
    for _, neighbours in itertools.groupby(
        planned, key=lambda run: (id(run.experiment), id(run.initializer), run.nudge)
    ):
        first, *others = neighbours
        common = resolved(first, data(first.experiment.dataset))
        del common["seed"]
        for run in (first, *others):
            yield run, common


def _hashed(settled: dict[str, Any]) -> str:
    text = json.dumps(settled, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


def network_of(experiment: Experiment, inputs: NDArray[Any]) -> Network:
    """What the experiment's initializers may know, ``inputs`` (I, N) being the train split's."""
    chosen, dtype = experiment.activation, np.dtype(experiment.dtype)
    activation = ACTIVATIONS[chosen.name]
    return Network(
        sizes=experiment.sizes,
        dtype=dtype,
        activation=chosen.name,
        activation_parameters=chosen.parameters,
        apply=partial(activation.apply, **chosen.parameters),
        slope_dtype=np.bool_ if activation.binary_slope else dtype,
        inputs=inputs[:, :BATCH].astype(dtype),
    )


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

    Among several jobs the longest come first, so that none waits for one that was begun last.
    ``samples`` gives the number of train samples of an experiment's data set.
    """
    groups: dict[Hashable, list[int]] = {}
    for position, run in enumerate(planned):
        groups.setdefault(shape(run.experiment), []).append(position)
    cut: list[tuple[float, Stack]] = []
    for positions in groups.values():
        experiment = planned[positions[0]].experiment
        seconds = run_seconds(experiment, samples(experiment))
        fitting = STACK_BYTES // stack_bytes(experiment, samples(experiment))
        quick = max(SMALL_STACK, int(STACK_SECONDS / seconds))
        most = max(1, min(MAX_STACK, fitting, quick))
        # A multiple of the jobs: else some would idle while others train the last stack.
        rounds = -(-len(positions) // (most * jobs))
        count = min(rounds * jobs, len(positions))
        for part in np.array_split(positions, count):
            mine = tuple(int(position) for position in part)
            stack = Stack(tuple(planned[position] for position in mine), mine)
            cut.append((seconds * len(mine), stack))
    if jobs > 1:
        cut.sort(key=lambda pair: -pair[0])
    return [stack for _, stack in cut]


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
    seconds = sum(run_seconds(run.experiment, samples(run.experiment)) for run in planned)
    return max(1, min(processors, int(seconds / SECONDS_A_START)))


def run_seconds(experiment: Experiment, samples: int) -> float:
    """About how long one run of a stack trains."""
    e = experiment
    products = 6 * parameter_count(e.sizes) * (e.batch_size or samples)
    return e.iterations * (products / PRODUCTS_A_SECOND + SECONDS_A_CALL)


def network(experiment: Experiment) -> str:
    """Sizes and activation, in words: ``2-10-5-1 relu``."""
    sizes = experiment.sizes
    words = "-".join(map(str, sizes))
    if len(set(sizes[1:-1])) == 1 and len(sizes) > 6:
        words = f"{sizes[0]}-[{sizes[1]}]x{len(sizes) - 2}-{sizes[-1]}"
    return f"{words} {experiment.activation.label}"


def describe(experiments: Sequence[Experiment]) -> str:
    """The problem that a config poses, in a line of words; its swept keys are named as such."""
    e = experiments[0]
    swept = e.setting if len(experiments) > 1 else {}
    sizes_swept = not swept.keys().isdisjoint({"layers", "width", "depth"})
    words = {
        "dataset": e.dataset.label,
        "activation": f"layers {e.activation.label}" if sizes_swept else network(e),
        "optimizer": e.optimizer.label,
        "learning_rate": f"learning rate {e.learning_rate:g}",
        "iterations": f"{e.iterations:,} iterations",
        "batch_size": f"batches of {e.batch_size:,}" if e.batch_size else "full batch",
        "dtype": e.dtype,
    }
    parts = [text for key, text in words.items() if key not in swept]
    return ", ".join(parts) + "".join(f", {key} swept" for key in swept)
