"""Beside a ranking: a sweep as a matrix, a summary of several problems, and who else would win."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from initbench.analysis.comparison import Row
from initbench.analysis.overview import Matrix, MatrixCell, Score, disagreement
from initbench.files import finite_or_none
from initbench.metrics import METRICS
from initbench.report.views.texts import setting_heading
from initbench.report.views.view import Table
from initbench.wording import counted

INITIALIZER = "initializer"
#: More columns of numbers do not fit into 80 characters.
COLUMNS = 8


def matrix_tables(matrix: Matrix) -> list[Table]:
    """A row an initializer, a column a value of the swept key; further tables for many values."""
    return [
        _matrix_table(matrix, start, last=start + COLUMNS >= len(matrix.values))
        for start in range(0, len(matrix.values), COLUMNS)
    ]


def _matrix_table(matrix: Matrix, start: int, *, last: bool) -> Table:
    known = METRICS[matrix.metric]
    several = len({row.config for row in matrix.rows}) > 1
    heading = setting_heading(matrix.key).replace("\n", " ")
    columns = slice(start, start + COLUMNS)
    header = (INITIALIZER, *map(str, matrix.values[columns]))
    rows, strong = [], set()
    for number, row in enumerate(matrix.rows):
        name = f"{row.config}, {row.initializer}" if several else row.initializer
        cells = [
            _matrix_cell(matrix.metric, cell, best=index == row.best)
            for index, cell in enumerate(row.cells)
        ][columns]
        rows.append((name, *cells))
        if row.best is not None and start <= row.best < start + COLUMNS:
            strong.add((number, row.best - start + 1))
    fixed = "".join(f", {key} {value}" for key, value in matrix.fixed.items())
    unit = f" in {known.unit}" if known.unit else ""
    return Table(
        f"{known.label.capitalize()}{unit} by {heading}{fixed}",
        header,
        tuple(rows),
        frozenset(header[1:]),
        "Median over all seeds, and below it how many runs learned; > marks the best of each "
        "row in which any learned. This describes the sweep: the ranking judges no seed by its own "
        "choice."
        if last
        else "",
        (INITIALIZER, 13),
        strong=frozenset(strong),
    )


def _matrix_cell(metric: str, cell: MatrixCell | None, *, best: bool) -> str:
    if cell is None:
        return ""
    text = "-" if cell.median is None else METRICS[metric].text(cell.median)
    return f"{'> ' * best}{text}\n{cell.trained}/{cell.runs}"


def scores_table(scores: Sequence[Score]) -> Table:
    """A row an initializer, over all problems of the comparison."""
    header = (INITIALIZER, "mean\nrank", "wins", "ties", "losses", "problems")
    rows = tuple(
        (s.name, f"{s.mean_rank:.2f}", str(s.wins), str(s.ties), str(s.losses), str(s.problems))
        for s in scores
    )
    return Table(
        f"Over {counted(max(s.problems for s in scores), 'problem')}",
        header,
        rows,
        frozenset(header[1:]),
        "An initializer wins against each row of a problem that is told from the best while it is "
        "not itself (*). Rows that both have the mark, or both lack it, tie.",
        (INITIALIZER, 30),
    )


def disagreement_lines(rows: Sequence[Row]) -> list[str]:
    """A line where the train and the test ranking have different winners."""
    found = disagreement(rows)
    if found is None:
        return []
    metric, first, other = found
    names = [
        row.initializer if first.config == other.config else f"{row.config}, {row.initializer}"
        for row in (first, other)
    ]
    return [f"Ranked by {METRICS[metric].label} the best would be {names[1]}, not {names[0]}."]


def matrix_fields(matrix: Matrix) -> dict[str, Any]:
    """A matrix as JSON holds it."""
    return {
        **asdict(matrix),
        "values": list(matrix.values),
        "rows": [
            {
                "config": row.config,
                "initializer": row.initializer,
                "best": row.best,
                "cells": [
                    cell and {**asdict(cell), "median": finite_or_none(cell.median)}
                    for cell in row.cells
                ],
            }
            for row in matrix.rows
        ],
    }
