"""A row of a comparison: its name in a table, its fields in JSON, its cells in a CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from initbench.analysis.comparison import Row
from initbench.files import finite_or_none
from initbench.metrics import METRICS
from initbench.report.views.records import interval_fields
from initbench.report.views.texts import INITIALIZER
from initbench.report.views.view import Cells

#: The column that names a row, where all rows are one config's.
ALONE = "initializer"


def name_cells(row: Row, rows: Sequence[Row]) -> dict[str, str]:
    """The cell that names a row: its initializer, and its config too where rows have several."""
    if len({other.config for other in rows}) == 1:
        return {ALONE: row.initializer}
    same = row.initializer == row.config
    return {INITIALIZER: row.initializer if same else f"{row.config}\n{row.initializer}"}


def name_width(header: Sequence[str]) -> tuple[str, int]:
    """The column of names, and the width that the others leave it in 80 columns."""
    return (INITIALIZER, 16) if INITIALIZER in header else (ALONE, 13)


def row_fields(row: Row) -> dict[str, Any]:
    """One row of a comparison in JSON: its rank, its metrics and its difference to the best."""
    ranks = row.metrics[row.metric]
    return {
        "config": row.config,
        "initializer": row.initializer,
        "setting": row.setting,
        "problem": row.problem,
        "rank": row.rank,
        "metric": row.metric,
        "median": ranks and finite_or_none(ranks.estimate),
        "low": ranks and finite_or_none(ranks.low),
        "high": ranks and finite_or_none(ranks.high),
        "metrics": {name: interval_fields(row.metrics[name]) for name in METRICS},
        "difference": interval_fields(row.difference),
        "pairs": row.pairs,
        "p_value": row.p_value,
        "best_group": row.best_group,
        "standing": row.standing,
        "least_difference": finite_or_none(row.least_difference),
        "seeds_to_decide": row.seeds_to_decide,
        "runs": row.runs,
        "diverged": row.diverged,
        "failed": row.failed,
        "trained": row.trained,
        "trained_share": row.trained / row.runs,
        "iterations_to_target": row.iterations_to_target
        and finite_or_none(row.iterations_to_target.estimate),
        "reached": row.reached,
        "settings": [
            {
                **asdict(s),
                "median": finite_or_none(s.median),
                "worse_by": finite_or_none(s.worse_by),
            }
            for s in row.settings
        ],
        "chosen_by": row.chosen_by,
        "agreeing": row.agreeing,
        "apart": row.apart,
        "on_validation": row.on_validation,
        "beyond": dict(row.beyond),
    }


def comparison_cells(rows: Sequence[Row]) -> Cells:
    """Header and rows of a CSV with one row an initializer."""
    swept = list(dict.fromkeys(key for row in rows for key in row.setting))
    moments = ("estimate", "low", "high")
    ends = ("median", "low", "high")
    header = [
        "problem", "rank", "best_group", "config", "initializer", *swept,
        "runs", "diverged", "failed", "trained",
        *(f"{name}_{end}" for name in METRICS for end in ends),
        "metric", *(f"difference_{moment}" for moment in moments), "pairs", "p_value",
        "iterations_to_target", "reached", "standing", "seeds_to_decide",
    ]  # fmt: skip
    cells = []
    for row in rows:
        intervals = [row.metrics[name] for name in METRICS]
        cells.append(
            [
                row.problem, row.rank, row.best_group, row.config, row.initializer,
                *(row.setting.get(key) for key in swept),
                row.runs, row.diverged, row.failed, row.trained,
                *(i and getattr(i, moment) for i in intervals for moment in moments),
                row.metric,
                *(row.difference and getattr(row.difference, moment) for moment in moments),
                row.pairs, row.p_value,
                row.iterations_to_target and row.iterations_to_target.estimate, row.reached,
                row.standing, row.seeds_to_decide,
            ]
        )  # fmt: skip
    return Cells(header, cells)
