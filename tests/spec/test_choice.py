"""Choices of a registry: names, spellings, labels and parameters."""

from __future__ import annotations

import itertools
import math

import pytest
from pydantic import ValidationError

from initbench import spec
from tests.spec.conftest import NEEDED, REGISTRIES, experiment, tried

SPELLINGS = [
    (kind, alias, name)
    for kind, (models, aliases) in REGISTRIES.items()
    for alias, name in itertools.chain(zip(models, models, strict=True), aliases.items())
    if ":" not in name  # a framework's own code goes by its own name alone
]


@pytest.mark.parametrize(("kind", "spelling", "name"), SPELLINGS)
def test_names_aliases_and_other_libraries_spellings(kind: str, spelling: str, name: str) -> None:
    camel = "".join(word.capitalize() for word in spelling.split("_"))
    extra = NEEDED.get(name, {})
    for written in (spelling, spelling + "_", camel, spelling.upper()):
        value = getattr(experiment(**{kind: {"name": written} | extra}), kind)
        (choice,) = value if kind == "initializer" else (value,)
        assert choice.name == name
        assert type(choice) is REGISTRIES[kind][0][name]


@pytest.mark.parametrize("written", ["kaiming_normal_", "KaimingNormal", "HeNormal", "he_normal"])
def test_he_by_any_name(written: str) -> None:
    assert [choice.name for choice in experiment(initializer=written).initializer] == ["he_normal"]


@pytest.mark.parametrize("gain", ["exact", "torch", 0.5, None])
def test_a_gain_is_a_number_a_word_or_null(gain: object) -> None:
    (choice,) = experiment(initializer={"name": "he_normal", "gain": gain}).initializer
    assert choice.parameters["gain"] == gain


@pytest.mark.parametrize("gain", ["", "exakt", 0, -1, [1], True, math.inf])
def test_what_is_no_gain_is_met_with_one_error(gain: object) -> None:
    with pytest.raises(ValidationError) as caught:
        tried(spec.INITIALIZER_MODELS["he_normal"], "gain", gain)
    (error,) = caught.value.errors()
    assert error["loc"][0] == "gain"


def test_labels_show_what_differs_from_the_defaults() -> None:
    chosen = experiment(
        initializer=[
            "normal", {"name": "normal", "std": 10}, {"name": "normal", "std": 0.01, "mean": 1},
            {"name": "variance_scaling", "mode": "fan_avg"}, {"name": "constant", "value": 1e-12},
            {"name": "normal", "std": 0.12345},
        ]
    )  # fmt: skip
    assert [choice.label for choice in chosen.initializer] == [
        "normal", "normal(std=10)", "normal(mean=1, std=0.01)", "variance_scaling(mode=fan_avg)",
        "constant(value=1e-12)", "normal(std=0.12345)",
    ]  # fmt: skip


def test_an_optimizer_s_learning_rate_is_the_config_s_own() -> None:
    assert not any("learning_rate" in m.model_fields for m in spec.OPTIMIZER_MODELS.values())


def test_what_a_partial_has_fixed_is_no_parameter() -> None:
    assert spec.INITIALIZER_MODELS["he_normal"](name="he_normal").parameters == {
        "dialect": None, "gain": None
    }  # fmt: skip
    assert set(spec.INITIALIZER_MODELS["variance_scaling"].model_fields) == {
        "name", "scale", "mode", "distribution", "gain", "dialect"
    }  # fmt: skip
