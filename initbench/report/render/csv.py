"""A view -> CSV."""

from __future__ import annotations

import csv
import io

from initbench.report.views.view import Cells, View


def csv_view(view: View) -> str:
    """Its cells."""
    return csv_text(view.cells())


def csv_text(cells: Cells) -> str:
    """CSV with all digits; what is missing is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(cells.header)
    writer.writerows([["" if cell is None else cell for cell in row] for row in cells.rows])
    return text.getvalue()
