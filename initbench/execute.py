"""Stacks -> Records, in this process or over a ``concurrent.futures.Executor``.

A worker receives plain functions and arrays and returns a trace; it never writes a file.
"""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing.queues import SimpleQueue
from time import perf_counter
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from initbench.core.activations import ACTIVATIONS
from initbench.core.initializers import INITIALIZERS
from initbench.core.losses import LOSS_OF_TASK, LOSSES
from initbench.core.network import layer_views, parameters
from initbench.core.optimizers import OPTIMIZERS
from initbench.core.train import Point, Problem, train
from initbench.datasets import fingerprint, load
from initbench.errors import WorkerError
from initbench.plan import Stack, identity
from initbench.records import NO_CURVE, Record, Status, curve_of

Array = NDArray[Any]
#: Sets the stream of a twin's signs apart from the streams of weights and batches.
NUDGE_STREAM = 2
#: How often the driver looks for progress of its workers, in seconds.
POLL = 0.1


@dataclass(frozen=True, slots=True)
class Work:
    """A stack as a worker needs it: no config, no model, only functions and arrays."""

    problem: Problem
    draws: tuple[Callable[..., Array], ...]
    seeds: tuple[int, ...]
    hyperparameters: dict[str, Array]
    nudges: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """A stack has reached a log point: which stack, how far, the losses of its runs."""

    stack: int
    iteration: int
    train_loss: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """What became of a stack: the log points of the runs that trained, why others failed."""

    points: list[Point]
    seconds: float
    failures: dict[int, str]  # a run's index in the stack -> the reason


Report = Callable[[Progress], None]


