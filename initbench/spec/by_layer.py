"""By layer: a mapping that gives layers choices of their own, beside ``{name: ...}``.

Its keys are those of :func:`initbench.core.architecture.layer_key`. It has no key ``name``, which
tells the two kinds of mapping apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from inspect import getdoc
from typing import Annotated, Any, Literal, Union

from annotated_types import MinLen
from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    SerializationInfo,
    Tag,
    create_model,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from initbench.core import initializers
from initbench.core.architecture import layer_key
from initbench.core.by_layer import by_layer
from initbench.core.draw import ChosenInitializer
from initbench.spec.choice import choice_field
from initbench.spec.initializers import InitializerChoice

#: The keys of a config that may be given by layer.
BY_LAYER = ("initializer", "bias")
ROLES = ("first", "hidden", "output")
_KEY = re.compile(rf"{'|'.join(ROLES)}|[1-9][0-9]{{0,4}}")

LayerKey = Annotated[str, Field(pattern=f"^({_KEY.pattern})$")]


class ByLayer(InitializerChoice):
    """Initializers by layer: first, hidden, output, or a layer's number from 1.

    The most specific key wins: the number, then output, then first, then hidden.
    """

    name: Literal["by_layer"] = "by_layer"
    layers: dict[LayerKey, InitializerChoice]

    @model_validator(mode="before")
    @classmethod
    def _in_order(cls, value: Any) -> Any:
        """Equal mappings have one label, in whatever order they are written."""
        return {"layers": dict(sorted(value.items(), key=lambda item: _rank(item[0])))}

    @model_serializer
    def _as_written(self, info: SerializationInfo) -> dict[str, Any]:
        """What a config has for it."""
        return {
            key: one.model_dump(mode=info.mode, exclude_unset=info.exclude_unset)
            for key, one in self.layers.items()
        }

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The mapping, which is all that a config has of this model."""
        made = handler(schema)
        model = handler.resolve_ref_schema(made)
        mapping = model["properties"]["layers"]
        mapping |= {"title": model["title"], "description": getdoc(cls)}
        model.clear()
        model.update(mapping, minProperties=1, additionalProperties=False)
        return made

    def __hash__(self) -> int:
        return hash(tuple(self.layers.items()))

    @property
    def parts(self) -> Mapping[str, InitializerChoice]:
        """The initializer of each key."""
        return self.layers

    def of_layers(self, count: int) -> tuple[InitializerChoice, ...]:
        """The initializer of each of ``count`` layers, which must all have one."""
        return tuple(self.layers[key or ""] for key in self.keys_of(count))

    def keys_of(self, count: int) -> list[str | None]:
        """The key that speaks for each of ``count`` layers; None where none does."""
        return [layer_key(self.layers, number, count) for number in range(1, count + 1)]

    @property
    def chosen(self) -> ChosenInitializer:
        """The initializer of a whole network that the parts make together."""
        return by_layer({key: part.chosen for key, part in self.layers.items()})

    @model_validator(mode="after")
    def _drawable(self) -> ByLayer:
        return self  # each part has been asked

    @property
    def parameters(self) -> dict[str, Any]:
        """None of its own: those of the parts are theirs."""
        return {}

    @property
    def label(self) -> str:
        """The mapping as a config writes it: ``{hidden: he_normal, output: zeros}``."""
        return f"{{{', '.join(f'{key}: {one.label}' for key, one in self.layers.items())}}}"


def _rank(key: object) -> tuple[int, int]:
    """Roles come before numbers, and numbers in their order."""
    if key in ROLES:
        return 0, ROLES.index(str(key))
    return 1, int(key) if isinstance(key, str) and _KEY.fullmatch(key) else 0


def is_layer_key(text: str) -> bool:
    """Whether a text is a key of a mapping by layer.

    >>> [is_layer_key(text) for text in ("hidden", "3", "0", "name")]
    [True, True, False, False]
    """
    return _KEY.fullmatch(text) is not None


def is_by_layer(value: Any) -> bool:
    """Whether plain data are a mapping by layer, or meant to be one: a key may be misspelt."""
    mapping = isinstance(value, Mapping) and "name" not in value
    return mapping and any(is_layer_key(str(key)) for key in value)


def or_by_layer(choice: Any, base: type[ByLayer], name: str) -> Any:
    """The type of a field that holds a ``choice``, or a mapping by layer of such choices.

    Args:
        choice: The type of one choice, as :func:`.choice_field` makes it.
        base: The model of the mapping.
        name: What the model is called in the JSON Schema.
    """
    model = create_model(name, __base__=base, layers=(dict[LayerKey, choice], ...))
    forms = Annotated[choice, Tag("one")], Annotated[model, Tag("by_layer")]
    return Annotated[Union[forms], Discriminator(_form)]  # noqa: UP007


def _form(value: Any) -> str:
    return "by_layer" if isinstance(value, ByLayer) or is_by_layer(value) else "one"


def initializers_field(models: Mapping[str, type[InitializerChoice]]) -> Any:
    """The type of the field that holds one initializer of ``models``, or a list of them."""
    one = choice_field(models, initializers.ALIASES)
    choice = or_by_layer(one, ByLayer, "InitializersByLayer")
    several: Any = tuple[choice, ...]  # type: ignore[valid-type]  # made when called
    one_or_list: Any = choice | list[choice]  # type: ignore[valid-type]
    return Annotated[
        several,
        MinLen(1),
        BeforeValidator(_one_or_several, json_schema_input_type=one_or_list),
        Field(
            description="An initializer's name, {name: ..., parameter: ...}, {hidden: ..., "
            "output: ...} with one for each layer, or a list of these.",
            examples=["he_normal"],
        ),
    ]


def _one_or_several(value: Any) -> Any:
    """One initializer stands for a list of one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)
