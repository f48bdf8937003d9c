"""The models' own constraints, tried from both sides."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args, get_origin

import annotated_types as at
import pytest
from pydantic import BaseModel, ValidationError

from initbench.spec import Experiment
from initbench.spec.expectations import Expectation
from tests.spec.conftest import REGISTRIES, registered_name, tried


class Bound(NamedTuple):
    """A bound of a model's field: the last value inside it, and the first outside."""

    model: type[BaseModel]
    field: str
    inside: float
    outside: float


def bounds_of(model: type[BaseModel]) -> Iterator[Bound]:
    for name, field in model.model_fields.items():
        # Optional fields keep their constraints one level down; so do tuples, of each item.
        options = () if get_origin(field.annotation) is tuple else get_args(field.annotation)
        nested = [n for option in options for n in metadata_of(option)]
        for constraint in (*field.metadata, *nested):
            whole = "int" in str(field.annotation)
            match constraint:
                case at.Ge(ge=limit) if isinstance(limit, int | float):
                    yield Bound(model, name, limit, below(limit, whole=whole))
                case at.Le(le=limit) if isinstance(limit, int | float):
                    yield Bound(model, name, limit, -below(-limit, whole=whole))
                case at.Gt(gt=limit) if isinstance(limit, int | float):
                    yield Bound(model, name, -below(-limit, whole=whole), limit)
                case at.Lt(lt=limit) if isinstance(limit, int | float):
                    yield Bound(model, name, below(limit, whole=whole), limit)


def below(limit: float, *, whole: bool) -> float:
    return limit - 1 if whole else math.nextafter(limit, -math.inf)


def metadata_of(annotation: Any) -> tuple[Any, ...]:
    return tuple(getattr(annotation, "__metadata__", ()))


MODELS: list[type[BaseModel]] = [
    *(model for models, _ in REGISTRIES.values() for model in models.values()),
    Expectation,
]
EVERY: list[type[BaseModel]] = [*MODELS, Experiment]
BOUNDS = [bound for model in EVERY for bound in bounds_of(model)]


def test_bounds_are_found() -> None:
    found = {(bound.model.__name__, bound.field) for bound in BOUNDS}
    assert len(BOUNDS) > 60
    assert found >= {
        ("NormalInitializer", "std"),
        ("TruncatedNormalInitializer", "bound"),
        ("VarianceScalingInitializer", "scale"),
        ("LeakyReluActivation", "negative_slope"),
        ("EluActivation", "alpha"),
        ("AdamOptimizer", "beta1"),
        ("RmspropOptimizer", "epsilon"),
        ("CirclesDataset", "factor"),
        ("CirclesDataset", "train_samples"),
        ("BlobsDataset", "centers"),
        ("DigitsDataset", "test_fraction"),
        ("Expectation", "atol"),
        ("Experiment", "iterations"),
        ("Experiment", "learning_rate"),
        ("Experiment", "log_every"),
        ("Experiment", "width"),
        ("Experiment", "depth"),
        ("Experiment", "batch_size"),
    }


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda b: f"{b.model.__name__}.{b.field}:{b.outside}")
def test_a_bound_from_both_sides(bound: Bound) -> None:
    held = getattr(tried(bound.model, bound.field, bound.inside), bound.field)
    assert held == bound.inside
    with pytest.raises(ValidationError) as caught:
        tried(bound.model, bound.field, bound.outside)
    (error,) = caught.value.errors()
    assert error["loc"][0] == bound.field
    assert error["type"] in (
        "greater_than", "greater_than_equal", "less_than", "less_than_equal"
    )  # fmt: skip


NUMBERS = [
    (model, name)
    for model in EVERY
    for name, field in model.model_fields.items()
    if any(word in str(field.annotation) for word in ("int", "float"))
    and "str" not in str(field.annotation)
    and name not in ("seeds", "layers", "sweep", "initializer", "expect", "gate", "dtype")
]


@pytest.mark.parametrize(
    ("model", "field"), NUMBERS, ids=[f"{model.__name__}.{field}" for model, field in NUMBERS]
)
@pytest.mark.parametrize("value", [True, "1", [1], math.nan, math.inf], ids=repr)
def test_no_number_is_a_bool_a_text_a_list_or_endless(
    model: type[BaseModel], field: str, value: object
) -> None:
    with pytest.raises(ValidationError) as caught:
        tried(model, field, value)
    assert {error["loc"][0] for error in caught.value.errors()} == {field}


def with_frameworks(model: type[BaseModel]) -> Any:
    """The model as a parameter, marked if it stands for a framework's own initializer."""
    marks = [pytest.mark.frameworks] if ":" in registered_name(model) else []
    return pytest.param(model, marks=marks, id=model.__name__)


@pytest.mark.parametrize("model", [with_frameworks(model) for model in MODELS])
def test_models_are_closed_frozen_and_hashable(model: type[BaseModel]) -> None:
    field = next(iter(model.model_fields))
    one, other = (tried(model, field, "test_loss" if model is Expectation else default_name(model))
                  for _ in range(2))  # fmt: skip
    assert one == other
    assert hash(one) == hash(other)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(one, field, "x")
    with pytest.raises(ValidationError, match="Extra inputs"):
        model(**one.model_dump(exclude_none=True) | {"nope": 1})


def default_name(model: type[BaseModel]) -> str:
    return str(model.model_fields["name"].default)
