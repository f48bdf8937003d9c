"""The Experiment: what a config may say, with every bound and default, once.

Messages, the JSON Schema and bad-input tests are all made from these models. Names and
parameters of initializers, activations and optimizers come from core's registries: a model
is made of each function's keyword parameters, so that they stand in its signature alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, Union, get_type_hints

from annotated_types import Ge, Gt, Le, Lt, MinLen
from numpy.random import RandomState
from pydantic import (
    BeforeValidator,
    Field,
    create_model,
    field_validator,
    model_validator,
)

from initbench.core import activations, initializers, optimizers
from initbench.expectation import Expectation, Gate
from initbench.fields import Model, NonNegative, Positive, Seed

MAX_SEEDS = 100_000
MAX_LOG_POINTS = 100_000
MAX_SAMPLES = 10_000_000
#: Names that a comparison or the gate writes under in the results folder.
RESERVED_NAMES = frozenset({"comparison", "baseline", "runs"})

Samples = Annotated[int, Ge(2), Le(MAX_SAMPLES)]
Width = Annotated[int, Ge(1)]
Metric = Literal["train_loss", "train_accuracy", "test_loss", "test_accuracy"]


class Choice(Model):
    """One entry of a registry with its parameters: a name, or ``{name: ..., parameter: ...}``."""

    name: str

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name, defaults included."""
        return {key: value for key, value in self if key != "name"}

    @property
    def label(self) -> str:
        """The name, with the parameters that differ from their defaults: ``normal(std=10)``."""
        fields = type(self).model_fields
        changed = [
            f"{key}={value:.12g}" if isinstance(value, float) else f"{key}={value}"
            for key, value in self.parameters.items()
            if value != fields[key].default
        ]
        return f"{self.name}({', '.join(changed)})" if changed else self.name


def spelled(name: str) -> str:
    """A name as registries spell it: habits of other libraries are forgiven.

    >>> [spelled(name) for name in ("HeNormal", "kaiming_normal_", "SiLU", "ReLU")]
    ['he_normal', 'kaiming_normal', 'silu', 'relu']
    """
    if not name.islower():
        name = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", name).lower()
    return name.rstrip("_")


def parameter_fields(function: Callable[..., Any]) -> dict[str, Any]:
    """A registered function's keyword parameters, as fields of a model.

    What a ``partial`` has fixed is no longer a parameter.
    """
    fixed: Mapping[str, Any] = {}
    plain = function
    if isinstance(function, partial):
        plain, fixed = function.func, function.keywords
    hints = get_type_hints(plain, include_extras=True)
    return {
        name: (hints[name], ... if parameter.default is Parameter.empty else parameter.default)
        for name, parameter in signature(plain).parameters.items()
        if parameter.kind is Parameter.KEYWORD_ONLY and name not in fixed
    }


def _normalized(
    models: Mapping[str, type[Choice]], aliases: Mapping[str, str]
) -> Callable[[Any], Any]:
    """What runs before validation: a bare name becomes {name: ...}, an alias its own name."""

    def normalize(value: Any) -> Any:
        if isinstance(value, str):
            value = {"name": value}
        if isinstance(value, Mapping) and isinstance(value.get("name"), str):
            name = value["name"]
            canonical = next(
                (
                    n
                    for n in (name, aliases.get(name), spelled(name), aliases.get(spelled(name)))
                    if n in models
                ),
                name,
            )
            return {**value, "name": canonical}
        return value

    return normalize


def _choice(models: Mapping[str, type[Choice]], aliases: Mapping[str, str]) -> Any:
    """The field type of a choice between ``models``, told apart by their name."""
    types: Any = tuple(models.values())
    union: Any = Annotated[Union[types], Field(discriminator="name")]  # noqa: UP007
    names: Any = Literal[(*models, *aliases)]
    before = BeforeValidator(_normalized(models, aliases), json_schema_input_type=names | union)
    return Annotated[union, before]


def _registered(
    registry: Mapping[str, Callable[..., Any]], skip: frozenset[str] = frozenset()
) -> dict[str, type[Choice]]:
    """A model of every function of a registry, its parameters those in the signature."""
    models: dict[str, type[Choice]] = {}
    for name, function in registry.items():
        fields = {k: v for k, v in parameter_fields(function).items() if k not in skip}
        literal: Any = Literal[name]
        models[name] = create_model(name, __base__=Choice, name=(literal, name), **fields)
    return models


class Generated(Choice):
    """A synthetic data set: train and test samples drawn at two states."""

    train_samples: Samples = 300
    test_samples: Samples = 100
    train_random_state: Seed = 1
    test_random_state: Seed = 2


class Circles(Generated):
    """Two concentric circles (scikit-learn's make_circles); the defaults are the article's."""

    name: Literal["circles"] = "circles"
    noise: NonNegative = 0.05
    factor: Annotated[float, Ge(0), Lt(1)] = 0.8


