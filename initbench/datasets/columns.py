"""Columns: the cells of a table -> numbers, and what kind of column they make.

Cells are judged by a grammar of their own and not by Python's: ``float`` would take ``1_000``,
``nan`` and digits of other scripts for numbers, which other programs do not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from initbench.core.arrays import Array

CellKind = Literal["number", "missing", "boolean", "date", "odd", "text", "nested"]
ColumnKind = Literal["numbers", "booleans", "dates", "texts", "nested", "mixed", "empty"]

#: Spellings of a cell that holds nothing, in small letters.
MISSING = frozenset(
    {"", "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "-nan", "nat"}
    | {"null", "none", "nil", "missing", "?", ".", "-", "--"}
)
BOOLEANS = {"true": 1.0, "false": 0.0, "t": 1.0, "f": 0.0}
#: A column of more different cells keeps its numbers alone, and no texts.
MAX_SPELLINGS = 1000

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
#: A block of cells of these characters alone that ``float`` reads is a block of numbers.
_PLAIN = re.compile(r"[0-9+\-.eE\n]*")
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s?(?:[AaPp][Mm]|Z|[+-]\d{2}:?\d{2})?"
_DATE = re.compile(
    rf"(?:\d{{4}}([-/.])\d{{1,2}}\1\d{{1,2}}|\d{{1,2}}([-/.])\d{{1,2}}\2(?:\d{{4}}|\d{{2}})"
    r"|\d{1,2}[- /.]\s?[A-Za-z]{3,9}[- /.]\s?(?:\d{4}|\d{2})|[A-Za-z]{3,9}\.? \d{1,2}, \d{4}"
    rf"|\d{{4}}-\d{{2}})(?:[T ]\s?{_TIME})?|{_TIME}"
)
#: Numbers with marks that programs read in different ways, and numbers that are not finite.
_ODD = re.compile(
    r"[$€£¥]?\s?[+-]?(?:\d{1,3}(?:[ '’,._\u00a0\u202f]\d{3})+(?:[.,]\d*)?|\d+(?:_\d+)+"
    r"|\d*[.,]\d+|\d+[.,]?)(?:[eE][+-]?\d+)?\s?[%€$£¥]?|[+-]?inf(?:inity)?",
    re.IGNORECASE,
)


class Spelling(NamedTuple):
    """One way in which cells are written, without blanks around it, and the first line of it."""

    text: str
    kind: CellKind
    number: float
    cells: int
    line: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many cells of a kind a column has, with the line and the text of the first."""

    count: int
    line: int
    example: str

    def with_more(self, count: int, line: int, example: str) -> Tally:
        """This tally with more cells of the kind."""
        earlier = (line, example) if line < self.line else (self.line, self.example)
        return Tally(self.count + count, *earlier)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name in the header; empty where it has none.
        values: A number for each row, NaN where the cell is no number. Whole numbers of an array
            keep their type, so that no two of them fall together.
        tallies: The cells of each kind.
        spellings: All different cells; None where there are more than MAX_SPELLINGS.
        codes: The index of each row's spelling; None where there are too many.
        source: What the file calls the column: an array of several axes makes several columns.
    """

    name: str
    values: Array
    tallies: Mapping[CellKind, Tally]
    spellings: tuple[Spelling, ...] | None = None
    codes: Array | None = None
    source: str = ""

    @property
    def kind(self) -> ColumnKind:
        """What the cells make the column: ``mixed`` where that is for the user to say.

        >>> column_of("a", ["1", "NA", "2.5"]).kind, column_of("b", ["1", "x"]).kind
        ('numbers', 'mixed')
        """
        kinds = self.tallies.keys() - {"missing"}
        if not kinds:
            return "empty"
        if kinds == {"number"}:
            return "numbers"
        if kinds == {"date"}:
            return "dates"
        if kinds == {"nested"}:
            return "nested"
        if kinds & {"number", "odd"}:
            return "mixed"
        if kinds == {"boolean"} and len(self.labels) <= 2:
            return "booleans"
        return "texts"

    @property
    def missing(self) -> Array:
        """Whether each row's cell is missing, (N,)."""
        if self.codes is None or self.spellings is None:
            return np.isnan(self.values)
        empty = np.array([spelling.kind == "missing" for spelling in self.spellings], bool)
        return empty[self.codes]

    @property
    def labels(self) -> tuple[str, ...]:
        """The different texts of the cells that are not missing, sorted."""
        if self.spellings is None or self.codes is None:
            return ()
        held = (self.spellings[code] for code in np.unique(self.codes))
        return tuple(sorted({s.text for s in held if s.kind != "missing"}))

    def label_codes(self, labels: Sequence[str]) -> Array:
        """The place of each row's text among ``labels``, (N,); NaN where the cell is missing."""
        assert self.spellings is not None
        assert self.codes is not None
        place = {label: float(index) for index, label in enumerate(labels)}
        # Spellings of rows that were dropped have no label.
        of_spelling = [
            math.nan if s.kind == "missing" else place.get(s.text, math.nan) for s in self.spellings
        ]
        codes: Array = np.array(of_spelling)[self.codes]
        return codes

    def joined(self, other: Column) -> Column:
        """The cells of this column, then those of another; the tallies are those of both."""
        tallies = dict(self.tallies)
        for kind, tally in other.tallies.items():
            known = tallies.get(kind, Tally(0, tally.line, tally.example))
            tallies[kind] = replace(known, count=known.count + tally.count)
        values = np.concatenate([self.values, other.values])
        spelled = (with_spellings(self), with_spellings(other))
        if any(column.spellings is None or column.codes is None for column in spelled):
            return replace(self, values=values, tallies=tallies, spellings=None, codes=None)
        first, second = spelled
        assert first.spellings is not None
        assert second.spellings is not None
        assert second.codes is not None
        codes = np.concatenate([first.codes, second.codes + len(first.spellings)])
        return replace(
            self, values=values, tallies=tallies, codes=codes,
            spellings=first.spellings + second.spellings,
        )  # fmt: skip

    def taken(self, rows: Array) -> Column:
        """The column of the rows where ``rows`` (N,) is true.

        Tallies and spellings stay those of the whole file.
        """
        if rows.all():
            return self
        codes = None if self.codes is None else self.codes[rows]
        return replace(self, values=self.values[rows], codes=codes)