def execute(stacks: Sequence[Stack], jobs: int, report: Report) -> Iterator[tuple[int, Record]]:
    """Train all stacks; yield (position, Record) as stacks finish, in any order.

    BLAS is held to one thread a worker, and so is a run's arithmetic the same wherever it is
    trained. Closing the iterator, or an interrupt, ends the workers.
    """
    if jobs == 1 or len(stacks) == 1:
        for number, stack in enumerate(stacks):
            yield from _records(stack, train_work(prepare(stack), partial(_tell, report, number)))
        return
    context = multiprocessing.get_context("spawn")
    progress: SimpleQueue[Progress] = context.SimpleQueue()
    pool = ProcessPoolExecutor(
        min(jobs, len(stacks)), context, initializer=_start_worker, initargs=(progress,)
    )
    try:
        futures: dict[Future[Trace], Stack] = {
            pool.submit(_work, number, prepare(stack)): stack for number, stack in enumerate(stacks)
        }
        pending = set(futures)
        while pending:
            done, pending = wait(pending, POLL, FIRST_COMPLETED)
            while not progress.empty():
                report(progress.get())
            for future in done:
                yield from _records(futures[future], future.result())
    except BrokenProcessPool:
        raise WorkerError(
            "a worker process died (killed, or out of memory); finished runs are kept. "
            "Try fewer --jobs"
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()  # a stack may need minutes to its end: nobody waits for it


def prepare(stack: Stack) -> Work:
    """Look up everything that a stack's runs name, and load their data."""
    experiment = stack.runs[0].experiment
    data = load(experiment.dataset)
    activation = ACTIVATIONS[experiment.activation.name]
    optimizer = OPTIMIZERS[experiment.optimizer.name]
    problem = Problem(
        sizes=experiment.sizes,
        apply=partial(activation.apply, **experiment.activation.parameters),
        slope_dtype=np.bool_ if activation.binary_slope else np.dtype(experiment.dtype),
        loss=LOSSES[LOSS_OF_TASK[data.task]],
        optimizer=optimizer,
        train=data.train,
        test=data.test,
        iterations=experiment.iterations,
        log_every=experiment.log_every,
        batch_size=experiment.batch_size,
        dtype=np.dtype(experiment.dtype),
    )
    rows = [
        {"learning_rate": run.experiment.learning_rate, **run.experiment.optimizer.parameters}
        for run in stack.runs
    ]
    return Work(
        problem,
        tuple(
            partial(INITIALIZERS[run.initializer.name].draw, **run.initializer.parameters)
            for run in stack.runs
        ),
        tuple(run.seed for run in stack.runs),
        {key: np.array([[row[key]] for row in rows], problem.dtype) for key in rows[0]},
        tuple(run.nudge for run in stack.runs),
    )


def train_work(work: Work, report: Callable[[int, tuple[float, ...]], None]) -> Trace:
    """Draw and train a stack. Runs that cannot be drawn fail; the others train without them."""
    start = perf_counter()
    points = []
    with threadpool_limits(1, user_api="blas"):
        theta, failures = draw(work)
        nudge(theta, work)
        kept = [run for run in range(len(theta)) if run not in failures]
        if failures:
            theta, work = theta[kept].copy(), select(work, kept)
        for point in train(work.problem, theta, work.seeds, work.hyperparameters) if kept else ():
            points.append(point)
            report(point.iteration, tuple(point.train_loss.tolist()))
    return Trace(points, perf_counter() - start, failures)


def select(work: Work, runs: Sequence[int]) -> Work:
    """The work of some of a stack's runs."""
    return Work(
        work.problem,
        tuple(work.draws[run] for run in runs),
        tuple(work.seeds[run] for run in runs),
        {name: values[runs] for name, values in work.hyperparameters.items()},
        tuple(work.nudges[run] for run in runs),
    )


def draw(work: Work) -> tuple[Array, dict[int, str]]:
    """The runs' first parameters, (R, P), and which could not be drawn, for what reason.

    Weights are drawn layer by layer from each seed; biases are 0.
    """
    problem = work.problem
    theta = parameters(len(work.seeds), problem.sizes, problem.dtype)
    views = layer_views(theta, problem.sizes)
    failures = {}
    for run, (initializer, seed) in enumerate(zip(work.draws, work.seeds, strict=True)):
        rng = RandomState(seed)
        try:
            for view in views:
                outputs, inputs = view.shape[1], view.shape[2] - 1
                view[run, :, :-1] = initializer(rng, (outputs, inputs), problem.dtype)
        except Exception as error:  # whatever a user's own initializer raises is a result
            failures[run] = f"{type(error).__name__}: {error}"
    return theta, failures


def nudge(theta: Array, work: Work) -> None:
    """Move the weights of twins, in place, by one unit in the last place, up or down at random.

    So do machines differ, whose rounding is a move of this size in a random direction. Biases
    and weights of exactly 0 stay: no rounding moves them, and a bias of 5e-324 in 0's place
    switches a rectifier on whose inputs are all 0.
    """
    for run, number in enumerate(work.nudges):
        if not number:
            continue
        rng = RandomState([NUDGE_STREAM, number])
        for view in layer_views(theta, work.problem.sizes):
            weights = view[run, :, :-1]
            towards = np.where(rng.randint(2, size=weights.shape), np.inf, -np.inf)
            moved = np.nextafter(weights, towards.astype(theta.dtype))
            np.copyto(weights, moved, where=weights != 0)


def _records(stack: Stack, trace: Trace) -> Iterator[tuple[int, Record]]:
    row = itertools.count()  # of the points: failed runs have none
    for index, (run, position) in enumerate(zip(stack.runs, stack.positions, strict=True)):
        reason = trace.failures.get(index, "")
        status: Status = "failed"
        curve = NO_CURVE
        if not reason:
            status, curve = curve_of(trace.points, next(row))
        yield (
            position,
            Record(
                id=identity(run, fingerprint(run.experiment.dataset)),
                config=run.experiment.name,
                initializer=run.initializer.label,
                setting=run.experiment.setting,
                seed=run.seed,
                status=status,
                curve=curve,
                seconds=trace.seconds / len(stack.runs),
                reason=reason,
            ),
        )


def _tell(report: Report, number: int, iteration: int, train_loss: tuple[float, ...]) -> None:
    report(Progress(number, iteration, train_loss))


_progress: SimpleQueue[Progress] | None = None


def _start_worker(progress: SimpleQueue[Progress]) -> None:
    """Keep the queue that this worker reports to: a queue cannot travel with each task."""
    global _progress
    _progress = progress


def _work(number: int, work: Work) -> Trace:
    assert _progress is not None
    return train_work(work, partial(_tell, _progress.put, number))
