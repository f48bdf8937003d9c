"""A view: one result in the three shapes that formats are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Table:
    """Texts in rows under a header; ``numeric`` columns are set to the right.

    A cell's second line, where it has one, is a detail of the first: a range. Cells at the indices
    ``strong``, (row, column), are set in bold. On a terminal, the texts of the ``names`` column are
    cut at their joints where they are longer than its width, and ``wide`` columns are shown only
    where there is room for them, the first of these first. In ``folded`` columns a line break only
    saves width.
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

    @property
    def unfolded(self) -> Table:
        """The table where width is no matter: without the line breaks of its folded columns."""
        rows = tuple(
            tuple(
                text.replace("\n", " ") if name in self.folded else text
                for name, text in zip(self.header, row, strict=True)
            )
            for row in self.rows
        )
        return replace(self, rows=rows)


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
