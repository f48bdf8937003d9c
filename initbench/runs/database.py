"""A SQLite file: how it is opened and migrated, and its errors in words that help.

What its tables mean stands in :mod:`initbench.runs.store`. SQLite's write-ahead log makes each
transaction whole or absent, whenever the process is killed, and lets two processes share a file.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from initbench.errors import ResultsError

#: Tells initbench's files from SQLite databases of other programs: "inib" in ASCII.
APPLICATION_ID = 0x696E6962
#: Seconds to wait for another process's transaction, which takes milliseconds.
PATIENCE = 60.0

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_REFUSED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}


@contextmanager
def writable(path: Path, schema: str, migrations: Sequence[str]) -> Iterator[sqlite3.Connection]:
    """Open the file for reading and writing, and make it where there is none yet.

    Args:
        path: The file.
        schema: The script that makes the newest version.
        migrations: Scripts that lead from version 1 to 2, from 2 to 3, and so on to the newest. A
            file of an older version is copied before it is migrated.

    Raises:
        ResultsError: The file is damaged, belongs to another program, or was written by a newer
            initbench. It stays as it is.
    """
    with explained(path), closing(_connect(path)) as connection:
        _judge(connection, path, len(migrations) + 1)
        _keep_log(connection)
        # With a log a killed process loses nothing, and a power cut at most the last transactions.
        connection.execute("PRAGMA synchronous = NORMAL")
        _migrate(connection, path, schema, migrations)
        connection.execute("PRAGMA foreign_keys = ON")
        yield connection


@contextmanager
def read_only(path: Path, newest: int) -> Iterator[sqlite3.Connection]:
    """Open a file in a folder that may not be written to; it must be of the ``newest`` version."""
    # Nobody writes here, so that without a log beside it the file is complete.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    with explained(path), closing(_connect(path, f"?{mode}")) as connection:
        if _judge(connection, path, newest) != newest:
            raise ResultsError(
                f"{path}: is of an older initbench and cannot be migrated in a read-only folder; "
                "copy it to a folder of your own, and name that with --results"
            )
        yield connection


def _connect(path: Path, mode: str = "") -> sqlite3.Connection:
    """A connection that commits each statement, unless :func:`transaction` has begun one."""
    # as_uri quotes the characters of a path that mean something in a URI: ? # %
    uri = path.absolute().as_uri() + mode
    return sqlite3.connect(uri, timeout=PATIENCE, isolation_level=None, uri=True)


def _judge(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    """The file's version, 0 for a new one; ResultsError where the file cannot be used."""
    # One transaction reads all of it, because another process may be making the schema.
    with transaction(connection, "DEFERRED"):
        version, application, tables = (
            int(connection.execute(query).fetchone()[0])
            for query in (
                "PRAGMA user_version",
                "PRAGMA application_id",
                "SELECT count(*) FROM sqlite_master",
            )
        )
    if tables and application != APPLICATION_ID:
        raise ResultsError(
            f"{path}: is a database of another program; choose another folder with --results"
        )
    if version > newest:
        raise ResultsError(
            f"{path}: was written by a newer initbench (schema {version}; this one knows "
            f"{newest}); upgrade initbench, or choose another folder with --results"
        )
    [verdict] = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _damaged(path, verdict)
    return version


def _keep_log(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log, unless the file has one."""
    # SQLite waits for other processes at every statement but this one.
    deadline = time.monotonic() + PATIENCE
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)


def _migrate(
    connection: sqlite3.Connection, path: Path, schema: str, migrations: Sequence[str]
) -> None:
    """Make the schema, or bring an older one up to date, in one transaction."""
    newest = len(migrations) + 1
    if _version(connection) == newest:
        return
    with transaction(connection):
        version = _version(connection)  # another process may have been faster
        if 0 < version < newest:
            _copy(path, path.with_name(f"{path.name}.v{version}.bak"))
        for script in migrations[version - 1 :] if version else [schema]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {newest}")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script. ``executescript`` would commit the transaction before them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _copy(path: Path, copy: Path) -> None:
    """Copy the file. The copy has another name until it is complete."""
    unfinished = copy.with_name(f".{copy.name}")
    unfinished.unlink(missing_ok=True)
    # SQLite copies nothing out of a transaction that has begun, so this takes another connection.
    with closing(_connect(path)) as source, closing(_connect(unfinished)) as target:
        source.backup(target)
    os.replace(unfinished, copy)


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """A transaction: nobody else writes meanwhile, and an exception undoes what it wrote.

    A ``DEFERRED`` one is for reading: others may write, and it sees one state of the file.
    """
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # when the disk is full, SQLite has rolled back already
            connection.execute("ROLLBACK")
        raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns SQLite's errors about the file into ResultsErrors that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        # An error without a code is not about the file, but a bug.
        code = getattr(error, "sqlite_errorcode", -1) & 0xFF
        if code in _DAMAGED:
            raise _damaged(path, str(error)) from None
        if code in _REFUSED:
            what = f"cannot be opened for writing ({error}); choose another folder with --results"
        elif code == sqlite3.SQLITE_FULL:
            what = "the disk is full; free some space and start again: finished runs are kept"
        elif code == sqlite3.SQLITE_IOERR:
            what = (
                f"cannot be written ({error}); check the disk, its quota and the limit on the size "
                "of files, then start again: finished runs are kept"
            )
        elif code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            what = (
                f"another program has held it for {PATIENCE:g} seconds; "
                "end that one, or choose another folder with --results"
            )
        else:
            raise
        raise ResultsError(f"{path}: {what}") from None


def _damaged(path: Path, detail: str) -> ResultsError:
    return ResultsError(
        f"{path}: is damaged ({detail}); move it away and start again, or put back a copy. "
        f"`sqlite3 {path} .recover` prints what can still be read"
    )


def row_id(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], values: Sequence[object]
) -> int:
    """The id of the table's row that holds ``values``; the row is added where there is none."""
    marks = ", ".join("?" * len(columns))
    connection.execute(
        f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
        values,
    )
    where = " AND ".join(f"{column} = ?" for column in columns)
    row = connection.execute(f"SELECT id FROM {table} WHERE {where}", values)  # noqa: S608
    return int(row.fetchone()[0])
