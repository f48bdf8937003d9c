"""The article's iteration as a loop in C, compiled here and now: what one core allows."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from time import perf_counter

import numpy as np
from task import Task

from initbench.core.arrays import Array

SOURCE = Path(__file__).with_name("article_loop.c")
FLAGS = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]


def loop(task: Task, theta: Array, iterations: int) -> tuple[Array, float]:
    """One run of the article's network; no other."""
    library = _library()
    end = theta.copy()
    layers = [layer[0] for layer in task.architecture.views(end)]  # views: C writes into end
    data = [np.ascontiguousarray(task.inputs.T), task.labels.astype(np.float64)]
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (*layers, *data)]
    began = perf_counter()
    library.train(*pointers, ctypes.c_long(iterations), ctypes.c_double(task.learning_rate))
    return end, perf_counter() - began


@cache
def _library() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "article_loop.so")
        subprocess.run(["cc", *FLAGS, "-o", path, SOURCE, "-lm"], check=True)
        return ctypes.CDLL(str(path))
