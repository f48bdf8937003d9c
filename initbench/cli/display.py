"""What a terminal shows while a command works: progress bars and messages on standard error."""

from __future__ import annotations

import math
import os
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from types import TracebackType

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from initbench.cli.streams import tell
from initbench.printable import visible
from initbench.runs import execute
from initbench.runs.cost import run_seconds
from initbench.runs.plan import Run, Stack
from initbench.runs.runner import Say, Watch, silent, train_samples

#: Seconds between two updates of the line.
INTERVAL = 0.1
#: Seconds after which a pace is known well enough to guess the time left.
FIRST_GUESS = 1.0
#: The characters of the bar, and of a terminal that has room for it.
BAR, ROOM_FOR_A_BAR = 16, 60


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
    if not (enabled and _watched(console)):
        yield lambda _: None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share: bar.update(task, completed=share)


class Display:
    """A line on standard error: what is done, about how long it goes on, and the best row so far.

    It shows nothing unless a person watches a terminal (:func:`_watched`).
    """

    def __init__(self, stacks: Sequence[Stack], *, enabled: bool) -> None:
        self._at: dict[int, int] = {}  # position -> iteration
        self._losses: dict[str, dict[int, float]] = {}
        self._done = 0
        self._spent = 0.0
        self._began = self._shown = -math.inf
        self._console = Console(stderr=True)
        self._bar = self._console.width >= ROOM_FOR_A_BAR
        # A name may hold brackets, which are no markup.
        text = TextColumn("{task.fields[line]}", markup=False, table_column=Column(no_wrap=True))
        self._progress = Progress(
            *([BarColumn(bar_width=BAR)] if self._bar else []),
            text,
            console=self._console,
            disable=not (enabled and _watched(self._console)),
            transient=True,
        )
        runs = [run for stack in stacks for run in stack.runs]
        self._runs = len(runs)
        if self._progress.disable:
            return
        experiments = {id(run.experiment): run.experiment for run in runs}
        self._seconds = {
            key: run_seconds(e, train_samples(e)) / e.iterations for key, e in experiments.items()
        }
        total = sum(self._seconds[id(r.experiment)] * r.experiment.iterations for r in runs)
        # Losses on other data are no better or worse.
        self._comparable = len({e.dataset for e in experiments.values()}) == 1
        self._task = self._progress.add_task("", total=total, line=f"0/{self._runs} runs")

    def __enter__(self) -> Display:
        self._began = monotonic()
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
        """Note that a stack has reached a log point, and update the line if it is time."""
        if self._progress.disable:
            return
        last = _iterations(news.stack)
        for run, position, loss in zip(
            news.stack.runs, news.stack.positions, news.train_loss, strict=True
        ):
            updates = news.iteration - self._at.get(position, 0)
            self._spent += updates * self._seconds[id(run.experiment)]
            self._done += news.iteration == last != self._at.get(position)
            self._at[position] = news.iteration
            if not math.isnan(loss):  # which a failed run's is
                self._losses.setdefault(_row(run), {})[position] = loss
        # A median over thousands of runs takes longer than a small network takes to a log point.
        if monotonic() - self._shown < INTERVAL:
            return
        self._shown = monotonic()
        total = self._progress.tasks[0].total or 1.0
        line = progress_line(
            min(1.0, self._spent / total),
            self._done,
            self._runs,
            self._shown - self._began,
            self._best() if self._comparable else "",
            self._console.width - (BAR + 1 if self._bar else 0),
        )
        self._progress.update(self._task, completed=self._spent, line=line)

    def _best(self) -> str:
        """The row whose runs have the lowest median loss at present, and that loss."""
        medians = {row: statistics.median(losses.values()) for row, losses in self._losses.items()}
        if len(medians) < 2:
            return ""
        best = min(medians, key=medians.__getitem__)
        return f"{best} {medians[best]:.3g}"


def progress_line(share: float, done: int, runs: int, elapsed: float, best: str, width: int) -> str:
    """What is known of the training, as much of it as fits into one line.

    Args:
        share: The share of the work that is done.
        done: The runs that have ended.
        runs: All runs that train.
        elapsed: The seconds since it began.
        best: The best row and its loss; empty where there is none.
        width: The characters of the line.

    >>> progress_line(0.25, 3, 12, 40.0, "he 0.102", 80)
    '25 %, 3/12 runs, about 2 min left, best so far: he 0.102'
    >>> progress_line(0.25, 3, 12, 40.0, "he 0.102", 40)
    '25 %, 3/12 runs, about 2 min left'
    """
    parts = [f"{math.floor(100 * share)} %", f"{done:,}/{runs:,} runs"]
    if elapsed >= FIRST_GUESS and share > 0:
        parts.append(f"about {_duration(elapsed * (1 - share) / share)} left")
    if best:
        parts.append(f"best so far: {best}")
    while len(parts) > 1 and cell_len(", ".join(parts)) > width:
        parts.pop()
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    """Seconds as a person says them who does not know better.

    >>> [_duration(x) for x in (0.3, 34, 100, 3000, 9000)]
    ['1 s', '35 s', '2 min', '50 min', '2.5 h']
    """
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h" if seconds < 36_000 else f"{seconds / 3600:,.0f} h"


def _watched(console: Console) -> bool:
    """Whether a person watches: a terminal that moves its cursor, and no log of a CI service.

    ``FORCE_COLOR`` asks for colours and not for a line that moves, so that Rich's word is not
    enough.
    """
    return (
        sys.stderr is not None
        and sys.stderr.isatty()
        and not console.is_dumb_terminal
        and os.environ.get("CI", "").lower() in ("", "0", "false")
    )


def _iterations(stack: Stack) -> int:
    return stack.runs[0].experiment.iterations


def _row(run: Run) -> str:
    """A short name that tells a run's row from the others."""
    experiment = run.experiment
    name = experiment.name if len(experiment.initializer) == 1 else run.initializer.label
    setting = "".join(f", {key} {value}" for key, value in experiment.setting.items())
    return visible(name + setting, lines=False)
