from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from initbench.report.render.rich import rich_table
from initbench.report.views.view import Table

Rendered = Callable[..., str]


@pytest.fixture
def rendered() -> Rendered:
    """A table as a terminal of so many columns shows it."""

    def render(table: Table, width: int = 80) -> str:
        console = Console(file=io.StringIO(), width=width, record=True)
        console.print(rich_table(table))
        return "\n".join(line.rstrip() for line in console.export_text().splitlines())

    return render
