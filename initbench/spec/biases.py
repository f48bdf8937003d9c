"""The models of a config's ``bias``: what a layer's biases start at, and whether it has any."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from initbench.core import initializers
from initbench.core.draw import ChosenInitializer
from initbench.core.initializers.biases import BIASES
from initbench.spec.by_layer import ByLayer, or_by_layer
from initbench.spec.choice import choice_field, registered
from initbench.spec.initializers import INITIALIZER_MODELS, InitializerChoice


class RuleOfBiases(InitializerChoice):
    """A rule for biases that draws no weights."""

    @property
    def chosen(self) -> ChosenInitializer:
        """The row of :data:`.BIASES` that fills the biases."""
        return ChosenInitializer(self.name, BIASES[self.name], {})


class InitializerBias(RuleOfBiases):
    """The biases that the initializer gives: 0 for most."""

    name: Literal["initializer"] = "initializer"


class NoneBias(RuleOfBiases):
    """No biases: they are 0, and stay so."""

    name: Literal["none"] = "none"


class PriorBias(RuleOfBiases):
    """The log odds of the classes in the train split at the output; hidden biases are 0."""

    name: Literal["prior"] = "prior"

    def of_layers(self, count: int) -> tuple[InitializerChoice, ...]:
        """Zeros for all layers but the output."""
        return (*[ZEROS] * (count - 1), self)


_RULES: dict[str, type[InitializerChoice]] = {
    "initializer": InitializerBias,
    "none": NoneBias,
    "prior": PriorBias,
}
BIAS_MODELS: dict[str, type[InitializerChoice]] = {
    name: _RULES.get(name) or INITIALIZER_MODELS[name] for name in BIASES
}
#: What fills biases where a config says nothing.
OWN = InitializerBias()
ZEROS = BIAS_MODELS["zeros"](name="zeros")
ALIASES = {alias: name for alias, name in initializers.ALIASES.items() if name in BIAS_MODELS}


class BiasesByLayer(ByLayer):
    """Biases by layer: first, hidden, output, or a layer's number from 1.

    The most specific key wins: the number, then output, then first, then hidden. A layer that no
    key speaks for has the biases that its initializer gives.
    """

    def of_layers(self, count: int) -> tuple[InitializerChoice, ...]:
        """What fills the biases of each of ``count`` layers."""
        return tuple(OWN if key is None else self.layers[key] for key in self.keys_of(count))


def _named(value: Any) -> Any:
    """A number as the constant that it stands for; ValueError for what only weights can have."""
    if value is None or isinstance(value, bool):
        got = {None: "null", True: "true", False: "false"}[value]
        fix = "remove the key" if value else "write none for no biases, or zeros"
        raise ValueError(f"must be a name, a number or a mapping, got {got}; {fix}")
    if isinstance(value, int | float):
        return {"name": "constant", "value": value} if value else "zeros"
    name = value.get("name") if isinstance(value, dict) else value
    if isinstance(name, str):
        known = registered(name, INITIALIZER_MODELS, initializers.ALIASES)
        if ":" in name or (known and known not in BIAS_MODELS):
            raise ValueError(
                f"{name} is made for matrices, and biases are a vector; write one of "
                f"{', '.join(BIAS_MODELS)}, or a number"
            )
    return value


_CHOICE: Any = choice_field(BIAS_MODELS, ALIASES)
_ONE: Any = Annotated[_CHOICE, BeforeValidator(_named, json_schema_input_type=float | _CHOICE)]
BIAS_FIELD: Any = or_by_layer(_ONE, BiasesByLayer, "BiasesByLayer")
