"""What a run costs in bytes and seconds, estimated from its config before anything is trained."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from initbench.core.architecture import aligned
from initbench.core.engine.numpy_stack import EVALUATION_BATCH
from initbench.core.optimizers import OPTIMIZERS
from initbench.datasets import DataSize
from initbench.datasets.memory import available_memory, bytes_text
from initbench.spec import Experiment
from initbench.spec.choice import Choice
from initbench.spec.datasets import BlobsDataset, GeneratedDataset

# Rough costs, which tell seconds of work from minutes: the default of --jobs and the size of stacks
# depend on them.
PRODUCTS_A_SECOND = 8e9
SECONDS_A_CALL = 1e-5
SECONDS_A_START = 1.5
#: Arrays of 8 bytes a weight, at the largest layer, that an initializer holds at once. By
#: tracemalloc the catalogue takes 1 to 4, and these take more.
USUAL_COPIES = 3.0
DRAWING_COPIES = {"lsuv": 6.0, "sparse": 5.5, "orthogonal": 5.0, "zero_hadamard": 5.0}


def run_bytes(experiment: Experiment, samples: int) -> int:
    """Bytes that one run touches in an iteration: buffers, slopes, parameters, optimizer state."""
    architecture = experiment.architecture
    itemsize, slope = architecture.dtype.itemsize, architecture.slope_dtype.itemsize
    batch = experiment.batch_size or samples
    features, *units = architecture.sizes
    slots = 2 + OPTIMIZERS[experiment.optimizer.name].slots
    inputs = features if experiment.batch_size else 0
    return (
        batch * (sum(units) * (itemsize + slope) + inputs * itemsize)
        + architecture.parameter_count * slots * itemsize
    )


def stack_bytes(experiment: Experiment, data: DataSize, runs: int) -> int:
    """About how many bytes ``runs`` of an experiment take at their peak, when they train together.

    It is the larger of what training and what drawing takes. Training: parameters, gradients and
    the optimizer's slots; the samples in the network's type, and a batch of them; buffers and
    slopes of all layers, for an update and once more for an evaluation. Drawing: parameters, and
    the copies in which an initializer works at the largest layer.
    """
    architecture = experiment.architecture
    itemsize = architecture.dtype.itemsize
    features, *units = architecture.sizes
    outputs = units[-1]
    parameters = runs * aligned(architecture.parameter_count, itemsize) * itemsize

    def buffers(batch: int) -> int:
        hidden = sum(unit + 1 for unit in units[:-1])
        each = hidden * (itemsize + architecture.slope_dtype.itemsize) + outputs * itemsize
        return runs * batch * each

    held = data.train * (features + 1 + outputs) * itemsize
    if experiment.batch_size is not None:
        held += (data.train + runs * experiment.batch_size) * (features + outputs) * itemsize
    at_once = min(EVALUATION_BATCH, max(data.train, data.test))
    evaluation = buffers(at_once) + at_once * itemsize * (
        2 * (features + 1 + outputs) + 3 * runs * outputs
    )
    arrays = 2 + OPTIMIZERS[experiment.optimizer.name].slots
    training = (
        arrays * parameters + held + buffers(experiment.batch_size or data.train) + evaluation
    )
    largest = 8 * max(map(math.prod, architecture.shapes))
    drawing = parameters + int(_drawing_copies(experiment) * largest)
    return max(training, drawing)


def _drawing_copies(experiment: Experiment) -> float:
    names = {one.name for choice in experiment.initializer for one in choice.parts.values()}
    return max(DRAWING_COPIES.get(name, USUAL_COPIES) for name in names)


def held_bytes(choice: Choice, data: DataSize) -> int:
    """About how many bytes a data set takes while it is kept: a table stays beside its splits."""
    return data.nbytes * (1 if isinstance(choice, GeneratedDataset | BlobsDataset) else 2)


def memory_excess(experiment: Experiment, data: DataSize) -> str | None:
    """Why one run of the experiment does not fit in memory, in words, or None."""
    held = held_bytes(experiment.dataset, data)
    needed = stack_bytes(experiment, data, 1) + held
    memory = available_memory()
    if memory is None or needed <= memory.size:
        return None
    return (
        f"one run needs {bytes_text(needed)} ({experiment.architecture.parameter_count:,} "
        f"parameters, data of {bytes_text(held)}), {memory.whose} has {bytes_text(memory.size)}; "
        "use smaller layers, fewer samples or a smaller batch_size"
    )


def fitting_jobs(jobs: int, needed: Sequence[int], held: int) -> tuple[int, str]:
    """How many of ``jobs`` have room side by side, at least one, and the words for it.

    Args:
        jobs: The processes that were asked for.
        needed: The bytes of each stack.
        held: The bytes of the data, which each process has for itself.
    """
    memory = available_memory()
    largest = sorted(needed, reverse=True)

    def total(count: int) -> int:
        return held + sum(largest[:count]) + (held * count if count > 1 else 0)

    fit = jobs
    while memory is not None and fit > 1 and total(fit) > memory.size:
        fit -= 1
    if fit == jobs or memory is None:
        return jobs, ""
    return (
        fit,
        f"{jobs} jobs need {bytes_text(total(jobs))}, {memory.whose} has {bytes_text(memory.size)}",
    )


def useful_jobs(
    experiments: Iterable[Experiment], processors: int, samples: Callable[[Experiment], int]
) -> int:
    """How many processes are worth starting for runs, given each run's experiment.

    It is 1 where the work is done before a second process has started.
    """
    every = list(experiments)  # the seeds of a row share one
    distinct = {id(one): one for one in every}
    runs = Counter(map(id, every))
    seconds = sum(runs[key] * run_seconds(one, samples(one)) for key, one in distinct.items())
    return max(1, min(processors, int(seconds / SECONDS_A_START)))


def run_seconds(experiment: Experiment, samples: int) -> float:
    """About how many seconds one run of a stack trains."""
    e = experiment
    products = 6 * e.architecture.parameter_count * (e.batch_size or samples)
    return e.iterations * (products / PRODUCTS_A_SECOND + SECONDS_A_CALL)
