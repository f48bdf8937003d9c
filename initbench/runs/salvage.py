"""Salvage: the runs of a damaged store that are whole, in a new file in its place.

The damaged file is kept beside it. A run is whole if its row matches its checksum, so that nothing
is guessed and no number changes.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from initbench.errors import DamagedError, ResultsError
from initbench.files import ensure_writable
from initbench.runs import identity, store
from initbench.runs.database import FILE_ERRORS, connect, rewrite_schema
from initbench.runs.store import Filter, Request, Stored

#: What SQLite keeps beside a file: its log, and the log's index.
_BESIDE = ("-wal", "-shm")
#: Ways through the rows; where a page of one way is damaged, another may go round it.
_WAYS = (
    "SELECT rowid FROM runs ORDER BY rowid",
    "SELECT rowid FROM runs ORDER BY rowid DESC",
    "SELECT rowid FROM runs INDEXED BY runs_by_age ORDER BY created",
    "SELECT rowid FROM runs INDEXED BY runs_by_age ORDER BY created DESC",
)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """How many runs are whole, and where the damaged file is now; None where none was damaged."""

    runs: int
    copy: Path | None


def salvage(folder: Path) -> Salvaged:
    """Put a store with the runs that are whole in the place of a damaged one.

    Nobody else may use the store meanwhile.

    Raises:
        ResultsError: There is no store, it cannot be read or written, or it is no damaged store of
            this version of initbench.
    """
    path = folder / store.FILE
    try:
        with store.existing(folder) as opened:
            return Salvaged(sum(1 for _ in opened.select(Filter())), None)
    except DamagedError:
        ensure_writable(folder)
    try:
        with TemporaryDirectory(prefix=".salvage-", dir=folder) as name:
            mended, new = Path(name, "old"), Path(name, "new")
            new.mkdir()
            _copy(path, mended)
            with store.opened(new) as target:
                for stored in _whole_runs(mended):
                    resolved = {k: v for k, v in stored.resolved.items() if k != "seed"}
                    text = identity.settings_text(resolved)
                    target.add([(stored.record, text)], stored.provenance)
                    target.note((stored.record.id, request) for request in stored.others)
                kept = target.count(Filter())
            copy = _unused(path.with_name(f"{path.name}.damaged"))
            _copy(path, copy)
            # A log that outlived its file would be played back into the new one.
            for ending in _BESIDE:
                path.with_name(path.name + ending).unlink(missing_ok=True)
            os.replace(new / store.FILE, path)
    except OSError as error:
        raise ResultsError(f"{path}: cannot be saved: {error.strerror or error}") from None
    return Salvaged(kept, copy)


def _whole_runs(path: Path) -> Iterator[Stored]:
    """The runs in a copy of a damaged file that can be read and match their checksums."""
    with suppress(*FILE_ERRORS):  # the schema is as it was, or cannot be mended
        rewrite_schema(path, store.SCHEMA)
    with closing(connect(path)) as connection:
        found: dict[int, None] = {}
        for way in _WAYS:
            with suppress(*FILE_ERRORS):
                for (rowid,) in connection.execute(way):
                    found[rowid] = None
        for rowid in found:
            with suppress(*FILE_ERRORS):
                row = connection.execute(f"{store.SELECT} WHERE runs.rowid = ?", [rowid]).fetchone()
                if row is not None and (stored := store.whole(row)) is not None:
                    yield replace(stored, others=_whole_requests(connection, stored.record.id))


def _whole_requests(connection: sqlite3.Connection, run: str) -> tuple[Request, ...]:
    """The requests for a run that can be read and match their checksums."""
    found: list[Request] = []
    with suppress(*FILE_ERRORS):
        rows = connection.execute(store.REQUESTS_OF, [run])
        requests = (store.whole_request(run, row) for row in rows)
        found.extend(one for one in requests if one is not None)  # those before an error stay
    return tuple(found)


def _copy(path: Path, copy: Path) -> None:
    """Copy a database's file and its log."""
    for ending in ("", "-wal"):
        source = path.with_name(path.name + ending)
        if source.exists():
            shutil.copyfile(source, copy.with_name(copy.name + ending))


def _unused(path: Path) -> Path:
    """The path, or the path with the first number that makes it new."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}{number}")
    return candidate
