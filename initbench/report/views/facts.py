"""`initbench explain` of an activation, optimizer, data set or loss: facts and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from initbench.files import envelope
from initbench.report.views.parameters import default, parameter_fields, parameters_tables
from initbench.report.views.texts import figure
from initbench.report.views.view import Cells, Table, View
from initbench.spec.parameters import Parameter


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a thing that a config names.

    ``facts`` are words or numbers by what they are, and ``points`` are rows of numbers under their
    headings: an activation's values. ``note`` is a sentence or several for the end.
    """

    kind: str
    name: str
    label: str
    summary: str
    formula: str
    reference: str
    aliases: Sequence[str]
    parameters: Sequence[Parameter]
    facts: Mapping[str, str | int | float]
    points: Sequence[Mapping[str, float]]
    note: str


def facts_view(known: Facts) -> View:
    """The facts; then values where there are some, and parameters where there are some."""
    return View(
        (
            _facts_table(known),
            *_points_tables(known),
            *parameters_tables(known.name, known.parameters),
        ),
        lambda: _document(known),
        lambda: _cells(known),
    )


def _facts_table(known: Facts) -> Table:
    rows = tuple((what, _text(value)) for what, value in known.facts.items())
    caption = [
        known.note,
        f"Also called {', '.join(known.aliases)}." if known.aliases else "",
        f"Source: {known.reference}." if known.reference != "-" else "",
    ]
    title = f"{known.label}, {known.kind}: {known.summary}"
    return Table(title, ("what", "value"), rows, frozenset(), "\n".join(filter(None, caption)))


def _points_tables(known: Facts) -> list[Table]:
    if not known.points:
        return []
    header = tuple(known.points[0])
    rows = tuple(tuple(map(figure, point.values())) for point in known.points)
    return [Table(f"values of {known.label}", header, rows, frozenset(header))]


def _text(value: str | float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return figure(value) if isinstance(value, float) else value


def _document(known: Facts) -> dict[str, Any]:
    """What `explain --format json` prints; only initializers have layers."""
    return envelope(
        kind=known.kind,
        name=known.name,
        label=known.label,
        aliases=list(known.aliases),
        summary=known.summary,
        formula=known.formula,
        reference=known.reference,
        facts=dict(known.facts),
        points=[dict(point) for point in known.points],
        parameters=parameter_fields(known.parameters),
        layers=[],
    )


def _cells(known: Facts) -> Cells:
    """A row for each fact, and one for each parameter with its default."""
    facts = [["fact", what, value, "", ""] for what, value in known.facts.items()]
    parameters = [
        ["parameter", each.name, default(each), each.values, each.meaning]
        for each in known.parameters
    ]
    return Cells(["part", "name", "value", "values", "meaning"], [*facts, *parameters])
