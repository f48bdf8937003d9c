"""What a terminal shows while a command works: progress bars and messages on standard error."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column

from initbench.cli.streams import tell
from initbench.printable import visible
from initbench.runs import execute
from initbench.runs.plan import Run, Stack
from initbench.runs.runner import Say, Watch, silent

#: Seconds between two updates of the bar.
INTERVAL = 0.1


def watch(*, quiet: bool) -> Watch:
    """Shows the progress of stacks that train, on a terminal and unless ``quiet``."""
    return lambda stacks: Display(stacks, enabled=not quiet)


def say(*, quiet: bool) -> Say:
    """Prints a message on standard error, unless ``quiet``."""
    return silent if quiet else tell


@contextmanager
def share_done(*, enabled: bool) -> Iterator[Callable[[float], None]]:
    """A bar whose function is called with the share done. It shows nothing without a terminal."""
    console = Console(stderr=True)
    if not (enabled and console.is_terminal):
        yield lambda _: None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share: bar.update(task, completed=share)


class Display:
    """A progress bar on standard error: the share done, the time left, each row's median loss.

    It shows nothing unless standard error is a terminal.
    """

    def __init__(self, stacks: Sequence[Stack], *, enabled: bool) -> None:
        self._at: dict[int, int] = {}  # position -> iteration
        self._losses: dict[str, dict[int, float]] = {}
        self._updates = self._done = 0
        self._shown = -math.inf
        console = Console(stderr=True)
        self._progress = Progress(
            BarColumn(bar_width=16),
            TaskProgressColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[runs]} runs", table_column=Column(no_wrap=True)),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            # The losses take the room that is left.
            TextColumn(
                "{task.fields[losses]}",
                markup=False,  # a row's name may hold brackets
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
        if not self._progress.disable:  # Rich before 14.3 prints a line even when disabled
            self._progress.stop()

    def __call__(self, news: execute.Progress) -> None:
        """Note that a stack has reached a log point, and update the bar if it is time."""
        if self._progress.disable:
            return
        last = _iterations(news.stack)
        for run, position, loss in zip(
            news.stack.runs, news.stack.positions, news.train_loss, strict=True
        ):
            self._updates += news.iteration - self._at.get(position, 0)
            self._done += news.iteration == last != self._at.get(position)
            self._at[position] = news.iteration
            if not math.isnan(loss):  # which a failed run's is
                self._losses.setdefault(_row(run), {})[position] = loss
        # A median over thousands of runs takes longer than a small network takes to a log point.
        if monotonic() - self._shown < INTERVAL:
            return
        self._shown = monotonic()
        self._progress.update(
            self._task,
            completed=self._updates,
            runs=f"{self._done}/{self._runs}",
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
    name = experiment.name if len(experiment.initializer) == 1 else run.initializer.label
    return visible(name, lines=False)