class Moons(Generated):
    """Two interleaved half circles (scikit-learn's make_moons)."""

    name: Literal["moons"] = "moons"
    noise: NonNegative = 0.1


class Spirals(Generated):
    """One spiral arm a class: angle grows with radius, plus Gaussian noise."""

    name: Literal["spirals"] = "spirals"
    classes: Annotated[int, Ge(2), Le(100)] = 2
    turns: Positive = 1.0
    noise: NonNegative = 0.02


class Blobs(Choice):
    """Gaussian blobs (scikit-learn's make_blobs), one draw cut in two so that centers agree."""

    name: Literal["blobs"] = "blobs"
    train_samples: Samples = 300
    test_samples: Samples = 100
    centers: Annotated[int, Ge(2), Le(1000)] = 3
    features: Annotated[int, Ge(1), Le(10_000)] = 2
    cluster_std: NonNegative = 1.0
    random_state: Seed = 0


class Measured(Choice):
    """A real data set: split by a stated seed (stratified by class), standardised on train."""

    test_fraction: Annotated[float, Gt(0), Lt(1)] = 0.25
    split_random_state: Seed = 0
    standardize: Literal["features", "global", "none"] = "features"


class Digits(Measured):
    """1,797 handwritten digits, 8 x 8 pixels, 10 classes (scikit-learn's load_digits)."""

    name: Literal["digits"] = "digits"


class BreastCancer(Measured):
    """569 tumours, 30 features, 2 classes (scikit-learn's load_breast_cancer)."""

    name: Literal["breast_cancer"] = "breast_cancer"


class Wine(Measured):
    """178 wines, 13 features, 3 classes (scikit-learn's load_wine)."""

    name: Literal["wine"] = "wine"


class Iris(Measured):
    """150 irises, 4 features, 3 classes (scikit-learn's load_iris)."""

    name: Literal["iris"] = "iris"


class Diabetes(Measured):
    """442 patients, 10 features, a regression; its target is standardised on train too."""

    name: Literal["diabetes"] = "diabetes"


class File(Measured):
    """Your own data: a CSV file with a header, or an NPZ file; ``target`` names the column.

    In an NPZ file ``target`` names an array, and all others are features. A path is relative
    to the config's folder. A target of texts, or of at most 20 distinct whole numbers, makes a
    classification, any other a regression; ``task`` says otherwise.
    """

    name: Literal["file"] = "file"
    path: Annotated[str, MinLen(1)]
    target: Annotated[str, MinLen(1)]
    task: Literal["auto", "classification", "regression"] = "auto"


INITIALIZER_MODELS = _registered({k: v.draw for k, v in initializers.INITIALIZERS.items()})
ACTIVATION_MODELS = _registered({k: v.apply for k, v in activations.ACTIVATIONS.items()})
OPTIMIZER_MODELS = _registered(
    {k: v.step for k, v in optimizers.OPTIMIZERS.items()}, skip=frozenset({"learning_rate"})
)
DATASET_MODELS: dict[str, type[Choice]] = {
    model.model_fields["name"].default: model
    for model in (Circles, Moons, Blobs, Spirals, Digits, BreastCancer, Wine, Iris, Diabetes, File)
}


if TYPE_CHECKING:
    InitializerChoice: TypeAlias = Choice
    ActivationChoice: TypeAlias = Choice
    OptimizerChoice: TypeAlias = Choice
    DatasetChoice: TypeAlias = Choice
else:
    InitializerChoice = _choice(INITIALIZER_MODELS, initializers.ALIASES)
    ActivationChoice = _choice(ACTIVATION_MODELS, activations.ALIASES)
    OptimizerChoice = _choice(OPTIMIZER_MODELS, optimizers.ALIASES)
    DatasetChoice = _choice(DATASET_MODELS, {})


