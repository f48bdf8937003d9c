"""The page's charts as data: Vega-Lite specifications, and the tables that they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from initbench.report.charts.registry import CHARTS, tables
from initbench.report.charts.style import Panel, Size, by_name, page_config
from initbench.report.views.pictures import Picture

#: The sizes of the panels, in CSS pixels.
SIZES = {
    "curves": Size("container", 260, live=True),
    "seeds": Size("container", 0),
    "forest": Size("container", 0),
    "profile": Size("container", 200),
    "layers": Size("container", 200),
    "sensitivity": Size("container", 200),
    "boundary": Size(150, 150, live=True),
    "activations": Size("container", 84, live=True),
    "weights": Size("container", 150, live=True),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """A chart's place in the page: the id of its specification, and what tells it from others."""

    chart: str
    key: str
    picture: Picture


@dataclass(slots=True)
class Charts:
    """The specifications and tables of a page, gathered while it is written."""

    specs: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, picture: Picture, shared: str = "") -> list[Slot]:
        """Take in a picture under a name of its own; a slot for each of its panels.

        Pictures of the same numbers have the same ``shared`` name for their tables.
        """
        prefix = f"{shared or name}_"
        for table, rows in tables(picture).items():
            self.tables[prefix + table] = packed(rows)
        panels = CHARTS[picture.kind](picture, by_name(prefix), SIZES[picture.kind], None)
        return [self._slot(name, number, panel, picture) for number, panel in enumerate(panels)]

    def _slot(self, name: str, number: int, panel: Panel, picture: Picture) -> Slot:
        chart = f"{name}_{number}"
        spec = panel.chart.to_dict(validate=False)  # which tests do, and which takes seconds
        for unused in ("$schema", "config"):
            spec.pop(unused, None)
        self.specs[chart] = spec
        return Slot(chart, panel.key, picture)

    def payload(self) -> dict[str, Any]:
        """All of it, as the page's script reads it."""
        return {"config": page_config(), "charts": self.specs, "tables": self.tables}


def packed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A table by columns, and what is repeated as its number: a third of the bytes of its rows.

    >>> packed([{"name": "he", "x": 1.5}, {"name": "he", "x": 2.5}])
    {'rows': 2, 'columns': {'name': {'values': ['he'], 'codes': [0, 0]}, 'x': [1.5, 2.5]}}
    """
    keys = dict.fromkeys(key for row in rows for key in row)
    return {"rows": len(rows), "columns": {k: _column([row.get(k) for row in rows]) for k in keys}}


def _column(values: Sequence[Any]) -> Any:
    """The values, or where few differ, these and their number in each row."""
    kinds = {type(value) for value in values}
    if kinds not in ({str}, {int}):  # numbers of two types may be equal
        return values
    numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
    if 2 * len(numbers) > len(values):
        return values
    return {"values": list(numbers), "codes": [numbers[value] for value in values]}


def by_series(slots: Iterable[Slot], name: str) -> list[Slot]:
    """The slots of one initializer: its own, or those of its layers."""
    return [s for s in slots if s.key == name or s.key.startswith(f"{name}, layer ")]
