"""A config's sweep: one document for each point of the grid."""

from __future__ import annotations

import copy
import itertools
import math

from initbench.config.document import Document
from initbench.config.overrides import assign
from initbench.errors import Problem

MAX_GRID = 10_000
#: What a sweep may not vary: words, what is compared anyway, and the sweep itself.
UNSWEPT = frozenset(
    {"name", "description", "reference", "initializer", "seeds", "expect", "gate", "sweep"}
)


def points_of(document: Document) -> list[Document]:
    """One document for each point of the config's sweep, its sweep narrowed to that point."""
    sweep = document.data.get("sweep")
    if not isinstance(sweep, dict) or not all(isinstance(v, list) and v for v in sweep.values()):
        return [document]  # no sweep, or one that the model will judge
    size = math.prod(map(len, sweep.values()))
    problems = []
    for key in sweep:
        if key.split(".")[0] in UNSWEPT:
            place = document.place(("sweep", key), of_key=True)
            problems.append(Problem(place, f"sweep.{key}", f"{key} cannot be swept; remove it"))
    if size > MAX_GRID:
        place = document.place(("sweep",), of_key=True)
        message = f"has {size:,} combinations; at most {MAX_GRID:,} are allowed"
        problems.append(Problem(place, "sweep", message))
    if problems:
        document.problems += problems
        return [document]
    # A point holds neither the sweep nor its places: a grid's memory is not its size squared.
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
