"""A view -> Markdown.

A text is shown as it is: it makes no tag, link, emphasis, code, list or further cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from initbench.printable import visible
from initbench.report.views.view import Table, View, in_one_line

#: Characters that mean something wherever they stand, and others where they begin a tag, a link's
#: address or a character reference. An underscore begins nothing after a letter.
_INLINE = re.compile(r"[\\`*~|]|(?<![^\W_])_|<(?=[a-zA-Z/!?])|\](?=[(\[:])|&(?=#?\w+;)")
#: What makes a heading, a quotation or a list of a line that begins with it.
_BLOCK = re.compile(r"^( {0,3}\d*)(?=(?:#{1,6}|[>+.)-])(?:\s|$)|[=-]+\s*$)", re.MULTILINE)


def markdown_view(view: View) -> str:
    """Its tables, one below the other."""
    return "\n".join(markdown_table(table.on_paper) for table in view.tables)


def markdown_table(table: Table) -> str:
    """A pipe table under its title, its caption below; a cell's second line in parentheses."""

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(map(_cell, cells)) + " |"

    rule = ("---:" if name in table.numeric else "---" for name in table.header)
    header = (name.replace("\n", " ") for name in table.header)
    lines = [line(header), "| " + " | ".join(rule) + " |"]
    for number, row in enumerate(table.rows):
        cells = map(_cell, row)
        strong = (
            f"**{cell}**" if (number, column) in table.strong else cell
            for column, cell in enumerate(cells)
        )
        lines.append("| " + " | ".join(strong) + " |")
    title = f"**{_text(table.title.replace(chr(10), ' '))}**" if table.title else ""
    return "\n\n".join(filter(None, (title, "\n".join(lines), _paragraph(table.caption)))) + "\n"


def _cell(text: str) -> str:
    return in_one_line(_text(text))


def _paragraph(text: str) -> str:
    return _BLOCK.sub(r"\1\\", _text(text))


def _text(text: str) -> str:
    """A text with a backslash before all that Markdown would obey in a line."""
    return _INLINE.sub(r"\\\g<0>", visible(text))
