"""Tables on terminals: whatever the width, nothing is broken and nothing is wider."""

from __future__ import annotations

import io
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from initbench.report.render.sparkline import ASCII, BLOCKS, characters, sparkline
from initbench.report.views.view import Sparklines, Table
from tests.report.conftest import Rendered

HEADER = ("#", "config\n(initializer)", "train\nloss", "loss\ncurve", "what it says", "p")
CURVE = HEADER[3]
TABLE = Table(
    "two starts",
    HEADER,
    (
        ("1*", "he\nhe_normal", "0.1019\n0.078–0.36", "", "signals keep their size", "0.04"),
        ("2", "zeros", "0.6931", "", "all units are one", ""),
    ),
    frozenset({"#", "train\nloss", "p"}),
    "A legend.",
    (HEADER[1], 16),
    (CURVE, "p"),
    screen=frozenset({CURVE}),
    sparklines=Sparklines(
        CURVE, ((0.8, 0.4, 0.2, 0.1), (0.7, math.inf)), (0.1, 0.8), True, "Curves."
    ),
)


def test_a_wide_terminal_has_all_columns(rendered: Rendered) -> None:
    assert rendered(TABLE, 100) == (
        "two starts\n"
        "\n"
        "     config              train  loss\n"
        "  #  (initializer)        loss  curve  what it says                p\n"
        " ───────────────────────────────────────────────────────────────────\n"
        " 1*  he                 0.1019  █▆▃▁   signals keep their size  0.04\n"
        "     he_normal      0.078–0.36\n"
        "  2  zeros              0.6931  █×     all units are one\n"
        "\n"
        "A legend.\n"
        "Curves.\n"
    )


def test_a_narrow_terminal_has_a_block_a_row(rendered: Rendered) -> None:
    assert rendered(TABLE, 40) == (
        "two starts\n"
        "\n"
        "he (he_normal)\n"
        "  #             1*\n"
        "  train loss    0.1019 (0.078–0.36)\n"
        "  loss curve    █▆▃▁\n"
        "  what it says  signals keep their size\n"
        "\n"
        "zeros\n"
        "  #             2\n"
        "  train loss    0.6931\n"
        "  loss curve    █×\n"
        "  what it says  all units are one\n"
        "\n"
        "A legend.\n"
        "Curves.\n"
    )


NAMES = st.text("abcdefg_=.", min_size=1, max_size=14)
NUMBERS = st.floats(allow_nan=False).map("{:.4g}".format)
WORDS = st.lists(NAMES, max_size=8).map(" ".join)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    numbers, words = draw(st.integers(0, 9)), draw(st.integers(0, 3))
    header = ("name", *(f"n{i}" for i in range(numbers)), *(f"w{i}" for i in range(words)))
    cells = [NAMES, *[NUMBERS] * numbers, *[WORDS] * words]
    rows = draw(st.lists(st.tuples(*cells), min_size=1, max_size=4))
    return Table("t", header, tuple(rows), frozenset(header[1 : numbers + 1]), "", ("name", 16))


@given(tables(), st.integers(40, 160))
def test_no_line_is_wider_and_no_number_or_word_is_broken(table: Table, width: int) -> None:
    from rich.console import Console

    from initbench.report.render.rich import rich_table

    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(rich_table(table))
    text = console.export_text()
    assert all(cell_len(line) <= width for line in text.splitlines())
    given = [word for row in table.rows for cell in row for word in cell.split()]
    shown = text.split()
    assert all(shown.count(word) >= given.count(word) for word in given)


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=50), st.integers(1, 60), st.booleans())
def test_a_higher_value_is_drawn_no_lower(values: list[float], width: int, log: bool) -> None:
    line = sparkline(sorted(values), width, (min(values), max(values)), log=log)
    heights = [BLOCKS.index(character) for character in line]
    assert len(line) == min(width, len(values))
    assert heights == sorted(heights)
    if len(line) > 1 and max(values) > min(values):
        assert (heights[0], heights[-1]) == (0, 7)


def test_a_curve_without_values_is_empty() -> None:
    assert sparkline((), 8, (0.1, 1.0)) == ""


@pytest.mark.parametrize(
    ("encoding", "expected"), [("utf-8", BLOCKS), ("ascii", ASCII), ("cp437", ASCII)]
)
def test_encodings_without_blocks_have_letters(encoding: str, expected: str) -> None:
    assert characters(encoding) == expected
    assert len(set(expected)) == 9
    assert re.fullmatch(r".{9}", expected.encode(encoding).decode(encoding))
