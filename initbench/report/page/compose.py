"""A page's content -> the text of one HTML file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import altair as alt
import vl_convert

from initbench.metrics import METRICS
from initbench.report.charts.style import COLOURS, DASHES
from initbench.report.page.charts import Charts, Slot, by_series
from initbench.report.page.content import Page, Section
from initbench.report.render.html import html_table
from initbench.report.views.pictures import Picture
from initbench.report.views.story import Story

#: The Vega-Lite that Altair writes, by the name that vl-convert gives it.
VERSION = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
#: The library's names for the page's script.
SNIPPET = "window.vegaEmbed = vegaEmbed;"


def compose(page: Page) -> str:
    """The whole file. The same content gives the same bytes."""
    charts = Charts()
    sections = "".join(
        _section(section, number, charts, alone=len(page.sections) == 1)
        for number, section in enumerate(page.sections)
    )
    template = Template(_resource("page.html"))
    return template.substitute(
        title=escape(page.title),
        style=_resource("page.css"),
        contents=_contents(page.sections),
        sections=sections,
        facts="".join(
            f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>\n"
            for name, value in page.facts
        ),
        command=escape(page.command),
        document=_json(page.document),
        payload=_json(charts.payload()),
        library=_library(),
        script=_resource("page.js"),
    )


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script, which takes a second to bundle."""
    bundle: str = vl_convert.javascript_bundle(SNIPPET, vl_version=VERSION)
    return bundle.replace("</script", "<\\/script")


def _resource(name: str) -> str:
    return files("initbench.report.page").joinpath(name).read_text(encoding="utf-8")


def _json(data: Any) -> str:
    """JSON inside of a script element, where < could end it."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _contents(sections: Sequence[Section]) -> str:
    if len(sections) == 1:
        return ""
    items = "".join(
        f'<li><a href="#problem-{number}">{escape(section.title)}</a></li>'
        for number, section in enumerate(sections)
    )
    return f'<nav aria-label="Problems"><ol>{items}</ol></nav>'


def _section(section: Section, number: int, charts: Charts, *, alone: bool) -> str:
    name = f"p{number}"
    parts = [
        _ranking(section, name),
        _legend(section),
        _networks(section, name, charts),
        _curves(section, name, charts),
        _figures(section, name, charts, ("seeds", "forest", "profile"), "How the runs ended"),
        _figures(section, name, charts, ("layers",), "Signals before training"),
        _figures(section, name, charts, ("sensitivity",), "The sweep"),
        _words("Diagnosis", section.diagnosis),
    ]
    heading = f'<h2 class="{"only" if alone else ""}">{escape(section.title)}</h2>'
    return (
        f'<section class="problem" id="problem-{number}">\n{heading}\n'
        f"{''.join(filter(None, parts))}</section>\n"
    )


def _ranking(section: Section, name: str) -> str:
    tables = "".join(
        '<div class="scroll" tabindex="0" role="region" aria-label="Table">'
        f"{html_table(table.on_paper)}</div>"
        for table in section.tables
    )
    return f'<h3 id="{name}-ranking">Ranking</h3>\n{tables}'


def _legend(section: Section) -> str:
    """A switch for each initializer, with the colour and the line of its curves."""
    entries = []
    for number, series in enumerate(section.series):
        colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
        pattern = " ".join(map(str, dash)) if dash != [1, 0] else "none"
        entries.append(
            f'<button type="button" aria-pressed="true" data-series="{number}">'
            f'<svg width="30" height="10" aria-hidden="true"><line x1="1" x2="29" y1="5" y2="5" '
            f'stroke="{colour}" stroke-width="3" stroke-dasharray="{pattern}"/></svg>'
            f"<span>{escape(series)}</span></button>"
        )
    names = escape(json.dumps(list(section.series), ensure_ascii=False))
    return (
        f'<div class="legend" role="group" aria-label="Initializers shown in the charts" '
        f'data-names="{names}">{"".join(entries)}</div>\n'
    )


def _networks(section: Section, name: str, charts: Charts) -> str:
    """Each initializer's card: the network, its boundary and its activations, and its story."""
    slots = {
        kind: [
            slot
            for picture in section.pictures.get(kind, ())
            for slot in charts.add(f"{name}_{kind}", picture)
        ]
        for kind in ("weights", "boundary", "activations")
    }
    cards = "".join(
        _card(story, section.series.index(story.name), slots) for story in section.stories
    )
    slider = _slider(section, name) if any(slots.values()) else ""
    return (
        f'<h3 id="{name}-networks">What the networks do</h3>\n'
        f'<p class="note">{escape(section.replay)}</p>\n{slider}<div class="cards">{cards}</div>\n'
    )


