"""Views -> texts, one module a format. All are pure functions; nothing is printed here."""

from __future__ import annotations

from collections.abc import Callable

from initbench.report.render.csv import csv_view
from initbench.report.render.html import html_view
from initbench.report.render.json import json_view
from initbench.report.render.latex import latex_view
from initbench.report.render.markdown import markdown_view
from initbench.report.views.view import View

#: Every format that is a text, by the name that ``--format`` and the Python API give it.
TEXTS: dict[str, Callable[[View], str]] = {
    "json": json_view,
    "csv": csv_view,
    "markdown": markdown_view,
    "html": html_view,
    "latex": latex_view,
}
