"""The kinds of things that a config names, and what it may name of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from initbench.core import activations, initializers, optimizers
from initbench.spec.biases import ALIASES as BIAS_ALIASES
from initbench.spec.biases import BIAS_MODELS
from initbench.spec.choice import Choice, registered
from initbench.spec.datasets import DATASET_MODELS
from initbench.spec.experiment import ACTIVATION_MODELS, OPTIMIZER_MODELS, Experiment


class Kind(NamedTuple):
    """The models of one key of a config by their names, and other names of these."""

    models: Mapping[str, type[Choice]]
    aliases: Mapping[str, str]

    def find(self, name: str) -> str | None:
        """The registered name that a name stands for, in any library's spelling; None if none."""
        return registered(name, self.models, self.aliases)


def kinds(model: type[Experiment] = Experiment) -> dict[str, Kind]:
    """The kinds by the key of a config that names them; ``model`` knows plugins' initializers.

    >>> known = kinds()
    >>> list(known), known["activation"].find("SiLU"), known["optimizer"].find("sgd")
    (['initializer', 'activation', 'dataset', 'optimizer', 'bias'], 'silu', 'gd')
    """
    return {
        "initializer": Kind(model.initializer_models, initializers.ALIASES),
        "activation": Kind(ACTIVATION_MODELS, activations.ALIASES),
        "dataset": Kind(DATASET_MODELS, {}),
        "optimizer": Kind(OPTIMIZER_MODELS, optimizers.ALIASES),
        "bias": Kind(BIAS_MODELS, BIAS_ALIASES),
    }
