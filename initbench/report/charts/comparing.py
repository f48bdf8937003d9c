"""Charts of how initializers stand to each other when their runs have ended."""

from __future__ import annotations

from typing import Any

import altair as alt

from initbench.report.charts.style import (
    SHOWN,
    Data,
    Panel,
    Size,
    axis,
    colour,
    dash,
    hidden,
    labels,
    number,
    quantity,
)
from initbench.report.views.pictures import Picture

#: A row of names needs so much height.
ROW = 26


def seeds(picture: Picture, data: Data, size: Size, legend: alt.Legend | None) -> list[Panel]:
    """A point for each run, a thin line through the runs of a seed, a tick for the median."""
    del legend  # the axis names the rows
    facts = picture.facts
    x = alt.X(
        "value:Q",
        title=facts["label"],
        scale=quantity(log=facts["log"]),
        axis=axis(percent=facts["percent"], log=facts["log"]),
    )
    y = _names(facts["order"])
    base = alt.Chart(data("seeds")).transform_filter(SHOWN).transform_filter("isValid(datum.value)")
    lines = base.mark_line(strokeWidth=0.8, opacity=0.35, color="#888").encode(
        x=x, y=y, detail="seed:N", order="place:Q"
    )
    points = base.mark_circle(size=46, opacity=0.85).encode(
        x=x,
        y=y,
        color=colour(picture.series),
        tooltip=[
            alt.Tooltip("name:N", title="initializer"),
            alt.Tooltip("seed:N"),
            alt.Tooltip("value:Q", title=facts["label"], format=number(facts["percent"])),
            alt.Tooltip("status:N"),
        ],
    )
    ticks = (
        alt.Chart(data("medians"))
        .transform_filter(SHOWN)
        .transform_filter("isValid(datum.median)")
        .mark_tick(thickness=2.5, size=ROW * 0.7, opacity=1)
        .encode(x=alt.X("median:Q"), y=y, color=colour(picture.series))
    )
    chart = alt.layer(lines, ticks, points).add_params(hidden())
    return [Panel("", chart.properties(width=size.width, height=ROW * len(picture.series)))]


def forest(picture: Picture, data: Data, size: Size, legend: alt.Legend | None) -> list[Panel]:
    """Each row's difference to the best, with its interval; a triangle is an end without bound."""
    del legend  # the axis names the rows
    facts = picture.facts
    y = _names(facts["order"])
    percent = facts["percent"]
    scale = alt.Scale(domain=[facts["low"], facts["high"]], nice=False)
    differences = alt.Axis(labelExpr=labels("+~%" if percent else "+~g"), tickCount=5)
    base = alt.Chart(data("forest"))
    tooltip = [
        alt.Tooltip("name:N", title="initializer"),
        alt.Tooltip("estimate:Q", format="+.1%" if percent else "+.4~g"),
        alt.Tooltip("low:Q", format="+.1%" if percent else "+.4~g"),
        alt.Tooltip("high:Q", format="+.1%" if percent else "+.4~g"),
        alt.Tooltip("standing:N"),
    ]
    band = alt.Chart(data("limits")).encode(x=alt.X("low:Q"), x2="high:Q")
    zero = alt.Chart(data("limits")).mark_rule(strokeDash=[4, 3], color="#888")
    rule = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("from:Q", title=facts["label"], scale=scale, axis=differences),
        x2="to:Q",
        y=y,
        color=colour(picture.series),
        tooltip=tooltip,
    )
    point = base.transform_filter("isValid(datum.estimate)").mark_circle(size=70, opacity=1)
    ends = [
        base.transform_filter(f"!isValid(datum.{end})")
        .mark_point(shape=shape, size=50, filled=True)
        .encode(x=f"{drawn}:Q", y=y, color=colour(picture.series))
        for end, drawn, shape in (
            ("low", "from", "triangle-left"),
            ("high", "to", "triangle-right"),
        )
    ]
    chart = alt.layer(
        band.mark_rect(color="#888", opacity=0.18),
        zero.encode(x=alt.X("zero:Q")),
        rule,
        point.encode(x=alt.X("estimate:Q"), y=y, color=colour(picture.series), tooltip=tooltip),
        *ends,
    )
    return [Panel("", chart.properties(width=size.width, height=ROW * len(facts["order"])))]


def sensitivity(picture: Picture, data: Data, size: Size, legend: alt.Legend | None) -> list[Panel]:
    """The metric against a swept number, and as a map with all its values."""
    panels = [Panel("map", _map(picture, data, size))]
    if picture.facts["numeric"]:
        panels.insert(0, Panel("lines", _lines(picture, data, size, legend)))
    return panels


def _lines(picture: Picture, data: Data, size: Size, legend: alt.Legend | None) -> Any:
    facts = picture.facts
    base = (
        alt.Chart(data("sensitivity"))
        .transform_filter(SHOWN)
        .transform_filter("isValid(datum.median)")
    )
    x = alt.X(
        "value:Q",
        title=facts["key"],
        scale=quantity(log=facts["log_key"]),
        axis=axis(log=facts["log_key"], grid=False),
    )
    y = alt.Y(
        "median:Q",
        title=facts["label"],
        scale=quantity(log=facts["log"]),
        axis=axis(percent=facts["percent"], log=facts["log"]),
    )
    line = base.mark_line(strokeWidth=1.8).encode(
        x=x, y=y, color=colour(picture.series, legend), strokeDash=dash(picture.series, legend)
    )
    points = base.mark_circle(size=40, opacity=1).encode(
        x=x, y=y, color=colour(picture.series), tooltip=_cell_tooltip(picture)
    )
    chart = alt.layer(line, points).add_params(hidden())
    return chart.properties(width=size.width, height=size.height)


def _map(picture: Picture, data: Data, size: Size) -> alt.LayerChart:
    facts = picture.facts
    base = alt.Chart(data("sensitivity")).encode(
        x=alt.X(
            "setting:N",
            sort=facts["settings"],
            title=facts["key"],
            axis=alt.Axis(labelAngle=0, orient="top", domain=False, ticks=False),
        ),
        y=_names(list(picture.series)),
        tooltip=_cell_tooltip(picture),
    )
    better, worse = "#f1f6fb", "#7fb3d9"
    shades = [worse, better] if not facts["smaller_is_better"] else [better, worse]
    cells = base.mark_rect(stroke="white").encode(
        color=alt.Color(
            "median:Q",
            scale=alt.Scale(type="log" if facts["log"] else "linear", range=shades),
            legend=None,
        )
    )
    best = base.transform_filter("datum.best").mark_rect(
        filled=False, stroke="#222", strokeWidth=1.6
    )
    texts = base.mark_text(color="#111").encode(text="text:N")
    chart: alt.LayerChart = alt.layer(cells, best, texts).resolve_scale(color="independent")
    return chart.properties(width=size.width, height=ROW * len(picture.series))


def _cell_tooltip(picture: Picture) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title="initializer"),
        alt.Tooltip("setting:N", title=picture.facts["key"]),
        alt.Tooltip(
            "median:Q",
            title=f"median {picture.facts['label']}",
            format=number(picture.facts["percent"]),
        ),
        alt.Tooltip("trained:Q", title="runs learned"),
        alt.Tooltip("runs:Q"),
    ]


def _names(order: list[str]) -> alt.Y:
    return alt.Y(
        "name:N",
        sort=order,
        title=None,
        scale=alt.Scale(domain=order),
        axis=alt.Axis(domain=False, ticks=False, grid=False),
    )