def _listed(value: Any) -> Any:
    """One initializer is a list of one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _counted(value: Any) -> Any:
    """A count of seeds, n, is the list 0 ... n - 1."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_SEEDS:
        return tuple(range(value))
    return tuple(value) if isinstance(value, list) else value


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Experiment(Model):
    """One config: which initializers, on which network and data, trained how, at which seeds."""

    initializer: Annotated[
        tuple[InitializerChoice, ...],
        MinLen(1),
        BeforeValidator(
            _listed, json_schema_input_type=InitializerChoice | list[InitializerChoice]
        ),
        Field(
            description="An initializer's name, {name: ..., parameter: ...}, or a list of these.",
            examples=["he_normal"],
        ),
    ]
    layers: (
        Annotated[
            tuple[Width, ...],
            MinLen(2),
            BeforeValidator(_tupled, json_schema_input_type=list[Width]),
            Field(description="Sizes, input ... output.", examples=[[2, 10, 5, 1]]),
        ]
        | None
    ) = None
    width: Annotated[Width | None, Field(description="Size of every hidden layer.")] = None
    depth: Annotated[
        Annotated[int, Ge(1), Le(10_000)] | None, Field(description="Number of hidden layers.")
    ] = None
    iterations: Annotated[
        int, Ge(1), Le(10**9), Field(description="Updates of the weights.", examples=[15000])
    ]
    learning_rate: Annotated[float, Gt(0), Field(examples=[0.01])]
    activation: Annotated[ActivationChoice, Field(description="Of the hidden layers.")] = (
        ACTIVATION_MODELS["relu"](name="relu")
    )
    dataset: DatasetChoice = Circles()
    optimizer: OptimizerChoice = OPTIMIZER_MODELS["gd"](name="gd")
    batch_size: Annotated[
        Annotated[int, Ge(1)] | None, Field(description="null: the full batch.")
    ] = None
    seeds: Annotated[
        tuple[Seed, ...],
        MinLen(1),
        BeforeValidator(
            _counted, json_schema_input_type=Annotated[int, Ge(1), Le(MAX_SEEDS)] | list[Seed]
        ),
        Field(description="A count n, for 0 to n - 1, or a list."),
    ] = tuple(range(10))
    dtype: Literal["float64", "float32"] = "float64"
    log_every: Annotated[int, Ge(1)] = 1000
    sweep: Annotated[
        dict[str, Annotated[tuple[Any, ...], MinLen(1), BeforeValidator(_tupled)]],
        Field(description="key: [values]; a grid of runs, one for every combination."),
    ] = {}  # noqa: RUF012  # pydantic copies it
    expect: Annotated[
        tuple[Expectation, ...],
        BeforeValidator(_tupled, json_schema_input_type=list[Expectation]),
        Field(description="What must come out."),
    ] = ()
    gate: Annotated[Gate, Field(description="Which changes `check` takes for regressions.")] = (
        Gate()
    )
    name: Annotated[
        str,
        Field(
            pattern=r"^[^./\\:*?\"<>|\s\x00-\x1f][^/\\:*?\"<>|\x00-\x1f]{0,99}$",
            description="Names the results; by default the file's name without its ending.",
        ),
    ]
    description: str = ""
    reference: str = ""

    @field_validator("initializer")
    @classmethod
    def _drawable(cls, choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
        labels = [choice.label for choice in choices]
        if twice := {label for label in labels if labels.count(label) > 1}:
            raise ValueError(f"lists {', '.join(sorted(twice))} twice; keep one")
        for choice in choices:
            # A draw of one weight lets each function judge its parameters together.
            draw = initializers.INITIALIZERS[choice.name].draw
            draw(RandomState(0), (1, 1), "float64", **choice.parameters)
        return choices

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(seeds) > MAX_SEEDS:
            raise ValueError(f"lists {len(seeds):,} seeds; at most {MAX_SEEDS:,} are allowed")
        if len(set(seeds)) < len(seeds):
            twice = sorted(seed for seed, count in Counter(seeds).items() if count > 1)
            raise ValueError(f"lists {', '.join(map(str, twice[:5]))} twice; seeds are replicates")
        return seeds

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        if name.lower() in RESERVED_NAMES:
            raise ValueError(f"{name!r} names a file of initbench's own in results; choose another")
        return name

    @model_validator(mode="after")
    def _consistent(self) -> Experiment:
        by_width = self.width is not None or self.depth is not None
        if self.layers is not None and by_width:
            raise ValueError(
                "layers and width or depth both give the network's sizes; keep one form"
            )
        if self.layers is None and (self.width is None or self.depth is None):
            raise ValueError(
                "the network's sizes are missing; "
                "add layers (as in [2, 10, 5, 1]), or width and depth"
            )
        points = self.iterations // self.log_every + 1
        if points > MAX_LOG_POINTS:
            raise ValueError(
                f"log_every {self.log_every} would log {points:,} points of {self.iterations:,} "
                f"iterations; set it to at least {-(-self.iterations // (MAX_LOG_POINTS - 1)):,}"
            )
        return self

    @property
    def sizes(self) -> tuple[int, ...]:
        """The layers' sizes, input ... output; ValueError before the data set has settled them."""
        if self.layers is None:
            raise ValueError("sizes depend on the data set: load the config with config.load")
        return self.layers

    def called(self, name: str) -> Choice | None:
        """The initializer that a text means: by label, alias, or name if only one has it."""
        for choice in self.initializer:
            if choice.label == name:
                return choice
        canonical = {spelled(name), initializers.ALIASES.get(spelled(name))}
        named = [choice for choice in self.initializer if choice.name in canonical]
        return named[0] if len(named) == 1 else None

    @property
    def setting(self) -> dict[str, Any]:
        """The point of the sweep that this is: ``{}`` without a sweep."""
        return {key: values[0] for key, values in self.sweep.items()}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a config. ``name`` is not required there: it defaults to the file's."""
    schema = Experiment.model_json_schema()
    schema["required"].remove("name")
    schema["anyOf"] = [{"required": ["layers"]}, {"required": ["width", "depth"]}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
