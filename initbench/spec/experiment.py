"""The Experiment: what a config may say, with every bound and default, once.

Messages, the JSON Schema and bad-input tests are all made from these models. Names and
parameters of initializers, activations and optimizers come from core's registries: a model
is made of each function's keyword parameters, so that they stand in its signature alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from initbench.core import activations, initializers, optimizers
from initbench.core.draw import Chosen
from initbench.core.gains import torch_gain
from initbench.core.initializers import GAIN_WORDS, Initializer
from initbench.core.initializers.dialects import DIALECTS, Dialect, complaint, filled, spoken
from initbench.interop import frameworks
from initbench.spec.choice import Choice, choice_of, registered, spelled
from initbench.spec.expectations import Expectation, Gate
from initbench.spec.fields import Model, NonNegative, Positive, Seed

MAX_SEEDS = 100_000
MAX_LOG_POINTS = 100_000
MAX_SAMPLES = 10_000_000
#: Names that a comparison or the gate writes under in the results folder.
RESERVED_NAMES = frozenset({"comparison", "baseline", "runs"})

Samples = Annotated[int, Ge(2), Le(MAX_SAMPLES)]
Width = Annotated[int, Ge(1)]


class GeneratedDataset(Choice):
    """A synthetic data set: train and test samples drawn at two states."""

    train_samples: Samples = 300
    test_samples: Samples = 100
    train_random_state: Seed = 1
    test_random_state: Seed = 2


class CirclesDataset(GeneratedDataset):
    """Two concentric circles (scikit-learn's make_circles); the defaults are the article's."""

    name: Literal["circles"] = "circles"
    noise: NonNegative = 0.05
    factor: Annotated[float, Ge(0), Lt(1)] = 0.8


class MoonsDataset(GeneratedDataset):
    """Two interleaved half circles (scikit-learn's make_moons)."""

    name: Literal["moons"] = "moons"
    noise: NonNegative = 0.1


class SpiralsDataset(GeneratedDataset):
    """One spiral arm a class: angle grows with radius, plus Gaussian noise."""

    name: Literal["spirals"] = "spirals"
    classes: Annotated[int, Ge(2), Le(100)] = 2
    turns: Positive = 1.0
    noise: NonNegative = 0.02


class BlobsDataset(Choice):
    """Gaussian blobs (scikit-learn's make_blobs), one draw cut in two so that centers agree."""

    name: Literal["blobs"] = "blobs"
    train_samples: Samples = 300
    test_samples: Samples = 100
    centers: Annotated[int, Ge(2), Le(1000)] = 3
    features: Annotated[int, Ge(1), Le(10_000)] = 2
    cluster_std: NonNegative = 1.0
    random_state: Seed = 0


class MeasuredDataset(Choice):
    """A real data set: split by a stated seed (stratified by class), standardised on train."""

    test_fraction: Annotated[float, Gt(0), Lt(1)] = 0.25
    split_random_state: Seed = 0
    standardize: Literal["features", "global", "none"] = "features"


class DigitsDataset(MeasuredDataset):
    """1,797 handwritten digits, 8 x 8 pixels, 10 classes (scikit-learn's load_digits)."""

    name: Literal["digits"] = "digits"


class BreastCancerDataset(MeasuredDataset):
    """569 tumours, 30 features, 2 classes (scikit-learn's load_breast_cancer)."""

    name: Literal["breast_cancer"] = "breast_cancer"


class WineDataset(MeasuredDataset):
    """178 wines, 13 features, 3 classes (scikit-learn's load_wine)."""

    name: Literal["wine"] = "wine"


class IrisDataset(MeasuredDataset):
    """150 irises, 4 features, 3 classes (scikit-learn's load_iris)."""

    name: Literal["iris"] = "iris"


class DiabetesDataset(MeasuredDataset):
    """442 patients, 10 features, a regression; its target is standardised on train too."""

    name: Literal["diabetes"] = "diabetes"


class FileDataset(MeasuredDataset):
    """Your own data: a CSV file with a header, or an NPZ file; ``target`` names the column.

    In an NPZ file ``target`` names an array, and all others are features. A path is relative
    to the config's folder. A target of texts, or of at most 20 distinct whole numbers, makes a
    classification, any other a regression; ``task`` says otherwise.
    """

    name: Literal["file"] = "file"
    path: Annotated[str, MinLen(1)]
    target: Annotated[str, MinLen(1)]
    task: Literal["auto", "classification", "regression"] = "auto"


class Drawn(Choice):
    """An initializer. With ``dialect``, what that framework draws under the name.

    ``plugin`` is the row of one that no registry holds: a user's own.
    """

    plugin: ClassVar[Initializer | None] = None

    @property
    def chosen(self) -> Chosen:
        """What draws, by which parameters."""
        if self.plugin is not None:
            return Chosen(self.name, self.plugin, self.parameters)
        name, parameters = spoken(self.name, self.parameters)
        return Chosen(self.name, frameworks.ROWS[name], parameters)

    @classmethod
    def written(cls, value: dict[str, Any]) -> dict[str, Any]:
        """With the dialect's own defaults, so that the parameters say what is drawn."""
        name, dialect = value["name"], value.get("dialect")
        for known in DIALECTS:
            if dialect == known and name in DIALECTS[known]:
                return filled(known, name, value)
        return value

    @model_validator(mode="after")
    def _drawable(self) -> Drawn:
        # What a user's own law calls a dialect is its own affair.
        if self.plugin is None and (
            what := complaint(self.name, self.parameters) or frameworks.missing(self.name)
        ):
            raise ValueError(what)
        row, parameters = self.chosen.initializer, self.chosen.parameters
        if row.law is not None and row.scope == "layer" and self.plugin is None:
            # A law judges its parameters together. Which number a gain's word means is all one.
            # A user's own law need not know this shape.
            words = {key: 1.0 for key, value in parameters.items() if value in GAIN_WORDS}
            row.law((1, 1), **{**parameters, **words})
        return self


class OwnDrawn(Drawn):
    """An initializer of initbench's own."""

    dialect: Annotated[
        Dialect | None, Field(description="Draw what this framework draws under the name.")
    ] = None


INITIALIZER_MODELS: dict[str, type[Drawn]] = {
    **registered(
        {k: v.draw for k, v in initializers.INITIALIZERS.items()}, OwnDrawn, "Initializer"
    ),
    **registered({k: v.draw for k, v in frameworks.FRAMEWORKS.items()}, Drawn, "Initializer"),
}
ACTIVATION_MODELS = registered(
    {k: v.apply for k, v in activations.ACTIVATIONS.items()}, Choice, "Activation"
)
OPTIMIZER_MODELS = registered(
    {k: v.step for k, v in optimizers.OPTIMIZERS.items()},
    Choice,
    "Optimizer",
    skip=frozenset({"learning_rate"}),
)
DATASET_MODELS: dict[str, type[Choice]] = {
    model.model_fields["name"].default: model
    for model in (
        CirclesDataset,
        MoonsDataset,
        BlobsDataset,
        SpiralsDataset,
        DigitsDataset,
        BreastCancerDataset,
        WineDataset,
        IrisDataset,
        DiabetesDataset,
        FileDataset,
    )
}


def _initializers(models: Mapping[str, type[Choice]]) -> Any:
    """The field type of one initializer or a list of them."""
    choice = choice_of(models, initializers.ALIASES)
    several: Any = tuple[choice, ...]  # type: ignore[valid-type]  # made when called
    written: Any = choice | list[choice]  # type: ignore[valid-type]
    return Annotated[
        several,
        MinLen(1),
        BeforeValidator(_listed, json_schema_input_type=written),
        Field(
            description="An initializer's name, {name: ..., parameter: ...}, or a list of these.",
            examples=["he_normal"],
        ),
    ]


def _listed(value: Any) -> Any:
    """One initializer is a list of one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


if TYPE_CHECKING:
    Initializers: TypeAlias = tuple[Drawn, ...]
    ActivationChoice: TypeAlias = Choice
    OptimizerChoice: TypeAlias = Choice
    DatasetChoice: TypeAlias = Choice
else:
    Initializers = _initializers(INITIALIZER_MODELS)
    ActivationChoice = choice_of(ACTIVATION_MODELS, activations.ALIASES)
    OptimizerChoice = choice_of(OPTIMIZER_MODELS, optimizers.ALIASES)
    DatasetChoice = choice_of(DATASET_MODELS, {})


def _counted(value: Any) -> Any:
    """A count of seeds, n, is the list 0 ... n - 1."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_SEEDS:
        return tuple(range(value))
    return tuple(value) if isinstance(value, list) else value


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Experiment(Model):
    """One config: which initializers, on which network and data, trained how, at which seeds."""

    initializer_models: ClassVar[Mapping[str, type[Drawn]]] = INITIALIZER_MODELS

    initializer: Initializers
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
    dataset: DatasetChoice = CirclesDataset()
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
    ] = {}  # noqa: RUF012 - a model copies its defaults
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
    def _named_once(cls, choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
        labels = [choice.label for choice in choices]
        if twice := {label for label in labels if labels.count(label) > 1}:
            raise ValueError(f"lists {', '.join(sorted(twice))} twice; keep one")
        return choices

    @field_validator("activation")
    @classmethod
    def _with_gain(cls, activation: Choice, info: ValidationInfo) -> Choice:
        for choice in info.data.get("initializer", ()):
            if choice.parameters.get("gain") == "torch":
                torch_gain(activation.name, activation.parameters)
        return activation

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


def with_initializers(rows: Mapping[str, Initializer]) -> type[Experiment]:
    """Experiment, whose ``initializer`` may name these too. The registries stay as they are."""
    if not rows:
        return Experiment
    plugins = registered({name: row.draw for name, row in rows.items()}, Drawn, "Initializer")
    for name, model in plugins.items():
        model.plugin = rows[name]
    models = {**INITIALIZER_MODELS, **plugins}
    extended = create_model(
        "Experiment", __base__=Experiment, initializer=(_initializers(models), ...)
    )
    extended.initializer_models = models
    return extended


def json_schema(model: type[Experiment] = Experiment) -> dict[str, Any]:
    """The JSON Schema of a config. ``name`` is not required there: it defaults to the file's."""
    schema = model.model_json_schema()
    schema["required"].remove("name")
    schema["anyOf"] = [{"required": ["layers"]}, {"required": ["width", "depth"]}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
