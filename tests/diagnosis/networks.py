"""Configs of networks that are diagnosed, and initializers that close gates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState

from initbench import datasets
from initbench.core.initializers import Initializer, Network, Start
from initbench.core.initializers.scaling import he_normal
from initbench.spec import Experiment
from initbench.spec.experiment import with_initializers


def _closed(*layers: int) -> Initializer:
    """He's weights, those of some layers (by index) 0."""

    def draw(rng: RandomState, network: Network) -> Start:
        drawn = []
        for index, shape in enumerate(network.shapes):
            weights = he_normal(rng, shape, network.dtype)
            if index in {layer % len(network.shapes) for layer in layers}:
                weights[:] = 0
            drawn.append((weights, np.zeros(shape[0], network.dtype)))
        return Start(tuple(drawn))

    return Initializer(draw, "-", "-", None, "network")


Posed = with_initializers({"closed_head": _closed(-1), "closed_twice": _closed(-2, -1)})


def posed(**keys: Any) -> Experiment:
    """A settled config of hidden layers of ``width`` and ``depth``."""
    width, depth = keys.pop("width"), keys.pop("depth")
    config = {"name": "c", "iterations": 1, "learning_rate": 0.01, "seeds": 3, "layers": [1, 1]}
    experiment = Posed.model_validate(config | {"initializer": "he_normal"} | keys)
    data = datasets.load(experiment.dataset)
    sizes = (len(data.train.inputs), *[width] * depth, len(data.train.targets))
    return experiment.model_copy(update={"layers": sizes})
