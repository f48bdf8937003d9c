"""JAX: ``jit(vmap(scan(grad)))``, in two layouts. Full batch and plain gradient descent only."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import Any

import numpy as np
from task import Parameters, Task, pack, unpack

from initbench.core.arrays import Array

# As Any, since JAX types only a part of what is called here.
jax: Any = importlib.import_module("jax")
jnp = jax.numpy
jax.config.update("jax_enable_x64", True)


def samples_first(task: Task, theta: Array, iterations: int) -> tuple[Array, float]:
    """``x @ W + b``, as JAX code is mostly written."""
    begin = [(w.swapaxes(1, 2), b[:, None]) for w, b in unpack(theta, task.sizes)]
    end, seconds = _run(task, begin, iterations, features_first=False)
    return pack([(w.swapaxes(1, 2), b[:, 0]) for w, b in end], task.sizes), seconds


def features_first(task: Task, theta: Array, iterations: int) -> tuple[Array, float]:
    """``W @ x + b``, the samples last in memory, as in initbench."""
    begin = [(w, b[:, :, None]) for w, b in unpack(theta, task.sizes)]
    end, seconds = _run(task, begin, iterations, features_first=True)
    return pack([(w, b[:, :, 0]) for w, b in end], task.sizes), seconds


def _run(
    task: Task, begin: Parameters, iterations: int, *, features_first: bool
) -> tuple[Parameters, float]:
    shapes = tuple((w.shape, b.shape) for w, b in begin)
    program = _program(task, shapes, iterations, features_first)
    parameters = [(jnp.asarray(w), jnp.asarray(b)) for w, b in begin]
    jax.block_until_ready(parameters)
    began = perf_counter()
    end = jax.block_until_ready(program(parameters))
    seconds = perf_counter() - began
    return [(np.asarray(w), np.asarray(b)) for w, b in end], seconds


@cache
def _program(
    task: Task, shapes: tuple[Any, ...], iterations: int, features_first: bool
) -> Callable[[Any], Any]:
    """Compiled ahead of time."""
    inputs = jnp.asarray(task.inputs.T if features_first else task.inputs)
    targets = jnp.asarray(task.labels, task.dtype)
    targets = targets[None] if features_first else targets[:, None]

    def loss(parameters: Any) -> Any:
        x = inputs
        for w, b in parameters[:-1]:
            x = jax.nn.relu(w @ x + b if features_first else x @ w + b)
        w, b = parameters[-1]
        z = w @ x + b if features_first else x @ w + b
        return jnp.mean(jax.nn.softplus(z) - targets * z)

    def update(parameters: Any, _: None) -> tuple[Any, None]:
        gradient = jax.grad(loss)(parameters)
        return jax.tree.map(lambda p, g: p - task.learning_rate * g, parameters, gradient), None

    def train(parameters: Any) -> Any:
        return jax.lax.scan(update, parameters, None, length=iterations)[0]

    like = [tuple(jax.ShapeDtypeStruct(shape, task.dtype) for shape in layer) for layer in shapes]
    compiled: Callable[[Any], Any] = jax.jit(jax.vmap(train)).lower(like).compile()
    return compiled
