"""Prints a command's result on standard output, in the format asked for."""

from __future__ import annotations

import click

from initbench.report.render import TEXTS
from initbench.report.views.view import View


def show(output_format: str, view: View) -> None:
    """Print a view as tables for a terminal, or as the text of another format."""
    if output_format in TEXTS:
        click.echo(TEXTS[output_format](view), nl=False)
    elif view.tables:
        from rich.console import Console

        from initbench.report.render.rich import rich_view

        Console().print(rich_view(view))
