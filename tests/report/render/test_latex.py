"""LaTeX: texts are never commands, and a table compiles with booktabs alone."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from initbench.report.render.latex import latex_table, latex_text
from initbench.report.views.view import Table

TABLE = Table(
    "a_b & 5 %",
    ("name", "train\nloss"),
    (("normal(std=0.1)", "0.1\n0.05–0.2"), ("$x^2$ ~ \\input{a}", "0.2")),
    frozenset({"train\nloss"}),
    "#1 is best",
    strong=frozenset({(0, 1)}),
)


def test_a_table() -> None:
    assert latex_table(TABLE) == (
        "\\begin{table}\n"
        "\\centering\n"
        "\\caption{a\\_b \\& 5 \\%}\n"
        "\\begin{tabular}{lr}\n"
        "\\toprule\n"
        "name & train loss \\\\\n"
        "\\midrule\n"
        "normal(std=0.1) & \\textbf{0.1 (0.05–0.2)} \\\\\n"
        "\\$x\\textasciicircum{}2\\$ \\textasciitilde{} \\textbackslash{}input\\{a\\} & 0.2 \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "\\par\\footnotesize \\#1 is best\n"
        "\\end{table}\n"
    )


@given(st.text())
def test_no_character_of_a_text_is_a_command(text: str) -> None:
    escaped = latex_text(text)
    commands = re.sub(r"\\text[a-z]+\{\}|\\[{}$&#%_]", "", escaped)
    assert not set(commands) & set("\\{}$&#%_^~")
    assert "\n" not in escaped
