"""Delimited text: CSV and its relatives -> columns, in one pass over the lines."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise
from typing import TextIO

from initbench.datasets.columns import Column, ColumnReader, kind_of
from initbench.datasets.problems import FileProblem, Refused
from initbench.wording import counted

#: What may stand between two cells; BLANKS is any run of spaces and tabs.
DELIMITERS = (",", ";", "\t", "|")
BLANKS = " "
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
#: Lines that choose the delimiter.
SAMPLE = 50
#: Rows that are turned into columns at once.
BLOCK = 4096
#: Characters of a line; a longer one is no row of a table.
MAX_LINE = 2**24
_QUOTED_OR_PLAIN = re.compile(r'"((?:[^"]|"")*)"(?=\s|$)|(\S+)')


def read_rows(
    text: TextIO, decimal: str, most_cells: int, size: int = 0
) -> tuple[tuple[Column, ...], tuple[FileProblem, ...]]:
    """Read a table with a header line: its columns, and the problem of rows that do not fit.

    Args:
        text: The file, open with ``newline=""``.
        decimal: The decimal mark of its numbers.
        most_cells: More cells than these do not fit in memory, and are refused.
        size: The number of characters that are expected; 0 where it is unknown.

    Raises:
        Refused: The text is no table; the problems name its lines.
    """
    lines = _lines(text)
    sample = list(islice(lines, SAMPLE))
    delimiter = _delimiter(sample)
    rows = _rows(chain(sample, lines), delimiter)
    _, header = next(rows, (1, []))
    names = [name.strip() for name in header]
    if _names_rows(sample, delimiter):
        names = ["", *names]
    if problems := _header_problems(names):
        raise Refused(problems)
    expected = size / max(1, sum(map(len, sample))) * len(sample) * len(names)
    if expected > 1.2 * most_cells:  # the first lines are not all lines
        raise Refused([_too_many(f"about {expected:,.0f}", most_cells)])
    readers = [ColumnReader(name, decimal) for name in names]
    ragged: list[tuple[int, int]] = []
    cells = 0
    while block := list(islice(rows, BLOCK)):
        whole = [(line, row) for line, row in block if len(row) == len(names)]
        ragged += [(line, len(row)) for line, row in block if len(row) != len(names)]
        cells += len(whole) * len(names)
        if cells > most_cells:
            raise Refused([_too_many(f"more than {most_cells:,}", most_cells)])
        if whole:
            at = [line for line, _ in whole]
            for reader, column in zip(readers, zip(*(row for _, row in whole), strict=True),
                                      strict=True):  # fmt: skip
                reader.add(column, at)
    columns = []
    while readers:  # each lets go of its blocks before the next one joins its own
        columns.append(readers.pop(0).column())
    return tuple(columns), ((_ragged(ragged, len(names)),) if ragged else ())


def _too_many(cells: str, most: int) -> FileProblem:
    return FileProblem(
        None, f"has {cells} cells, and this machine's memory has room for {most:,}; use fewer rows"
    )


def _lines(text: TextIO) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise Refused([FileProblem(number, f"has more than {MAX_LINE:,} characters")])
        yield line


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of the line where it begins."""
    if delimiter == BLANKS:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _cut_at_blanks(line)
        return
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        begins = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise Refused([FileProblem(begins, f"is not CSV: {error}")]) from None
        if row is None:
            return
        if row and (len(row) > 1 or row[0].strip()):
            yield begins, row


def _cut_at_blanks(line: str) -> list[str]:
    return [
        match[1].replace('""', '"') if match[1] is not None else match[2]
        for match in _QUOTED_OR_PLAIN.finditer(line)
    ]


def _delimiter(sample: Sequence[str]) -> str:
    """The delimiter that cuts all first lines into as many fields as the header has names.

    Where no delimiter does, it is the one that is most often in the header, so that messages about
    single lines make sense; a table of one column has none.
    """
    counts = {delimiter: _field_counts(sample, delimiter) for delimiter in (*DELIMITERS, BLANKS)}
    fitting = [
        delimiter for delimiter, (header, *rows) in counts.items()
        if header > 1 and (set(rows) <= {header} or set(rows) == {header + 1})
    ]  # fmt: skip
    single = [delimiter for delimiter in fitting if delimiter != BLANKS]
    if len(single) > 1:
        words = " and ".join(_NAMES[delimiter] for delimiter in single)
        raise Refused(
            [FileProblem(1, f"{words} both cut the first lines evenly; quote cells that hold one")]
        )
    most = max(DELIMITERS, key=lambda delimiter: counts[delimiter][0])
    if single or counts[most][0] > 1 or BLANKS not in fitting:
        return single[0] if single else most
    return BLANKS


def _field_counts(sample: Sequence[str], delimiter: str) -> list[int]:
    return [len(row) for _, row in _sampled(sample, delimiter)] or [0]


def _sampled(sample: Sequence[str], delimiter: str) -> list[tuple[int, list[str]]]:
    """The rows of the first lines, up to one that is not CSV or ends in a later line."""
    rows = []
    try:
        for row in _rows(sample, delimiter):
            rows.append(row)  # noqa: PERF402  # those before an error count
    except Refused:
        pass
    return rows


def _names_rows(sample: Sequence[str], delimiter: str) -> bool:
    """Whether each row has one field more than the header: a row's name, as R writes it."""
    header, *rows = _field_counts(sample, delimiter)
    if set(rows) != {header + 1}:
        return False
    _, *cells = _sampled(sample, delimiter)
    if not any(row[-1].strip() for _, row in cells):
        raise Refused(
            [FileProblem(cells[0][0], "ends with a delimiter, as all rows do and the header not")]
        )
    return True


def _header_problems(names: Sequence[str]) -> list[FileProblem]:
    problems = []
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    if twice:
        words = ", ".join(map(repr, twice[:5])) + (" and others" if len(twice) > 5 else "")
        problems.append(FileProblem(1, f"names {words} more than once; give each column its name"))
    numbers = [number for name in names for kind, number in [kind_of(name)] if kind == "number"]
    # The columns of a wide table may be named by years, or 0, 1, 2, ...: evenly spaced.
    steps = {b - a for a, b in pairwise(numbers)}
    counted_up = len(steps) == 1 and (steps == {1.0} or (len(numbers) > 2 and min(steps) > 0))
    if numbers and not (counted_up and numbers[0].is_integer()):
        problems.append(
            FileProblem(
                1,
                f"holds {counted(len(numbers), 'number')} where the names of columns should "
                "stand; put a line of names above the rows",
            )
        )
    return problems


def _ragged(rows: Sequence[tuple[int, int]], width: int) -> FileProblem:
    line, fields = rows[0]
    more = f" ({len(rows):,} such lines)" if len(rows) > 1 else ""
    return FileProblem(line, f"has {counted(fields, 'field')}; the header has {width}{more}")
