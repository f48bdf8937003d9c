"""Sweep: a config with lists of values for some keys becomes a document for each combination."""

from __future__ import annotations

import copy
import itertools
import math

from initbench.config.document import Document
from initbench.config.overrides import assign
from initbench.errors import Problem

MAX_GRID = 10_000
#: Keys that cannot be swept: words, what every point shares, and the sweep itself.
UNSWEPT = frozenset(
    {"name", "description", "reference", "initializer", "seeds", "expect", "gate", "sweep"}
)


def points_of(document: Document) -> list[Document]:
    """A document for each point of the sweep, whose own ``sweep`` holds that point's values.

    Without a sweep, or with one that has problems, it is the document alone; problems of the
    sweep as a whole are added to it, all others are left to the model.
    """
    sweep = document.data.get("sweep")
    if not isinstance(sweep, dict) or not all(isinstance(v, list) and v for v in sweep.values()):
        return [document]
    problems = _problems(document, sweep)
    if problems:
        document.problems += problems
        return [document]
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
        if key.split(".")[0] in UNSWEPT:
            place = document.place(("sweep", key), of_key=True)
            problems.append(Problem(place, f"sweep.{key}", f"{key} cannot be swept; remove it"))
    size = math.prod(map(len, sweep.values()))
    if size > MAX_GRID:
        place = document.place(("sweep",), of_key=True)
        message = f"has {size:,} combinations, at most {MAX_GRID:,} are allowed; remove values"
        problems.append(Problem(place, "sweep", message))
    return problems
