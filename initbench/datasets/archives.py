"""Archives of arrays: NPZ and Parquet -> columns."""

from __future__ import annotations

import math
import tokenize
import zlib
from io import BytesIO
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.lib.format import (
    read_array,
    read_array_header_1_0,
    read_array_header_2_0,
    read_magic,
)

from initbench.core.arrays import Array
from initbench.datasets.columns import CellKind, Column, Tally, column_of, column_of_numbers
from initbench.datasets.problems import FileProblem, Refused

#: Raised by zipfile, zlib, tokenize and NumPy for a file that is no archive of arrays.
_NOT_NPZ = (
    ValueError, EOFError, MemoryError, RuntimeError, NotImplementedError, KeyError, BadZipFile,
    zlib.error, tokenize.TokenError, SyntaxError, OSError, TypeError, OverflowError,
)  # fmt: skip


def read_npz(content: bytes, target: str, most_cells: int) -> tuple[Column, ...]:
    """The arrays of an NPZ file, each column of an array of several axes by itself.

    The sizes that the archive declares are judged before anything is expanded.

    Raises:
        Refused: It is no archive of plain arrays, its arrays do not fit together, or they have more
            than ``most_cells`` cells.
    """
    try:
        with ZipFile(BytesIO(content)) as archive:
            _refuse_too_large(archive, most_cells)
            arrays = {}
            for member in archive.namelist():
                with archive.open(member) as stream:
                    arrays[member.removesuffix(".npy")] = read_array(stream, allow_pickle=False)
    except _NOT_NPZ as error:
        raise Refused([FileProblem(None, f"is not an NPZ file of plain arrays: {error}")]) from None
    return _columns(arrays, target)


def _refuse_too_large(archive: ZipFile, most_cells: int) -> None:
    cells = 0
    for member in archive.infolist():
        with archive.open(member) as stream:
            cells += _declared_cells(stream)
    if cells > most_cells:
        raise Refused(
            [
                FileProblem(
                    None,
                    f"declares arrays of {cells:,} numbers, and this machine's memory has room for "
                    f"{most_cells:,}; use fewer samples",
                )
            ]
        )


def _declared_cells(stream: IO[bytes]) -> int:
    """The 8-byte numbers that an array takes in memory, by its header."""
    version = read_magic(stream)
    read_header = read_array_header_1_0 if version == (1, 0) else read_array_header_2_0
    shape, _, dtype = read_header(stream)
    return math.prod(shape) * max(1, dtype.itemsize // 8)


def _columns(arrays: dict[str, Array], target: str) -> tuple[Column, ...]:
    if target not in arrays:
        return tuple(Column(name, np.empty(0), {}, source=name) for name in arrays)
    rows = arrays[target].shape
    if len(rows) != 1:
        message = f"target {target!r} must have one axis, got shape {rows}"
        raise Refused([FileProblem(None, message)])
    problems = [
        FileProblem(
            None,
            f"array {name!r} must hold {rows[0]} rows of numbers, got shape {array.shape} of "
            f"{array.dtype}",
        )
        for name, array in arrays.items()
        if (name != target and array.dtype.kind not in "iufb") or array.shape[:1] != rows
    ]
    if arrays[target].dtype.kind not in "iufbUS":
        problems.append(
            FileProblem(
                None, f"target {target!r} must hold numbers or texts, got {arrays[target].dtype}"
            )
        )
    if problems:
        raise Refused(problems)
    return tuple(
        column for name, array in arrays.items() for column in _columns_of(name, array, target)
    )


def _columns_of(name: str, array: Array, target: str) -> list[Column]:
    if array.dtype.kind in "US":
        texts = array.tolist()
        return [column_of(name, [t if isinstance(t, str) else t.decode("utf-8", "backslashreplace")
                                 for t in texts])]  # fmt: skip
    if name == target:
        return [column_of_numbers(name, array, name)]
    flat = array.reshape(len(array), math.prod(array.shape[1:])).astype(np.float64)
    if array.ndim == 1:
        return [column_of_numbers(name, flat[:, 0], name)]
    return [column_of_numbers(f"{name}[{i}]", flat[:, i], name) for i in range(flat.shape[1])]


def read_parquet(content: bytes, most_cells: int) -> tuple[Column, ...]:
    """The columns of a Parquet file, which pyarrow reads.

    Raises:
        Refused: pyarrow is missing, the file is none, or a column is nested.
    """
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        message = "is a Parquet file, which pyarrow reads: pip install 'initbench[parquet]'"
        raise Refused([FileProblem(None, message)]) from None
    try:
        file = parquet.ParquetFile(BytesIO(content))
        names = file.schema_arrow.names
        cells = file.metadata.num_rows * len(names)
        if cells > most_cells:
            message = (
                f"declares {cells:,} cells, and this machine's memory has room for {most_cells:,}; "
                "use fewer rows"
            )
            raise Refused([FileProblem(None, message)])
        if len(set(names)) < len(names):
            raise Refused([FileProblem(None, "names a column more than once")])
        table = file.read()
        table.validate(full=True)
        return tuple(_column_of_arrow(name, table.column(name)) for name in names)
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise Refused(
            [FileProblem(None, f"is no Parquet file of plain columns: {error}")]
        ) from None


def _column_of_arrow(name: str, cells: Any) -> Column:
    """A column of Arrow: numbers as they are, everything else as Arrow writes it in a text."""
    import pyarrow as arrow

    kind = cells.type
    if arrow.types.is_decimal(kind):
        cells = cells.cast(arrow.float64())
    if arrow.types.is_integer(kind) or arrow.types.is_floating(cells.type):
        return column_of_numbers(name, cells.to_numpy(), name)
    if (
        arrow.types.is_nested(kind)
        or arrow.types.is_binary(kind)
        or arrow.types.is_large_binary(kind)
    ):
        nested: dict[CellKind, Tally] = {"nested": Tally(len(cells), 1, str(kind))}
        return Column(name, np.full(len(cells), np.nan), nested, source=name)
    texts = cells.cast(arrow.string()).to_pylist()
    return column_of(name, ["" if text is None else text for text in texts])
