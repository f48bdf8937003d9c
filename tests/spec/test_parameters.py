"""Parameters as lists and explanations show them, against the models that validate them."""

from __future__ import annotations

import pytest

from initbench.config.document import parse
from initbench.spec.choice import Choice
from initbench.spec.kinds import kinds
from initbench.spec.parameters import Parameter, parameters_of
from tests.spec.test_bounds import BOUNDS, Bound

MODELS = [model for kind in kinds().values() for model in kind.models.values()]
CHOICE_BOUNDS = [bound for bound in BOUNDS if issubclass(bound.model, Choice)]


def named(model: type[Choice], name: str) -> Parameter:
    return next(each for each in parameters_of(model) if each.name == name)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_parameter_is_shown_with_its_default_and_a_meaning(model: type[Choice]) -> None:
    parameters = {each.name: each for each in parameters_of(model)}
    assert parameters.keys() == model.model_fields.keys() - {"name"}
    for name, shown in parameters.items():
        field = model.model_fields[name]
        assert shown.meaning.endswith("."), name
        assert "``" not in shown.meaning
        assert (shown.default is None) == field.is_required()
        if shown.default is not None and shown.default != ".":  # a full stop is itself in YAML
            held = parse("", shown.default).data
            plain = list(field.default) if isinstance(field.default, tuple) else field.default
            # Twelve digits are shown, which cut no default but sqrt(2).
            same = pytest.approx(plain, rel=1e-11) if isinstance(plain, float) else plain
            assert held == same


@pytest.mark.parametrize("bound", CHOICE_BOUNDS, ids=lambda b: f"{b.model.__name__}.{b.field}")
def test_a_bound_that_refuses_is_in_the_words(bound: Bound) -> None:
    model = bound.model
    assert issubclass(model, Choice)
    # The limit itself is the first value outside where the bound excludes it, else the last inside.
    limits = {f"{bound.outside:,}", f"{bound.outside:g}", f"{bound.inside:,}", f"{bound.inside:g}"}
    words = named(model, bound.field).values.replace(", ", " ").split()
    assert limits & set(words)


@pytest.mark.parametrize(
    ("kind", "name", "parameter", "values"),
    [
        ("initializer", "he_normal", "gain", "number above 0, exact, torch or null"),
        ("initializer", "zero_hadamard", "variant", "code or null"),
        ("initializer", "truncated_normal", "bound", "number from 0.01 to 100"),
        ("activation", "sine", "frequency", "number above 0 and at most 1,000"),
        ("optimizer", "adam", "beta2", "number from 0 to below 1"),
        ("dataset", "moons", "resplit", "true or false"),
        ("dataset", "moons", "train_samples", "whole number from 2 to 10,000,000"),
        ("dataset", "file", "features", "list of texts or null"),
    ],
)
def test_values_in_words(kind: str, name: str, parameter: str, values: str) -> None:
    assert named(kinds()[kind].models[name], parameter).values == values
