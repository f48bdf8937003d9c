"""A view -> Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from initbench.report.views.view import Table, View


def markdown_view(view: View) -> str:
    """Its tables, one below the other."""
    return "\n".join(map(markdown_table, view.tables))


def markdown_table(table: Table) -> str:
    """A pipe table under its title, its caption below; a cell's second line in parentheses."""

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(map(_cell, cells)) + " |"

    rule = ("---:" if name in table.numeric else "---" for name in table.header)
    header = (name.replace("\n", " ") for name in table.header)
    lines = [line(header), line(rule)]
    for number, row in enumerate(table.rows):
        cells = map(_cell, row)
        strong = (
            f"**{cell}**" if (number, column) in table.strong else cell
            for column, cell in enumerate(cells)
        )
        lines.append("| " + " | ".join(strong) + " |")
    title = f"**{_text(table.title)}**" if table.title else ""
    return "\n\n".join(filter(None, (title, "\n".join(lines), _text(table.caption)))) + "\n"


def _cell(text: str) -> str:
    first, _, detail = _text(text).replace("|", "\\|").partition("\n")
    return f"{first} ({detail.replace(chr(10), ' ')})" if detail else first


def _text(text: str) -> str:
    """A text whose tags, if it has any, are shown and not obeyed."""
    return re.sub(r"<(?=[a-zA-Z/!?])", r"\\<", text)
