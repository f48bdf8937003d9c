"""Tables: the columns of a file -> features and target, or all problems of the file at once."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

import numpy as np

from initbench.core.arrays import Array
from initbench.datasets.columns import MAX_SPELLINGS, Column, Spelling, Tally, with_spellings
from initbench.datasets.leaks import numbers_rows, sentences
from initbench.datasets.problems import FileProblem, Refused
from initbench.spec.datasets import FileDataset
from initbench.wording import counted

#: A target of at most this many distinct whole numbers is taken for classes.
MAX_GUESSED_CLASSES = 20
#: More than two whole numbers with fewer rows a number than this are taken for numbers.
ROWS_A_CLASS = 3
#: A text column of at most this many different texts is one-hot encoded without being asked for.
FEW_TEXTS = 20
MIN_SAMPLES = 4
#: A number in which a comma can hardly part thousands.
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,(?!\d{3}$)\d+")


@dataclass(frozen=True, slots=True)
class Source:
    """The columns of a file, and the problems that were met before any column was looked at.

    Messages call a column a ``what``, and the place of a sample a ``row``.
    """

    columns: tuple[Column, ...]
    problems: tuple[FileProblem, ...] = ()
    what: Literal["column", "array"] = "column"
    row: Literal["line", "row"] = "line"


@dataclass(frozen=True, slots=True)
class Table:
    """Samples as numbers, before they are split, filled and scaled.

    Attributes:
        x: Features (N, C): first ``numbers`` columns of numbers, then ``booleans`` of 0 and 1, then
            one column of codes for each of ``categories``. NaN is missing.
        y: The target (N,): numbers, or the code of each sample's class.
        classify: Whether the target is a class.
        target: The target's name.
        numbers: Columns of numbers, which are scaled.
        booleans: Columns of 0 and 1, which are not scaled.
        categories: The number of categories of each column of codes.
        notes: What the user should know of how the file was read.
        sha256: The fingerprint of the bytes that were parsed; empty for named data sets.
    """

    x: Array
    y: Array
    classify: bool
    target: str = ""
    numbers: int = 0
    booleans: int = 0
    categories: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The columns that a choice uses, how each is taken, and what is said of the others."""

    target: Column
    numbers: list[Column]
    booleans: list[Column]
    categories: list[Column]
    left_out: list[str]

    @property
    def features(self) -> list[Column]:
        return [*self.numbers, *self.booleans, *self.categories]


def table_of(choice: FileDataset, source: Source) -> Table:
    """The features and the target that a choice takes from a file.

    Raises:
        Refused: It holds every problem of the columns that are used.
    """
    problems = list(source.problems)
    chosen = _choose(choice, source, problems)
    if not len(chosen.target.values) and not source.problems:
        raise Refused([FileProblem(None, f"has 0 samples; at least {MIN_SAMPLES} are needed")])
    problems += _cells_of_target(choice, chosen.target)
    for column in chosen.features:
        problems += _cells_of_feature(choice, column, source.what, chosen)
    if problems:
        raise Refused(sorted(problems, key=lambda problem: problem.line or 0))
    kept = _kept_rows(choice, chosen)
    if kept.sum() < MIN_SAMPLES:
        left = "has" if kept.all() else f"of {len(kept)} samples has no missing cells in"
        raise Refused(
            [FileProblem(None, f"{left} {kept.sum()} samples; at least {MIN_SAMPLES} are needed")]
        )
    notes = _notes_on_columns(choice, chosen, kept)
    target = chosen.target.taken(kept)
    y, classify, as_read = _target(choice, target)
    if len(np.unique(y)) < 2:
        held = target.labels[0] if _is_text(target) else y[0]
        raise Refused(
            [
                FileProblem(
                    None,
                    f"target {choice.target!r} is {held} in every row; it needs at least 2 values",
                )
            ]
        )
    numbers = [column.taken(kept).values for column in chosen.numbers]
    booleans = [column.taken(kept).values for column in chosen.booleans]
    texts = [column.taken(kept) for column in chosen.categories]
    labels = [column.labels for column in texts]
    codes = [column.label_codes(known) for column, known in zip(texts, labels, strict=True)]
    arrays = [*numbers, *booleans, *codes]
    x = np.empty((len(y), len(arrays)))
    for index, values in enumerate(arrays):
        x[:, index] = values
    named = [(column.name, x[:, i]) for i, column in enumerate(chosen.features)]
    notes += [*as_read, *sentences(named, choice.target, y, classify=classify)]
    return Table(
        x,
        y,
        classify,
        choice.target,
        numbers=len(numbers),
        booleans=len(booleans),
        categories=tuple(map(len, labels)),
        notes=tuple(f"{PurePath(choice.path).name}: {note}." for note in notes),
    )


