"""The results folder: files appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from initbench.errors import ResultsError

#: Between a name and its ending, where an interrupt cut the runs short.
PARTIAL = ".partial"
ANOTHER_FOLDER = "another folder with --results"


def ensure_writable(folder: Path, other: str = ANOTHER_FOLDER) -> None:
    """Make sure that results can be written, before an hour is spent on them.

    ``other`` is what the message advises where they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _refused(folder, error, other) from None


def write_results(
    folder: Path, name: str, texts: Mapping[str, str], *, partial: bool = False
) -> list[Path]:
    """Write ``name`` with each ending (``csv``, ``json``, ...); the paths written.

    Results of an interrupted command are written beside those of a complete one, as
    ``name.partial.csv``; a complete one removes them.
    """
    written = []
    for ending, text in texts.items():
        path = folder / f"{name}{PARTIAL if partial else ''}.{ending}"
        try:
            write_atomically(path, text)
            if not partial:
                (folder / f"{name}{PARTIAL}.{ending}").unlink(missing_ok=True)
        except OSError as error:
            raise _refused(path, error) from None
        written.append(path)
    return written


def write_file(path: Path, text: str, other: str) -> None:
    """Write one file, whole or not at all; ``other`` is the advice where it cannot be."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise _refused(path, error, other) from None


def write_atomically(path: Path, text: str) -> None:
    """Write a text file by way of a temporary one: a reader sees the old or the new, whole."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError):  # mkstemp's 0600 would lock out the group
            os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _refused(path: Path, error: OSError, other: str = ANOTHER_FOLDER) -> ResultsError:
    return ResultsError(f"{path}: cannot be written: {error.strerror or error}; choose {other}")
