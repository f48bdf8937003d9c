"""The models of a config's ``initializer``: a model for each registered initializer.

A model is made of a function's keyword parameters, whose bounds and defaults stand in its
signature alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from initbench.core import initializers
from initbench.core.draw import ChosenInitializer
from initbench.core.initializers import GAIN_WORDS, Initializer
from initbench.core.initializers.biases import WITHOUT_BIASES
from initbench.core.initializers.dialects import (
    DIALECTS,
    Dialect,
    equivalent_of,
    incompatibility,
    with_dialect_defaults,
)
from initbench.interop import frameworks
from initbench.spec.choice import Choice, models_of


class InitializerChoice(Choice):
    """An initializer with its parameters, as a config names it.

    ``plugin`` is the registry row of a plugin's initializer, which stands in no registry; it is
    None for all others.
    """

    plugin: ClassVar[Initializer | None] = None

    @property
    def chosen(self) -> ChosenInitializer:
        """The initializer that draws the weights, with its parameters; a dialect chooses both."""
        if self.plugin is not None:
            return ChosenInitializer(self.name, self.plugin, self.parameters)
        name, parameters = equivalent_of(self.name, self.parameters)
        return ChosenInitializer(self.name, frameworks.ROWS[name], parameters)

    @property
    def parts(self) -> Mapping[str, InitializerChoice]:
        """The initializers by the layers' keys; this one alone, by no key, where it is for all."""
        return {"": self}

    def of_layers(self, count: int) -> tuple[InitializerChoice, ...]:
        """The initializer of each of ``count`` layers, which must all have one."""
        return (self,) * count

    @property
    def leaves_biases_at_0(self) -> bool:
        """Whether the biases of the layers that it draws are known to be 0."""
        by_layers = self.chosen.initializer.scope == "layer"
        return by_layers or (self.plugin is None and self.chosen.name in WITHOUT_BIASES)

    @classmethod
    def with_dependent_defaults(cls, value: dict[str, Any]) -> dict[str, Any]:
        """Add the dialect's own defaults, so that the parameters say what is drawn."""
        name, dialect = value["name"], value.get("dialect")
        for known in DIALECTS:
            if dialect == known and name in DIALECTS[known]:
                return with_dialect_defaults(known, name, value)
        return value

    @model_validator(mode="after")
    def _drawable(self) -> InitializerChoice:
        # A plugin may have a parameter called dialect, with a meaning of its own.
        if self.plugin is None and (
            problem := incompatibility(self.name, self.parameters) or frameworks.missing(self.name)
        ):
            raise ValueError(problem)
        row, parameters = self.chosen.initializer, self.chosen.parameters
        if row.law is not None and row.scope == "layer" and self.plugin is None:
            # The law raises ValueError where parameters do not fit each other; for that any number
            # may stand for a gain's word. A plugin's law need not accept this shape.
            words = {key: 1.0 for key, value in parameters.items() if value in GAIN_WORDS}
            row.law((1, 1), **{**parameters, **words})
        return self


class OwnInitializerChoice(InitializerChoice):
    """One of initbench's own initializers, which may speak a framework's dialect."""

    dialect: Annotated[
        Dialect | None,
        Field(description="Draw what this framework draws under this name, by its defaults."),
    ] = None


INITIALIZER_MODELS: dict[str, type[InitializerChoice]] = {
    **models_of(
        {k: v.draw for k, v in initializers.INITIALIZERS.items()},
        OwnInitializerChoice,
        "Initializer",
    ),
    **models_of(
        {k: v.draw for k, v in frameworks.FRAMEWORKS.items()}, InitializerChoice, "Initializer"
    ),
}
