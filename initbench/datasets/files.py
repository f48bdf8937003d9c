"""Files: a user's table or archive -> a Table, made of the bytes that are hashed."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import zlib
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from initbench.datasets.archives import read_npz, read_parquet
from initbench.datasets.delimited import read_rows
from initbench.datasets.memory import most_cells
from initbench.datasets.problems import FileProblem, Refused
from initbench.datasets.tables import Source, Table, table_of
from initbench.errors import DataError
from initbench.spec.datasets import FileDataset

_GZIP, _ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
#: How much longer a text is than its gzip file, about.
_EXPANSION = 4


def read_file(choice: FileDataset, folder: Path) -> Table:
    """The table that a choice takes from a file, with the SHA-256 of the bytes it was made of.

    Raises:
        DataError: It holds every problem of the file, each with its line.
    """
    paths = [folder / name for name in (choice.path, choice.test_path) if name is not None]
    sources, hashes = [], []
    for path in paths:
        try:
            source, sha256 = _source(path, choice)
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
        except Refused as refused:
            raise DataError("\n".join(_placed(p, path) for p in refused.problems)) from None
        sources.append(source)
        hashes.append(sha256)
    if len(set(hashes)) < len(hashes):
        raise DataError(
            f"{paths[1]}: test_path names the train samples themselves; name another file, or "
            "write test_fraction: 0 in its place to train and judge on all of them"
        )
    try:
        return replace(table_of(choice, *sources), sha256="+".join(hashes))
    except Refused as refused:
        lines = [
            _placed(problem, paths[problem.of_test], sources[problem.of_test].row)
            for problem in refused.problems
        ]
        raise DataError("\n".join(lines)) from None


def _placed(problem: FileProblem, path: Path, row: str = "line") -> str:
    """A problem after its place: ``data.csv:3:``, or ``data.npz: row 3:``."""
    if problem.line is None:
        return f"{path}: {problem.message}"
    return f"{path}{':' if row == 'line' else ': row '}{problem.line}: {problem.message}"


class _Hashing(io.RawIOBase):
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = self._file.readinto(buffer)
        self.sha256.update(buffer[:count])
        return int(count)


def _source(path: Path, choice: FileDataset) -> tuple[Source, str]:
    with open(path, "rb", buffering=0, opener=_opened_at_once) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Refused([FileProblem(None, "is no regular file, but a pipe or a device")])
        hashing = _Hashing(file)
        with cast("io.BufferedReader", io.BufferedReader(hashing, 2**20)) as buffered:
            start = buffered.peek(4)[:4]
            if start.startswith((_ZIP, _PARQUET)) or path.suffix.lower() == ".npz":
                source = _archive(buffered, path, choice, status.st_size)
            else:
                source = _text(buffered, start, choice, status.st_size)
            while buffered.read(2**20):  # what stands behind the end of a gzip file
                pass
        return source, hashing.sha256.hexdigest()


def _opened_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _archive(file: BinaryIO, path: Path, choice: FileDataset, size: int) -> Source:
    if size > 8 * most_cells():
        message = f"has {size / 2**30:,.1f} GiB, which do not fit in memory; use fewer samples"
        raise Refused([FileProblem(None, message)])
    content = file.read()
    if content.startswith(_PARQUET):
        return Source(read_parquet(content, most_cells()), row="row")
    if path.suffix.lower() in (".xlsx", ".xlsm", ".ods"):
        raise Refused([FileProblem(None, "is a spreadsheet; save it as CSV")])
    return Source(read_npz(content, choice.target, most_cells()), what="array", row="row")


def _text(file: BinaryIO, start: bytes, choice: FileDataset, size: int) -> Source:
    packed = start.startswith(_GZIP)
    plain = gzip.GzipFile(fileobj=file) if packed else file
    try:
        text = io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
        try:
            expected = size * (_EXPANSION if packed else 1)
            return Source(*read_rows(text, choice.decimal, most_cells(), expected))
        finally:
            text.detach()  # the caller closes the file
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 ({error.reason}); save it as UTF-8"
        raise Refused([FileProblem(None, message)]) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Refused([FileProblem(None, f"is a damaged gzip file: {error}")]) from None
