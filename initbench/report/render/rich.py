"""A view -> what Rich prints on a terminal.

A table is never squeezed until its numbers and words break: where it does not fit although texts
wrap between words, each row becomes a block of lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from initbench.printable import NEAREST, visible
from initbench.report.render.sparkline import characters, sparkline
from initbench.report.views.view import Table, View, in_one_line

if TYPE_CHECKING:
    from rich.box import Box
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

#: What the box takes of a table's width: at both edges together, and between two columns.
EDGES, GAP = 2, 2
#: Columns whose texts stay in one line, as those of a table's names do.
UNWRAPPED = ("name", "verdict", "condition")
#: A column of texts is no narrower than this, or than its longest word. Words that are longer than
#: the second (paths, addresses) are cut where room is short.
NARROWEST, LONGEST_WORD = 12, 24
#: The characters of a sparkline, at least and at most.
SHORTEST_CURVE, LONGEST_CURVE = 8, 40
#: Below this width no column is shown whose figures another training changes: a log of the usual
#: width is the same for the same runs.
SPACIOUS = 100
#: The share of a block's width that its labels take at most.
LABELS = 0.4


def rich_view(view: View) -> RenderableType:
    """Its tables, one below the other."""
    from rich.console import Group

    return Group(*map(rich_table, view.tables))


def rich_table(table: Table) -> RenderableType:
    """For a terminal: title and caption take its whole width, whatever the table's."""
    return _Fitted(table)


