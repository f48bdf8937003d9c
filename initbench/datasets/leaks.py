"""Leaks: columns that tell the target, or that number the rows, though they say nothing of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from initbench.core.arrays import Array
from initbench.datasets.columns import Column

#: Rows that a column is judged by first; few columns need all rows.
GLANCE = 5000
#: Fewer rows fall into order by chance.
MIN_ROWS = 20
#: A column whose correlation with the target is at least this close to 1 holds the target itself.
ROUNDING = 1e-9

_ID = re.compile(
    r"id|ids|index|idx|row|row[_ .]?(?:id|no|nr|num|number|names?)|unnamed: ?\d+|.+[_ .-]id"
    r"|__index_level_\d+__",  # pandas' own, in a Parquet file
    re.IGNORECASE,
)
_CAMEL_ID = re.compile(r".*[a-z](?:ID|Id)")


def numbers_rows(column: Column) -> str:
    """Why a column only numbers or names the rows, in words; empty where it does not.

    >>> from initbench.datasets.columns import column_of
    >>> numbers_rows(column_of("week", ["1", "2", "3"])), numbers_rows(column_of("n", list("321")))
    ('1 to 3, a row number', '3 to 1, a row number')
    >>> numbers_rows(column_of("__index_level_0__", ["0", "1", "2"]))
    '0 to 2, a row number'
    >>> numbers_rows(column_of("age", ["3", "1", "2"]))
    ''
    """
    if not column.name:
        return "a column without a name"
    if column.source != column.name or column.missing.any() or len(column.values) < 3:
        return ""
    named = bool(_ID.fullmatch(column.name) or _CAMEL_ID.fullmatch(column.name))
    values = column.values
    if column.kind == "numbers":
        upwards = values if values[0] < values[-1] else values[::-1]
        first = upwards[0]
        if (first == 1 or (first == 0 and named)) and (np.diff(upwards) == 1).all():
            return f"{values[0]:g} to {values[-1]:g}, a row number"
        if named and (values == np.round(values)).all() and len(np.unique(values)) == len(values):
            return "another number in each row"
    if named and column.kind in ("texts", "mixed"):
        every = column.spellings is None or len(column.spellings) == len(values)
        return "another text in each row" if every else ""
    return ""


def equal_columns(columns: Iterable[tuple[str, Array]]) -> list[list[str]]:
    """The names of columns that hold the same numbers, a list for each group of two or more."""
    groups: dict[bytes, list[str]] = {}
    for name, values in columns:
        groups.setdefault(np.ascontiguousarray(values, np.float64).tobytes(), []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def tells_the_target(values: Array, target: Array, *, classify: bool) -> bool:
    """Whether a column alone determines the target.

    It does where equal values always have equal targets, and there are two rows a value or more;
    where the classes are ranges of its values that do not overlap; and where a number to predict
    is a linear function of it.
    """
    known = np.isfinite(values)
    values, target = values[known], target[known]
    step = max(1, len(values) // GLANCE)
    return all(
        _tells(values[::each], target[::each], classify=classify)
        for each in ((step, 1) if step > 1 else (1,))
    )


def _tells(values: Array, target: Array, *, classify: bool) -> bool:
    if len(values) < MIN_ROWS:
        return False
    different, place = np.unique(values, return_inverse=True)
    _, target_place = np.unique(target, return_inverse=True)
    targets = int(target_place.max()) + 1
    if len(different) < 2 or targets < 2:
        return False
    pairs = len(np.unique(place.astype(np.int64) * targets + target_place))
    if 2 * len(different) <= len(values):
        return pairs == len(different)
    if classify:
        ordered = target_place[np.argsort(values, kind="stable")]
        return pairs == len(different) and int(np.count_nonzero(np.diff(ordered))) == targets - 1
    with np.errstate(invalid="ignore", over="ignore"):
        correlation = np.corrcoef(values, target.astype(np.float64))[0, 1]
    return bool(abs(correlation) > 1 - ROUNDING)


def sentences(
    features: Sequence[tuple[str, Array]], target: str, y: Array, *, classify: bool
) -> list[str]:
    """What a user should know of features that tell the target or repeat each other."""
    told = [name for name, values in features if tells_the_target(values, y, classify=classify)]
    found = []
    if told:
        one = len(told) == 1
        found.append(
            f"{', '.join(told)} {'determines' if one else 'each determine'} the target {target} "
            f"alone; drop {'it' if one else 'those'} that would not be known before the target"
        )
    found += [f"{' and '.join(names)} say the same" for names in equal_columns(features)]
    return found
