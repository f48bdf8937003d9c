"""Files: a user's CSV or NPZ file -> features and target, or a message that names the bad cell."""

from __future__ import annotations

import csv
import difflib
import math
import tokenize
import zlib
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.lib.format import read_array

from initbench.core.arrays import Array
from initbench.errors import DataError
from initbench.spec.datasets import FileDataset

#: A target of at most this many distinct whole numbers is taken for classes.
MAX_GUESSED_CLASSES = 20
#: Raised by zipfile, zlib, tokenize and NumPy for a file that is no archive of arrays.
_NOT_NPZ = (
    ValueError, EOFError, MemoryError, RuntimeError, BadZipFile, zlib.error, tokenize.TokenError
)  # fmt: skip


def read_file(choice: FileDataset, folder: Path) -> tuple[Array, Array, bool]:
    """Features (N, I), target (N,), and whether the target is a class.

    Raises DataError with the file, and the line or the array, that cannot be used.
    """
    path = folder / choice.path
    if "\0" in choice.path:
        raise DataError(f"{choice.path!r} holds the character NUL, which a file name cannot have")
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
        raise DataError(
            f"{path}: target {choice.target!r} is {y[0]} in every row; it needs at least 2 values"
        )
    return x, y, classify


def _from_csv(path: Path, target: str) -> tuple[Array, Array]:
    header, rows = _csv_rows(path)
    column = _index_of_target(path, target, header, "column")
    features, labels = np.empty((len(rows), len(header) - 1)), []
    for number, (line, row) in enumerate(rows):
        if len(row) != len(header):
            raise DataError(f"{path}:{line}: has {len(row)} fields; the header has {len(header)}")
        labels.append(row[column].strip())
        if not labels[-1]:
            raise DataError(f"{path}:{line}: column {target!r}: is empty; fill it or drop the row")
        cells = list(zip(header, row, strict=True))
        del cells[column]
        features[number] = [_number(path, line, name, cell) for name, cell in cells]
    lines = [line for line, _ in rows]
    features, y = _finite(path, features, lines), np.array(labels)
    try:
        numbers = y.astype(np.float64)
    except ValueError:
        return features, y
    return features, _finite(path, numbers, lines)


def _csv_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header of a CSV file, and its rows, each with the number of its line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header_line = file.readline()
            delimiter = max(",;\t", key=header_line.count)
            header = next(csv.reader([header_line], delimiter=delimiter), [])
            reader = csv.reader(file, delimiter=delimiter)
            # A blank line is no row; the header was read before the reader counts lines.
            return header, [(reader.line_num + 1, row) for row in reader if row]
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 ({error.reason}); save it as UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{path}: is not CSV: {error}") from None


def _number(path: Path, line: int, name: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        what = (
            f"{cell!r} is not a number; features must be numbers"
            if cell.strip()
            else "is empty; fill it or drop the row"
        )
        raise DataError(f"{path}:{line}: column {name!r}: {what}") from None


def _from_npz(path: Path, target: str) -> tuple[Array, Array]:
    try:
        # np.load would leave a file open that is no archive.
        with path.open("rb") as file, ZipFile(file) as archive:
            arrays = {}
            for member in archive.namelist():
                with archive.open(member) as stream:
                    arrays[member.removesuffix(".npy")] = read_array(stream, allow_pickle=False)
    except _NOT_NPZ as error:
        raise DataError(f"{path}: is not an NPZ file of plain arrays: {error}") from None
    _index_of_target(path, target, list(arrays), "array")
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


def _index_of_target(path: Path, name: str, known: list[str], what: str) -> int:
    """The index of ``name`` among a file's columns or arrays; DataError if it stands alone."""
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"it has {', '.join(known)}" if known else f"it has no {what}s"
        if close:
            hint = f"did you mean {close[0]!r}?"
        raise DataError(f"{path}: has no {what} {name!r} for the target; {hint}")
    if len(known) < 2:
        raise DataError(f"{path}: has no {what} besides the target {name!r}; add features")
    return known.index(name)


def _finite(path: Path, values: Array, lines: list[int] | None = None) -> Array:
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        place = f"{path}:{lines[row]}:" if lines else f"{path}: row {row + 1}"
        raise DataError(f"{place} holds NaN or infinity; fill the cell or drop the row")
    return values