class _Fitted:
    """A table as it fits a terminal, whose width and encoding are known when it is printed."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        encoding, room = getattr(console.file, "encoding", None) or "utf-8", options.max_width
        table = _curved(_shown(self.table, encoding), SHORTEST_CURVE, encoding)
        chosen = table.without(_left_out(table, room))
        widths = _widths(_columns(chosen), room)
        if widths is None:  # a block has a line for the curve
            curve = table.sparklines.heading if table.sparklines else ""
            chosen = table.without(set(table.wide) - {curve})
            chosen = _curved(chosen, int((1 - LABELS) * room), encoding)
        else:
            spare = max(0, room - _total(widths))
            chosen = _curved(chosen, SHORTEST_CURVE + spare, encoding)
            widths = _widths(_columns(chosen), room)
        if chosen.title:
            yield Text(chosen.title, style="bold")
        yield from (
            _blocks(chosen, room) if widths is None else [_grid(chosen, widths, _box(encoding))]
        )
        legend = chosen.sparklines.legend if chosen.sparklines else ""
        if caption := "\n".join(filter(None, (chosen.caption, legend))):
            yield Text(caption + "\n", style="dim")


def _shown(table: Table, encoding: str) -> Table:
    """The table in the characters that a terminal shows and does not obey; long names are cut."""

    def text(given: str) -> str:
        return _in_encoding(visible(given), encoding)

    names, width = table.names
    curves = table.sparklines
    return replace(
        table,
        title=text(table.title),
        header=tuple(map(text, table.header)),
        rows=tuple(tuple(map(text, row)) for row in table.rows),
        numeric=frozenset(map(text, table.numeric)),
        caption=text(table.caption),
        names=(text(names), width),
        wide=tuple(map(text, table.wide)),
        folded=frozenset(map(text, table.folded)),
        screen=frozenset(map(text, table.screen)),
        sparklines=curves
        and replace(curves, heading=text(curves.heading), legend=text(curves.legend)),
    )


def _curved(table: Table, width: int, encoding: str) -> Table:
    """The table with its sparklines drawn, in at most so many characters each."""
    curves = table.sparklines
    if curves is None:
        return table
    place = table.header.index(curves.heading)
    texts = (
        sparkline(
            values,
            min(width, LONGEST_CURVE),
            curves.bounds,
            log=curves.log,
            characters=characters(encoding),
        )
        for values in curves.rows
    )
    rows = (
        (*row[:place], text, *row[place + 1 :]) for row, text in zip(table.rows, texts, strict=True)
    )
    return replace(table, rows=tuple(rows))


def _left_out(table: Table, room: int) -> list[str]:
    """The wide columns that there is no room for."""
    left_out = list(table.wide)
    passing = table.screen - ({table.sparklines.heading} if table.sparklines else set())
    for column in table.wide:
        fewer = [name for name in left_out if name != column]
        needed = _total([one.modest for one in _columns(table.without(fewer))])
        if needed <= room and (column not in passing or room >= SPACIOUS):
            left_out = fewer
        elif column not in table.screen:
            break
    return left_out


@dataclass(frozen=True, slots=True)
class _Column:
    """How wide a column would be, is before any other is left out, and can be, in characters."""

    natural: int
    modest: int
    least: int


def _columns(table: Table) -> list[_Column]:
    from rich.cells import cell_len

    names, width = table.names
    found = []
    for index, name in enumerate(table.header):
        texts = tuple(row[index] for row in table.rows)
        natural = modest = least = _widest(cell_len, name, *texts)
        if name == names:
            modest = least = _widest(cell_len, name, *(cut(text, width) for text in texts))
        elif name not in table.numeric and name not in UNWRAPPED:
            words = [cell_len(word) for text in (name, *texts) for word in text.split()]
            longest = min(LONGEST_WORD, max(words, default=0))
            least = min(natural, max(NARROWEST, longest))
        found.append(_Column(natural, modest, least))
    return found


def _widest(length: Callable[[str], int], *texts: str) -> int:
    return max(length(line) for text in texts for line in text.split("\n"))


def _total(widths: Sequence[int]) -> int:
    return EDGES + sum(widths) + GAP * (len(widths) - 1)


def _widths(columns: Sequence[_Column], room: int) -> list[int] | None:
    """A width for each column: where room is short the widest texts wrap; None if that is in vain.

    Of equally wide columns the first is narrowed first.
    """
    if _total([column.least for column in columns]) > room:
        return None
    widths = [column.natural for column in columns]
    while _total(widths) > room:
        wrapping = [i for i, column in enumerate(columns) if widths[i] > column.least]
        widths[max(wrapping, key=widths.__getitem__)] -= 1
    return widths


def _grid(table: Table, widths: Sequence[int], box: Box) -> RenderableType:
    """The header and rows."""
    from rich.table import Table as RichTable
    from rich.text import Text

    rich = RichTable(box=box, collapse_padding=True, pad_edge=False)
    for name, width in zip(table.header, widths, strict=True):
        rich.add_column(
            Text(name),
            justify="right" if name in table.numeric else "left",
            overflow="fold",
            width=width,
        )
    names, _ = table.names
    for number, row in enumerate(table.rows):
        rich.add_row(
            *(
                Text(
                    cut(text, widths[index]) if table.header[index] == names else text,
                    style="bold" if (number, index) in table.strong else "",
                )
                for index, text in enumerate(row)
            )
        )
    return rich


def _blocks(table: Table, room: int) -> Iterator[RenderableType]:
    """Each row as its name and, below it, a line for each other column that has a text."""
    from rich.padding import Padding
    from rich.table import Table as RichTable
    from rich.text import Text

    names = table.names[0]
    first = table.header.index(names) if names in table.header else 0
    numbered = table.header[first] in table.numeric
    labels = [name.replace("\n", " ") for name in table.header]
    longest = max((len(label) for index, label in enumerate(labels) if index != first), default=1)
    width = min(longest, int(LABELS * room))
    for number, row in enumerate(table.rows):
        block = RichTable.grid(padding=(0, 2, 0, 0))
        block.add_column(width=width)
        block.add_column(overflow="fold")
        for index, text in enumerate(row):
            if text and index != first:
                style = "bold" if (number, index) in table.strong else ""
                folded = table.header[index] in table.folded
                line = text.replace("\n", " ") if folded else in_one_line(text)
                block.add_row(Text(labels[index], style="dim"), Text(line, style=style))
        title = f"{labels[first]} {row[first]}" if numbered else in_one_line(row[first])
        yield Text(f"\n{title}", style="bold", overflow="fold")
        yield Padding(block, (0, 0, 0, 2))
    yield Text("")


def _box(encoding: str) -> Box:
    """A line below the header; Rich would draw a grid where the encoding is not Unicode."""
    from rich.box import SIMPLE_HEAD, Box

    return Box(_in_encoding(str(SIMPLE_HEAD), encoding), ascii=True)


def _in_encoding(text: str, encoding: str) -> str:
    return text.encode(encoding, NEAREST).decode(encoding)


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
            lines.append(rest[: joints[-1]].rstrip())
            rest = rest[joints[-1] :]
        lines.append(rest)
    return "\n".join(lines)
