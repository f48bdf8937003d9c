"""What the tests of the models share: an experiment, and a model with one field set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from initbench import spec
from initbench.core import activations, initializers, optimizers
from initbench.interop import frameworks
from initbench.spec import Experiment
from initbench.spec.choice import Choice

REGISTRIES: dict[str, tuple[Mapping[str, type[Choice]], dict[str, str]]] = {
    "initializer": (spec.INITIALIZER_MODELS, initializers.ALIASES),
    "activation": (spec.ACTIVATION_MODELS, activations.ALIASES),
    "optimizer": (spec.OPTIMIZER_MODELS, optimizers.ALIASES),
    "dataset": (spec.DATASET_MODELS, {}),
}
REQUIRED: dict[str, Any] = {
    "initializer": "he_normal",
    "layers": [2, 3, 1],
    "iterations": 10,
    "learning_rate": 0.1,
    "name": "x",
}
#: What a model needs beside the field in question.
NEEDED: dict[str, dict[str, Any]] = {
    "constant": {"value": 1.0},
    "file": {"path": "a.csv", "target": "y"},
    "Expectation": {"metric": "test_loss", "value": 1.0},
    "Experiment": REQUIRED,
}


def experiment(**changes: Any) -> Experiment:
    return Experiment(**REQUIRED | changes)


def registered_name(model: type[BaseModel]) -> str:
    """The registered name that a choice's model stands for; "" for other models."""
    return str(model.model_fields["name"].default) if issubclass(model, Choice) else ""


def tried(model: type[BaseModel], field: str, value: Any) -> BaseModel:
    needed = NEEDED.get(registered_name(model), {})
    needed = needed or NEEDED.get(model.__name__, {})
    if issubclass(model, Choice) and (lacking := frameworks.missing(registered_name(model))):
        pytest.skip(lacking)
    if model is Experiment and field in ("width", "depth"):
        needed = {"layers": None, "width": 1, "depth": 1} | {
            key: value for key, value in needed.items() if key != "layers"
        }
    if model is Experiment and field == "iterations":
        needed = {**needed, "log_every": 10**9}
    return model(**needed | {field: value})
