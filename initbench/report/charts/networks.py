"""Charts of what networks do: signals, boundaries, activations and weights."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import altair as alt

from initbench.report.charts.style import (
    CLASS_COLOURS,
    CLASS_SHAPES,
    SHOWN,
    Data,
    Panel,
    Size,
    colour,
    dash,
    hidden,
    labels,
    moment,
)
from initbench.report.views.pictures import Picture

#: Shades of a class in a picture of a boundary, from uncertain to certain.
SHADES = 16
#: How opaque the most certain shade is: the page's ground and the points stay visible.
OPACITY = 165
#: Signs of weights.
POSITIVE, NEGATIVE = "#009E73", "#C55A97"


def layers(picture: Picture, data: Data, size: Size, legend: alt.Legend | None) -> list[Panel]:
    """Mean squares layer by layer: points are measured, lines are theory."""
    panels = []
    for quantity, title in (
        ("signal", "signal, mean square"),
        ("gradient", "gradient, mean square"),
    ):
        base = (
            alt.Chart(data("layers"))
            .transform_filter(SHOWN)
            .transform_filter(_equal("quantity", quantity))
            .transform_filter("datum.value > 0")
        )
        x = alt.X(
            "layer:Q",
            axis=alt.Axis(values=picture.facts["layers"], format="d", grid=False),
            scale=alt.Scale(nice=False, padding=8),
        )
        y = alt.Y(
            "value:Q",
            title=title,
            scale=alt.Scale(type="log"),
            axis=alt.Axis(format="~e", tickCount=5),
        )
        tooltip = [
            alt.Tooltip("name:N", title="initializer"),
            alt.Tooltip("layer:Q"),
            alt.Tooltip("source:N"),
            alt.Tooltip("value:Q", title=title, format=".4~g"),
        ]
        theory = base.transform_filter(_equal("source", "theory")).mark_line(strokeWidth=1.5)
        measured = base.transform_filter(_equal("source", "measured")).mark_circle(
            size=55, opacity=1
        )
        chart = alt.layer(
            theory.encode(
                x=x,
                y=y,
                color=colour(picture.series, legend),
                strokeDash=dash(picture.series, legend),
            ),
            measured.encode(x=x, y=y, color=colour(picture.series), tooltip=tooltip),
        ).add_params(hidden())
        panels.append(Panel(quantity, chart.properties(width=size.width, height=size.height)))
    return panels


def boundary(picture: Picture, data: Data, size: Size, legend: alt.Legend | None) -> list[Panel]:
    """The plane in the colours of the classes, paler where the network is less certain."""
    del legend  # the classes have shapes, and the panels' titles name the networks
    facts = picture.facts
    side = size.height
    x, y = (
        channel(
            f"{name}:Q",
            title=None,
            scale=alt.Scale(domain=facts[name], nice=False, zero=False),
            axis=alt.Axis(tickCount=3, grid=False, labelExpr=labels("~g")),
        )
        for name, channel in (("x", alt.X), ("y", alt.Y))
    )
    panels = []
    for name in facts["names"]:
        field = (
            alt.Chart(data("fields"))
            .transform_filter(_equal("name", name))
            .transform_filter("datum.iteration == iteration")
            .mark_image(width=side, height=side)
            .encode(url="url:N", x=alt.value(side / 2), y=alt.value(side / 2))
        )
        samples = (
            alt.Chart(data("samples"))
            .mark_point(
                size=max(4, side / 10), filled=True, stroke="white", strokeWidth=0.4, opacity=0.9
            )
            .encode(
                x=x,
                y=y,
                color=alt.Color("class:N", scale=_of_classes(CLASS_COLOURS), legend=None),
                shape=alt.Shape("class:N", scale=_of_classes(CLASS_SHAPES), legend=None),
                tooltip=[alt.Tooltip("class:N"), "x:Q", "y:Q"],
            )
        )
        chart = alt.layer(field, samples).add_params(moment(facts["iterations"]))
        panels.append(Panel(name, chart.properties(width=side, height=side)))
    return panels


def activations(picture: Picture, data: Data, size: Size, legend: alt.Legend | None) -> list[Panel]:
    """A layer's histogram at each log point, side by side: the darker, the more activations."""
    del legend  # the panels' titles name networks and layers
    facts = picture.facts
    panels = []
    for name, layer in facts["panels"]:
        base = (
            alt.Chart(data("activations"))
            .transform_filter(_equal("name", name))
            .transform_filter(_equal("layer", layer))
        )
        x = alt.X(
            "iteration:O",
            sort=facts["iterations"],
            axis=alt.Axis(
                values=[facts["iterations"][0], facts["iterations"][-1]],
                labelExpr=labels("~s"),
                labelAngle=0,
                labelFlush=True,
                ticks=False,
            ),
            title=None,
        )
        y = alt.Y(
            "low:Q",
            title=None,
            scale=alt.Scale(zero=False, nice=False),
            axis=alt.Axis(labelExpr=labels("~g"), tickCount=3, grid=False, domain=False),
        )
        cells = base.mark_rect().encode(
            x=x,
            y=y,
            y2="high:Q",
            color=alt.Color(
                "share:Q",
                scale=alt.Scale(
                    type="sqrt", domain=[0, 1], range=["#dbe9f5", "#3d7db3", "#0b2a4a"]
                ),
                legend=None,
            ),
            tooltip=[
                alt.Tooltip("iteration:Q", format=","),
                alt.Tooltip("low:Q", title="from"),
                alt.Tooltip("high:Q", title="to"),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
        now = (
            alt.Chart(data("moments"))
            .transform_filter("datum.iteration == iteration")
            .mark_rect(filled=False, stroke="#D55E00", strokeWidth=1.5)
            .encode(x=x, y=alt.value(0), y2=alt.value(size.height))
        )
        chart = alt.layer(cells, now) if size.live else alt.layer(cells)
        chart = chart.add_params(moment(facts["iterations"]))
        key = f"{name}, layer {layer}"
        panels.append(Panel(key, chart.properties(width=size.width, height=size.height)))
    return panels


def weights(picture: Picture, data: Data, size: Size, legend: alt.Legend | None) -> list[Panel]:
    """The network drawn: a line a weight, thicker for a larger one of its layer."""
    del legend
    facts = picture.facts
    x = alt.X("x:Q", axis=None, scale=alt.Scale(nice=False, padding=8))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(nice=False, padding=8))
    panels = []
    for name in picture.series:
        edges = (
            alt.Chart(data("weights"))
            .transform_filter(_equal("name", name))
            .transform_filter("datum.iteration == iteration")
            .transform_lookup(
                lookup="edge",
                from_=alt.LookupData(data=data("edges"), key="edge", fields=["x", "y", "x2", "y2"]),
            )
            .mark_rule()
            .encode(
                x=x,
                y=y,
                x2="x2:Q",
                y2="y2:Q",
                color=alt.condition("datum.weight > 0", alt.value(POSITIVE), alt.value(NEGATIVE)),
                strokeWidth=alt.StrokeWidth(
                    "size:Q", scale=alt.Scale(domain=[0, 1], range=[0, 2.4]), legend=None
                ),
                tooltip=[alt.Tooltip("weight:Q", format=".4~g")],
            )
        )
        units = (
            alt.Chart(data("units")).mark_circle(size=36, opacity=1, color="#888").encode(x=x, y=y)
        )
        chart = alt.layer(edges, units).add_params(moment(facts["iterations"]))
        panels.append(Panel(name, chart.properties(width=size.width, height=size.height)))
    return panels


def images(picture: Picture) -> dict[str, list[dict[str, Any]]]:
    """The tables of a boundary, whose fields become small pictures: one number a place is enough.

    A picture is a PNG in a ``data:`` address. It holds no colour between the classes, so that a
    dark page shows through where the network is uncertain.
    """
    fields = [
        {
            "name": row["name"],
            "iteration": row["iteration"],
            "url": _png_address(row["winner"], row["certainty"]),
        }
        for row in picture.tables["fields"]
    ]
    return {**picture.tables, "fields": fields}


def _png_address(winner: Sequence[Sequence[int]], certainty: Sequence[Sequence[float]]) -> str:
    """A palette PNG (ISO/IEC 15948), the highest y first."""
    classes = max(2, 1 + max(map(max, winner)))
    palette, alphas = bytearray(), bytearray()
    for label in range(classes):
        colours = bytes.fromhex(CLASS_COLOURS[label % len(CLASS_COLOURS)][1:])
        for shade in range(SHADES):
            palette += colours
            alphas.append(round(OPACITY * shade / (SHADES - 1)))
    lines = bytearray()
    for row, sure in zip(reversed(winner), reversed(certainty), strict=True):
        lines.append(0)  # no filter
        lines += bytes(
            label * SHADES + round(share * (SHADES - 1))
            for label, share in zip(row, sure, strict=True)
        )
    header = struct.pack(">IIBBBBB", len(winner[0]), len(winner), 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"PLTE", bytes(palette)),
        (b"tRNS", bytes(alphas)),
        (b"IDAT", zlib.compress(bytes(lines), 9)),
        (b"IEND", b""),
    )
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))
        for tag, body in parts
    )
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _of_classes(values: Sequence[str]) -> alt.Scale:
    return alt.Scale(domain=list(range(len(values))), range=list(values))


def _equal(field: str, value: str | int) -> alt.FieldEqualPredicate:
    """A filter by a value, which is data: a name may hold anything."""
    return alt.FieldEqualPredicate(field=field, equal=value)
