"""Mappings by layer and biases in a config: what is read, called, told apart and refused."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from initbench import spec
from initbench.spec.biases import OWN
from initbench.spec.by_layer import ByLayer
from tests.spec.conftest import experiment

FORMS: list[tuple[Any, str]] = [
    ({"hidden": "he_normal", "output": "zeros"}, "{hidden: he_normal, output: zeros}"),
    ({"output": "zeros", "hidden": "kaiming_normal"}, "{hidden: he_normal, output: zeros}"),
    (
        {"10": "ones", "2": {"name": "normal", "std": 0.1}, "output": "eye", "first": "lsuv"},
        "{first: lsuv, output: identity, 2: normal(std=0.1), 10: ones}",
    ),
]


@pytest.mark.parametrize(("written", "label"), FORMS)
def test_a_mapping_by_layer(written: Any, label: str) -> None:
    for value in (written, [written]):
        one = experiment(initializer=value)
        (choice,) = one.initializer
        assert isinstance(choice, ByLayer)
        assert choice.label == label
        plain = one.model_dump(mode="json", exclude_unset=True)
        again = spec.Experiment(**plain)
        assert (again.initializer, hash(again.initializer)) == (one.initializer, hash((choice,)))
        assert one.find_initializer(label) is choice
        assert one.find_initializer("he_normal") is None


def test_a_dialect_speaks_for_its_layer() -> None:
    normal = {"name": "normal", "dialect": "torch"}
    (choice,) = experiment(initializer={"hidden": normal, "output": "normal"}).initializer
    assert choice.label == "{hidden: normal(dialect=torch), output: normal}"
    assert choice.parts["hidden"].chosen.parameters == {"mean": 0.0, "std": 1.0}


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        ("initializer", ["initializer"] * 3),
        ("zeros", ["zeros"] * 3),
        ("none", ["none"] * 3),
        ("None", ["none"] * 3),
        (0, ["zeros"] * 3),
        (-0.0, ["zeros"] * 3),
        (0.25, ["constant(value=0.25)"] * 3),
        (2, ["constant(value=2)"] * 3),
        ("prior", ["zeros", "zeros", "prior"]),
        ("trunc_normal_", ["truncated_normal"] * 3),
        ({"name": "uniform", "low": -0.5}, ["uniform(low=-0.5)"] * 3),
        ({"output": "prior"}, ["initializer", "initializer", "prior"]),
        ({"hidden": 0.1, "first": "none"}, ["none", "constant(value=0.1)", "initializer"]),
        ({"3": "prior", "hidden": "torch_default"}, ["torch_default", "torch_default", "prior"]),
    ],
)
def test_biases_by_layer(written: Any, rules: list[str]) -> None:
    one = experiment(layers=[2, 4, 3, 1], bias=written)
    assert [rule.label for rule in one.biases] == rules
    unbiased = {index for index, rule in enumerate(rules) if rule == "none"}
    assert one.architecture.unbiased == unbiased
    again = spec.Experiment(**one.model_dump(mode="json", exclude_unset=True))
    assert (again.bias, hash(again.bias)) == (one.bias, hash(one.bias))


def test_zeros_are_the_initializer_s_own_where_it_leaves_biases_at_0() -> None:
    both = {"hidden": "torch_default", "output": "he_normal"}
    one = experiment(layers=[2, 4, 1], initializer=["he_normal", "lsuv", both], bias="zeros")
    own = [[rule == OWN for rule in one.biases_of(choice)] for choice in one.initializer]
    assert own == [[True, True], [True, True], [False, True]]


SCHEMA = spec.json_schema()
VALID: list[dict[str, Any]] = [
    *({"initializer": written} for written, _ in FORMS),
    {"initializer": ["zeros", FORMS[0][0]]},
    *({"bias": value} for value in (0, 0.5, "none", {"name": "normal"}, {"output": "prior"})),
    {"bias": {"hidden": {"name": "constant", "value": 1}, "4": 2.5}},
]
INVALID: list[dict[str, Any]] = [
    {"initializer": {"hidden": "he_normal", "ouput": "zeros"}},
    {"initializer": {"hidden": "prior"}},
    {"initializer": {"0": "zeros"}},
    {"initializer": {"hidden": FORMS[0][0]}},
    *({"bias": value} for value in (None, True, "he_normal", {}, {"hidden": None}, ["zeros"])),
]


@pytest.mark.parametrize("change", [*VALID, *INVALID], ids=str)
def test_the_schema_accepts_what_the_model_accepts(change: dict[str, Any]) -> None:
    base = {"initializer": "zeros", "layers": [2, 1], "iterations": 1, "learning_rate": 0.1}
    valid = change in VALID
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(base | change) == valid
    if valid:
        experiment(**change)
    else:
        with pytest.raises(ValueError, match=next(iter(change))):
            experiment(**change)
