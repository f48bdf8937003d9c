"""The contender that the others are compared to: ``initbench.core.engine.train``."""

from __future__ import annotations

import timeit
from time import perf_counter

import numpy as np
from task import Task

from initbench.core.activations import ACTIVATIONS
from initbench.core.arrays import Array
from initbench.core.engine.train import Problem, Split, evaluate, train
from initbench.core.losses import LOSSES
from initbench.core.optimizers import OPTIMIZERS
from initbench.runs import plan
from initbench.spec import Experiment


def stack_sizes(task: Task, runs: int) -> list[int]:
    """How initbench itself would cut ``runs`` into stacks, for one worker."""
    experiment = Experiment.model_validate(
        {
            "name": "benchmark",
            "initializer": "zeros",
            "layers": task.sizes,
            "iterations": 1,
            "learning_rate": task.learning_rate,
            "optimizer": "momentum" if task.momentum else "gd",
            "batch_size": task.batch_size,
            "dtype": np.dtype(task.dtype).name,
            "seeds": runs,
        }
    )
    stacks = plan.stacks(plan.runs([experiment]), 1, lambda _: len(task.inputs))
    return [len(stack.runs) for stack in stacks]


def stacked(task: Task, theta: Array, iterations: int) -> tuple[Array, float]:
    """All runs, one stack after the other, in this thread."""
    theta, problem = theta.copy(), _problem(task, iterations)
    seconds, first = 0.0, 0
    for size in stack_sizes(task, len(theta)):
        runs = slice(first, first + size)
        seconds += _train_stack(problem, task, theta[runs], range(first, first + size))
        first += size
    return theta, seconds


def _train_stack(problem: Problem, task: Task, theta: Array, seeds: range) -> float:
    hyperparameters = {"learning_rate": np.full((len(theta), 1), task.learning_rate, task.dtype)}
    if task.momentum:
        hyperparameters["momentum"] = np.full((len(theta), 1), task.momentum, task.dtype)
    trace = train(problem, theta, seeds, hyperparameters)
    next(trace)  # iteration 0: buffers are allocated, nothing is trained yet
    began = perf_counter()
    next(trace)
    trained = perf_counter()
    # That ended with a log point, and the peers evaluate nothing: its cost comes off again, at
    # its least, so that a busy moment cannot take off more than there was.
    closing = min(timeit.repeat(lambda: _log_point(problem, theta), number=1, repeat=3))
    return trained - began - closing


def _log_point(problem: Problem, theta: Array) -> None:
    evaluate(problem, theta, problem.train)
    evaluate(problem, theta, problem.test)


def _problem(task: Task, iterations: int) -> Problem:
    if task.loss == "binary_cross_entropy":
        targets = task.labels[None]
    else:
        targets = np.eye(task.sizes[-1])[:, task.labels]
    relu = ACTIVATIONS["relu"]
    split = Split(np.ascontiguousarray(task.inputs.T), targets.astype(task.dtype))
    return Problem(
        sizes=task.sizes,
        apply=relu.apply,
        slope_dtype=bool if relu.binary_slope else task.dtype,
        loss=LOSSES[task.loss],
        optimizer=OPTIMIZERS["momentum" if task.momentum else "gd"],
        train=split,
        test=Split(split.inputs[:, :1], split.targets[:, :1]),
        iterations=iterations,
        log_every=iterations,
        batch_size=task.batch_size,
        dtype=task.dtype,
    )
