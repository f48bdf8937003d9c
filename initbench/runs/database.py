"""A SQLite file: how it is opened and migrated, and its errors in words that help.

What its tables mean stands in :mod:`initbench.runs.store`. SQLite's write-ahead log makes each
transaction whole or absent, whenever the process is killed, and lets two processes share a file.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shlex
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from initbench.errors import DamagedError, ResultsError

#: Tells initbench's files from SQLite databases of other programs: "inib" in ASCII.
APPLICATION_ID = 0x696E6962
#: Seconds to wait for another process's transaction, which takes milliseconds.
PATIENCE = 60.0
#: Seconds that SQLite waits by itself. Python hears no signal meanwhile.
DEAF = 0.1

#: Versions of the schema count up by one: a larger number is damage.
MOST_VERSIONS = 1_000

#: What SQLite raises about a damaged file; Python cannot decode each of its messages.
FILE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
#: What is written here breaks no constraint, so that a broken one was not written here.
_DAMAGED = {
    sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_FORMAT,
}  # fmt: skip
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
    with explained(path, schema):
        connection = connect(path)
    with closing(connection):
        with explained(path, schema):
            _judge(connection, path, schema, len(migrations) + 1)
            _keep_log(connection)
            # With a log a killed process loses nothing, and a power cut the last transactions.
            connection.execute("PRAGMA synchronous = NORMAL")
            _migrate(connection, path, schema, migrations)
            connection.execute("PRAGMA foreign_keys = ON")
        yield connection


@contextmanager
def read_only(path: Path, schema: str, migrations: Sequence[str]) -> Iterator[sqlite3.Connection]:
    """Open a file in a folder that may not be written to.

    Where it is of an older version, a copy is opened, which is migrated and is gone when closed.
    """
    # Nobody writes here, so that without a log beside it the file is complete.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    with explained(path, schema):
        connection = connect(path, f"?{mode}")
    with ExitStack() as opened:
        opened.enter_context(closing(connection))
        with explained(path, schema):
            version = _judge(connection, path, schema, len(migrations) + 1)
            if version <= len(migrations):
                copy = _migrated_copy(connection, version, schema, migrations)
                connection = opened.enter_context(closing(copy))
        yield connection


def _migrated_copy(
    old: sqlite3.Connection, version: int, schema: str, migrations: Sequence[str]
) -> sqlite3.Connection:
    """A copy of an open file at the newest version, in a temporary file of SQLite's own."""
    copy = _with_functions(sqlite3.connect("", isolation_level=None))
    old.backup(copy)
    for statement in _steps(version, schema, migrations):
        copy.execute(statement)
    return copy


def connect(path: Path, mode: str = "") -> sqlite3.Connection:
    """A connection to the file, which is judged by nobody yet.

    It commits each statement, unless :func:`transaction` has begun one.
    """
    # as_uri quotes the characters of a path that mean something in a URI: ? # %
    uri = path.absolute().as_uri() + mode
    return _with_functions(sqlite3.connect(uri, timeout=DEAF, isolation_level=None, uri=True))


