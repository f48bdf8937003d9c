"""The contender that the others are compared to: ``initbench.core.engine.numpy_stack``."""

from __future__ import annotations

import timeit
from time import perf_counter

import numpy as np
from task import Task

from initbench.core.arrays import Array
from initbench.core.engine.numpy_stack import evaluate, train
from initbench.core.engine.protocol import Split, TrainingTask
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
    theta, training = theta.copy(), _training_task(task, iterations)
    seconds, first = 0.0, 0
    for size in stack_sizes(task, len(theta)):
        runs = slice(first, first + size)
        seconds += _train_stack(training, task, theta[runs], range(first, first + size))
        first += size
    return theta, seconds


def _train_stack(training: TrainingTask, task: Task, theta: Array, seeds: range) -> float:
    hyperparameters = {"learning_rate": np.full((len(theta), 1), task.learning_rate, task.dtype)}
    if task.momentum:
        hyperparameters["momentum"] = np.full((len(theta), 1), task.momentum, task.dtype)
    trace = train(training, theta, seeds, hyperparameters)
    next(trace)  # iteration 0: buffers are allocated, nothing is trained yet
    began = perf_counter()
    next(trace)
    trained = perf_counter()
    # That ended with a log point, and the peers evaluate nothing: its cost comes off again, at
    # its least, so that a busy moment cannot take off more than there was.
    closing = min(timeit.repeat(lambda: _log_point(training, theta), number=1, repeat=3))
    return trained - began - closing


def _log_point(training: TrainingTask, theta: Array) -> None:
    evaluate(training, theta, training.train)
    evaluate(training, theta, training.test)


def _training_task(task: Task, iterations: int) -> TrainingTask:
    if task.loss == "binary_cross_entropy":
        targets = task.labels[None]
    else:
        targets = np.eye(task.sizes[-1])[:, task.labels]
    split = Split(np.ascontiguousarray(task.inputs.T), targets.astype(task.dtype))
    return TrainingTask(
        architecture=task.architecture,
        loss=task.loss,
        optimizer="momentum" if task.momentum else "gd",
        train=split,
        test=Split(split.inputs[:, :1], split.targets[:, :1]),
        iterations=iterations,
        log_every=iterations,
        batch_size=task.batch_size,
    )
