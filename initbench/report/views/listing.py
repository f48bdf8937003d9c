"""`initbench list` -> what a config may name: a table a kind, and one of the kind's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from initbench.core import activations, initializers, losses, optimizers
from initbench.core.initializers.biases import BIASES
from initbench.interop.frameworks import FRAMEWORKS
from initbench.report.views.parameters import default, parameter_fields, shared_tables
from initbench.report.views.view import Cells, Table, View
from initbench.spec import DATASET_MODELS, Experiment
from initbench.spec.biases import ALIASES as BIAS_ALIASES
from initbench.spec.kinds import kinds
from initbench.spec.parameters import Parameter, parameters_of, prose

Row = dict[str, Any]
#: What a table of a kind has of each row.
TEXTS = ("name", "aliases", "formula", "reference")
PLURALS = {"bias": "biases"}


def list_view(rows: Mapping[str, list[Row]], width: int | None = None) -> View:
    """Some kinds of a :func:`catalogue`; tables are kept within ``width``."""
    return View(
        tuple(catalogue_tables(rows, width)), lambda: _document(rows), lambda: catalogue_cells(rows)
    )


def catalogue(model: type[Experiment] = Experiment) -> dict[str, list[Row]]:
    """Kind -> rows of name, aliases, formula, reference and parameters.

    ``model`` knows the user's own initializers.
    """
    own = {name: one.plugin for name, one in model.initializer_models.items() if one.plugin}
    rows = {
        "initializers": _rows({**initializers.INITIALIZERS, **own}, initializers.ALIASES),
        "frameworks": _rows(FRAMEWORKS, {}),
        "biases": _rows(BIASES, BIAS_ALIASES),
        "activations": _rows(activations.ACTIVATIONS, activations.ALIASES),
        "datasets": [
            {
                "name": name,
                "aliases": [],
                "formula": prose(dataset)[0],
                "reference": "-",
            }
            for name, dataset in DATASET_MODELS.items()
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
    models = {PLURALS.get(key, f"{key}s"): kind.models for key, kind in kinds(model).items()}
    models["frameworks"] = models["initializers"]
    return {
        kind: [
            {**row, "parameters": parameters_of(known[row["name"]]) if known else []}
            for row in of_kind
        ]
        for kind, of_kind in rows.items()
        for known in (models.get(kind),)
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
        cells = [
            {**{key: row[key] for key in TEXTS}, "aliases": ", ".join(row["aliases"])}
            for row in of_kind
        ]
        header = tuple(key for key in cells[0] if any(row[key] not in ("", "-") for row in cells))
        widest = sum(max(len(key), *(len(row[key]) for row in cells)) + 2 for key in header)
        if width is not None and widest > width and "reference" in header:
            cells = [{**row, "formula": "\n".join(_lines(row))} for row in cells]
            header = ("name", "formula")
        body = tuple(tuple(row[key] for key in header) for row in cells)
        tables.append(Table(kind, header, body, frozenset()))
        tables += shared_tables(kind, {row["name"]: row["parameters"] for row in of_kind})
    return tables


def _document(rows: Mapping[str, list[Row]]) -> dict[str, Any]:
    """What `list --format json` prints."""
    return {
        kind: [{**row, "parameters": parameter_fields(row["parameters"])} for row in of_kind]
        for kind, of_kind in rows.items()
    }


def catalogue_cells(rows: Mapping[str, list[Row]]) -> Cells:
    """Header and rows of a CSV with one row a name."""
    return Cells(
        ["kind", "name", "aliases", "formula", "reference", "parameters"],
        [
            [
                kind,
                row["name"],
                " ".join(row["aliases"]),
                row["formula"],
                row["reference"],
                "; ".join(map(_in_a_cell, row["parameters"])),
            ]
            for kind, of_kind in rows.items()
            for row in of_kind
        ],
    )


def _in_a_cell(parameter: Parameter) -> str:
    return f"{parameter.name}: {default(parameter)} ({parameter.values})"


def _lines(row: Mapping[str, str]) -> list[str]:
    reference = "" if row["reference"] == "-" else row["reference"]
    also = f"also {row['aliases']}" if row["aliases"] else ""
    detail = "; ".join(part for part in (reference, also) if part)
    return [row["formula"], detail] if detail else [row["formula"]]
