"""What `run` and `compare` share: take what is stored, train the rest, keep what is finished.

`check` and `baseline` train by it, too, and keep nothing.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

import click

from initbench import datasets
from initbench.cli.display import Display
from initbench.cli.options import USUAL, Execution
from initbench.errors import ExecutorError, FailedRunsError, InitbenchError
from initbench.runs import execute, identity, plan
from initbench.runs import workers as executors
from initbench.runs.cost import useful_jobs
from initbench.runs.execute import Finished
from initbench.runs.plan import Run
from initbench.runs.records import Record
from initbench.runs.store import Filter, Store
from initbench.spec import Experiment


@dataclass(frozen=True, slots=True)
class Trained:
    """Finished records in the order asked for, how many were asked for, and what cut in."""

    records: list[Record]
    asked: int
    stopped_by: KeyboardInterrupt | InitbenchError | None

    @property
    def note(self) -> str:
        """Where the records came from, or how many are missing."""
        if self.stopped_by:
            return f"{len(self.records)} of {self.asked} runs finished"
        cached = sum(record.cached for record in self.records)
        return f"{self.asked} runs: {cached} from results, {self.asked - cached} trained"


def train_all(
    experiments: Sequence[Experiment],
    jobs: int | None,
    *,
    quiet: bool,
    execution: Execution = USUAL,
    store: Store | None = None,
) -> Trained:
    """The record of every run of the experiments: from the store, or trained and stored.

    Without a store all are trained. A run that failed before is tried again.
    """
    runs = plan.runs(experiments)
    # Of the data as they are now, when they are loaded: a file may change while runs train.
    prints = {e.dataset: datasets.fingerprint(e.dataset) for e in experiments}
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
        with closing(train_runs(todo, jobs, execution, quiet=quiet)) as batches:
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
    return Trained(list(labelled(runs, identities, finished)), len(runs), stopped_by)


def train_runs(
    todo: Mapping[str, Run], jobs: int | None, execution: Execution = USUAL, *, quiet: bool
) -> Generator[Finished]:
    """Train runs, given by their identity."""
    runs = list(todo.values())
    if not runs:
        return
    jobs = jobs or useful_jobs([run.experiment for run in runs], processors(), samples)
    workers: executors.Workers | None = None
    with ExitStack() as opened:
        if execution.executor == "dask":
            workers = dask = opened.enter_context(
                closing(executors.Dask(execution.scheduler, jobs))
            )
            jobs = dask.threads
            if not jobs and not quiet:
                click.echo(f"{execution.scheduler} has no workers yet: waiting for them", err=True)
        elif jobs > 1 or any(run.initializer.plugin for run in runs):  # which may end its process
            workers = opened.enter_context(closing(executors.Processes(jobs)))
        stacks = plan.stacks(runs, max(1, jobs), samples)
        display = opened.enter_context(Display(stacks, enabled=not quiet))
        yield from opened.enter_context(
            closing(execute.execute(stacks, list(todo), workers, display.report))
        )


def labelled(
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


def samples(experiment: Experiment) -> int:
    """Train samples of an experiment's data set."""
    return int(datasets.load(experiment.dataset).train.inputs.shape[1])


def processors() -> int:
    """Cores that this process may use, which in a container are fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def finish(trained: Trained, *, quiet: bool, written: Sequence[object]) -> None:
    """Say what was written and where it came from; pass on what cut the runs short."""
    if not quiet:
        if written:
            click.echo(f"wrote {', '.join(map(str, written))}", err=True)
        click.echo(trained.note, err=True)
    stopped_by = trained.stopped_by or _failure(trained.records, trained.asked)
    if stopped_by is not None:
        raise stopped_by


def _failure(records: Sequence[Record], asked: int) -> FailedRunsError | None:
    """Which records failed, for what reasons; None if none did."""
    failed = sum(record.status == "failed" for record in records)
    if not failed:
        return None
    return FailedRunsError(f"{failed} of {asked} runs failed:\n" + "\n".join(reasons(records)))


def reasons(records: Iterable[Record]) -> list[str]:
    """Whose runs failed and why, a line each, each line once."""
    failed = (record for record in records if record.status == "failed")
    return list(dict.fromkeys(f"{r.config}, {r.initializer}: {r.reason}" for r in failed))
