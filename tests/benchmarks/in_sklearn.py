"""scikit-learn's ``MLPClassifier``: one run, full batch, its L2 penalty and early stop off."""

from __future__ import annotations

import warnings
from time import perf_counter

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from task import Task, pack, unpack

from initbench.core.arrays import Array


def mlp(task: Task, theta: Array, iterations: int) -> tuple[Array, float]:
    """A warm start from weights that are put in by hand is the only way to choose them."""
    network = MLPClassifier(
        task.sizes[1:-1],
        solver="sgd",
        momentum=task.momentum,
        nesterovs_momentum=False,
        learning_rate_init=task.learning_rate,
        alpha=0.0,
        batch_size=len(task.inputs),
        shuffle=False,
        tol=0.0,
        n_iter_no_change=10**9,
        max_iter=1,
        warm_start=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # max_iter is what ends it
        network.fit(task.inputs, task.labels)
        for k, (w, b) in enumerate(unpack(theta, task.sizes)):
            network.coefs_[k][:] = w[0].T
            network.intercepts_[k][:] = b[0]
        network.max_iter = iterations
        began = perf_counter()
        network.fit(task.inputs, task.labels)
        seconds = perf_counter() - began
    end = [(w.T[None], b[None]) for w, b in zip(network.coefs_, network.intercepts_, strict=True)]
    return pack(end, task.sizes), seconds