def _choose(choice: FileDataset, source: Source, problems: list[FileProblem]) -> _Chosen:
    """The columns to use; names that the file does not have, and choices that cannot be."""
    columns = source.columns
    known = list(dict.fromkeys(column.source for column in columns if column.source))
    target = _target_column(choice, source, known)
    for key in ("features", "drop", "one_hot"):
        for name in getattr(choice, key) or ():
            if name not in known:
                problems.append(
                    FileProblem(None, f"{key} names {name!r}, which is no {source.what} of it"
                                + _closest(name, known, source.what))
                )  # fmt: skip
            elif name == choice.target:
                problems.append(FileProblem(None, f"{key} names the target {name!r}; remove it"))
    asked = {*(choice.features or ()), *choice.one_hot}
    problems += [
        FileProblem(None, f"drop names {name!r}, which other keys take in")
        for name in sorted(asked & set(choice.drop))
    ]
    chosen = _Chosen(target, [], [], [], [])
    for column in columns:
        wanted = choice.features is None or column.source in asked
        if column.source == choice.target or column.source in choice.drop or not wanted:
            continue
        _place(choice, column, column.source in asked, chosen, problems)
    if not chosen.features and not problems:
        left_out = ", ".join(chosen.left_out)
        why = f"add features; left out: {left_out}" if left_out else "add features"
        message = f"has no {source.what} besides the target {choice.target!r}; {why}"
        problems.append(FileProblem(None, message))
    return chosen


def _place(
    choice: FileDataset,
    column: Column,
    asked: bool,
    chosen: _Chosen,
    problems: list[FileProblem],
) -> None:
    """Put a column among the numbers, booleans or categories, or say why it is left out."""
    name, kind = column.name, column.kind
    if name in choice.one_hot:
        column = with_spellings(column)
        if column.spellings is None:
            problems.append(
                FileProblem(None, f"column {name!r} has more than {MAX_SPELLINGS:,} different "
                "cells, too many to be one-hot encoded; drop it")
            )  # fmt: skip
        else:
            chosen.categories.append(column)
        return
    rows = "" if asked else numbers_rows(column)
    many = column.spellings is None or not _few(column)
    reason = {
        "empty": "no cell is filled",
        "dates": "dates",
        "texts": _how_many(column) if many or len(column.labels) < 2 else "",
    }.get(kind, "")
    if kind == "texts" and choice.categories == "drop":
        reason = "texts"
    if rows or reason:
        if asked:
            problems.append(
                FileProblem(None, f"column {name!r} cannot be a feature: {reason}; "
                + ("name it under one_hot, or drop it" if kind == "texts" else "drop it"))
            )  # fmt: skip
        else:
            chosen.left_out.append(f"{name} ({rows or reason})" if name else rows)
    elif kind == "texts":
        chosen.categories.append(column)
    elif kind == "booleans":
        chosen.booleans.append(column)
    else:
        chosen.numbers.append(column)


def _few(column: Column) -> bool:
    different = len(column.labels)
    return different <= FEW_TEXTS and 2 * different <= len(column.values)


