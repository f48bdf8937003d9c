"""A view -> HTML, for a notebook or a page.

All texts are escaped: a name or a reason that holds markup is shown as it was written.
"""

from __future__ import annotations

from html import escape

from initbench.printable import visible
from initbench.report.views.view import Table, View


def html_view(view: View) -> str:
    """Its tables, one below the other."""
    return "".join(html_table(table.on_paper) for table in view.tables)


def html_table(table: Table) -> str:
    """A ``<table>`` with its title as the caption, and the legend below it.

    The first column that is not numeric names each row.
    """
    names = next((i for i, name in enumerate(table.header) if name not in table.numeric), 0)
    head = "".join(
        f'<th scope="col"{_side(name, table)}>{_text(name.replace(chr(10), " "))}</th>'
        for name in table.header
    )
    rows = []
    for number, row in enumerate(table.rows):
        cells = [
            f'<th scope="row"{_side(name, table)}>{_cell(text)}</th>'
            if i == names
            else f"<td{_side(name, table)}>{_strong(text, (number, i), table)}</td>"
            for i, (name, text) in enumerate(zip(table.header, row, strict=True))
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>\n")
    caption = f"<caption>{_text(table.title)}</caption>\n" if table.title else ""
    legend = f"<figcaption>{_text(table.caption)}</figcaption>\n" if table.caption else ""
    return (
        f'<figure class="initbench">\n<table>\n{caption}<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{''.join(rows)}</tbody>\n</table>\n{legend}</figure>\n"
    )


def _strong(text: str, place: tuple[int, int], table: Table) -> str:
    return f"<strong>{_cell(text)}</strong>" if place in table.strong else _cell(text)


def _side(name: str, table: Table) -> str:
    """Where a column's texts stand, in the cell itself: a notebook has no style sheet of ours."""
    return f' style="text-align: {"right" if name in table.numeric else "left"}"'


def _cell(text: str) -> str:
    first, _, detail = text.partition("\n")
    return _text(first) + (f"<br><small>{_text(detail)}</small>" if detail else "")


def _text(text: str) -> str:
    return escape(visible(text)).replace("\n", "<br>\n")
