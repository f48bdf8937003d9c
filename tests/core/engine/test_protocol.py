"""The seam between the engine and all that stands above it."""

from __future__ import annotations

import pickle
import pickletools

import numpy as np

from initbench.core.engine import numpy_stack
from initbench.core.engine.protocol import Engine
from tests.core.conftest import Hyperparameters, MakeTask, Start

ENGINE: Engine = numpy_stack.train


def test_a_task_pickles_without_a_function(make_task: MakeTask) -> None:
    """Whatever stands behind the seam gets names and arrays, and looks functions up itself."""
    text = pickle.dumps(make_task("leaky_relu", "cross_entropy", "adam"), protocol=2)
    named = {str(arg) for code, arg, _ in pickletools.genops(text) if code.name == "GLOBAL"}
    found = {name for name in named if name.startswith("initbench")}
    assert found == {
        "initbench.core.architecture Architecture",
        "initbench.core.engine.protocol Split",
        "initbench.core.engine.protocol TrainingTask",
    }


def test_a_task_that_was_sent_trains_the_same(
    make_task: MakeTask, start: Start, hyperparameters: Hyperparameters
) -> None:
    task = make_task("elu", "cross_entropy", "adam", batch_size=7)
    sent = pickle.loads(pickle.dumps(task))
    ends = []
    for one in (task, sent):
        theta = start(one, [1, 2])
        *_, last = ENGINE(one, theta, [1, 2], hyperparameters(one, [0.1, 0.01]))
        ends.append((theta.tobytes(), np.array(last.train_loss).tobytes()))
    assert ends[0] == ends[1]