def _how_many(column: Column) -> str:
    if column.spellings is None:
        return f"more than {MAX_SPELLINGS:,} different texts"
    different = len(column.labels)
    return f"{different:,} different texts" if different > 1 else "one text in each row"


def _target_column(choice: FileDataset, source: Source, known: Sequence[str]) -> Column:
    name, what = choice.target, source.what
    if name not in known:
        message = f"has no {what} {name!r} for the target{_closest(name, known, what)}"
        raise Refused([FileProblem(None, message)])
    return next(column for column in source.columns if column.source == name)


def _closest(name: str, known: Sequence[str], what: str) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; it has {', '.join(known)}" if known else f"; it has no {what}s"


def _is_text(column: Column) -> bool:
    return column.kind not in ("numbers", "empty")


def _cells_of_target(choice: FileDataset, column: Column) -> list[FileProblem]:
    """Cells that a target cannot have: missing ones, and those that leave its task open."""
    name = choice.target
    problems = []
    missing = column.tallies.get("missing")
    if missing and "drop" not in (choice.missing, choice.missing_target):
        problems.append(
            FileProblem(
                missing.line,
                f"target {name!r}: {_empty(missing, column)}; fill it, remove the row, or write "
                "missing_target: drop",
            )
        )
    if column.kind == "mixed" and choice.task != "classification":
        fix = "correct it, or write task: classification to take the cells as they are written"
        problems += _strange(column, f"target {name!r}", fix)
    elif _is_text(column) and choice.task == "regression":
        problems.append(
            FileProblem(None, f"target {name!r} holds texts; a regression needs numbers")
        )
    elif (_is_text(column) or choice.task == "classification") and (
        with_spellings(column).spellings is None
    ):
        problems.append(
            FileProblem(None, f"target {name!r} has more than {MAX_SPELLINGS:,} different values, "
            "too many for classes")
        )  # fmt: skip
    return problems + _written_alike(column, f"target {name!r}", numbers=_classes(choice, column))


def _cells_of_feature(
    choice: FileDataset, column: Column, what: str, chosen: _Chosen
) -> list[FileProblem]:
    place = f"{what} {column.name!r}"
    problems = []
    missing = column.tallies.get("missing")
    if missing and choice.missing == "error":
        problems.append(
            FileProblem(
                missing.line,
                f"{place}: {_empty(missing, column)}; fill it or drop the row, or write "
                "missing: drop, mean, median or most_frequent",
            )
        )
    category = any(column is other for other in chosen.categories)
    if category:
        problems += _written_alike(column, place, numbers=True)
    else:
        fix = f"correct it, or name {column.name} under drop or one_hot"
        problems += _strange(column, place, fix)
    return problems


def _empty(missing: Tally, column: Column) -> str:
    written = f"{missing.example!r} is missing" if missing.example else "is empty"
    others = f" ({missing.count:,} such cells of {len(column.values):,})"
    return written + (others if missing.count > 1 else "")


def _strange(column: Column, place: str, fix: str) -> list[FileProblem]:
    """Texts among numbers, and numbers that not every program reads."""
    problems = []
    odd = column.tallies.get("odd")
    if odd:
        words = (
            "is infinite" if odd.example.lstrip("+-").casefold().startswith("inf")
            else "is too large a number" if _plain(odd.example)
            else "is a number that other programs read differently or not at all"
        )  # fmt: skip
        hint = ""
        if _DECIMAL_COMMA.fullmatch(odd.example):
            hint = 'write decimal: "," if the comma is the decimal mark, or '
        problems.append(
            FileProblem(odd.line, f"{place}: {odd.example!r} {words}{_others(odd)}; {hint}{fix}")
        )
    for kind in ("text", "boolean", "date"):
        tally = column.tallies.get(kind)
        if tally and column.kind == "mixed":
            problems.append(
                FileProblem(
                    tally.line,
                    f"{place}: {tally.example!r} is not a number, and other cells are"
                    f"{_others(tally)}; {fix}",
                )
            )
    return problems