def _slider(section: Section, name: str) -> str:
    last = len(section.iterations) - 1
    return (
        f'<div class="slider" data-iterations="{json.dumps(list(section.iterations))}">'
        f'<button type="button" class="play" aria-label="Play the training">Play</button>'
        f'<label for="{name}-moment">iteration</label>'
        f'<input type="range" id="{name}-moment" min="0" max="{last}" step="1" value="{last}">'
        f"<output>{section.iterations[-1]:,}</output></div>\n"
    )


def _card(story: Story, number: int, slots: dict[str, list[Slot]]) -> str:
    series = story.name
    words = {kind: slots[kind][0].picture.words for kind in slots if slots[kind]}
    charts = []
    for kind, label in (
        ("weights", "the network: green weights are positive, pink ones negative"),
        ("boundary", "its classes in the plane, paler where uncertain"),
    ):
        charts += [
            _slot(slot, f"{series}: {label}. {words[kind]}", label)
            for slot in by_series(slots[kind], series)
        ]
    layers = "".join(
        _slot(
            slot,
            f"{slot.key}: histograms of its activations over training. {words['activations']}",
            f"activations{slot.key.removeprefix(series)}",
        )
        for slot in by_series(slots["activations"], series)
    )
    condition = escape(story.condition)
    about = f'<p class="about">{escape(story.about)}</p>' if story.about else ""
    return (
        f'<article class="card" data-series="{number}">'
        f'<h4><span class="swatch" style="background:{COLOURS[number % len(COLOURS)]}"></span>'
        f'{escape(series)} <span class="condition {"good" if condition == "healthy" else "bad"}">'
        f"{condition}</span></h4>\n"
        f"{about}<p>{escape(story.start)}</p><p>{escape(story.end)}</p>\n"
        f'<div class="pair">{"".join(charts)}</div><div class="layers">{layers}</div>'
        f"</article>\n"
    )


def _curves(section: Section, name: str, charts: Charts) -> str:
    """Curves of each metric on each axis, one of which is shown."""
    figures, metrics, scales = [], {}, {}
    for number, ((metric, scale), picture) in enumerate(section.curves.items()):
        (slot,) = charts.add(f"{name}_curves_{metric}_{scale}", picture, f"{name}_{metric}")
        metrics[metric] = METRICS[metric].label
        scales[scale] = scale
        shown = "" if number == 0 else " hidden"
        figures.append(
            f'<div class="choice" data-metric="{metric}" data-scale="{scale}"{shown}>'
            f"{_slot(slot, picture.words, '')}{_in_words(picture)}</div>"
        )
    return (
        f'<h3 id="{name}-curves">Learning curves</h3>\n<div class="curves">'
        f"{_radios(f'{name}-metric', 'Metric', metrics)}{_radios(f'{name}-scale', 'Axis', scales)}"
        f"{''.join(figures)}"
        '<p class="note">Lines are medians over the seeds, bands reach from quartile to quartile. '
        "The upright line is the iteration that the slider shows.</p></div>\n"
    )


def _radios(name: str, legend: str, choices: dict[str, str]) -> str:
    inputs = "".join(
        f'<label><input type="radio" name="{name}" value="{value}"{" checked" * (n == 0)}> '
        f"{escape(label)}</label>"
        for n, (value, label) in enumerate(choices.items())
    )
    return f'<fieldset class="radios"><legend>{legend}</legend>{inputs}</fieldset>'


def _figures(
    section: Section, name: str, charts: Charts, kinds: Iterable[str], heading: str
) -> str:
    figures = []
    for kind in kinds:
        for number, picture in enumerate(section.pictures.get(kind, ())):
            slots = charts.add(f"{name}_{kind}_{number}", picture)
            panels = "".join(_slot(slot, picture.words, "") for slot in slots)
            several = " wide" if len(slots) > 1 else ""
            figures.append(
                f'<figure class="chart-figure{several}"><figcaption>{escape(picture.title)}'
                f'</figcaption><div class="panels">{panels}</div>{_in_words(picture)}</figure>'
            )
    if not figures:
        return ""
    return f'<h3>{heading}</h3>\n<div class="figures">{"".join(figures)}</div>\n'


def _slot(slot: Slot, words: str, caption: str) -> str:
    below = f'<span class="caption">{escape(caption)}</span>' if caption else ""
    return (
        f'<div class="slot {slot.picture.kind}"><div class="chart" data-chart="{slot.chart}" '
        f'role="img" aria-label="{escape(words)}"></div>{below}</div>'
    )


def _in_words(picture: Picture) -> str:
    return (
        f"<details><summary>The numbers in words</summary><p>{escape(picture.words)}</p></details>"
    )


def _words(heading: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<h3>{heading}</h3>\n<ul class="words">{items}</ul>\n'
