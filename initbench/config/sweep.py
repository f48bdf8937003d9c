"""Sweep: a config with lists of values for some keys becomes a document for each combination."""

from __future__ import annotations

import copy
import itertools
import math
import re
from collections.abc import Hashable, Sequence
from typing import Any

from pydantic import ValidationError, create_model

from initbench.config.document import Document
from initbench.config.messages import problems_of, shown
from initbench.config.overrides import assign
from initbench.errors import Problem
from initbench.spec import Experiment
from initbench.spec.fields import Model

MAX_GRID = 10_000
#: Keys that cannot be swept: words, what every point shares, and the sweep itself.
UNSWEPT = frozenset(
    {
        "name",
        "description",
        "reference",
        "initializer",
        "seeds",
        "expect",
        "gate",
        "plugins",
        "sweep",
        "max_runs",
    }
)
#: A message about values that are equal names at most so many of them.
LISTED = 5


def points_of(document: Document, model: type[Experiment]) -> list[Document]:
    """A document for each point of the sweep, whose own ``sweep`` holds that point's values.

    Without a sweep, or with one that has problems, it is the document alone. Problems of the sweep
    as a whole, and of the values that it replaces, are added to the document; all others are left
    to the model.
    """
    sweep = document.data.get("sweep")
    if not isinstance(sweep, dict) or not all(isinstance(v, list) and v for v in sweep.values()):
        return [document]
    problems = _problems(document, sweep)
    if problems:
        document.problems += problems
        return [document]
    document.problems += _replaced_values(document, sweep, model)
    # Points do not copy the sweep: it would take memory with the square of the grid's size.
    data = {key: value for key, value in document.data.items() if key != "sweep"}
    keys, values = (
        {path: place for path, place in places.items() if path[:1] != ("sweep",)}
        for places in (document.keys, document.values)
    )
    points = []
    for indices in itertools.product(*(range(len(choices)) for choices in sweep.values())):
        setting = {key: sweep[key][i] for key, i in zip(sweep, indices, strict=True)}
        point = Document(document.source, copy.deepcopy(data), [], {**keys}, {**values})
        for (key, value), index in zip(setting.items(), indices, strict=True):
            assign(point, key, copy.deepcopy(value), document.place(("sweep", key, index)))
        point.data["sweep"] = {key: [value] for key, value in setting.items()}
        points.append(point)
    return points


def _problems(document: Document, sweep: dict[str, list[object]]) -> list[Problem]:
    """Keys that cannot be swept, and too many combinations."""
    problems = []
    for key in sweep:
        first, *others = re.split(r"[.\[\]]+", key)
        if first in UNSWEPT or any(part.isdigit() for part in others):
            place = document.place(("sweep", key), of_key=True)
            problems.append(Problem(place, f"sweep.{key}", f"{key} cannot be swept; remove it"))
    size = math.prod(map(len, sweep.values()))
    if size > MAX_GRID:
        place = document.place(("sweep",), of_key=True)
        message = f"has {size:,} combinations, at most {MAX_GRID:,} are allowed; remove values"
        problems.append(Problem(place, "sweep", message))
    return problems


def _replaced_values(
    document: Document, sweep: dict[str, list[object]], model: type[Experiment]
) -> list[Problem]:
    """Problems of the config's own value of each swept key, although every point replaces it.

    It is judged by itself: what other keys need of it, they need of the swept values.
    """
    own = {
        key: document.data[key]
        for key in dict.fromkeys(key.partition(".")[0] for key in sweep)
        if key in document.data and key in model.model_fields
    }
    fields: dict[str, Any] = {
        key: (model.model_fields[key].annotation, model.model_fields[key]) for key in own
    }
    try:
        create_model("OwnValues", __base__=Model, **fields)(**own)
    except ValidationError as error:
        errors = [each for each in error.errors() if each["type"] != "missing"]
        return [
            problem
            for problem in problems_of(document, errors, model)
            if any(
                problem.key == key or problem.key.startswith((f"{key}.", f"{key}["))
                for key in sweep
            )
        ]
    return []


def equal_values(document: Document, points: Sequence[Experiment]) -> list[Problem]:
    """A problem for the swept values that settle to the same: ``[0.1, 0.10]``, ``[relu, ReLU]``.

    Their runs would count twice, as two settings that are one.

    Args:
        document: The config, with its sweep.
        points: The settled experiment of each point, in the order of :func:`points_of`.
    """
    sweep: dict[str, list[object]] = document.data["sweep"]
    groups: dict[Hashable, list[tuple[int, ...]]] = {}
    indices = itertools.product(*(range(len(values)) for values in sweep.values()))
    for point, index in zip(points, indices, strict=True):
        groups.setdefault(_settled(point), []).append(index)
    equal: dict[tuple[str, int], dict[int, None]] = {}  # a value -> those that are equal to it
    for first, *others in groups.values():
        for other in others:
            differing = [
                (key, a, b) for key, a, b in zip(sweep, first, other, strict=True) if a != b
            ]
            # Points that differ in two values are equal where others differ in each alone.
            if len(differing) == 1:
                [(key, a, b)] = differing
                equal.setdefault((key, a), {})[b] = None
    problems = []
    for (key, a), same in equal.items():
        named = [
            f"{shown(sweep[key][i])} ({document.place(('sweep', key, i))})" for i in (a, *same)
        ]
        more = f" and {len(named) - LISTED:,} more" if len(named) > LISTED else ""
        message = f"{', '.join(named[:LISTED])}{more} give the same runs; keep one of them"
        place = document.place(("sweep", key, next(iter(same))))
        problems.append(Problem(place, f"sweep.{key}", message))
    return problems


def _settled(experiment: Experiment) -> Hashable:
    """All that a sweep can vary, as it is trained."""
    # Zeros that initializers give by themselves are no other biases.
    biases = tuple(map(experiment.biases_of, experiment.initializer))
    others = [key for key in Experiment.model_fields if key not in {*UNSWEPT, "bias"}]
    return biases, *(getattr(experiment, key) for key in others)
