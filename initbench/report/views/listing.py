"""`initbench list` -> what a config may name, a table a kind."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import getdoc
from types import MappingProxyType
from typing import Any

from initbench.core import activations, initializers, losses, optimizers
from initbench.core.initializers import Initializer
from initbench.interop.frameworks import FRAMEWORKS
from initbench.report.views.view import Cells, Table, View
from initbench.spec import DATASET_MODELS

Row = dict[str, Any]


def list_view(rows: Mapping[str, list[Row]], width: int | None = None) -> View:
    """Some kinds of a :func:`catalogue`; tables are kept within ``width``."""
    return View(
        tuple(catalogue_tables(rows, width)), lambda: dict(rows), lambda: catalogue_cells(rows)
    )


def catalogue(own: Mapping[str, Initializer] = MappingProxyType({})) -> dict[str, list[Row]]:
    """Kind -> rows of name, aliases, formula and reference; ``own`` are the user's initializers."""
    return {
        "initializers": _rows({**initializers.INITIALIZERS, **own}, initializers.ALIASES),
        "frameworks": _rows(FRAMEWORKS, {}),
        "activations": _rows(activations.ACTIVATIONS, activations.ALIASES),
        "datasets": [
            {
                "name": name,
                "aliases": [],
                "formula": (getdoc(model) or "").split("\n")[0].rstrip("."),
                "reference": "-",
            }
            for name, model in DATASET_MODELS.items()
        ],
        "optimizers": _rows(optimizers.OPTIMIZERS, optimizers.ALIASES),
        "losses": [
            {
                "name": name,
                "aliases": [],
                "formula": loss.formula,
                "reference": f"{loss.task} tasks",
            }
            for name, loss in losses.LOSSES.items()
        ],
    }


def _rows(registry: Mapping[str, Any], aliases: Mapping[str, str]) -> list[Row]:
    return [
        {
            "name": name,
            "aliases": [alias for alias, target in aliases.items() if target == name],
            "formula": entry.formula,
            "reference": entry.reference,
        }
        for name, entry in registry.items()
    ]


def catalogue_tables(rows: Mapping[str, list[Row]], width: int | None = None) -> list[Table]:
    """A table a kind, without the columns that are empty all through.

    Where a kind's rows are wider than ``width``, aliases and reference stand under the formula.
    """
    tables = []
    for kind, of_kind in rows.items():
        cells = [{**row, "aliases": ", ".join(row["aliases"])} for row in of_kind]
        header = tuple(key for key in cells[0] if any(row[key] not in ("", "-") for row in cells))
        widest = sum(max(len(key), *(len(row[key]) for row in cells)) + 2 for key in header)
        if width is not None and widest > width and "reference" in header:
            cells = [{**row, "formula": "\n".join(_lines(row))} for row in cells]
            header = ("name", "formula")
        body = tuple(tuple(row[key] for key in header) for row in cells)
        tables.append(Table(kind, header, body, frozenset()))
    return tables


def catalogue_cells(rows: Mapping[str, list[Row]]) -> Cells:
    """Header and rows of a CSV with one row a name."""
    return Cells(
        ["kind", "name", "aliases", "formula", "reference"],
        [
            [kind, row["name"], " ".join(row["aliases"]), row["formula"], row["reference"]]
            for kind, of_kind in rows.items()
            for row in of_kind
        ],
    )


def _lines(row: Mapping[str, str]) -> list[str]:
    reference = "" if row["reference"] == "-" else row["reference"]
    also = f"also {row['aliases']}" if row["aliases"] else ""
    detail = "; ".join(part for part in (reference, also) if part)
    return [row["formula"], detail] if detail else [row["formula"]]
