"""What a run costs in bytes and seconds, estimated from its config before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from initbench.core.engine.numpy_stack import EVALUATION_BATCH
from initbench.core.optimizers import OPTIMIZERS
from initbench.datasets.memory import physical_memory
from initbench.spec import Experiment

# Rough costs, which tell seconds of work from minutes: the default of --jobs and the size of stacks
# depend on them.
PRODUCTS_A_SECOND = 8e9
SECONDS_A_CALL = 1e-5
SECONDS_A_START = 1.5


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


def memory_excess(experiment: Experiment, samples: int) -> str | None:
    """Why one run of the experiment does not fit in this machine's memory, in words, or None."""
    architecture = experiment.architecture
    elements = min(samples, EVALUATION_BATCH) * sum(architecture.sizes)
    evaluation = elements * 2 * architecture.dtype.itemsize
    needed = run_bytes(experiment, samples) + evaluation
    available = physical_memory()
    if available is None or needed <= available:
        return None
    return (
        f"one run needs {needed / 2**30:,.1f} GiB ({architecture.parameter_count:,} "
        f"parameters), this machine has {available / 2**30:,.1f} GiB; "
        "use smaller layers or a smaller batch_size"
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
