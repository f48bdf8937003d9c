"""Cells of the columns that are used: what they must not be, and whether a target is a class."""

from __future__ import annotations

import math
import re

import numpy as np

from initbench.core.arrays import Array
from initbench.datasets.columns import MAX_SPELLINGS, Column, Spelling, Tally, with_spellings
from initbench.datasets.problems import FileProblem
from initbench.spec.datasets import FileDataset

#: A target of at most this many distinct whole numbers is taken for classes.
MAX_GUESSED_CLASSES = 20
#: More than two whole numbers with fewer rows a number than this are taken for numbers.
ROWS_A_CLASS = 3
#: A number in which a comma can hardly part thousands.
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,(?!\d{3}$)\d+")
#: A number in which a comma may do either.
_ANY_COMMA = re.compile(r"[+-]?\d+,\d+")


def is_text(column: Column) -> bool:
    """Whether a target's cells are taken as they are written, and not for numbers."""
    return column.kind not in ("numbers", "empty")


def cells_of_target(choice: FileDataset, column: Column) -> list[FileProblem]:
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
    elif column.kind == "nested":
        problems.append(
            FileProblem(None, f"target {name!r} holds lists or bytes, which no task takes")
        )
    elif is_text(column) and choice.task == "regression":
        problems.append(
            FileProblem(None, f"target {name!r} holds texts; a regression needs numbers")
        )
    elif (is_text(column) or choice.task == "classification") and (
        with_spellings(column).spellings is None
    ):
        problems.append(
            FileProblem(None, f"target {name!r} has more than {MAX_SPELLINGS:,} different values, "
            "too many for classes")
        )  # fmt: skip
    return problems + _written_alike(
        column, f"target {name!r}", numbers=poses_classes(choice, column)
    )


def cells_of_feature(
    choice: FileDataset, column: Column, what: str, *, category: bool
) -> list[FileProblem]:
    """Cells that a feature cannot have; ``category`` says that it is one-hot encoded."""
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
        elif _ANY_COMMA.fullmatch(odd.example):
            hint = 'write decimal: "," if the comma is the decimal mark; if it parts thousands, '
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


def poses_classes(choice: FileDataset, column: Column) -> bool:
    """Whether the target poses a classification."""
    if choice.task != "auto":
        return choice.task == "classification"
    return is_text(column) or _few_whole_numbers(column.values[~column.missing])


def _few_whole_numbers(y: Array) -> bool:
    if y.dtype.kind == "f" and not (y == np.round(y)).all():
        return False
    different = len(np.unique(y))
    return different <= MAX_GUESSED_CLASSES and (
        different <= 2 or len(y) >= ROWS_A_CLASS * different
    )