def _plain(text: str) -> bool:
    try:
        return math.isinf(float(text)) and "_" not in text and text.isascii()
    except ValueError:
        return False


def _others(tally: Tally) -> str:
    return f" ({tally.count:,} such cells)" if tally.count > 1 else ""


def _written_alike(column: Column, place: str, *, numbers: bool) -> list[FileProblem]:
    """Cells that one reader takes for equal and another does not: ``01`` and ``1``, blanks."""
    first: dict[str | float, Spelling] = {}
    for spelling in sorted(column.spellings or (), key=lambda spelling: spelling.line):
        if spelling.kind == "missing" or (spelling.kind == "number" and not numbers):
            continue
        number = spelling.kind == "number"
        known = first.setdefault(spelling.number if number else spelling.text, spelling)
        if known is spelling or (number and known.text == spelling.text):
            continue
        how = (
            f"is the same number as {known.text!r} in line {known.line}"
            if number
            else f"and the cell in line {known.line} differ in blanks alone"
        )
        message = f"{place}: {spelling.text!r} {how}; write both in one way"
        return [FileProblem(spelling.line, message)]
    return []


def _classes(choice: FileDataset, column: Column) -> bool:
    """Whether the target poses a classification."""
    if choice.task != "auto":
        return choice.task == "classification"
    return _is_text(column) or _few_whole_numbers(column.values[~column.missing])


def _few_whole_numbers(y: Array) -> bool:
    if y.dtype.kind == "f" and not (y == np.round(y)).all():
        return False
    different = len(np.unique(y))
    return different <= MAX_GUESSED_CLASSES and (
        different <= 2 or len(y) >= ROWS_A_CLASS * different
    )


def _target(choice: FileDataset, column: Column) -> tuple[Array, bool, list[str]]:
    """The target (N,), whether it is a class, and a note where that was guessed."""
    classify = _classes(choice, column)
    if _is_text(column):
        return column.label_codes(column.labels), True, []
    y = column.values
    notes = []
    different = len(np.unique(y))
    whole = y.dtype.kind != "f" or bool((y == np.round(y)).all())
    if choice.task == "auto" and whole and not classify and different <= MAX_GUESSED_CLASSES:
        notes.append(
            f"the target {choice.target} is taken for a number, since it has "
            f"{different} different values in {len(y)} rows; task: classification takes it for "
            "classes"
        )
    return y, classify, notes


def _kept_rows(choice: FileDataset, chosen: _Chosen) -> Array:
    """Whether each row is used: it is not where a cell is missing that must not be."""
    kept: Array = ~chosen.target.missing
    if choice.missing == "drop":
        for column in chosen.features:
            kept &= ~column.missing
    return kept


def _notes_on_columns(choice: FileDataset, chosen: _Chosen, kept: Array) -> list[str]:
    notes = []
    if chosen.left_out:
        notes.append(f"left out as features: {', '.join(chosen.left_out)}")
    one_hot = [c for c in chosen.categories if c.name not in choice.one_hot]
    if one_hot:
        words = ", ".join(f"{c.name} ({counted(len(c.labels), 'text')})" for c in one_hot)
        notes.append(f"one-hot encoded: {words}")
    if not kept.all():
        notes.append(
            f"{counted(int((~kept).sum()), 'row')} of {len(kept):,} dropped for missing cells"
        )
    filled = [
        f"{c.name} ({c.tallies['missing'].count:,})"
        for c in chosen.features
        if "missing" in c.tallies
    ]
    frequent = "most_frequent"
    if filled and choice.missing not in ("drop", "error"):
        plain = any("missing" in c.tallies for c in [*chosen.booleans, *chosen.categories])
        other = ", of categories the most frequent one" * (plain and choice.missing != frequent)
        value = {frequent: "most frequent value"}.get(choice.missing, choice.missing)
        notes.append(
            f"missing cells filled with the {value} of the train samples{other}: "
            f"{', '.join(filled)}"
        )
    return notes
