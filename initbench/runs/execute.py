"""Stacks -> Records, in this process or over a ``concurrent.futures.Executor``.

A worker receives names, functions and arrays, and returns an outcome. It never writes a file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

import numpy as np
from numpy.random import RandomState
from threadpoolctl import threadpool_limits

from initbench.core import draw
from initbench.core.arrays import Array
from initbench.core.draw import ChosenBiases, ChosenInitializer, Draws
from initbench.core.engine.numpy_stack import train
from initbench.core.engine.protocol import Point, TrainingTask
from initbench.core.initializers import Network
from initbench.core.losses import LOSS_OF_TASK, LOSSES
from initbench.datasets import load
from initbench.errors import ExecutorError
from initbench.runs.plan import Stack
from initbench.runs.provenance import Provenance, now, provenance
from initbench.runs.records import NO_CURVE, Record, Status, curve_of
from initbench.runs.workers import Tell, Workers

#: Keeps the random stream of a twin's signs apart from the streams of weights and batches.
NUDGE_STREAM = 2
#: How often the driver looks for progress of its workers, in seconds.
POLL = 0.1
#: A stack that has killed this many workers is given up: its runs fail.
TRIES = 3


@dataclass(frozen=True, slots=True)
class Work:
    """A stack as a worker needs it: no config, no model, only names, functions and arrays."""

    task: TrainingTask
    chosen: tuple[ChosenInitializer, ...]
    biases: tuple[ChosenBiases, ...]
    seeds: tuple[int, ...]
    hyperparameters: dict[str, Array]
    nudges: tuple[int, ...]

    @property
    def network(self) -> Network:
        """What the initializers may know: the network, train samples, and the targets' prior."""
        train_split = self.task.train
        prior = LOSSES[self.task.loss].prior(train_split.targets)
        return draw.network_of(self.task.architecture, train_split.inputs, prior)


@dataclass(frozen=True, slots=True)
class Progress:
    """A stack has reached a log point, after ``iteration`` updates.

    ``train_loss`` holds the loss of each of its runs, NaN for one that failed.
    """

    stack: Stack
    iteration: int
    train_loss: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StackOutcome:
    """What became of a stack: the log points of the runs that trained, and why others failed.

    ``failures`` and ``notes`` map a run's index in the stack to words.
    """

    points: list[Point]
    seconds: float
    failures: dict[int, str]
    notes: dict[int, str]
    made: Provenance  # of the process that trained it


@dataclass(frozen=True, slots=True)
class Finished:
    """A stack's records, their positions among all runs, and where they were made."""

    positions: tuple[int, ...]
    records: tuple[Record, ...]
    made: Provenance


Report = Callable[[Progress], None]


