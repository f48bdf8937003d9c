"""What all charts share: colours, line styles, sizes, and where their numbers come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import altair as alt

#: Seven hues that stay apart under the common kinds of colour blindness (after Okabe and Ito 2008,
#: "Color Universal Design"), darkened where they had too little contrast with white: each has a
#: contrast of 3 or more with white and with the dark page.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#C55A97", "#9A7500", "#3A8FC7", "#7A7A7A")
#: Four line styles: with seven hues, 28 rows are told apart.
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
#: Classes of points, by colour and by shape.
CLASS_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#C55A97", "#9A7500", "#3A8FC7", "#7A7A7A")
CLASS_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "stroke")
#: Where a chart finds a table of its picture.
Data: TypeAlias = Callable[[str], alt.Data]


@dataclass(frozen=True, slots=True)
class Size:
    """The inner width and height of a panel, in points; ``container`` fills the page's column.

    ``live`` says that a slider moves the log point that is shown, which is then marked.
    """

    width: int | str
    height: int
    live: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart of a picture, and what tells it from the others."""

    key: str
    chart: alt.LayerChart | alt.FacetChart | alt.Chart


def by_name(prefix: str) -> Data:
    """Charts whose numbers stand beside them, each table under its name after ``prefix``."""
    return lambda name: alt.NamedData(name=f"{prefix}{name}")


def colour(series: Sequence[str], legend: alt.Legend | None = None) -> alt.Color:
    """Each row's colour, the same in every chart."""
    scale = alt.Scale(
        domain=list(series), range=[COLOURS[i % len(COLOURS)] for i in range(len(series))]
    )
    return alt.Color("name:N", scale=scale, legend=legend, title=None)


def dash(series: Sequence[str], legend: alt.Legend | None = None) -> alt.StrokeDash:
    """Each row's line style, the same in every chart."""
    scale = alt.Scale(
        domain=list(series), range=[DASHES[i % len(DASHES)] for i in range(len(series))]
    )
    return alt.StrokeDash("name:N", scale=scale, legend=legend, title=None)


def legend(series: Sequence[str], width: float, font_size: float) -> alt.Legend:
    """A legend below a chart of ``width`` points, in as many columns as its names leave room."""
    entry = 40 + 0.55 * font_size * max(map(len, series))  # a letter is about half as wide as high
    columns = max(1, min(int(width / entry), len(series)))
    return alt.Legend(
        orient="bottom",
        columns=columns,
        labelLimit=width / columns - 40,
        symbolType="stroke",
        symbolSize=250,
        symbolOpacity=1,
        offset=2,
    )


def hidden() -> alt.Parameter:
    """The names of the rows that are not shown: none, until the page's legend says so."""
    return alt.param(name="hidden", value=[])


#: The filter that leaves out what is hidden.
SHOWN = "indexof(hidden, datum.name) < 0"


def moment(iterations: Sequence[int]) -> alt.Parameter:
    """The log point that is shown: the last, until the page's slider says another."""
    return alt.param(name="iteration", value=iterations[-1])


def number(percent: bool) -> str:
    """The format of a value in a tooltip."""
    return ".1%" if percent else ".6~g"


def labels(form: str) -> str:
    """How an axis writes its numbers, each by itself: 20 and not 2e+1 beside others."""
    return f"format(datum.value, '{form}')"


def axis(*, percent: bool = False, log: bool = False, grid: bool = True) -> alt.Axis:
    """The axis of a quantity."""
    if log:  # Vega labels as many of a logarithmic axis' ticks as there is room for
        return alt.Axis(format="~g", tickCount=5, grid=False)
    return alt.Axis(labelExpr=labels("~%" if percent else "~g"), tickCount=5, grid=grid)


def quantity(*, log: bool) -> alt.Scale:
    """The scale of a quantity, which fills its axis."""
    return alt.Scale(type="log", nice=False) if log else alt.Scale(type="linear", zero=False)


def iterations_axis() -> alt.X:
    """The number of updates, from left to right."""
    return alt.X(
        "iteration:Q",
        title="iteration",
        axis=alt.Axis(labelExpr=labels("~s"), grid=False, tickCount=5),
        scale=alt.Scale(nice=False),
    )


def config(font: str, size: float, width: float) -> dict[str, Any]:
    """Vega-Lite's settings for a paper: its font and size, black on white, thin lines.

    A name that would take more than a good part of ``width`` is cut.
    """
    text = {"labelFont": font, "titleFont": font, "labelFontSize": size, "titleFontSize": size}
    return {
        "view": {"stroke": None},
        "padding": 2,
        "background": "white",
        "axis": {
            **text, "titleFontWeight": "normal", "gridColor": "#e4e4e4", "domainColor": "#333",
            "tickColor": "#333", "tickSize": 3, "labelLimit": 0.45 * width,
        },
        "legend": text,
        "title": {"font": font, "fontSize": size, "fontWeight": "bold", "anchor": "start"},
        "text": {"font": font, "fontSize": size - 1},
    }  # fmt: skip


def page_config() -> dict[str, Any]:
    """Vega-Lite's settings for the page: charts take the text colour of where they stand."""
    ink, font = "currentColor", "system-ui, sans-serif"  # Vega measures texts by the font's name
    text = {
        "labelColor": ink, "titleColor": ink, "labelFont": font, "titleFont": font,
        "labelFontSize": 12, "titleFontSize": 12,
    }  # fmt: skip
    return {
        "view": {"stroke": None},
        "padding": 4,
        "background": "transparent",
        "axis": {
            **text, "titleFontWeight": "normal", "gridColor": ink, "gridOpacity": 0.12,
            "domainColor": ink, "domainOpacity": 0.4, "tickColor": ink, "tickOpacity": 0.4,
            "labelLimit": 180,
        },
        "legend": text,
        "text": {"font": font, "fontSize": 11},
    }  # fmt: skip
