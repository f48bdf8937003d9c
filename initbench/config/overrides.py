"""Overrides: ``KEY=VALUE`` options, which set a document's keys from outside the file."""

from __future__ import annotations

from typing import Any

from initbench.config.document import Document, parse
from initbench.errors import ConfigError, Place, Problem
from initbench.spec import Experiment
from initbench.spec.choice import Choice
from initbench.spec.expectations import Gate


def override(document: Document, option: str, text: str) -> None:
    """Set ``KEY=VALUE`` in the document; KEY may be dotted, as in ``dataset.noise``.

    ``option`` is the option as the user wrote it, which messages name as the place. What is
    wrong with ``text`` is added to the document's problems.
    """
    place = Place(option)
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        message = "must be KEY=VALUE, as in --set learning_rate=0.1"
        document.problems.append(Problem(place, "", message))
        return
    try:
        parsed = parse(option, value, fixed=place)
    except ConfigError as error:
        document.problems += error.problems
        return
    document.problems += parsed.problems
    if parsed.data is None and value.strip() and key.strip() in Experiment.model_fields:
        # null takes a key away: it gets its default, or is missing here. An empty VALUE is none.
        document.data.pop(key.strip(), None)
        document.values[key.strip(),] = place
        return
    assign(document, key.strip(), parsed.data, place)


def assign(document: Document, dotted: str, value: Any, place: Place) -> None:
    """Set a dotted key, and remember that it stands at ``place``."""
    target = document.data
    # A key of the sweep is itself dotted: sweep.dataset.noise sets the values of dataset.noise.
    *outer, last = parts = dotted.split(".", 1 if dotted.startswith("sweep.") else -1)
    for depth, part in enumerate(outer, 1):
        inner = target.get(part)
        if inner is None and depth == 1:
            inner = _default(part)
        if isinstance(inner, str):  # `dataset: circles` grows to {name: circles, noise: ...}
            inner = {"name": inner}
        if not isinstance(inner, dict):
            message = f"{'.'.join(parts[:depth])} has no keys of its own to set"
            document.problems.append(Problem(place, dotted, message))
            return
        target[part] = inner
        target = inner
    target[last] = value
    path = tuple(parts)
    for places in (document.keys, document.values):
        for stale in [p for p in places if p[: len(path)] == path]:
            del places[stale]  # the new value has none of the old one's parts
        places[path] = place


def _default(key: str) -> str | dict[str, Any] | None:
    """What a config's key has by default: ``circles`` for ``dataset``, ``{}`` for ``sweep``."""
    field = Experiment.model_fields.get(key)
    if field and isinstance(field.default, Choice):
        return field.default.name
    return {} if field and isinstance(field.default, dict | Gate) else None
