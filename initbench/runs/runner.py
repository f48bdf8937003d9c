"""Experiments -> Records: take what is stored, train the rest, and store what is finished.

Nothing here prints. Who calls may watch the progress (``watch``) and hear messages (``say``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from initbench import datasets
from initbench.errors import ExecutorError, FailedRunsError, InitbenchError, JobsError
from initbench.runs import execute, identity, plan
from initbench.runs.cost import fitting_jobs, held_bytes, stack_bytes, useful_jobs
from initbench.runs.execute import Finished, Progress
from initbench.runs.plan import Run, Stack
from initbench.runs.records import Record
from initbench.runs.store import Filter, Store
from initbench.runs.workers import Dask, Processes, Workers
from initbench.spec import Experiment
from initbench.spec.choice import Choice
from initbench.wording import counted

#: Is told the stacks before they train, and gives what is told each log point that they reach.
Watch = Callable[[Sequence[Stack]], AbstractContextManager[Callable[[Progress], None]]]
Say = Callable[[str], None]
#: Opens a display of work that no Watch sees; it is called with the share of it that is done.
Share = Callable[[], AbstractContextManager[Callable[[float], None]]]


@dataclass(frozen=True, slots=True)
class Execution:
    """How runs are trained, which changes nothing about their numbers.

    Attributes:
        jobs: Worker processes, one BLAS thread each; None for as many cores as the work fills.
        force: Whether runs are trained again that the store holds already.
        fail_fast: Whether the first run that fails ends the training.
        executor: What the jobs are: processes of this machine, or workers of a Dask cluster.
        scheduler: The address of a Dask scheduler; None for a cluster on this machine.
    """

    jobs: int | None = None
    force: bool = False
    fail_fast: bool = False
    executor: Literal["processes", "dask"] = "processes"
    scheduler: str | None = None


#: Every option at its default.
USUAL = Execution()


@contextmanager
def unshared() -> Iterator[Callable[[float], None]]:
    """A Share that shows nothing."""
    yield lambda _: None


@contextmanager
def unwatched(_: Sequence[Stack]) -> Iterator[Callable[[Progress], None]]:
    """A Watch that shows nothing."""
    yield lambda _: None


def silent(_: str) -> None:
    """A Say that nobody hears."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The finished records in the order asked for, and what ended the training early, if anything.

    ``asked`` counts the runs that were asked for.
    """

    records: list[Record]
    asked: int
    stopped_by: KeyboardInterrupt | InitbenchError | None = None

    @property
    def summary(self) -> str:
        """Where the records came from, or how many are missing, in words."""
        of = counted(self.asked, "run")
        if self.stopped_by:
            return f"{len(self.records):,} of {of} finished"
        cached = sum(record.cached for record in self.records)
        return f"{of}: {cached:,} from results, {self.asked - cached:,} trained"

    @property
    def failure(self) -> KeyboardInterrupt | InitbenchError | None:
        """What ended the training early, or else the error that names the runs that failed."""
        return self.stopped_by or _failure(self.records, self.asked)


def train(
    experiments: Sequence[Experiment],
    execution: Execution = USUAL,
    store: Store | None = None,
    *,
    watch: Watch = unwatched,
    say: Say = silent,
) -> Trained:
    """The record of every run of the experiments: from the store, or trained and stored.

    Without a store all are trained. A run that failed before is tried again. An interrupt or a
    lost cluster ends the training, and what has finished is returned.
    """
    runs = _pinned(plan.runs(experiments))
    prints = _fingerprints(runs)
    identities = identity.identities(runs, prints.__getitem__)
    finished: dict[str, Record] = {}
    if store is not None and not execution.force:
        stored = store.select(Filter(ids=tuple(identities)))
        finished = {one.record.id: one.record for one in stored if one.record.status != "failed"}
    # Configs may ask for the same run: once is enough.
    todo = {
        run_id: run for run_id, run in zip(identities, runs, strict=True) if run_id not in finished
    }
    stopped_by: KeyboardInterrupt | InitbenchError | None = None
    try:
        with closing(train_runs(todo, execution, watch=watch, say=say)) as batches:
            for batch in batches:
                if store is not None:
                    trained = [todo[record.id] for record in batch.records]
                    settings = identity.settings(trained, prints.__getitem__)
                    entries = zip(batch.records, settings, strict=True)
                    store.add(entries, batch.made, again=execution.force)
                finished |= {record.id: record for record in batch.records}
                if execution.fail_fast and (failure := _failure(batch.records, len(runs))):
                    stopped_by = failure
                    break
    except (KeyboardInterrupt, ExecutorError) as error:
        stopped_by = error
    return Trained(list(_labelled(runs, identities, finished)), len(runs), stopped_by)


def train_afresh(
    runs: Sequence[Run],
    execution: Execution = USUAL,
    *,
    watch: Watch = unwatched,
    say: Say = silent,
) -> list[Record]:
    """The record of every run, trained now: neither read from a store nor kept in one.

    The gate judges what the code does today, which a stored run does not show.
    """
    runs = _pinned(runs)
    prints = _fingerprints(runs)
    identities = identity.identities(runs, prints.__getitem__)
    todo = dict(zip(identities, runs, strict=True))
    with closing(train_runs(todo, execution, watch=watch, say=say)) as batches:
        finished = {record.id: record for batch in batches for record in batch.records}
    return list(_labelled(runs, identities, finished))


def train_runs(
    todo: Mapping[str, Run],
    execution: Execution = USUAL,
    *,
    watch: Watch = unwatched,
    say: Say = silent,
) -> Generator[Finished]:
    """Train runs, given by their identity; yield the records of each stack when it is done."""
    runs = list(todo.values())
    if not runs:
        return
    jobs = execution.jobs or useful_jobs(
        [run.experiment for run in runs], processors(), train_samples
    )
    workers: Workers | None = None
    with ExitStack() as opened:
        if execution.executor == "dask":
            workers = dask = opened.enter_context(closing(Dask(execution.scheduler, jobs)))
            jobs = dask.threads
            if not jobs:
                say(f"{execution.scheduler} has no workers yet: waiting for them")
        stacks = plan.stacks(runs, max(1, jobs), train_samples)
        if workers is None and jobs > 1:
            fit = _in_memory(stacks, jobs, asked=execution.jobs is not None)
            if fit < jobs:
                stacks = plan.stacks(runs, fit, train_samples)
            if fit > 1:
                workers = opened.enter_context(closing(Processes(fit)))
        report = opened.enter_context(watch(stacks))
        yield from opened.enter_context(
            closing(execute.execute(stacks, list(todo), workers, report))
        )


def _in_memory(stacks: Sequence[Stack], jobs: int, *, asked: bool) -> int:
    """How many of ``jobs`` have room in memory. Raises JobsError where more were asked for."""
    needed, held = [], 0
    for stack in stacks:
        experiment = stack.runs[0].experiment
        data = datasets.size(experiment.dataset)
        needed.append(stack_bytes(experiment, data, len(stack.runs)))
        held = max(held, held_bytes(experiment.dataset, data))
    fit, why = fitting_jobs(jobs, needed, held)
    if why and asked:
        raise JobsError(f"{why}; give --jobs {fit}")
    return fit


def _labelled(
    runs: Sequence[Run], identities: Sequence[str], finished: Mapping[str, Record]
) -> Iterator[Record]:
    """The finished ones of ``runs``, in the words of the configs that ask now."""
    seen = set()
    for run, run_id in zip(runs, identities, strict=True):
        if run_id not in finished:
            continue
        record = finished[run_id]
        yield replace(
            record,
            config=run.experiment.name,
            initializer=run.initializer.label,
            setting=run.experiment.setting,
            cached=record.cached or run_id in seen,
        )
        seen.add(run_id)


def _pinned(runs: Sequence[Run]) -> list[Run]:
    """The runs with their data files bound to the bytes that they hold now.

    A file may change while runs train: then their data are refused, and not stored as the old ones.
    """
    bound: dict[int, Experiment] = {}
    for experiment in (run.experiment for run in runs):
        if id(experiment) not in bound:
            dataset = datasets.pinned(experiment.dataset)
            same = dataset is experiment.dataset
            bound[id(experiment)] = (
                experiment if same else experiment.model_copy(update={"dataset": dataset})
            )
    return [replace(run, experiment=bound[id(run.experiment)]) for run in runs]


def _fingerprints(runs: Sequence[Run]) -> dict[Choice, str | None]:
    """The fingerprint of each data set of the runs."""
    planned = dict.fromkeys(run.experiment.dataset for run in runs)
    return {dataset: datasets.fingerprint(dataset) for dataset in planned}


def train_samples(experiment: Experiment) -> int:
    """How many train samples an experiment's data set has."""
    return datasets.size(experiment.dataset).train


def processors() -> int:
    """Cores that this process may use, which in a container are fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _failure(records: Sequence[Record], asked: int) -> FailedRunsError | None:
    """The error that says which records failed and why; None if none did."""
    failed = sum(record.status == "failed" for record in records)
    if not failed:
        return None
    lines = "\n".join(failure_lines(records))
    return FailedRunsError(f"{failed:,} of {counted(asked, 'run')} failed:\n{lines}")


def failure_lines(records: Iterable[Record]) -> list[str]:
    """Whose runs failed and why, each reason of an initializer in one line."""
    failed = (record for record in records if record.status == "failed")
    return list(dict.fromkeys(f"{r.config}, {r.initializer}: {r.reason}" for r in failed))
