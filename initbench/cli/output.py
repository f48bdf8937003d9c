"""Prints a command's result on standard output, and messages about it on standard error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from initbench.api.results import TrainingResult
from initbench.cli.streams import tell, write, write_text
from initbench.errors import InitbenchError
from initbench.report.render import TEXTS
from initbench.report.render.github import problem_annotations
from initbench.report.views.view import View


def show(output_format: str, view: View) -> None:
    """Print a view as tables for a terminal, or as the text of another format."""
    if output_format == "json":
        write(TEXTS[output_format](view))
    elif output_format in TEXTS:
        write_text(TEXTS[output_format](view))
    elif view.tables:
        from rich.console import Console

        from initbench.report.render.rich import rich_view

        console = Console()
        with console.capture() as drawn:
            console.print(rich_view(view))
        write_text(drawn.get())


@contextmanager
def annotated(output_format: str) -> Iterator[None]:
    """Annotate what a user can mend, on GitHub and for `--format github`; the error goes on."""
    try:
        yield
    except InitbenchError as error:
        if output_format == "github" or os.environ.get("GITHUB_ACTIONS"):
            # GitHub's runner reads annotations from both streams.
            text = problem_annotations(error, os.environ.get("GITHUB_WORKSPACE"))
            write(text, err=output_format != "github")
        raise


def finish(result: TrainingResult, *, quiet: bool) -> None:
    """Say what was written and where runs came from, then raise what stopped or failed them."""
    if not quiet:
        if result.written:
            tell(f"wrote {', '.join(map(str, result.written))}")
        tell(result.summary)
    if result.failure is not None:
        raise result.failure
