"""The parameters of what a config may name, read from the models that validate them.

Lists, explanations and docs are made of these: a default or a bound stands in its model alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from inspect import getdoc
from typing import Any, NamedTuple

from pydantic import BaseModel

#: What a JSON Schema calls a kind of value, and what people call it.
_KINDS = {
    "number": "number", "integer": "whole number", "string": "text", "array": "list of texts",
    "boolean": "true or false", "null": "null",
}  # fmt: skip
_BOUNDS = {
    "minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most",
    "exclusiveMaximum": "below",
}  # fmt: skip


class Parameter(NamedTuple):
    """A key beside ``name``: its default and the values that it takes, as a config writes them.

    ``default`` is None for a parameter that must be given, and ``schema`` is the JSON Schema of its
    values.
    """

    name: str
    default: str | None
    values: str
    meaning: str
    schema: Mapping[str, Any]


def parameters_of(model: type[BaseModel]) -> list[Parameter]:
    """The parameters of a model, in the order of its fields.

    >>> from initbench.spec import ACTIVATION_MODELS
    >>> (slope,) = parameters_of(ACTIVATION_MODELS["leaky_relu"])
    >>> slope.name, slope.default, slope.values, slope.meaning
    ('negative_slope', '0.01', 'number at least 0', 'The slope below 0.')
    """
    return [
        Parameter(
            name,
            written(schema["default"]) if "default" in schema else None,
            _either(_options(schema)),
            schema.get("description", ""),
            {k: v for k, v in schema.items() if k not in ("title", "default", "description")},
        )
        for name, schema in model.model_json_schema()["properties"].items()
        if name != "name"
    ]


def described(function: Callable[..., Any]) -> dict[str, str]:
    """The arguments that a docstring's ``Args:`` section describes, each in a line.

    >>> from initbench.core.activations import elu
    >>> described(elu)["alpha"]
    'Minus the value that phi approaches far below 0.'
    """
    section = re.search(r"^Args:\n((?: +.*\n?|\n)+)", getdoc(function) or "", re.MULTILINE)
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", section[1] if section else "", re.M)
    return {name: " ".join(words.split()).replace("``", "`") for name, words in entries}


def prose(thing: object) -> tuple[str, str]:
    """A docstring's first line without its full stop, and what follows up to its first section.

    >>> from initbench.core.optimizers import gd
    >>> prose(gd)
    ('Gradient descent', 'theta <- theta - learning_rate g.')
    """
    first, _, rest = (getdoc(thing) or "").replace("``", "`").partition("\n")
    body = re.split(r"^[A-Z][a-z]+:$", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return first.rstrip("."), " ".join(body.split())


def _options(schema: Mapping[str, Any]) -> list[str]:
    """What a JSON Schema allows, in words: each kind of value, or each single one."""
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return [words for option in several for words in _options(option)]
    if "enum" in schema:
        return list(map(written, schema["enum"]))
    if "const" in schema:
        return [written(schema["const"])]
    kind = _KINDS.get(schema.get("type", ""), "value")
    bounds = [f"{words} {_figure(schema[key])}" for key, words in _BOUNDS.items() if key in schema]
    if "minimum" in schema and len(bounds) == 2:
        above = bounds[1].removeprefix("at most ")
        return [f"{kind} from {_figure(schema['minimum'])} to {above}"]
    return [f"{kind} {' and '.join(bounds)}" if bounds else kind]


def _either(options: Sequence[str]) -> str:
    *others, last = options
    return f"{', '.join(others)} or {last}" if others else last


def _figure(limit: float) -> str:
    return f"{limit:,}" if isinstance(limit, int) else f"{limit:g}"


def written(value: Any) -> str:
    """A value as a config writes it.

    >>> written(None), written([1e-8, True])
    ('null', '[1e-08, true]')
    """
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    return f"{value:.12g}" if isinstance(value, float) else str(value)
