"""Charts of runs while they train."""

from __future__ import annotations

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
    iterations_axis,
    moment,
    number,
    quantity,
)
from initbench.report.views.pictures import Picture


def curves(picture: Picture, data: Data, size: Size, legend: alt.Legend | None) -> list[Panel]:
    """A metric against the iteration: a line for the median, a band for the middle half."""
    percent, log = picture.facts["percent"], picture.facts["log"]
    base = alt.Chart(data("curves")).transform_filter(SHOWN)
    if log:
        base = base.transform_filter("datum.median > 0 && datum.low > 0")
    scale = quantity(log=log)
    y = alt.Y(
        "median:Q",
        title=picture.facts["label"],
        scale=scale,
        axis=axis(percent=percent, log=log),
    )
    colours, dashes = colour(picture.series, legend), dash(picture.series, legend)
    band = base.mark_area(opacity=0.14).encode(
        x=iterations_axis(),
        y=alt.Y("low:Q", scale=scale),
        y2="high:Q",
        color=colours,
    )
    line = base.mark_line(strokeWidth=1.8).encode(
        x=iterations_axis(), y=y, color=colours, strokeDash=dashes
    )
    points = _hovered(
        base,
        y,
        alt.Tooltip("median:Q", format=number(percent)),
        alt.Tooltip("low:Q", format=number(percent), title="lower quartile"),
        alt.Tooltip("high:Q", format=number(percent), title="upper quartile"),
        alt.Tooltip("runs:Q"),
    )
    now = (
        alt.Chart(data("moments"))
        .transform_filter("datum.iteration == iteration")
        .mark_rule(strokeWidth=1.2, color="#D55E00")
        .encode(x=iterations_axis())
    )
    layers = [band, now, line, points] if size.live else [band, line, points]
    chart = alt.layer(*layers).add_params(hidden(), moment(picture.facts["iterations"]))
    return [Panel("", chart.properties(width=size.width, height=size.height))]


def profile(picture: Picture, data: Data, size: Size, legend: alt.Legend | None) -> list[Panel]:
    """The share of runs that have learned against the iteration, as steps."""
    base = alt.Chart(data("profile")).transform_filter(SHOWN)
    y = alt.Y(
        "share:Q",
        title="runs that have learned",
        scale=alt.Scale(domain=[0, 1]),
        axis=axis(percent=True),
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=1.8).encode(
        x=iterations_axis(),
        y=y,
        color=colour(picture.series, legend),
        strokeDash=dash(picture.series, legend),
    )
    points = _hovered(base, y, alt.Tooltip("share:Q", format=".0%", title="learned"))
    chart = alt.layer(line, points).add_params(hidden())
    return [Panel("", chart.properties(width=size.width, height=size.height))]


def _hovered(base: alt.Chart, y: alt.Y, *values: alt.Tooltip) -> alt.Chart:
    """Points that nobody sees, wide enough to be met by a pointer, which tell a curve's values."""
    points: alt.Chart = base.mark_circle(size=140, opacity=0).encode(
        x=iterations_axis(),
        y=y,
        tooltip=[
            alt.Tooltip("name:N", title="initializer"),
            alt.Tooltip("iteration:Q", format=","),
            *values,
        ],
    )
    return points
