"""The models' own constraints, tried from both sides; names, labels and defaults."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin

import annotated_types as at
import jsonschema
import pytest
import yaml
from pydantic import BaseModel, ValidationError

import initbench
from initbench import spec
from initbench.core import activations, initializers, optimizers
from initbench.files import json_text
from initbench.interop import frameworks
from initbench.spec import Experiment, fields
from initbench.spec.choice import Choice, model_name
from initbench.spec.expectations import Expectation

CONFIGS = Path(initbench.__file__).parent.parent / "configs"
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


def test_an_experiment_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        experiment().iterations = 3  # type: ignore[misc]


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


def test_defaults_are_the_article_s() -> None:
    held = experiment()
    assert (held.activation.name, held.optimizer.name, held.dataset) == (
        "relu", "gd", spec.CirclesDataset()
    )  # fmt: skip
    assert (held.batch_size, held.seeds, held.dtype, held.log_every) == (
        None, tuple(range(10)), "float64", 1000
    )  # fmt: skip
    assert held.dataset.parameters == {
        "train_samples": 300, "test_samples": 100, "train_random_state": 1,
        "test_random_state": 2, "noise": 0.05, "factor": 0.8,
    }  # fmt: skip


def test_an_optimizer_s_learning_rate_is_the_config_s_own() -> None:
    assert not any("learning_rate" in m.model_fields for m in spec.OPTIMIZER_MODELS.values())


def test_what_a_partial_has_fixed_is_no_parameter() -> None:
    assert spec.INITIALIZER_MODELS["he_normal"](name="he_normal").parameters == {
        "dialect": None, "gain": None
    }  # fmt: skip
    assert set(spec.INITIALIZER_MODELS["variance_scaling"].model_fields) == {
        "name", "scale", "mode", "distribution", "gain", "dialect"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seeds", "held"),
    [
        (1, (0,)),
        (3, (0, 1, 2)),
        ([7], (7,)),
        ([5, 3], (5, 3)),
        ([0, fields.MAX_SEED], (0, fields.MAX_SEED)),
        (spec.MAX_SEEDS, tuple(range(spec.MAX_SEEDS))),
    ],
    ids=lambda value: str(value)[:12],
)
def test_seeds_are_a_count_or_a_list(seeds: object, held: tuple[int, ...]) -> None:
    assert experiment(seeds=seeds).seeds == held


@pytest.mark.parametrize(
    "seeds",
    [0, -1, spec.MAX_SEEDS + 1, True, 1.0, "3", None, [], [-1], [fields.MAX_SEED + 1], [True],
     [1, 1], list(range(spec.MAX_SEEDS + 1)), {"n": 1}],
    ids=lambda value: str(value)[:12],
)  # fmt: skip
def test_seeds_that_are_neither(seeds: object) -> None:
    with pytest.raises(ValidationError) as caught:
        experiment(seeds=seeds)
    assert {error["loc"][0] for error in caught.value.errors()} == {"seeds"}


def test_seeds_given_twice_are_named_without_delay() -> None:
    twice = [seed // 2 for seed in range(spec.MAX_SEEDS)]
    with pytest.raises(ValidationError, match="lists 0, 1, 2, 3, 4 twice; keep one of each"):
        experiment(seeds=twice)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"initializer": {"name": "uniform", "low": 1.0}}, "low must be below high"),
        (
            {"initializer": {"name": "uniform", "low": -1e308, "high": 1e308}},
            "high - low must be finite, got low -1e\\+308 and high 1e\\+308",
        ),
        ({"initializer": ["he_normal", "kaiming_normal"]}, "lists he_normal twice; keep one"),
        (
            {"initializer": {"name": "sparse", "connections": 3, "sparsity": 0.5}},
            "connections and sparsity both say how sparse; keep one",
        ),
        (
            {"initializer": {"name": "orthogonal", "gain": "torch"}, "activation": "gelu"},
            "PyTorch's calculate_gain has no value for gelu, only for identity, .*gain: exact",
        ),
        ({"iterations": 100_000, "log_every": 1}, "would log 100,001 points .* at least 2$"),
    ],
)
def test_values_that_do_not_go_together(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        experiment(**changes)
    error, *_ = caught.value.errors()  # without an item, the list is found too short as well
    assert re.search(says, str(error["ctx"]["error"]))


def test_log_points_at_the_limit() -> None:
    assert experiment(iterations=99_999, log_every=1).log_every == 1
    assert experiment(iterations=100_000, log_every=2).log_every == 2


def test_sizes_wait_for_the_data() -> None:
    assert experiment().architecture.sizes == (2, 3, 1)
    with pytest.raises(ValueError, match="load the config with"):
        _ = experiment(layers=None, width=3, depth=2).architecture.sizes


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
    assert set(spec.json_schema()["$defs"]) == expected | {"Expectation", "Gate"}
