"""The Experiment: what a config may say, with every bound and default, once.

Messages, the JSON Schema and bad-input tests are all made from these models. Names and
parameters of initializers, activations and optimizers come from core's registries: a model
is made of each function's keyword parameters, so that they stand in its signature alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from initbench.core import activations, initializers, optimizers
from initbench.core.gains import torch_gain
from initbench.core.initializers import Initializer
from initbench.spec.choice import Choice, choice_field, models_of, registry_spelling
from initbench.spec.datasets import DATASET_MODELS, CirclesDataset
from initbench.spec.expectations import Expectation, Gate
from initbench.spec.fields import Model, Seed
from initbench.spec.initializers import (
    INITIALIZER_MODELS,
    InitializerChoice,
    initializers_field,
)

MAX_SEEDS = 100_000
MAX_LOG_POINTS = 100_000
#: Names that a comparison or the gate writes under in the results folder.
RESERVED_NAMES = frozenset({"comparison", "baseline", "runs"})

Width = Annotated[int, Ge(1)]

ACTIVATION_MODELS = models_of(
    {k: v.apply for k, v in activations.ACTIVATIONS.items()}, Choice, "Activation"
)
OPTIMIZER_MODELS = models_of(
    {k: v.step for k, v in optimizers.OPTIMIZERS.items()},
    Choice,
    "Optimizer",
    skip=frozenset({"learning_rate"}),
)


if TYPE_CHECKING:
    Initializers: TypeAlias = tuple[InitializerChoice, ...]
    ActivationChoice: TypeAlias = Choice
    OptimizerChoice: TypeAlias = Choice
    DatasetChoice: TypeAlias = Choice
else:
    Initializers = initializers_field(INITIALIZER_MODELS)
    ActivationChoice = choice_field(ACTIVATION_MODELS, activations.ALIASES)
    OptimizerChoice = choice_field(OPTIMIZER_MODELS, optimizers.ALIASES)
    DatasetChoice = choice_field(DATASET_MODELS, {})


def _counted(value: Any) -> Any:
    """A count of seeds, n, is the list 0 ... n - 1."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_SEEDS:
        return tuple(range(value))
    return tuple(value) if isinstance(value, list) else value


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Experiment(Model):
    """One config: which initializers, on which network and data, trained how, at which seeds."""

    initializer_models: ClassVar[Mapping[str, type[InitializerChoice]]] = INITIALIZER_MODELS

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

    def find_initializer(self, name: str) -> Choice | None:
        """The initializer that a text means: by label, alias, or name if only one has it."""
        for choice in self.initializer:
            if choice.label == name:
                return choice
        canonical = {registry_spelling(name), initializers.ALIASES.get(registry_spelling(name))}
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
    plugins = models_of(
        {name: row.draw for name, row in rows.items()}, InitializerChoice, "Initializer"
    )
    for name, model in plugins.items():
        model.plugin = rows[name]
    models = {**INITIALIZER_MODELS, **plugins}
    extended = create_model(
        "Experiment", __base__=Experiment, initializer=(initializers_field(models), ...)
    )
    extended.initializer_models = models
    return extended
