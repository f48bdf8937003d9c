"""Prints a command's result on standard output, and messages about it on standard error."""

from __future__ import annotations

import click

from initbench.api.results import TrainingResult
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


def finish(result: TrainingResult, *, quiet: bool) -> None:
    """Say what was written and where runs came from, then raise what stopped or failed them."""
    if not quiet:
        if result.written:
            click.echo(f"wrote {', '.join(map(str, result.written))}", err=True)
        click.echo(result.summary, err=True)
    if result.failure is not None:
        raise result.failure
