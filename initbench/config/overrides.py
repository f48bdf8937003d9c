"""Overrides: ``KEY=VALUE`` options, which set a document's keys from outside the file."""

from __future__ import annotations

import copy
import itertools
import re
from typing import Any

from pydantic import BaseModel

from initbench.config.document import Document, KeyPath, parse, spelled
from initbench.errors import ConfigError, Place, Problem
from initbench.spec import Experiment
from initbench.spec.by_layer import BY_LAYER, is_layer_key
from initbench.spec.choice import Choice
from initbench.spec.expectations import Expectation, Gate
from initbench.spec.kinds import kinds

#: A key with the keys and the places of items that lead to it.
_KEY = re.compile(r"[^.\[\]]+(\.[^.\[\]]+|\[\d+\])*")


def override(document: Document, option: str, text: str) -> None:
    """Set ``KEY=VALUE`` in the document; KEY may be dotted, as in ``dataset.noise``.

    ``option`` is the option as the user wrote it, which messages name as the place. What is
    wrong with ``text`` is added to the document's problems.
    """
    place = Place(option)
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        example = f"{option}=VALUE" if key.strip() else "--set learning_rate=0.1"
        message = f"must be KEY=VALUE, as in {example}"
        document.problems.append(Problem(place, "", message))
        return
    try:
        parsed = parse(option, value, fixed=place)
    except ConfigError as error:
        document.problems += error.problems
        return
    document.problems += parsed.problems
    # null takes a key away: it gets its default, or is missing. An empty VALUE is none.
    removed = parsed.data is None and bool(value.strip())
    assign(document, key.strip(), parsed.data, place, removed=removed)


def assign(
    document: Document, dotted: str, value: Any, place: Place, *, removed: bool = False
) -> None:
    """Set a dotted key, and remember that it stands at ``place``; or take it away.

    A part may be the place of an item, from 0: ``expect[0].min`` or ``layers.1``.
    """
    *outer, last = _parts(dotted)
    target: Any = document.data
    path: KeyPath = ()
    for part, following in itertools.pairwise([*outer, last]):
        if part == "0" and path == ("initializer",) and not isinstance(target, list):
            continue  # one initializer stands for a list of one
        step = _step(target, part)
        if step is None:
            _refuse(document, place, dotted, path, target)
            return
        inner = target.get(step) if isinstance(target, dict) else target[step]
        if inner is None and not path:
            inner = _default(part)
        path = (*path, step)
        if _may_be_by_layer(path) and is_layer_key(following):
            inner = _for_all_layers(inner)
        if isinstance(inner, str):  # `dataset: circles` grows to {name: circles, noise: ...}
            inner = {"name": inner}
        if not isinstance(inner, dict | list):
            _refuse(document, place, dotted, path, inner)
            return
        document.values.setdefault(path, place)
        target[step] = inner
        target = inner
    step = _step(target, last)
    if step is None:
        _refuse(document, place, dotted, path, target)
        return
    if removed and isinstance(target, dict) and (step in target or _is_known(outer, last)):
        target.pop(step, None)
    else:
        target[step] = value
    whole = (*path, step)
    for places in (document.keys, document.values):
        for stale in [p for p in places if p[: len(whole)] == whole]:
            del places[stale]  # the new value has none of the old one's parts
        places[whole] = place


def _parts(dotted: str) -> list[str]:
    """The parts of a key: ``expect[0].min`` has expect, 0 and min."""
    if dotted.startswith("sweep."):
        return dotted.split(".", 1)  # a key of the sweep is itself dotted: sweep.dataset.noise
    if not _KEY.fullmatch(dotted):
        return [dotted]
    return [part for part in re.split(r"[.\[\]]+", dotted) if part]


def _step(target: Any, part: str) -> str | int | None:
    """A part as a key of a mapping or an index of a list; None where it can be neither."""
    if isinstance(target, list):
        return int(part) if part.isdigit() and int(part) < len(target) else None
    return part if isinstance(target, dict) else None


def _refuse(document: Document, place: Place, dotted: str, path: KeyPath, target: Any) -> None:
    """Add the problem of a key that there is no place for."""
    what = spelled(path)
    message = f"{what} has no keys of its own to set"
    if isinstance(target, list):
        message = f"{what} is a list of {len(target)}, whose items are counted from {what}[0]"
    document.problems.append(Problem(place, dotted, message))


def _is_known(outer: list[str], last: str) -> bool:
    """Whether there is such a key, so that taking it away is no mistake."""
    if not outer:
        return last in Experiment.model_fields
    if outer[0] == "sweep":
        return last.partition(".")[0] in Experiment.model_fields
    if outer[0] in BY_LAYER and is_layer_key(last):
        return True
    models: dict[str, list[type[BaseModel]]] = {
        **{key: list(kind.models.values()) for key, kind in kinds().items()},
        "gate": [Gate],
        "expect": [Expectation],
    }
    return any(last in model.model_fields for model in models.get(outer[0], []))


def _may_be_by_layer(path: KeyPath) -> bool:
    """Whether initializers or biases by layer may stand there: ``initializer[1]``, ``bias``."""
    return path[0] in BY_LAYER and all(isinstance(part, int) for part in path[1:])


def _for_all_layers(inner: Any) -> Any:
    """What stands for all layers by layer: ``he_normal`` is that of the hidden ones and the output.

    A list, and what is by layer already, stays as it is.
    """
    named = isinstance(inner, dict) and "name" in inner
    if named or isinstance(inner, str | int | float):
        return {"hidden": inner, "output": copy.deepcopy(inner)}
    return inner


def _default(key: str) -> str | dict[str, Any] | None:
    """What a config's key has by default: ``circles`` for ``dataset``, ``{}`` for ``sweep``."""
    field = Experiment.model_fields.get(key)
    if key == "bias":
        return {}
    if field and isinstance(field.default, Choice):
        return field.default.name
    return {} if field and isinstance(field.default, dict | Gate) else None
