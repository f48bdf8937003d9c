"""The JSON Schema of a config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest
import yaml

import initbench
from initbench import spec
from initbench.files import json_text
from initbench.spec.choice import Choice, model_name

CONFIGS = Path(initbench.__file__).parent.parent / "configs"


def test_the_schema_file_is_the_models() -> None:
    assert (CONFIGS / "schema.json").read_text(encoding="utf-8") == json_text(spec.json_schema())


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_config_is_valid_under_the_schema(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text()), spec.json_schema())


def test_the_json_schema_names_its_definitions_for_users() -> None:
    """By kind and registered name, never by the module that happens to define a model."""
    kinds: dict[str, Mapping[str, type[Choice]]] = {
        "Initializer": spec.INITIALIZER_MODELS,
        "Activation": spec.ACTIVATION_MODELS,
        "Optimizer": spec.OPTIMIZER_MODELS,
        "Dataset": spec.DATASET_MODELS,
    }
    expected = {model_name(name, kind) for kind, models in kinds.items() for name in models}
    rules = {f"{name.title()}Bias" for name in spec.BIAS_MODELS.keys() - spec.INITIALIZER_MODELS}
    by_layer = {"InitializersByLayer", "BiasesByLayer"}
    others = {"Expectation", "Gate", *rules, *by_layer}
    assert set(spec.json_schema()["$defs"]) == expected | others
