"""Files and JSON: a file appears whole or not at all, and JSON holds no infinity."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from initbench.errors import ResultsError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

#: Stands between a file's name and its ending when an interrupt has cut the command short.
PARTIAL = ".partial"
#: The baseline file, unless another is named.
BASELINE = "results/baseline.json"
ANOTHER_FOLDER = "another folder with --results"


def ensure_writable(folder: Path, other: str = ANOTHER_FOLDER) -> None:
    """Create the folder and check that it takes files, before hours of training are spent.

    ``other`` is what the message advises instead. Raises ResultsError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _not_writable(folder, error, other) from None


def write_results(
    folder: Path, name: str, texts: Mapping[str, str], *, partial: bool = False
) -> list[Path]:
    """Write a file for each ending (``csv``, ``json``, ...) of ``texts``, and return the paths.

    An interrupted command writes ``name.partial.csv`` beside the results of a complete one; the
    next complete command removes it. Raises ResultsError.
    """
    written = []
    for ending, text in texts.items():
        path = folder / f"{name}{PARTIAL if partial else ''}.{ending}"
        try:
            write_atomically(path, text)
            if not partial:
                (folder / f"{name}{PARTIAL}.{ending}").unlink(missing_ok=True)
        except OSError as error:
            raise _not_writable(path, error) from None
        written.append(path)
    return written


def runs_held(folder: Path, name: str) -> int | None:
    """How many runs the files of results called ``name`` hold; None if they say nothing.

    The ``records`` of the JSON document say so; without one, the lines of the table, each of which
    is a run or says how many ``runs`` it is made of.
    """
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        return len(json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["records"])
    with (
        contextlib.suppress(OSError, ValueError, TypeError, csv.Error),
        (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file,
    ):
        return sum(int(row.get("runs", 1)) for row in csv.DictReader(file))
    return None


def write_file(path: Path, content: str | bytes, other: str) -> None:
    """Write one file, whole or not at all.

    ``other`` is what the message advises if that fails. Raises ResultsError.
    """
    try:
        write_atomically(path, content)
    except OSError as error:
        raise _not_writable(path, error, other) from None


def envelope(**fields: Any) -> dict[str, Any]:
    """A JSON document that says which version of initbench wrote it, then its fields."""
    return {"initbench": version("initbench"), **fields}


def finite_or_none(value: float | None) -> float | None:
    """A number as JSON can hold it: null stands for infinity and NaN.

    >>> finite_or_none(0.25), finite_or_none(math.inf)
    (0.25, None)
    """
    return value if value is not None and math.isfinite(value) else None


def json_text(document: object) -> str:
    """One JSON document in ASCII, with all digits, and a line end.

    Every output can hold ASCII, and no terminal obeys it. A CI system finds no ``##[`` in it.

    Raises:
        ValueError: A number is not finite.
    """
    text = io.StringIO()
    # dumps would hold every token of 10,000 runs as a string of its own: five times the text.
    json.dump(document, text, indent=2, allow_nan=False)
    return text.getvalue().replace("##", r"#\u0023") + "\n"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file by renaming a temporary one: a reader sees all of the old or of the new."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError):  # mkstemp gives 0600, which would lock out the group
            os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lets one process at a time into the block that was entered for the same folder.

    The system releases the lock of a process that ends, however it ends, and no file is left. It is
    advice for initbench's own processes. Windows, and file systems that cannot lock a folder, let
    all in.
    """
    with contextlib.ExitStack() as opened:
        if fcntl is not None:
            handle = os.open(folder, os.O_RDONLY)
            opened.callback(os.close, handle)
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _not_writable(path: Path, error: OSError, other: str = ANOTHER_FOLDER) -> ResultsError:
    return ResultsError(f"{path}: cannot be written: {error.strerror or error}; choose {other}")
