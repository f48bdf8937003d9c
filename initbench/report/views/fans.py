"""`initbench explain --layer` -> a layer's fans, and a row for what each framework counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from initbench.audit.fans import EMBEDDING, Layer, WeightFans
from initbench.core.initializers import Initializer
from initbench.files import envelope
from initbench.report.views.texts import figure
from initbench.report.views.view import Cells, Table, View

LEGEND = (
    "fan_in: the inputs that one output sums. fan_out: the outputs that one input feeds, at stride "
    "1. initbench counts both inside one group and one packed matrix; frameworks see the shape of "
    "the weights alone. keras: the shapes of its layers. jax: jax.nn.initializers and the shapes "
    "of Flax' layers. Standard deviation: what the initializer of this name draws there; - means "
    "that the framework has none."
)
COLUMNS = ("framework", "weight", "shape", "fan_in", "fan_out", "std", "mistake")


@dataclass(frozen=True, slots=True)
class FansOfLayer:
    """An initializer, a layer, and the fans of its weights with the deviation that they give."""

    name: str
    label: str
    initializer: Initializer
    layer: Layer
    rows: Sequence[tuple[WeightFans, float | None]]


def fans_view(explained: FansOfLayer) -> View:
    """The true fans first, then those of each framework."""
    return View(
        (_table(explained),),
        lambda: envelope(
            name=explained.name,
            label=explained.label,
            formula=explained.initializer.formula,
            reference=explained.initializer.reference,
            layer=explained.layer.text,
            fans=_fields(explained),
        ),
        lambda: _cells(explained),
    )


def _fields(explained: FansOfLayer) -> list[dict[str, Any]]:
    return [
        {
            "framework": one.framework or "initbench",
            "weight": one.weight,
            "shape": list(one.shape),
            "fan_in": one.fan_in,
            "fan_out": one.fan_out,
            "std": std,
            "mistake": one.mistake or None,
        }
        for one, std in explained.rows
    ]


def _table(explained: FansOfLayer) -> Table:
    rows = tuple(
        (
            f"{one.framework or 'initbench'}\n{one.weight}",
            " x ".join(map(str, one.shape)),
            str(one.fan_in),
            str(one.fan_out),
            "-" if std is None else figure(std),
            f"MISTAKE: {one.mistake}" if one.mistake else "right",
        )
        for one, std in explained.rows
    )
    header = ("framework", "shape", "fan_in", "fan_out", "standard\ndeviation", "fans")
    caption = [EMBEDDING if explained.layer.kind == "embedding" else "", LEGEND]
    title = f"{explained.label}, {explained.layer.text}: {explained.initializer.formula}"
    return Table(title, header, rows, frozenset(header[2:5]), "\n".join(filter(None, caption)))


def _cells(explained: FansOfLayer) -> Cells:
    rows = [
        ["x".join(map(str, value)) if isinstance(value, list) else value for value in row.values()]
        for row in _fields(explained)
    ]
    return Cells(COLUMNS, rows)
