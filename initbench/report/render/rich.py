"""A view -> what Rich prints on a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from initbench.report.views.view import Table, View

if TYPE_CHECKING:
    from rich.console import RenderableType


def rich_view(view: View) -> RenderableType:
    """Its tables, one below the other."""
    from rich.console import Group

    return Group(*map(rich_table, view.tables))


def rich_table(table: Table) -> RenderableType:
    """For a terminal: title and caption take its whole width, whatever the table's."""
    from rich import box
    from rich.console import Group
    from rich.table import Table as RichTable
    from rich.text import Text

    rich = RichTable(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    column, width = table.names
    for name in table.header:
        rich.add_column(
            Text(name),
            justify="right" if name in table.numeric else "left",
            overflow="fold",
            no_wrap=name in ("name", "verdict", "condition", column),
        )
    for row in table.rows:
        cells = zip(table.header, row, strict=True)
        rich.add_row(*(Text(cut(cell, width) if key == column else cell) for key, cell in cells))
    caption = [Text(table.caption + "\n", style="dim")] if table.caption else []
    return Group(Text(table.title, style="bold"), rich, *caption)


def cut(name: str, width: int) -> str:
    r"""A name with its lines cut to ``width``, each at its last joint before that.

    >>> cut("autoinit(input_variance=0.4)", 16).split("\n")
    ['autoinit(input_', 'variance=0.4)']
    """
    lines = []
    for line in name.split("\n"):
        rest = line
        while len(rest) > width:
            joints = [m.end() for m in re.finditer(r"[_(=, ]", rest) if m.end() <= width]
            if not joints:
                break
            lines.append(rest[: joints[-1]])
            rest = rest[joints[-1] :]
        lines.append(rest)
    return "\n".join(lines)