def kind_of(cell: str, decimal: str = ".") -> tuple[CellKind, float]:
    """The kind of a cell without blanks around it, and its number; NaN where it is none.

    >>> kind_of("1e3"), kind_of("1_000")[0], kind_of("?")[0], kind_of("1,5")[0]
    (('number', 1000.0), 'odd', 'missing', 'odd')
    >>> kind_of("1,5", decimal=",")
    ('number', 1.5)
    """
    plain = cell
    if decimal == ",":
        plain = cell.replace(",", ".") if "." not in cell else "1.0.0"
    if _NUMBER.fullmatch(plain):
        number = float(plain)
        return ("number", number) if math.isfinite(number) else ("odd", math.nan)
    small = cell.casefold()
    if small in MISSING:
        return "missing", math.nan
    if small in BOOLEANS:
        return "boolean", BOOLEANS[small]
    if _DATE.fullmatch(cell):
        return "date", math.nan
    return ("odd" if _ODD.fullmatch(cell) else "text"), math.nan


class ColumnReader:
    """Collects the cells of a column, block by block, in a bounded number of bytes a cell."""

    def __init__(self, name: str, decimal: str = ".") -> None:
        self._name, self._decimal = name, decimal
        self._seen: dict[str, int] | None = {}
        self._lines: list[int] = []  # of each spelling
        self._codes: list[Array] = []
        self._values: list[Array] = []
        self._tallies: dict[CellKind, Tally] = {}

    def add(self, cells: Sequence[str], lines: Sequence[int]) -> None:
        """Add the cells of some rows, which begin at these lines."""
        if self._seen is not None:
            fresh = [cell for cell in dict.fromkeys(cells) if cell not in self._seen]
            if len(self._seen) + len(fresh) <= MAX_SPELLINGS:
                for cell in fresh:
                    self._seen[cell] = len(self._seen)
                    self._lines.append(lines[cells.index(cell)])
                self._codes.append(
                    np.fromiter(map(self._seen.__getitem__, cells), np.int32, len(cells))
                )
                return
            self._forget_spellings()
        self._values.append(self._numbers(cells, lines))

    def column(self) -> Column:
        """The column of all cells that were added."""
        if self._seen is None:
            return Column(
                self._name, np.concatenate(self._values), self._tallies, source=self._name
            )
        spellings, codes = self._spellings(), self._all_codes()
        for spelling in spellings:
            self._count(spelling.kind, spelling.cells, spelling.line, spelling.text)
        values = np.array([s.number for s in spellings], np.float64)[codes]
        return Column(self._name, values, self._tallies, spellings, codes, self._name)

    def _all_codes(self) -> Array:
        return np.concatenate([np.empty(0, np.int32), *self._codes])

    def _spellings(self) -> tuple[Spelling, ...]:
        assert self._seen is not None
        counts = np.bincount(self._all_codes(), minlength=len(self._seen))
        return tuple(
            Spelling(cell.strip(), *kind_of(cell.strip(), self._decimal), int(count), line)
            for cell, count, line in zip(self._seen, counts, self._lines, strict=True)
        )

    def _forget_spellings(self) -> None:
        """Keep the numbers of what was read so far, and count the rest."""
        spellings = self._spellings()
        for spelling in spellings:
            self._count(spelling.kind, spelling.cells, spelling.line, spelling.text)
        numbers = np.array([s.number for s in spellings], np.float64)
        self._values = [numbers[codes] for codes in self._codes]
        self._seen, self._codes, self._lines = None, [], []

    def _numbers(self, cells: Sequence[str], lines: Sequence[int]) -> Array:
        text = "\n".join(cells)
        if self._decimal == "," and "." not in text:
            text = text.replace(",", ".")
        if _PLAIN.fullmatch(text):
            try:
                values = np.array(list(map(float, text.split("\n"))))
            except ValueError:
                values = np.array([math.inf])
            if np.isfinite(values).all():
                self._count("number", len(cells), lines[0], cells[0])
                return values
        values = np.empty(len(cells))
        for index, cell in enumerate(cells):
            plain = cell.strip()
            kind, values[index] = kind_of(plain, self._decimal)
            self._count(kind, 1, lines[index], plain)
        return values

    def _count(self, kind: CellKind, count: int, line: int, example: str) -> None:
        known = self._tallies.get(kind)
        self._tallies[kind] = (
            known.with_more(count, line, example) if known else Tally(count, line, example)
        )


