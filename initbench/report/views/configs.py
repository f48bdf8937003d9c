"""`initbench validate` and `list configs` -> configs as rows: what each asks, what it would run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from initbench.errors import Problem
from initbench.files import envelope
from initbench.report.views.texts import columns
from initbench.report.views.view import Cells, Table, View
from initbench.runs import plan
from initbench.spec import Experiment
from initbench.wording import counted


def named_view(configs: Mapping[str, Path]) -> View:
    """The configs that a bare name stands for, each with the question in its first line."""
    rows = [
        {"name": name, "question": question(path), "file": str(path)}
        for name, path in configs.items()
    ]
    header, texts = columns([{key: row[key] for key in ("name", "question")} for row in rows])
    return View(
        (Table("configs", header, texts, frozenset()),),
        lambda: {"configs": rows},
        lambda: Cells(["name", "question", "file"], [list(row.values()) for row in rows]),
    )


def question(path: Path) -> str:
    """The comment in a config's first line; "" where that is no comment."""
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline().strip()
    return first.lstrip("# ") if first.startswith("#") else ""


def valid_view(experiments: Sequence[Experiment]) -> View:
    """What valid configs would run."""
    rows = [_planned(list(of_config)) for _, of_config in groupby(experiments, lambda e: e.name)]
    header = ("config", "initializers", "settings", "runs", "expectations")
    return View(
        (
            Table(
                f"{counted(len(rows), 'config')}: no mistakes",
                header,
                tuple(tuple(str(row[key]) for key in header) for row in rows),
                frozenset(header[1:]),
            ),
        ),
        lambda: envelope(configs=rows, problems=[]),
        lambda: Cells(header, [list(row.values()) for row in rows]),
    )


def _planned(points: Sequence[Experiment]) -> dict[str, Any]:
    return {
        "config": points[0].name,
        "initializers": len(points[0].initializer),
        "settings": len(points),
        "runs": len(plan.runs(points)),
        "expectations": len(points[0].expect),
    }


def problems_document(problems: Sequence[Problem]) -> dict[str, Any]:
    """What `validate --format json` prints of configs that have mistakes."""
    return envelope(
        configs=[],
        problems=[
            {
                "file": problem.place.source,
                "line": problem.place.line,
                "column": problem.place.column,
                "key": problem.key,
                "message": problem.message,
            }
            for problem in problems
        ],
    )
