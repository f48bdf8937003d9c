"""A view -> LaTeX tables for a paper, in the style of the package booktabs."""

from __future__ import annotations

from initbench.printable import visible
from initbench.report.views.view import Table, View, in_one_line

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip


def latex_view(view: View) -> str:
    """Its tables, one below the other."""
    return "\n".join(latex_table(table.on_paper) for table in view.tables)


def latex_table(table: Table) -> str:
    r"""A ``table`` environment: the title is its caption, the legend stands below the rows.

    Columns of numbers are set to the right, and a cell's second line stands in parentheses. The
    document needs ``\usepackage{booktabs}``, and with pdfLaTeX ``\usepackage[T1]{fontenc}``.
    """
    columns = "".join("r" if name in table.numeric else "l" for name in table.header)
    header = " & ".join(latex_text(name.replace("\n", " ")) for name in table.header)
    rows = []
    for row, texts in enumerate(table.rows):
        cells = []
        for column, text in enumerate(texts):
            cell = _cell(text)
            cells.append(rf"\textbf{{{cell}}}" if (row, column) in table.strong else cell)
        rows.append(" & ".join(cells) + r" \\")
    parts = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(table.title)}}}" if table.title else "",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        rf"{header} \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {latex_text(line)}" for line in table.caption.splitlines()),
        r"\end{table}",
    ]
    return "\n".join(filter(None, parts)) + "\n"


def latex_text(text: str) -> str:
    r"""A text as LaTeX prints it: no character of it is a command.

    >>> print(latex_text("normal(std=0.1), 5 % & \\input{x}"))
    normal(std=0.1), 5 \% \& \textbackslash{}input\{x\}
    """
    line = visible(text.replace("\n", " "))
    return "".join(_SPECIAL.get(character, character) for character in line)


def _cell(text: str) -> str:
    return latex_text(in_one_line(text))