def column_of(name: str, cells: Sequence[str]) -> Column:
    """A column of texts that stand in no file of lines: an array, or a column of Parquet."""
    reader = ColumnReader(name)
    reader.add(cells, range(1, len(cells) + 1))
    return reader.column()


def with_spellings(column: Column) -> Column:
    """The column with the different numbers of an array as spellings, if they are few enough."""
    if column.codes is not None:
        return column
    numbers, first, codes = np.unique(column.values, return_index=True, return_inverse=True)
    if len(numbers) > MAX_SPELLINGS:
        return column
    spellings = tuple(
        Spelling(f"{x:.17g}", "missing" if math.isnan(x) else "number", x, 0, int(row) + 1)
        for x, row in zip(numbers.astype(np.float64).tolist(), first, strict=True)
    )
    return replace(column, spellings=spellings, codes=codes)


def column_of_numbers(name: str, values: Array, source: str) -> Column:
    """A column of an array of numbers, in which NaN is missing; rows count from 1."""
    tallies: dict[CellKind, Tally] = {}
    rows = np.arange(1, len(values) + 1)
    masks: dict[CellKind, Array] = {"missing": np.isnan(values), "odd": np.isinf(values)}
    masks["number"] = ~(masks["missing"] | masks["odd"])
    for kind, mask in masks.items():
        if mask.any():
            first = int(mask.argmax())
            tallies[kind] = Tally(
                int(mask.sum()), int(rows[first]), f"{values[first]}".replace("nan", "NaN")
            )
    return Column(name, values, tallies, source=source)
