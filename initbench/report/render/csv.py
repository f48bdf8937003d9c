"""A view -> CSV.

A text that a spreadsheet takes for a formula, or CI for a command, stands behind an apostrophe.
"""

from __future__ import annotations

import csv
import io

from initbench.printable import visible
from initbench.report.views.view import Cells, View

#: How a text begins that a spreadsheet takes for a formula (OWASP, CSV injection), or CI for a
#: command. A hidden character in its place is escaped by a backslash.
_OBEYED = ("=", "+", "-", "@", "::")


def csv_view(view: View) -> str:
    """Its cells."""
    return csv_text(view.cells())


def csv_text(cells: Cells) -> str:
    """CSV with all digits; what is missing is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, cells.header))
    writer.writerows(map(_cell, row) for row in cells.rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    text = visible(value)
    return f"'{text}" if text.startswith(_OBEYED) else text
