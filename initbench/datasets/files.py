"""A user's own data: a CSV or an NPZ file -> features and target; a message names the bad cell."""

from __future__ import annotations

import csv
import difflib
import math
import tokenize
import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.lib.format import read_array
from numpy.typing import NDArray

from initbench.errors import DataError
from initbench.spec.datasets import FileDataset

Array = NDArray[Any]

#: A file's target of at most so many distinct whole numbers is taken for classes.
MAX_GUESSED_CLASSES = 20
#: What zipfile, zlib, tokenize and NumPy raise at a file that is no archive of arrays.
_NOT_NPZ = (
    ValueError, EOFError, MemoryError, RuntimeError, BadZipFile, zlib.error, tokenize.TokenError
)  # fmt: skip


def read_file(choice: FileDataset, folder: Path) -> tuple[Array, Array, bool]:
    """Features (N, I), target (N,), and whether the target is a class."""
    path = folder / choice.path
    if "\0" in choice.path:
        raise DataError(f"{choice.path!r} holds the character NUL, which no file name has")
    try:
        if path.suffix.lower() == ".npz":
            x, y = _from_npz(path, choice.target)
        elif path.suffix.lower() == ".csv":
            x, y = _from_csv(path, choice.target)
        else:
            raise DataError(f"{path}: must end in .csv or .npz")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(y) < 4:
        raise DataError(f"{path}: has {len(y)} samples; at least 4 are needed")
    whole = y.dtype.kind not in "fc" or bool((y == np.round(y)).all())
    few = len(np.unique(y)) <= MAX_GUESSED_CLASSES
    text = y.dtype.kind not in "iufb"
    classify = {"classification": True, "regression": False, "auto": text or (whole and few)}[
        choice.task
    ]
    if not classify and text:
        raise DataError(f"{path}: target {choice.target!r} holds texts; a regression needs numbers")
    if len(np.unique(y)) < 2:
        raise DataError(f"{path}: target {choice.target!r} is {y[0]} in every row")
    return x, y, classify


def _from_csv(path: Path, target: str) -> tuple[Array, Array]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header_line = file.readline()
            delimiter = max(",;\t", key=header_line.count)
            header = next(csv.reader([header_line], delimiter=delimiter), [])
            reader = csv.reader(file, delimiter=delimiter)
            lines, rows = [], []
            for row in reader:
                if row:  # blank lines are none
                    lines.append(reader.line_num + 1)
                    rows.append(row)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 ({error.reason}); save it as UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{path}: is not CSV: {error}") from None
    column = _named(path, target, header, "column")
    features = np.empty((len(rows), len(header) - 1))
    for number, (line, row) in enumerate(zip(lines, rows, strict=True)):
        if len(row) != len(header):
            raise DataError(f"{path}:{line}: has {len(row)} fields; the header has {len(header)}")
        if not row[column].strip():
            raise DataError(f"{path}:{line}: column {target!r}: is empty; fill or drop the row")
        for index, (name, cell) in enumerate(
            (name, cell)
            for position, (name, cell) in enumerate(zip(header, row, strict=True))
            if position != column
        ):
            features[number, index] = _number(path, line, name, cell)
    labels = np.array([row[column].strip() for row in rows])
    try:
        labels = labels.astype(np.float64)
    except ValueError:
        return _finite(path, features, lines), labels
    return _finite(path, features, lines), _finite(path, labels, lines)


def _number(path: Path, line: int, name: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        what = f"{cell!r} is not a number" if cell.strip() else "is empty"
        raise DataError(f"{path}:{line}: column {name!r}: {what}; features are numbers") from None


def _from_npz(path: Path, target: str) -> tuple[Array, Array]:
    try:
        # Opened here: np.load leaves a file open that is not an archive.
        with path.open("rb") as file, ZipFile(file) as archive:
            arrays = {}
            for member in archive.namelist():
                with archive.open(member) as stream:
                    arrays[member.removesuffix(".npy")] = read_array(stream, allow_pickle=False)
    except _NOT_NPZ as error:
        raise DataError(f"{path}: is not an NPZ file of plain arrays: {error}") from None
    _named(path, target, list(arrays), "array")
    y = arrays.pop(target)
    if y.ndim != 1:
        raise DataError(f"{path}: target {target!r} must have one axis, got shape {y.shape}")
    columns = []
    for name, array in arrays.items():
        if array.dtype.kind not in "iufb" or array.shape[:1] != y.shape:
            raise DataError(
                f"{path}: array {name!r} must hold {len(y)} rows of numbers, "
                f"got shape {array.shape} of {array.dtype}"
            )
        columns.append(array.reshape(len(y), math.prod(array.shape[1:])).astype(np.float64))
    x = _finite(path, np.concatenate(columns, axis=1) if columns else np.empty((len(y), 0)))
    return x, _finite(path, y) if y.dtype.kind in "fc" else y


def _named(path: Path, name: str, known: list[str], what: str) -> int:
    """The index of ``name`` among a file's columns or arrays; there must be another, too."""
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known) or 'none'}"
        raise DataError(f"{path}: has no {what} {name!r} for the target; {hint}")
    if len(known) < 2:
        raise DataError(f"{path}: has no {what} beside the target {name!r}")
    return known.index(name)


def _finite(path: Path, values: Array, lines: list[int] | None = None) -> Array:
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        place = f"{path}:{lines[row]}:" if lines else f"{path}: row {row + 1}"
        raise DataError(f"{place} holds NaN or infinity; fill or drop it")
    return values
