"""Experiment: the model of a config, with the bound and the default of each key.

Messages, the JSON Schema and the tests of bad input are made from these models. The names and
parameters of initializers, activations and optimizers come from core's registries: each
function's keyword parameters become the fields of a model.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
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
from initbench.core.architecture import Architecture
from initbench.core.draw import ChosenBiases
from initbench.core.gains import torch_gain
from initbench.core.initializers import Initializer
from initbench.files import PARTIAL
from initbench.printable import hidden
from initbench.spec.biases import BIAS_FIELD, OWN
from initbench.spec.by_layer import initializers_field
from initbench.spec.choice import Choice, choice_field, models_of, registry_spelling
from initbench.spec.datasets import DATASET_MODELS, CirclesDataset, ResplitDataset
from initbench.spec.expectations import Expectation, Gate
from initbench.spec.fields import Model, Seed, as_tuple
from initbench.spec.initializers import (
    INITIALIZER_MODELS,
    InitializerChoice,
)

MAX_SEEDS = 100_000
#: Runs that a config may ask for, unless it says more: their records fill about 1 GB.
MAX_RUNS = 1_000_000
#: A range of seeds, both ends included.
RANGE = r"(\d{1,10})-(\d{1,10})"
MAX_LOG_POINTS = 100_000
#: Names of initbench's own files in the results folder, which no config may have.
RESERVED_NAMES = frozenset({"comparison", "baseline", "runs"})
#: Bytes of a config's name in UTF-8. File systems allow 255 for a name with its endings.
MAX_NAME_BYTES = 200
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)

Width = Annotated[int, Ge(1)]
SeedRange = Annotated[str, Field(pattern=f"^{RANGE}$")]

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
    DatasetChoice: TypeAlias = ResplitDataset
    Biases: TypeAlias = InitializerChoice
else:
    Initializers = initializers_field(INITIALIZER_MODELS)
    ActivationChoice = choice_field(ACTIVATION_MODELS, activations.ALIASES)
    OptimizerChoice = choice_field(OPTIMIZER_MODELS, optimizers.ALIASES)
    DatasetChoice = choice_field(DATASET_MODELS, {})
    Biases = BIAS_FIELD


def stated_seeds(value: Any) -> Any:
    """A count of seeds, n, stands for 0 ... n - 1, and a text ``3-5`` for 3, 4, 5."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_SEEDS:
        return tuple(range(value))
    if isinstance(value, str) and (stated := _range(value)) is not None:
        return tuple(stated)
    if not isinstance(value, list):
        return value
    seeds: list[Any] = []
    for item in value:
        stated = _range(item) if isinstance(item, str) else None
        seeds += [item] if stated is None else stated
        if len(seeds) > MAX_SEEDS:
            raise ValueError(f"lists more than {MAX_SEEDS:,} seeds; remove some")
    return tuple(seeds)


def _range(text: str) -> range | None:
    """The seeds of ``FIRST-LAST``, both included; None for any other text."""
    match = re.fullmatch(RANGE, text)
    if match is None:
        return None
    first, last = map(int, match.groups())
    if first > last:
        raise ValueError(f"{text} has no seed; write {last}-{first}")
    seeds = range(first, last + 1)
    if len(seeds) > MAX_SEEDS:
        raise ValueError(f"{text} has {len(seeds):,} seeds; at most {MAX_SEEDS:,} are allowed")
    return seeds


def _no_file_name(name: str) -> str:
    """Why no results can be written under a name, or "" where they can."""
    if unseen := hidden(name):
        return f"holds {' and '.join(unseen)}, which nobody sees"
    if name.lower() in RESERVED_NAMES:
        return "is the name of initbench's own results"
    if name.lower().endswith(PARTIAL):
        return (
            f"ends in {PARTIAL}, as the results of a command that was interrupted do: they are "
            "removed when it completes"
        )
    if _DEVICE.fullmatch(name) or name.endswith((".", " ")):
        return "is no name of a file on Windows"
    size = len(name.encode())
    if size > MAX_NAME_BYTES:
        return f"has {size} bytes, and a name of files may have {MAX_NAME_BYTES}"
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return f"cannot be written in this system's encoding, {sys.getfilesystemencoding()}"
    return ""