def execute(
    stacks: Sequence[Stack], identities: Sequence[str], workers: Workers | None, report: Report
) -> Generator[Finished]:
    """Train all stacks, in this process or on workers, and yield each when it is done.

    BLAS has one thread in each process, so that a run's arithmetic is the same wherever it trains.
    A stack whose worker dies is tried again, with its initializers apart. A stack that has killed
    TRIES workers, the last while it trained alone, is marked failed.

    Args:
        stacks: The stacks, which may finish in any order.
        identities: The identity of every run, by its position.
        workers: Where to train; None for this process. The caller closes them, after it has closed
            this iterator.
        report: A function that is called at each log point of each stack.
    """
    if workers is None:
        for stack in stacks:
            outcome = train_work(partial(_tell, report, stack), prepare(stack))
            yield _finished(stack, identities, outcome, report)
        return
    for stack, outcome in _on_workers(stacks, workers, report):
        yield _finished(stack, identities, outcome, report)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A stack to try, and the number of workers that it is suspected to have killed."""

    stack: Stack
    deaths: int = 0

    def again(self, deaths: int) -> list[_Attempt]:
        """What to try next: after the first death each initializer alone, to find the culprit."""
        if self.deaths:
            return [_Attempt(self.stack, self.deaths + deaths)]
        parts: dict[str, list[int]] = {}
        for index, run in enumerate(self.stack.runs):
            parts.setdefault(run.initializer.label, []).append(index)
        return [_Attempt(self.stack.part(indices), deaths) for indices in parts.values()]


def _on_workers(
    stacks: Sequence[Stack], workers: Workers, report: Report
) -> Iterator[tuple[Stack, StackOutcome]]:
    waiting = deque(map(_Attempt, stacks))
    flying: dict[Future[StackOutcome], _Attempt] = {}
    launched: list[Stack] = []  # by ticket

    def ready(attempt: _Attempt) -> bool:
        """Whether to start it now: a suspect trains alone, so that no other run fails for it."""
        suspected = attempt.deaths or any(other.deaths for other in flying.values())
        return not flying if suspected and not workers.apart else len(flying) < workers.room

    results: list[tuple[Stack, StackOutcome]] = []
    while waiting or flying or results:
        while waiting and ready(waiting[0]):
            attempt = waiting.popleft()
            future = workers.submit(len(launched), train_work, prepare(attempt.stack))
            flying[future] = attempt
            launched.append(attempt.stack)
        yield from results  # not before every worker has work: the caller may store them slowly
        results = []
        done, _ = wait(flying, POLL, FIRST_COMPLETED)
        for ticket, iteration, losses in workers.news():
            report(Progress(launched[ticket], iteration, losses))
        for future in done:
            attempt = flying.pop(future)
            if future.cancelled():  # by nobody here
                raise ExecutorError(
                    "the Dask scheduler is gone; start it, then start the command again: it trains "
                    "only the runs that have not finished"
                )
            error = future.exception()
            if error is None:
                results.append((attempt.stack, future.result()))
                continue
            deaths = workers.deaths(error)
            if not deaths:
                raise error
            if attempt.deaths + deaths >= TRIES and (workers.apart or attempt.deaths):
                results.append((attempt.stack, _given_up(attempt.stack, attempt.deaths + deaths)))
            else:
                waiting.extendleft(attempt.again(deaths))


def _given_up(stack: Stack, deaths: int) -> StackOutcome:
    reason = f"its worker died in each of {deaths} tries (was it killed, or out of memory?)"
    failures = dict.fromkeys(range(len(stack.runs)), reason)
    return StackOutcome([], 0.0, failures, {}, provenance())


def prepare(stack: Stack) -> Work:
    """A stack as work: everything that its runs name is looked up, and their data are loaded."""
    experiment = stack.runs[0].experiment
    data = load(experiment.dataset)
    task = TrainingTask(
        architecture=experiment.architecture,
        loss=LOSS_OF_TASK[data.task],
        optimizer=experiment.optimizer.name,
        train=data.train,
        test=data.test,
        iterations=experiment.iterations,
        log_every=experiment.log_every,
        batch_size=experiment.batch_size,
    )
    rows = [
        {"learning_rate": run.experiment.learning_rate, **run.experiment.optimizer.parameters}
        for run in stack.runs
    ]
    return Work(
        task,
        tuple(run.initializer.chosen for run in stack.runs),
        tuple(run.experiment.chosen_biases for run in stack.runs),
        tuple(run.seed for run in stack.runs),
        {key: np.array([[row[key]] for row in rows], task.architecture.dtype) for key in rows[0]},
        tuple(run.nudge for run in stack.runs),
    )


def train_work(tell: Tell, work: Work) -> StackOutcome:
    """Draw and train a stack. A run that cannot be drawn fails, and the others train without it.

    Where memory runs out, the whole stack fails.
    """
    begun = perf_counter()
    try:
        return _drawn_and_trained(tell, work, begun)
    except MemoryError as error:
        # NumPy says how much it asked for; Python itself says nothing.
        reason = f"memory ran out: {str(error) or 'no size is known'}"
        failures = dict.fromkeys(range(len(work.seeds)), reason)
        return StackOutcome([], perf_counter() - begun, failures, {}, provenance())


def _drawn_and_trained(tell: Tell, work: Work, begun: float) -> StackOutcome:
    points = []
    losses = np.full(len(work.seeds), np.nan)
    with threadpool_limits(1, user_api="blas"):
        work, draws = draw_work(work)
        theta, kept = draws.theta, list(draws.drawn)
        nudge(theta, work)
        for point in train(work.task, theta, work.seeds, work.hyperparameters) if kept else ():
            points.append(point)
            losses[kept] = point.train_loss
            tell(point.iteration, tuple(losses.tolist()))
    return StackOutcome(points, perf_counter() - begun, draws.failures, draws.notes, provenance())


def draw_work(work: Work) -> tuple[Work, Draws]:
    """Draw a stack's first parameters; the work that is returned lacks the runs that failed."""
    draws = draw.draw(work.network, work.chosen, work.seeds, work.biases)
    return (select(work, draws.drawn) if draws.failures else work), draws


def select(work: Work, runs: Sequence[int]) -> Work:
    """The work of some of a stack's runs."""
    return Work(
        work.task,
        tuple(work.chosen[run] for run in runs),
        tuple(work.biases[run] for run in runs),
        tuple(work.seeds[run] for run in runs),
        {name: values[list(runs)] for name, values in work.hyperparameters.items()},
        tuple(work.nudges[run] for run in runs),
    )


def nudge(theta: Array, work: Work) -> None:
    """Move each weight of a twin, in place, by one unit in the last place, up or down at random.

    Another machine's rounding moves weights by as much. Biases and weights of exactly 0 stay:
    rounding does not move them, and a bias of 5e-324 in place of 0 would switch on a rectifier
    whose inputs are all 0.
    """
    for run, number in enumerate(work.nudges):
        if not number:
            continue
        rng = RandomState([NUDGE_STREAM, number])
        for view in work.task.architecture.views(theta):
            weights = view[run, :, :-1]
            towards = np.where(rng.randint(2, size=weights.shape), np.inf, -np.inf)
            moved = np.nextafter(weights, towards.astype(theta.dtype))
            np.copyto(weights, moved, where=weights != 0)


def _tell(report: Report, stack: Stack, iteration: int, train_loss: tuple[float, ...]) -> None:
    report(Progress(stack, iteration, train_loss))


def _finished(
    stack: Stack, identities: Sequence[str], outcome: StackOutcome, report: Report
) -> Finished:
    here = provenance()
    made = replace(outcome.made, commit=here.commit, dirty=here.dirty, created=now())
    numerics = made.numerics
    records = []
    row = 0  # the run's row in the points, where failed runs have none
    for index, (run, position) in enumerate(zip(stack.runs, stack.positions, strict=True)):
        status: Status = "failed"
        curve = NO_CURVE
        if index not in outcome.failures:
            status, curve = curve_of(outcome.points, row)
            row += 1
        records.append(
            Record(
                id=identities[position],
                config=run.experiment.name,
                initializer=run.initializer.label,
                setting=run.experiment.setting,
                seed=run.seed,
                status=status,
                curve=curve,
                seconds=outcome.seconds / len(stack.runs),
                reason=outcome.failures.get(index, ""),
                note=outcome.notes.get(index, ""),
                numerics=numerics,
            )
        )
    # A worker's last message may be lost, and diverged runs end a stack before its last iteration.
    last = tuple(record.metric("train_loss") for record in records)
    report(
        Progress(
            stack,
            stack.runs[0].experiment.iterations,
            tuple(np.nan if loss is None else loss for loss in last),
        )
    )
    return Finished(stack.positions, tuple(records), made)
