"""A view: one result in the three shapes that formats are made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Sparklines:
    """What a terminal draws in one column of a table: a small curve for each row.

    Attributes:
        heading: The column that they stand in.
        rows: Each row's values from left to right. One that is not finite has diverged; a row
            without values has no curve.
        bounds: The lowest and the highest value of the scale, which is the same for all rows.
        log: Whether the scale is logarithmic.
        legend: What they show, for the caption.
    """

    heading: str
    rows: tuple[tuple[float, ...], ...]
    bounds: tuple[float, float]
    log: bool
    legend: str


@dataclass(frozen=True, slots=True)
class Table:
    """Texts in rows under a header; ``numeric`` columns are set to the right.

    A cell's second line, where it has one, is a detail of the first: a range. Cells at the indices
    ``strong``, (row, column), are set in bold. On a terminal, the texts of the ``names`` column are
    cut at their joints where they are longer than its width, and ``wide`` columns are shown only
    where there is room for them, the first of these first. In ``folded`` columns a line break only
    saves width. ``screen`` columns stand on a terminal alone: ``sparklines``, and what another
    training of the same runs changes.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str]
    caption: str = ""
    names: tuple[str, int] = ("", 0)
    wide: tuple[str, ...] = ()
    strong: frozenset[tuple[int, int]] = frozenset()
    folded: frozenset[str] = frozenset()
    screen: frozenset[str] = frozenset()
    sparklines: Sparklines | None = None

    def without(self, names: Collection[str]) -> Table:
        """The table without some of its columns."""
        kept = [index for index, name in enumerate(self.header) if name not in names]
        curves = self.sparklines
        return replace(
            self,
            header=tuple(self.header[index] for index in kept),
            rows=tuple(tuple(row[index] for index in kept) for row in self.rows),
            strong=frozenset((row, kept.index(at)) for row, at in self.strong if at in kept),
            sparklines=None if curves and curves.heading in names else curves,
        )

    @property
    def on_paper(self) -> Table:
        """The table in files and pages, where width is no matter.

        It has neither the line breaks of folded columns nor the columns of a screen.
        """
        shown = self.without(self.screen)
        rows = tuple(
            tuple(
                text.replace("\n", " ") if name in self.folded else text
                for name, text in zip(shown.header, row, strict=True)
            )
            for row in shown.rows
        )
        return replace(shown, rows=rows)


def in_one_line(cell: str) -> str:
    r"""A cell's first line, and in parentheses what details it.

    >>> in_one_line("0.1019\n0.078–0.36"), in_one_line("0.1")
    ('0.1019 (0.078–0.36)', '0.1')
    """
    first, _, detail = cell.partition("\n")
    return f"{first} ({detail.replace(chr(10), ' ')})" if detail else first


class Cells(NamedTuple):
    """A header and rows of plain values (numbers, texts, None), for programs: a CSV."""

    header: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class View:
    """What a command shows, which :mod:`initbench.report.render` turns into any format.

    Args:
        tables: Texts for people.
        document: Makes what ``--format json`` prints, as plain data that JSON can hold.
        cells: Makes the rows that ``--format csv`` prints.

    Document and cells are functions because 10,000 runs fill much memory that a table never needs.
    """

    tables: tuple[Table, ...]
    document: Callable[[], dict[str, Any]]
    cells: Callable[[], Cells]