class Experiment(Model):
    """A config: initializers to train, on one network and data set, at the same seeds."""

    initializer_models: ClassVar[Mapping[str, type[InitializerChoice]]] = INITIALIZER_MODELS

    initializer: Initializers
    layers: (
        Annotated[
            tuple[Width, ...],
            MinLen(2),
            BeforeValidator(as_tuple, json_schema_input_type=list[Width]),
            Field(
                description="Sizes of the layers, from the input to the output.",
                examples=[[2, 10, 5, 1]],
            ),
        ]
        | None
    ) = None
    width: Annotated[Width | None, Field(description="Size of every hidden layer.")] = None
    depth: Annotated[
        Annotated[int, Ge(1), Le(10_000)] | None, Field(description="Number of hidden layers.")
    ] = None
    iterations: Annotated[
        int,
        Ge(1),
        Le(10**9),
        Field(description="Number of updates of the weights.", examples=[15000]),
    ]
    learning_rate: Annotated[
        float, Gt(0), Field(description="Step size of the optimizer.", examples=[0.01])
    ]
    activation: Annotated[
        ActivationChoice, Field(description="Activation of the hidden layers.")
    ] = ACTIVATION_MODELS["relu"](name="relu")
    bias: Annotated[
        Biases,
        Field(
            description="What biases start at: a name, a number, {name: ..., parameter: ...}, or "
            "{hidden: ..., output: ...}."
        ),
    ] = OWN
    dataset: Annotated[
        DatasetChoice, Field(description="A data set's name, or {name: ..., parameter: ...}.")
    ] = CirclesDataset()
    optimizer: Annotated[
        OptimizerChoice, Field(description="An optimizer's name, or {name: ..., parameter: ...}.")
    ] = OPTIMIZER_MODELS["gd"](name="gd")
    batch_size: Annotated[
        Annotated[int, Ge(1)] | None,
        Field(description="Samples in each update; null for all of them."),
    ] = None
    seeds: Annotated[
        tuple[Seed, ...],
        MinLen(1),
        BeforeValidator(
            stated_seeds,
            json_schema_input_type=Annotated[int, Ge(1), Le(MAX_SEEDS)]
            | SeedRange
            | list[Seed | SeedRange],
        ),
        Field(
            description="A list of seeds and of ranges such as 0-9, or their number n: 0 to n - 1."
        ),
    ] = tuple(range(10))
    dtype: Annotated[
        Literal["float64", "float32"],
        Field(description="Type of the weights and of all arithmetic."),
    ] = "float64"
    log_every: Annotated[
        int, Ge(1), Field(description="Iterations from one point of the curve to the next.")
    ] = 1000
    sweep: Annotated[
        dict[str, Annotated[tuple[Any, ...], MinLen(1), BeforeValidator(as_tuple)]],
        Field(description="key: [values] for each swept key; every combination is run."),
    ] = {}  # noqa: RUF012 - a model copies its defaults
    expect: Annotated[
        tuple[Expectation, ...],
        BeforeValidator(as_tuple, json_schema_input_type=list[Expectation]),
        Field(description="What `check` expects of the runs."),
    ] = ()
    gate: Annotated[
        Gate, Field(description="How large a change `check` takes for a regression.")
    ] = Gate()
    max_runs: Annotated[
        int,
        Ge(1),
        Field(description="Runs (settings x initializers x seeds) that the config may ask for."),
    ] = MAX_RUNS
    plugins: Annotated[
        tuple[str, ...],
        BeforeValidator(as_tuple, json_schema_input_type=list[str]),
        Field(
            description="Python files with your own initializers, relative to the config. They run "
            "only with --trust-plugins, or where --plugin names them."
        ),
    ] = ()
    name: Annotated[
        str,
        Field(
            pattern=r"^[^./\\:*?\"<>|\s\x00-\x1f][^/\\:*?\"<>|\x00-\x1f]{0,99}$",
            description="Name of the results; by default the file's name without its ending.",
        ),
    ]
    description: Annotated[str, Field(description="What the config is for, in words.")] = ""
    reference: Annotated[str, Field(description="Paper or article that it comes from.")] = ""

    @field_validator("initializer")
    @classmethod
    def _named_once(cls, choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
        labels = Counter(choice.label for choice in choices)
        if twice := {label for label, count in labels.items() if count > 1}:
            raise ValueError(f"lists {', '.join(sorted(twice))} twice; keep one")
        return choices

    @field_validator("activation")
    @classmethod
    def _has_a_torch_gain(cls, activation: Choice, info: ValidationInfo) -> Choice:
        for choice in info.data.get("initializer", ()):
            if any(part.parameters.get("gain") == "torch" for part in choice.parts.values()):
                torch_gain(activation.name, activation.parameters)
        return activation

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            twice = sorted(seed for seed, count in Counter(seeds).items() if count > 1)
            raise ValueError(f"lists {', '.join(map(str, twice[:5]))} twice; keep one of each")
        return seeds

    @field_validator("name")
    @classmethod
    def _names_files(cls, name: str) -> str:
        if problem := _no_file_name(name):
            raise ValueError(f"{name!r} {problem}; choose another")
        return name

    @model_validator(mode="after")
    def _consistent(self) -> Experiment:
        by_width = self.width is not None or self.depth is not None
        if self.layers is not None and by_width:
            both = self.width is not None and self.depth is not None
            least = "layers" if both else "width" if self.width is not None else "depth"
            raise ValueError(
                "layers and width or depth both give the network's sizes; remove one of the forms, "
                f"as with --set {least}=null"
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
    def architecture(self) -> Architecture:
        """The network that the config describes.

        Raises ValueError while its sizes are unknown: ``config.load`` takes them from the data set.
        """
        if self.layers is None:
            raise ValueError("the sizes depend on the data set: load the config with config.load")
        activation = self.activation
        unbiased = frozenset(index for index, rule in enumerate(self.biases) if rule.name == "none")
        return Architecture(
            self.layers,
            np.dtype(self.dtype),
            activation.name,
            activation.parameters,
            unbiased=unbiased,
        )

    @property
    def biases(self) -> tuple[InitializerChoice, ...]:
        """What fills the biases of each layer, from the first to the last; sizes must be known."""
        return self.bias.of_layers(len(self.layers or ()) - 1)

    def biases_of(self, initializer: InitializerChoice) -> tuple[InitializerChoice, ...]:
        """:attr:`biases`, where zeros that the initializer gives by itself are its own."""
        rules = self.biases
        return tuple(
            OWN if rule.name == "zeros" and layer.leaves_biases_at_0 else rule
            for rule, layer in zip(rules, initializer.of_layers(len(rules)), strict=True)
        )

    @property
    def chosen_biases(self) -> ChosenBiases:
        """What fills the biases of each layer; None for those that the initializer gives."""
        return tuple(None if rule == OWN else rule.chosen for rule in self.biases)

    def find_initializer(self, name: str) -> Choice | None:
        """The initializer with this label, or the only one with this name or alias, or None."""
        for choice in self.initializer:
            if choice.label == name:
                return choice
        canonical = {registry_spelling(name), initializers.ALIASES.get(registry_spelling(name))}
        named = [choice for choice in self.initializer if choice.name in canonical]
        return named[0] if len(named) == 1 else None

    @property
    def setting(self) -> dict[str, Any]:
        """This point of the sweep, as key -> value; ``{}`` without a sweep."""
        return {key: values[0] for key, values in self.sweep.items()}


def with_initializers(rows: Mapping[str, Initializer]) -> type[Experiment]:
    """Experiment with more initializers to name: ``rows``, a plugin's. No registry changes."""
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
