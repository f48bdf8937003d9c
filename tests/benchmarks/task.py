"""The two tasks that every contender trains, and what a contender is.

A contender is a function ``(task, theta, iterations) -> (theta, seconds)``. It starts every
run from its row of ``theta`` (R, P), laid out as in ``initbench.core.architecture``, and returns
the rows that it reached. ``seconds`` are those of the training loop alone: setting up,
compiling and converting arrays stay outside, for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import RandomState
from sklearn.datasets import load_digits, make_circles

from initbench.core.architecture import Architecture
from initbench.core.arrays import Array
from initbench.core.engine.protocol import batch_order
from initbench.core.initializers import INITIALIZERS


@dataclass(frozen=True, eq=False)
class Task:
    """A network, its data and how it is trained. Hidden layers are relu."""

    name: str
    sizes: tuple[int, ...]
    loss: str  # binary_cross_entropy or cross_entropy
    inputs: Array  # (N, I)
    labels: Array  # (N,), integers
    batch_size: int | None  # None: all samples
    learning_rate: float
    momentum: float
    dtype: type[np.floating[Any]]

    @property
    def architecture(self) -> Architecture:
        """The network as initbench has it."""
        return Architecture(self.sizes, np.dtype(self.dtype), "relu", {})


Trainer = Callable[[Task, Array, int], tuple[Array, float]]
Parameters = list[tuple[Array, Array]]  # a layer's weights (R, O, I) and bias (R, O)


def article() -> Task:
    """The article's network on its circles: full batch, plain gradient descent."""
    inputs, labels = make_circles(300, noise=0.05, random_state=1)
    sizes = (2, 10, 5, 1)
    return Task("article", sizes, "binary_cross_entropy", inputs, labels, None, 0.01, 0, np.float64)


def digits(dtype: type[np.floating[Any]]) -> Task:
    """A 64-128-64-10 network on the digits: batches of 128, momentum."""
    inputs, labels = load_digits(return_X_y=True)
    sizes = (64, 128, 64, 10)
    name = f"digits {np.dtype(dtype).name}"
    scaled = (inputs / 16).astype(dtype)
    return Task(name, sizes, "cross_entropy", scaled, labels, 128, 0.05, 0.9, dtype)


def start(task: Task, runs: int) -> Array:
    """He's weights of seeds 0, 1, ..., biases 0: (R, P)."""
    theta = np.zeros((runs, task.architecture.parameter_count), task.dtype)
    draw = INITIALIZERS["he_normal"].draw
    for seed, row in enumerate(theta):
        rng = RandomState(seed)
        for layer in task.architecture.views(row[None]):
            _, outputs, columns = layer.shape
            layer[0, :, :-1] = draw(rng, (outputs, columns - 1), task.dtype)
    return theta


def batches(task: Task, runs: int) -> Iterator[Array]:
    """Sample indices (R, B), the batch of each run: the order that initbench takes itself."""
    assert task.batch_size is not None
    orders = [batch_order(seed, len(task.inputs), task.batch_size) for seed in range(runs)]
    while True:
        yield np.stack([next(order) for order in orders])


def unpack(theta: Array, sizes: tuple[int, ...]) -> Parameters:
    """Rows of parameters as weights (R, O, I) and biases (R, O), copied."""
    layers = Architecture(sizes, theta.dtype, "relu", {}).views(theta)
    return [(layer[:, :, :-1].copy(), layer[:, :, -1].copy()) for layer in layers]


def pack(parameters: Parameters, sizes: tuple[int, ...]) -> Array:
    """The inverse of :func:`unpack`."""
    runs, dtype = len(parameters[0][0]), parameters[0][0].dtype
    blocks = [
        np.concatenate([weights, bias[:, :, None]], axis=2).reshape(runs, outputs * (inputs + 1))
        for (weights, bias), (inputs, outputs) in zip(parameters, pairwise(sizes), strict=True)
    ]
    return np.concatenate(blocks, axis=1).astype(dtype)
