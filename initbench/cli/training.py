"""What `run` and `compare` share: train all runs, draw progress, keep what an interrupt leaves."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column

from initbench import datasets, execute, plan
from initbench.errors import FailedRunsError, WorkerError
from initbench.plan import Run, Stack
from initbench.records import Record
from initbench.spec import Experiment


@dataclass(frozen=True, slots=True)
class Trained:
    """Finished records in the order asked for, how many were asked for, and what cut in."""

    records: list[Record]
    asked: int
    stopped_by: KeyboardInterrupt | WorkerError | None

    @property
    def note(self) -> str:
        """A caption's words about runs that are missing; empty where none is."""
        missing = f"{len(self.records)} of {self.asked} runs finished"
        return missing if self.stopped_by else ""


def train_all(experiments: Sequence[Experiment], jobs: int | None, *, quiet: bool) -> Trained:
    """Train every run of the experiments."""
    runs = plan.runs(experiments)
    jobs = jobs or plan.useful_jobs(runs, processors(), samples)
    stacks = plan.stacks(runs, jobs, samples)
    finished: dict[int, Record] = {}
    stopped_by: KeyboardInterrupt | WorkerError | None = None
    with Display(stacks, enabled=not quiet) as display:
        try:
            for position, record in execute.execute(stacks, jobs, display.report):
                finished[position] = record
        except (KeyboardInterrupt, WorkerError) as error:
            stopped_by = error
    return Trained([finished[p] for p in sorted(finished)], len(runs), stopped_by)


def samples(experiment: Experiment) -> int:
    """Train samples of an experiment's data set."""
    return int(datasets.load(experiment.dataset).train.inputs.shape[1])


def processors() -> int:
    """Cores that this process may use, which in a container are fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Display:
    """A progress bar on standard error: share done, time left, each row's latest median loss.

    Silent unless standard error is a terminal.
    """

    def __init__(self, stacks: Sequence[Stack], *, enabled: bool) -> None:
        self._stacks = stacks
        self._at = [0] * len(stacks)
        self._losses: dict[str, dict[int, float]] = {}
        console = Console(stderr=True)
        self._progress = Progress(
            BarColumn(bar_width=16),
            TaskProgressColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[runs]} runs", table_column=Column(no_wrap=True)),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            # The losses take what room is left.
            TextColumn(
                "{task.fields[losses]}",
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
            console=console,
            disable=not (enabled and console.is_terminal),
            transient=True,
            expand=True,
        )
        total = sum(len(stack.runs) * _iterations(stack) for stack in stacks)
        self._runs = sum(len(stack.runs) for stack in stacks)
        self._task = self._progress.add_task("", total=total, runs=f"0/{self._runs}", losses="")

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def report(self, news: execute.Progress) -> None:
        """Take in that a stack has reached a log point."""
        if self._progress.disable:
            return
        stack = self._stacks[news.stack]
        self._at[news.stack] = news.iteration
        for run, position, loss in zip(stack.runs, stack.positions, news.train_loss, strict=True):
            self._losses.setdefault(_row(run), {})[position] = loss
        pairs = list(zip(self._stacks, self._at, strict=True))
        done = sum(len(stack.runs) for stack, at in pairs if at == _iterations(stack))
        self._progress.update(
            self._task,
            completed=sum(len(stack.runs) * at for stack, at in pairs),
            runs=f"{done}/{self._runs}",
            losses=", ".join(
                f"{row} {statistics.median(losses.values()):.3g}"
                for row, losses in self._losses.items()
            ),
        )


def _iterations(stack: Stack) -> int:
    return stack.runs[0].experiment.iterations


def _row(run: Run) -> str:
    """The shortest name that tells a run's row from the others."""
    experiment = run.experiment
    return experiment.name if len(experiment.initializer) == 1 else run.initializer.label


def finish(trained: Trained, *, quiet: bool, written: Sequence[object]) -> None:
    """Say what was written, and pass on what cut the runs short."""
    if written and not quiet:
        click.echo(f"wrote {', '.join(map(str, written))}", err=True)
    if trained.stopped_by is not None:
        if trained.note and not quiet:
            click.echo(trained.note, err=True)
        raise trained.stopped_by
    failed = [record for record in trained.records if record.status == "failed"]
    if failed:
        reasons = dict.fromkeys(f"{r.config}, {r.initializer}: {r.reason}" for r in failed)
        raise FailedRunsError(
            f"{len(failed)} of {trained.asked} runs failed:\n" + "\n".join(reasons)
        )
