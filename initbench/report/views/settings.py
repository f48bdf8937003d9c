"""What each initializer's other settings of a sweep would have cost, and what it leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from initbench.analysis.comparison import Row
from initbench.analysis.intervals import Interval, median
from initbench.metrics import METRICS
from initbench.report.views.rows import ALONE, name_cells, name_width
from initbench.report.views.texts import (
    INITIALIZER,
    columns,
    difference_cell,
    seeds,
    setting_heading,
)
from initbench.report.views.view import Table


def settings_table(rows: Sequence[Row]) -> Table:
    """What each initializer's other settings would have cost, which is its sensitivity."""
    metric = rows[0].metric
    known = METRICS[metric]
    cells = []
    for row in rows:
        worse = sorted(s.worse_by for s in row.settings if s.setting != row.setting)
        cells.append(
            {
                **name_cells(row, rows),
                **{setting_heading(key): str(value) for key, value in row.setting.items()},
                "settings\ntried": str(len(row.settings)),
                **{
                    f"{name}\nworse by": difference_cell(metric, Interval(x, x, x))
                    for name, x in (
                        ("next best", worse[0]),
                        ("median", median(worse)),
                        ("worst", worse[-1]),
                    )
                },
            }
        )
    header, texts = columns(cells)
    unit = f" in {known.label}{', in percentage points' if known.unit else ''}"
    lines = [
        f"Worse by: the difference of the medians{unit}; + is worse.",
        *_choice_lines(rows),
        *(line for row in rows for line in _hints(row)),
    ]
    return Table(
        "Each initializer's best setting, and how much worse the others are",
        header,
        texts,
        frozenset(header) - {INITIALIZER, ALONE},
        "\n".join(lines),
        name_width(header),
    )


def _choice_lines(rows: Sequence[Row]) -> list[str]:
    chosen_by = sorted({row.chosen_by for row in rows})
    if not all(row.apart for row in rows):
        return [
            "One seed chose each setting and judges it, which flatters the choice: two seeds or "
            "more keep them apart."
        ]
    where = ""
    if any(row.on_validation for row in rows):
        where = " on validation samples, which no run trains on,"
    return [
        f"{seeds(chosen_by)} chose{where} each setting that is shown; in the ranking each seed is "
        "judged at the setting that the other seeds choose, so that none judges its own choice."
    ]


def _hints(row: Row) -> list[str]:
    """What the sweep leaves open: a better setting that did not learn, an edge of the grid."""
    sign = METRICS[row.metric].sign
    shown = next(s.median for s in row.settings if s.setting == row.setting)
    better = [s for s in row.settings if sign * s.median < sign * shown]
    hints = [
        f"{row.initializer}: {_setting_words(s.setting)} has the better median, "
        f"{METRICS[row.metric].text(s.median)}, but fewer than half of its runs learned."
        for s in better
    ]
    for key, value in row.beyond:
        edge = "smallest" if value < row.setting[key] else "largest"
        tried = f"{key} {row.setting[key]:g} is the {edge} value tried"
        hints.append(f"{row.initializer}: {tried}; add {value:g}.")
    return hints


def _setting_words(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in setting.items())
