"""A view -> what Rich prints on a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from initbench.printable import NEAREST, visible
from initbench.report.views.view import Table, View

if TYPE_CHECKING:
    from rich.box import Box
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

#: No table is wider: a measurement is taken in a terminal of this width.
WIDEST = 1000


def rich_view(view: View) -> RenderableType:
    """Its tables, one below the other."""
    from rich.console import Group

    return Group(*map(rich_table, view.tables))


def rich_table(table: Table) -> RenderableType:
    """For a terminal: title and caption take its whole width, whatever the table's."""
    return _Fitted(table)


class _Fitted:
    """A table with as many of its wide columns as the terminal has room for."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.measure import Measurement

        unbounded = options.update(width=WIDEST)
        encoding = getattr(console.file, "encoding", None) or "utf-8"
        table = _shown(self.table, encoding)
        box = _box(encoding)
        left_out = list(table.wide)
        for column in table.wide:
            fewer = [name for name in left_out if name != column]
            needed = Measurement.get(console, unbounded, _grid(table, fewer, box)).maximum
            if needed > options.max_width:
                break
            left_out = fewer
        yield _drawn(table, left_out, box)


def _shown(table: Table, encoding: str) -> Table:
    """The table in the characters that a terminal shows and does not obey."""

    def text(given: str) -> str:
        return _in_encoding(visible(given), encoding)

    names, width = table.names
    return replace(
        table,
        title=text(table.title),
        header=tuple(map(text, table.header)),
        rows=tuple(tuple(map(text, row)) for row in table.rows),
        numeric=frozenset(map(text, table.numeric)),
        caption=text(table.caption),
        names=(text(names), width),
        wide=tuple(map(text, table.wide)),
    )


def _box(encoding: str) -> Box:
    """A line below the header; Rich would draw a grid where the encoding is not Unicode."""
    from rich.box import SIMPLE_HEAD, Box

    return Box(_in_encoding(str(SIMPLE_HEAD), encoding), ascii=True)


def _in_encoding(text: str, encoding: str) -> str:
    return text.encode(encoding, NEAREST).decode(encoding)


def _drawn(table: Table, left_out: Sequence[str], box: Box) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    caption = [Text(table.caption + "\n", style="dim")] if table.caption else []
    return Group(Text(table.title, style="bold"), _grid(table, left_out, box), *caption)


def _grid(table: Table, left_out: Sequence[str], box: Box) -> RenderableType:
    """The header and rows alone."""
    from rich.table import Table as RichTable
    from rich.text import Text

    rich = RichTable(box=box, collapse_padding=True, pad_edge=False)
    column, width = table.names
    shown = [index for index, name in enumerate(table.header) if name not in left_out]
    for name in (table.header[index] for index in shown):
        rich.add_column(
            Text(name),
            justify="right" if name in table.numeric else "left",
            overflow="fold",
            no_wrap=name in ("name", "verdict", "condition", column),
        )
    for number, row in enumerate(table.rows):
        rich.add_row(
            *(
                Text(
                    cut(row[index], width) if table.header[index] == column else row[index],
                    style="bold" if (number, index) in table.strong else "",
                )
                for index in shown
            )
        )
    return rich


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