def _with_functions(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The connection, which reads texts and knows the functions that our statements use."""
    # A damaged text is read too, so that its checksum can tell.
    connection.text_factory = lambda data: data.decode("utf-8", "backslashreplace")
    connection.create_function("checksum", -1, checksum, deterministic=True)
    # SQLite's own functions end a text at its first NUL, and its GLOB and LIKE know wildcards.
    connection.create_function("starts_with", 2, _starts_with, deterministic=True)
    return connection


def _starts_with(value: object, beginning: str) -> bool:
    return str(value).startswith(beginning)


def checksum(*values: object) -> str:
    """A hash of values as SQLite keeps them, to tell that they are those that were written.

    SQL knows it by the same name. SQLite keeps NaN as NULL and -0.0 as 0.0.

    >>> checksum(0.25, "he_normal", None) == checksum(0.25, "he_normal", math.nan)
    True
    """
    kept = [
        (None if math.isnan(value) else value + 0.0) if isinstance(value, float) else value
        for value in values
    ]
    # Not repr, which escapes what the version of Unicode that Python knows calls unprintable.
    text = json.dumps(kept, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _judge(connection: sqlite3.Connection, path: Path, schema: str, newest: int) -> int:
    """The file's version, 0 for a new one; ResultsError where the file cannot be used."""
    # One transaction reads all of it, because another process may be making the schema.
    with transaction(connection, "DEFERRED"):
        version, application, tables = (
            int(patiently(connection, query).fetchone()[0])
            for query in (
                "PRAGMA user_version",
                "PRAGMA application_id",
                "SELECT count(*) FROM sqlite_master",
            )
        )
        newest_tables = has_schema(connection, schema)
    if tables and application != APPLICATION_ID and not newest_tables:
        raise ResultsError(
            f"{path}: is a database of another program; choose another folder with --results"
        )
    if newest < version <= MOST_VERSIONS:
        raise ResultsError(
            f"{path}: was written by a newer initbench (schema {version}; this one knows "
            f"{newest}); upgrade initbench, or choose another folder with --results"
        )
    # It takes a fifth longer than quick_check, which does not see a run that an index misses.
    [verdict] = patiently(connection, "PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise damaged(path, verdict)
    if tables and (application != APPLICATION_ID or not 0 < version <= newest):
        raise damaged(path, "its header has changed")
    if tables and (version == newest) != newest_tables:
        raise damaged(path, "its tables are not those of its version")
    return version


def rewrite_schema(path: Path, schema: str) -> None:
    """Write the text of each table and index that ``schema`` makes over the text in a file.

    For a damaged file, whose rows may be readable where the text of their table is not.
    """
    with closing(sqlite3.connect(":memory:")) as model:
        model.executescript(schema)
        texts = model.execute("SELECT sql, name FROM sqlite_master WHERE sql NOT NULL").fetchall()
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.executemany("UPDATE sqlite_master SET sql = ? WHERE name = ?", texts)


def has_schema(connection: sqlite3.Connection, schema: str) -> bool:
    """Whether the file has all tables and columns that the script ``schema`` makes."""
    with closing(sqlite3.connect(":memory:")) as model:
        model.executescript(schema)
        return _columns(model) <= _columns(connection)


def _columns(connection: sqlite3.Connection) -> set[tuple[object, ...]]:
    """Table, name, type and constraints of every column."""
    return set(
        patiently(
            connection,
            'SELECT m.name, c.name, c.type, c."notnull", c.pk '
            "FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'",
        )
    )


def patiently(
    connection: sqlite3.Connection, statement: str, values: Sequence[object] = ()
) -> sqlite3.Cursor:
    """Execute a statement, and wait while another process holds the file."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return connection.execute(statement, values)
        except sqlite3.OperationalError as error:
            busy = getattr(error, "sqlite_errorcode", -1) & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= deadline:
                raise
        time.sleep(0.01)  # SQLite does not wait where waiting could not end


def _keep_log(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log, unless the file has one."""
    if patiently(connection, "PRAGMA journal_mode").fetchone()[0] != "wal":
        patiently(connection, "PRAGMA journal_mode = WAL")


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
        for statement in _steps(version, schema, migrations):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {newest}")


def _steps(version: int, schema: str, migrations: Sequence[str]) -> Iterator[str]:
    """The statements that lead from a version to the newest, or make it where there is none."""
    for script in migrations[version - 1 :] if version else [schema]:
        yield from _statements(script)


def _statements(script: str) -> Iterator[str]:
    """The statements of a script. ``executescript`` would commit the transaction before them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _version(connection: sqlite3.Connection) -> int:
    return int(patiently(connection, "PRAGMA user_version").fetchone()[0])


def _copy(path: Path, copy: Path) -> None:
    """Copy the file. The copy has another name until it is complete."""
    unfinished = copy.with_name(f".{copy.name}")
    unfinished.unlink(missing_ok=True)
    # SQLite copies nothing out of a transaction that has begun, so this takes another connection.
    with closing(connect(path)) as source, closing(connect(unfinished)) as target:
        source.backup(target)
    os.replace(unfinished, copy)


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """A transaction: nobody else writes meanwhile, and an exception undoes what it wrote.

    A ``DEFERRED`` one is for reading: others may write, and it sees one state of the file.
    """
    patiently(connection, f"BEGIN {kind}")
    try:
        yield
        patiently(connection, "COMMIT")
    except BaseException:
        if connection.in_transaction:  # when the disk is full, SQLite has rolled back already
            connection.execute("ROLLBACK")
        raise


@contextmanager
def explained(path: Path, schema: str) -> Iterator[None]:
    """Turns SQLite's errors about the file into ResultsErrors that say what to do."""
    try:
        yield
    except UnicodeDecodeError:  # of an error's text, which quotes the file
        raise damaged(path, "its schema is no text") from None
    except sqlite3.Error as error:
        # An error without a code is not about the file, but a bug.
        code = getattr(error, "sqlite_errorcode", -1) & 0xFF
        if code in _DAMAGED or (code == sqlite3.SQLITE_ERROR and not _is_ours(path, schema)):
            raise damaged(path, str(error)) from None
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


def _is_ours(path: Path, schema: str) -> bool:
    """Whether the file has the schema, so that a statement that fails is a bug of initbench."""
    try:
        with closing(connect(path, "?mode=ro")) as connection:
            return has_schema(connection, schema)
    except FILE_ERRORS:
        return False


def damaged(path: Path, detail: str) -> DamagedError:
    """The one error about a file whose bytes are not those that were written."""
    command = f"initbench clean --damaged --results {shlex.quote(str(path.parent))}"
    return DamagedError(
        f"{path}: is damaged ({detail}); `{command}` saves the runs that can be read and are "
        "whole, and keeps a copy of the file"
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
