"""Tables: the columns of a file -> features and target, or all problems of the file at once."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

import numpy as np

from initbench.core.arrays import Array
from initbench.datasets.cells import (
    MAX_GUESSED_CLASSES,
    cells_of_feature,
    cells_of_target,
    is_text,
    poses_classes,
)
from initbench.datasets.columns import MAX_SPELLINGS, Column, with_spellings
from initbench.datasets.given import mismatch, rows_of_tests
from initbench.datasets.leaks import numbers_rows, sentences
from initbench.datasets.problems import FileProblem, Refused
from initbench.spec.datasets import FileDataset
from initbench.wording import counted

#: A text column of at most this many different texts is one-hot encoded without being asked for.
FEW_TEXTS = 20
MIN_SAMPLES = 4


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
        tests: Whether each sample is a test sample; None where the split is drawn.
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
    tests: Array | None = None
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

    @property
    def used(self) -> list[Column]:
        return [self.target, *self.features]

    def is_category(self, column: Column) -> bool:
        return any(column is other for other in self.categories)

    def joined(self, others: Sequence[Column]) -> _Chosen:
        """With the samples of other columns, in the order of ``used``, behind its own."""
        target, *features = (a.joined(b) for a, b in zip(self.used, others, strict=True))
        first, last = len(self.numbers), len(self.numbers) + len(self.booleans)
        return _Chosen(
            target, features[:first], features[first:last], features[last:], self.left_out
        )


def table_of(choice: FileDataset, source: Source, tests: Source | None = None) -> Table:
    """The features and the target that a choice takes from a file, and from one of test samples.

    Raises:
        Refused: It holds every problem of the columns that are used.
    """
    problems = list(source.problems)
    chosen = _choose(choice, source, problems)
    if not len(chosen.target.values) and not source.problems:
        raise Refused([FileProblem(None, f"has 0 samples; at least {MIN_SAMPLES} are needed")])
    problems += cells_of_target(choice, chosen.target)
    for column in chosen.features:
        category = chosen.is_category(column)
        problems += cells_of_feature(choice, column, source.what, category=category)
    others = _columns_of_tests(choice, chosen, tests, problems) if tests else []
    if problems:
        raise Refused(sorted(problems, key=lambda problem: (problem.of_test, problem.line or 0)))
    is_test, notes_on_split = _given_split(choice, source, chosen, others)
    if others:
        chosen = chosen.joined(others)
    kept = _kept_rows(choice, chosen)
    if kept.sum() < MIN_SAMPLES:
        held = counted(int(kept.sum()), "sample")
        left = "" if kept.all() else f" without missing cells, of {len(kept):,}"
        message = f"has {held}{left}; at least {MIN_SAMPLES} are needed"
        raise Refused([FileProblem(None, message)])
    notes = [*_notes_on_columns(choice, chosen, kept), *notes_on_split]
    target = chosen.target.taken(kept)
    y, classify, as_read = _target(choice, target)
    if len(np.unique(y)) < 2:
        held = target.labels[0] if is_text(target) else y[0]
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
        tests=None if is_test is None else is_test[kept],
    )


def _columns_of_tests(
    choice: FileDataset, chosen: _Chosen, tests: Source, problems: list[FileProblem]
) -> list[Column]:
    """The columns of the test samples that go with the target and the features, in their order."""
    named = {column.name: column for column in tests.columns}
    found = [named.get(column.name) for column in chosen.used]
    problems += [problem._replace(of_test=True) for problem in tests.problems]
    classify = poses_classes(choice, chosen.target)
    for index, (train, test) in enumerate(zip(chosen.used, found, strict=True)):
        is_target = index == 0
        category = chosen.is_category(train) or (is_target and classify)
        if test is not None:
            cells = (
                cells_of_target(choice, test)
                if is_target
                else cells_of_feature(choice, test, tests.what, category=category)
            )
            problems += [problem._replace(of_test=True) for problem in cells]
        problems += mismatch(train, test, category=category)
    return [column for column in found if column is not None]


def _given_split(
    choice: FileDataset, source: Source, chosen: _Chosen, others: Sequence[Column]
) -> tuple[Array | None, list[str]]:
    """Whether each sample is a test sample, if that is given, and a note on it."""
    if others:
        counts = (len(chosen.target.values), len(others[0].values))
        return np.repeat([False, True], counts), []
    if choice.split_column is None:
        return None, []
    column = next(column for column in source.columns if column.source == choice.split_column)
    tests, note = rows_of_tests(column, choice.test_value)
    return tests, [note]


def _choose(choice: FileDataset, source: Source, problems: list[FileProblem]) -> _Chosen:
    """The columns to use; names that the file does not have, and choices that cannot be."""
    columns = source.columns
    known = list(dict.fromkeys(column.source for column in columns if column.source))
    target = _target_column(choice, source, known)
    named = {
        "features": choice.features or (),
        "drop": choice.drop,
        "one_hot": choice.one_hot,
        "split_column": () if choice.split_column is None else (choice.split_column,),
    }
    for key, names in named.items():
        for name in names:
            if name not in known:
                problems.append(
                    FileProblem(None, f"{key} names {name!r}, which is no {source.what} of it"
                                + _closest(name, known, source.what))
                )  # fmt: skip
            elif name == choice.target:
                problems.append(FileProblem(None, f"{key} names the target {name!r}; remove it"))
    asked = {*(choice.features or ()), *choice.one_hot}
    unused = {choice.target, choice.split_column, *choice.drop}
    problems += [
        FileProblem(None, f"drop names {name!r}, which other keys take in")
        for name in sorted(asked & set(choice.drop))
    ]
    chosen = _Chosen(target, [], [], [], [])
    for column in columns:
        wanted = choice.features is None or column.source in asked
        if column.source in unused or not wanted:
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
        "nested": "lists or bytes, which are no cells",
        "mixed": _many_texts_among_numbers(column),
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


def _many_texts_among_numbers(column: Column) -> str:
    """Why a column is one of texts of which some are numbers, as those of tickets; or empty."""
    text = column.tallies.get("text")
    if text is None or "odd" in column.tallies or 20 * text.count < len(column.values):
        return ""
    texts = [s for s in column.spellings or () if s.kind == "text"]
    many = column.spellings is None or len(texts) > FEW_TEXTS
    return f"{text.count:,} texts among numbers" if many else ""


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


def _target(choice: FileDataset, column: Column) -> tuple[Array, bool, list[str]]:
    """The target (N,), whether it is a class, and a note where that was guessed."""
    classify = poses_classes(choice, column)
    if is_text(column):
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
