"""A config to start from, with a comment on each key."""

from __future__ import annotations

import os
from pathlib import Path

from initbench.config.document import read
from initbench.config.loading import ENDINGS, load
from initbench.errors import InitbenchError

STARTER = """\
# Which initializer should this network start from?
initializer:                # a name, {name: ..., parameter: ...}, or a list of these;
  - he_normal               # `initbench list initializers` shows all
  - lecun_normal
  - {name: normal, std: 0.1}
layers: [2, 10, 5, 1]       # sizes from input to output; or `width` and `depth` of the hidden part
activation: relu            # of the hidden layers; `initbench list activations`
bias: zeros                 # what biases start at; none for no biases; `initbench list biases`
dataset: circles            # `initbench list datasets`; or {name: file, path: ..., target: ...}
optimizer: gd               # plain gradient descent; `initbench list optimizers`
learning_rate: 0.1
iterations: 2000            # updates of the weights
batch_size: null            # samples in each update; null for all of them
log_every: 500              # iterations between two points of the curves
seeds: 10                   # a count: 0 to 9; or a list of seeds and ranges, as in [0-3, 7]

# Train every combination of some values:
# sweep: {learning_rate: [0.03, 0.1, 0.3]}

# What must come out; `initbench check` judges it, beside the baseline of `initbench baseline save`:
# expect:
#   - {initializer: he_normal, metric: test_accuracy, min: 0.6}

# How large a change counts for `initbench check`: one percentage point, and 5 % of a loss.
# gate: {accuracy: 0.01, loss: 0.05}

# Python files with initializers of your own, relative to this file. They run only with
# --trust-plugins, or where --plugin names them:
# plugins: [own.py]
"""


def write_starter(name: str) -> Path:
    """Write the starter config as ``name``, with .yaml added where it has no such ending.

    Raises:
        ConfigError: A config cannot have this name.
        InitbenchError: The file exists, or cannot be written.
    """
    path = Path(name if name.endswith(ENDINGS) else f"{name}.yaml")
    document = read(str(path), STARTER.encode())
    document.data["name"] = path.stem
    load([document])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(STARTER)
    except OSError as error:
        why = f"cannot be written: {error.strerror}"
        if os.path.exists(path):
            why = "exists already, and is not overwritten"
        raise InitbenchError(f"{path}: {why}; choose another NAME") from None
    return path
