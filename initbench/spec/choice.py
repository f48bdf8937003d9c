"""Choice: a model for each entry of a registry, made of its function's signature.

A config names an entry alone, or with parameters, as ``{name: ..., parameter: ...}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from inspect import Parameter, signature, unwrap
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    create_model,
)

from initbench.core.initializers import GAIN_WORDS
from initbench.spec.fields import Model
from initbench.spec.parameters import described


class Choice(Model):
    """One entry of a registry with its parameters: a name, or ``{name: ..., parameter: ...}``."""

    name: str

    @classmethod
    def with_dependent_defaults(cls, value: dict[str, Any]) -> dict[str, Any]:
        """The keys that a config gives, completed with the defaults that depend on them."""
        return value

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


def registry_spelling(name: str) -> str:
    """A name in the spelling of the registries: snake_case, without a trailing underscore.

    Names in other libraries' spellings are found that way.

    >>> [registry_spelling(name) for name in ("HeNormal", "kaiming_normal_", "SiLU", "ReLU")]
    ['he_normal', 'kaiming_normal', 'silu', 'relu']
    """
    if not name.islower():
        name = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", name).lower()
    return name.rstrip("_")


def registered(
    name: str, models: Mapping[str, type[Choice]], aliases: Mapping[str, str]
) -> str | None:
    """The registered name that a name stands for, in any library's spelling; None if none."""
    respelled = registry_spelling(name)
    spellings = (name, aliases.get(name), respelled, aliases.get(respelled))
    return next((each for each in spellings if each in models), None)


def parameter_fields(function: Callable[..., Any]) -> dict[str, Any]:
    """A registered function's keyword parameters, as fields that its docstring describes.

    A keyword that a ``partial`` has fixed is no parameter.
    """
    fixed: Mapping[str, Any] = {}
    plain = function
    if isinstance(function, partial):
        plain, fixed = function.func, function.keywords
    plain = unwrap(plain)
    hints = get_type_hints(plain, include_extras=True)
    words = described(plain)
    return {
        name: (
            Annotated[_with_gain_words(hints[name]), Field(description=words.get(name))],
            ... if parameter.default is Parameter.empty else parameter.default,
        )
        for name, parameter in signature(plain).parameters.items()
        if parameter.kind is Parameter.KEYWORD_ONLY and name not in fixed
    }


def _with_gain_words(hint: Any) -> Any:
    """A parameter's type; that of a gain accepts words (``exact``) besides numbers.

    Pydantic tells words from numbers before it validates, so that a mistake gets one message.
    """
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if not any(GAIN_WORDS in getattr(option, "__metadata__", ()) for option in options):
        return hint
    word: Any = Literal[GAIN_WORDS]
    number: Any = Annotated[next(o for o in options if o is not NoneType), Tag("number")]
    forms: list[Any] = [number, Annotated[word, Tag("word")]]
    if NoneType in options:
        forms.append(Annotated[None, Tag("null")])
    union: Any = Union[tuple(forms)]  # noqa: UP007
    return Annotated[union, Discriminator(_word_null_or_number)]


def _word_null_or_number(value: Any) -> str:
    if isinstance(value, str):
        return "word"
    return "number" if value is not None else "null"


def _normalizer(
    models: Mapping[str, type[Choice]], aliases: Mapping[str, str]
) -> Callable[[Any], Any]:
    """The function that runs before validation: it makes a bare name {name: ...}, without aliases.

    The name becomes the registered one, and defaults that depend on other keys are filled in.
    """

    def normalize(value: Any) -> Any:
        if isinstance(value, str):
            value = {"name": value}
        if isinstance(value, Mapping) and isinstance(value.get("name"), str):
            known = registered(value["name"], models, aliases)
            if known is not None:
                return models[known].with_dependent_defaults({**value, "name": known})
        return value

    return normalize


def choice_field(models: Mapping[str, type[Choice]], aliases: Mapping[str, str]) -> Any:
    """The type of a field that holds one of ``models``, which their names tell apart."""
    types: Any = tuple(models.values())
    union: Any = Annotated[Union[types], Field(discriminator="name")]  # noqa: UP007
    names: Any = Literal[(*models, *aliases)]
    before = BeforeValidator(_normalizer(models, aliases), json_schema_input_type=names | union)
    return Annotated[union, before]


ChoiceT = TypeVar("ChoiceT", bound=Choice)


def models_of(
    registry: Mapping[str, Callable[..., Any]],
    base: type[ChoiceT],
    kind: str,
    skip: frozenset[str] = frozenset(),
) -> dict[str, type[ChoiceT]]:
    """A model for each function of a registry; its fields are the function's keyword parameters.

    The models' names end in ``kind`` (``"Initializer"``); users see them in the JSON Schema.
    ``skip`` names parameters that a config gives elsewhere.
    """
    models: dict[str, type[ChoiceT]] = {}
    for name, function in registry.items():
        fields = {k: v for k, v in parameter_fields(function).items() if k not in skip}
        literal: Any = Literal[name]
        models[name] = create_model(
            model_name(name, kind), __base__=base, name=(literal, name), **fields
        )
    return models


def model_name(name: str, kind: str) -> str:
    """The name of a registry entry's model, and so of its definition in the JSON Schema.

    It ends in the kind, since two registries may share a name: pydantic would tell such models
    apart by the modules that define them.

    >>> model_name("identity", "Activation"), model_name("torch:nn.init.kaiming_normal_", "Row")
    ('IdentityActivation', 'TorchNnInitKaimingNormalRow')
    """
    words = re.findall(r"[A-Za-z0-9]+", name)
    return "".join(word[0].upper() + word[1:] for word in words) + kind
