"""`initbench explain` -> a row a layer, and when to use the initializer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from initbench.audit.explain import FrameworkDraw, LayerWeights
from initbench.core.initializers import ALIASES, Initializer
from initbench.core.initializers.advice import ADVICE
from initbench.files import envelope, finite_or_none
from initbench.report.views.parameters import parameter_fields, parameters_tables
from initbench.report.views.texts import figure
from initbench.report.views.view import Cells, Table, View
from initbench.spec.parameters import Parameter

MOMENTS = ("mean", "standard\ndeviation", "lowest", "highest")
LEGEND = (
    "fan_in and fan_out: a layer's inputs and outputs. Mean, standard deviation and bounds are of "
    "its weights; - means no bound."
)
COLUMNS = ("fan_in", "fan_out", "mean", "std", "low", "high")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of an initializer; ``label`` is its name with its parameters."""

    name: str
    label: str
    initializer: Initializer
    layers: Sequence[LayerWeights]
    drawn_on: str  # what the weights were drawn from, in words, where there is no law
    frameworks: Sequence[FrameworkDraw]
    parameters: Sequence[Parameter]
    also: Sequence[str]  # other kinds that know the name


def explain_view(explained: Explanation) -> View:
    """The weights that the initializer draws, and what frameworks draw under its name."""
    return View(
        (
            explanation_table(explained),
            *parameters_tables(explained.name, explained.parameters),
            *frameworks_tables(explained),
        ),
        lambda: explanation_document(explained),
        lambda: explanation_cells(explained),
    )


def explanation_table(explained: Explanation) -> Table:
    """A row for each layer; below it when to use the initializer, its names and its source."""
    advice, names = ADVICE.get(explained.name), _aliases(explained.name)
    drawn = any(layer.drawn for layer in explained.layers)
    caption = [
        f"There is no closed form: measured on weights drawn at {explained.drawn_on}."
        if drawn
        else "",
        LEGEND,
        f"Use it {advice.use}\nDo not use it {advice.avoid}" if advice else "",
        f"Also called {', '.join(names)}." if names else "",
        *(
            f"`initbench explain {explained.name} --kind {kind}` explains the {kind} of this name."
            for kind in explained.also
        ),
        f"Source: {explained.initializer.reference}." * (explained.initializer.reference != "-"),
    ]
    rows = [
        (str(number), str(layer.fan_in), str(layer.fan_out), *map(figure, _moments(layer)))
        for number, layer in enumerate(explained.layers, 1)
    ]
    header = ("layer", "fan_in", "fan_out", *MOMENTS)
    return Table(
        f"{explained.label}: {explained.initializer.formula}",
        header,
        tuple(rows),
        frozenset(header),
        "\n".join(filter(None, caption)),
    )


def frameworks_tables(explained: Explanation) -> list[Table]:
    """What each framework that knows the name draws for layer 1; no table where none does."""
    rows = tuple(
        (each.framework, each.chosen.initializer.formula, *map(figure, _moments(first)))
        for each in explained.frameworks
        for first in each.layers[:1]
    )
    header = ("framework", "draws", *MOMENTS)
    title = f"{explained.name} in frameworks, layer 1"
    return [Table(title, header, rows, frozenset(header[2:]))] if rows else []


def explanation_document(explained: Explanation) -> dict[str, Any]:
    """What `explain --format json` prints; a bound that is not finite is null."""
    advice = ADVICE.get(explained.name)
    return envelope(
        kind="initializer",
        name=explained.name,
        label=explained.label,
        aliases=_aliases(explained.name),
        formula=explained.initializer.formula,
        reference=explained.initializer.reference,
        layers=[_layer_fields(layer) for layer in explained.layers],
        drawn_on=explained.drawn_on,
        parameters=parameter_fields(explained.parameters),
        advice=advice and advice._asdict(),
        frameworks=[
            {
                "framework": each.framework,
                "draws": each.chosen.name,
                "formula": each.chosen.initializer.formula,
                "layers": [_layer_fields(layer) for layer in each.layers],
            }
            for each in explained.frameworks
        ],
    )


def explanation_cells(explained: Explanation) -> Cells:
    """Header and rows of a CSV with one row a layer."""
    header = ("layer", *COLUMNS, "drawn")
    rows = [
        [number, *(getattr(layer, name) for name in header[1:])]
        for number, layer in enumerate(explained.layers, 1)
    ]
    return Cells(header, rows)


def _layer_fields(layer: LayerWeights) -> dict[str, Any]:
    return {key: finite_or_none(value) for key, value in asdict(layer).items()}


def _aliases(name: str) -> list[str]:
    return [alias for alias, target in ALIASES.items() if target == name]


def _moments(layer: LayerWeights) -> tuple[float, ...]:
    return layer.mean, layer.std, layer.low, layer.high
