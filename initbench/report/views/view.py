"""A view: one result in the three shapes that formats are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

    @property
    def on_paper(self) -> Table:
        """The table in files and pages, where width is no matter.

        It has neither the line breaks of folded columns nor the columns of a screen.
        """
        kept = [index for index, name in enumerate(self.header) if name not in self.screen]
        rows = tuple(
            tuple(
                row[index].replace("\n", " ") if self.header[index] in self.folded else row[index]
                for index in kept
            )
            for row in self.rows
        )
        place = {old: new for new, old in enumerate(kept)}
        return replace(
            self,
            header=tuple(self.header[index] for index in kept),
            rows=rows,
            strong=frozenset((row, place[index]) for row, index in self.strong if index in place),
            sparklines=None,
        )


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
