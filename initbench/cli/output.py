"""Prints a command's result on standard output, in the format asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click
from rich.console import Console

from initbench.report import documents, tables


def show(
    output_format: str,
    shown: Sequence[tables.Table],
    document: Callable[[], object],
    rows: Callable[[], tuple[Sequence[str], Sequence[Sequence[object]]]],
) -> None:
    """Print tables, or the same as one JSON document, as CSV or as Markdown."""
    match output_format:
        case "json":
            click.echo(documents.json_text(document()), nl=False)
        case "csv":
            click.echo(tables.csv_text(*rows()), nl=False)
        case "markdown":
            click.echo("\n".join(map(tables.markdown, shown)), nl=False)
        case _:
            console = Console()
            for table in shown:
                console.print(tables.rich_table(table))
