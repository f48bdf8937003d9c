"""Given splits: a file of test samples, or a column that says which rows they are."""

from __future__ import annotations

from collections import Counter

import numpy as np

from initbench.core.arrays import Array
from initbench.datasets.columns import Column, with_spellings
from initbench.datasets.problems import FileProblem, Refused

#: Kinds of columns that hold numbers, as far as a column of the other file can tell.
_AS_NUMBERS = {"numbers": "numbers", "booleans": "booleans", "empty": "no cells"}


def mismatch(train: Column, test: Column | None, *, category: bool) -> list[FileProblem]:
    """Why a column of the test samples cannot follow that of the train samples."""
    if test is None:
        message = f"has no column {train.name!r}, as the file of the train samples has"
        return [FileProblem(None, message, of_test=True)]
    if category:
        return _written_otherwise(train, test)
    words = [_AS_NUMBERS.get(column.kind, "texts") for column in (train, test)]
    if words[0] == words[1] or "no cells" in words:
        return []
    message = f"column {train.name!r} holds {words[1]}, and in the file of the train samples "
    return [FileProblem(None, f"{message}{words[0]}; write both in one way", of_test=True)]


def _written_otherwise(train: Column, test: Column) -> list[FileProblem]:
    """The first number that the test samples write in another way, as 01 for 1."""
    known, found = with_spellings(train).spellings, with_spellings(test).spellings
    if found is None:
        message = f"column {test.name!r} has too many different cells for categories"
        return [FileProblem(None, message, of_test=True)]
    texts = {s.number: s.text for s in known or () if s.kind == "number"}
    for spelling in found:
        written = texts.get(spelling.number, spelling.text)
        if spelling.kind == "number" and written != spelling.text:
            message = (
                f"column {test.name!r}: {spelling.text!r} is the same number as {written!r} in the "
                "file of the train samples; write both in one way"
            )
            return [FileProblem(spelling.line, message, of_test=True)]
    return []


def rows_of_tests(column: Column, value: str) -> tuple[Array, str]:
    """Whether each row is a test sample, (N,), and a note that counts the others' values.

    Raises:
        Refused: No row has the value, all have it, or a cell is missing.
    """
    held = with_spellings(column)
    if held.spellings is None or held.codes is None:
        raise Refused([FileProblem(None, f"split_column {column.name!r} has too many values")])
    missing = column.tallies.get("missing")
    if missing:
        message = f"split_column {column.name!r}: a cell is missing; fill it"
        raise Refused([FileProblem(missing.line, message)])
    texts = np.array([spelling.text == value for spelling in held.spellings])
    tests: Array = texts[held.codes]
    counts = Counter(held.spellings[code].text for code in held.codes.tolist())
    if not tests.any() or tests.all():
        have = ", ".join(f"{text} ({count:,})" for text, count in counts.most_common(10))
        what = "no other value than" if tests.all() else "no value"
        message = f"split_column {column.name!r} has {what} {value!r}; it has {have}"
        raise Refused([FileProblem(None, f"{message}; write another test_value")])
    others = ", ".join(f"{text} {count:,}" for text, count in sorted(counts.items())
                       if text != value)  # fmt: skip
    return tests, (
        f"the {int(tests.sum()):,} rows whose {column.name} is {value} are the test samples; all "
        f"others are trained on ({others})"
    )
