"""The store of a results folder, ``runs.sqlite``: a run that it holds is not trained again.

Workers never open it. How the file is opened, migrated and kept whole stands in
:mod:`initbench.runs.database`.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from initbench.errors import ResultsError
from initbench.files import finite_or_none
from initbench.metrics import METRICS
from initbench.runs.database import (
    checksum,
    damaged,
    explained,
    patiently,
    read_only,
    row_id,
    transaction,
    writable,
)
from initbench.runs.provenance import Provenance
from initbench.runs.records import Curve, Record

FILE = "runs.sqlite"

SCHEMA = """
CREATE TABLE IF NOT EXISTS environments (
    id          INTEGER PRIMARY KEY,
    initbench   TEXT NOT NULL,      -- version of initbench
    python      TEXT NOT NULL,      -- version of Python
    numpy       TEXT NOT NULL,      -- version of NumPy
    blas        TEXT NOT NULL,      -- library, version and kernel: openblas 0.3.31 SkylakeX
    cpu         TEXT NOT NULL,      -- model of the CPU
    git_commit  TEXT NOT NULL,      -- of the checkout that the command ran in; '' outside of one
    git_dirty   INTEGER NOT NULL,   -- 1: that checkout had changes
    UNIQUE (initbench, python, numpy, blas, cpu, git_commit, git_dirty)
);
CREATE TABLE IF NOT EXISTS settings (
    id          INTEGER PRIMARY KEY,
    resolved    TEXT NOT NULL UNIQUE -- JSON: all that determines a run's numbers, but its seed
);
CREATE TABLE IF NOT EXISTS runs (
    id              TEXT NOT NULL PRIMARY KEY, -- hash of settings.resolved and the seed
    settings        INTEGER NOT NULL REFERENCES settings (id),
    seed            INTEGER NOT NULL,
    config          TEXT NOT NULL,  -- name of the config that it was trained for: a label
    initializer     TEXT NOT NULL,  -- with the parameters that differ from defaults: a label
    setting         TEXT NOT NULL,  -- JSON: the point of that config's sweep, {key: value}
    status          TEXT NOT NULL CHECK (status IN ('ok', 'diverged', 'failed')),
    reason          TEXT NOT NULL,  -- why it failed; '' where it trained
    iterations      INTEGER NOT NULL, -- updates done
    train_loss      REAL,           -- after the last update; inf where it diverged
    train_accuracy  REAL,           -- share of samples; NULL for a regression
    test_loss       REAL,
    test_accuracy   REAL,
    curve           TEXT NOT NULL,  -- JSON: {column: [a number a log point]}; null is inf
    seconds         REAL NOT NULL,  -- its share of its stack's time
    environment     INTEGER NOT NULL REFERENCES environments (id),
    created         TEXT NOT NULL,  -- when it was stored: UTC, ISO 8601, to the second
    note            TEXT NOT NULL DEFAULT '', -- what its initializer reports of a run that trained
    checksum        TEXT NOT NULL DEFAULT '' -- of all of the above, its settings and environment
);
CREATE INDEX IF NOT EXISTS runs_by_age ON runs (created);
"""
_REQUESTS = """
CREATE TABLE IF NOT EXISTS requests ( -- other configs that asked for a run, in their words
    run             TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    config          TEXT NOT NULL,
    initializer     TEXT NOT NULL,
    setting         TEXT NOT NULL,
    checksum        TEXT NOT NULL,  -- of all of the above
    PRIMARY KEY (run, config)
);
"""
SCHEMA += _REQUESTS
_ENVIRONMENT = tuple(field.name for field in fields(Provenance) if field.name != "created")
_ENVIRONMENT_COLUMNS = tuple(
    {"commit": "git_commit", "dirty": "git_dirty"}.get(name, name) for name in _ENVIRONMENT
)
#: All that a run's checksum covers, in the order in which it covers it.
_CHECKED = (
    "id", "config", "initializer", "setting", "seed", "status", "reason", "note", "curve",
    "seconds", "created", "resolved", *_ENVIRONMENT_COLUMNS, "iterations", *METRICS,
)  # fmt: skip
_CHECKED_IN_SQL = ", ".join({"id": "runs.id"}.get(name, name) for name in _CHECKED)
#: Gives each run the checksum of what stands there.
SEAL = f"""
UPDATE runs SET checksum = checksum({_CHECKED_IN_SQL}) FROM settings, environments
WHERE settings.id = runs.settings AND environments.id = runs.environment;
"""  # noqa: S608  # names of ours
#: Scripts that lead from version 1 to 2, from 2 to 3, ...: SCHEMA is what comes out.
MIGRATIONS: list[str] = [
    # 1 held both in `reason`.
    """
    ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT '';
    UPDATE runs SET note = reason, reason = '' WHERE status != 'failed';
    """,
    f"""
    ALTER TABLE runs ADD COLUMN checksum TEXT NOT NULL DEFAULT '';
    {SEAL}
    """,
    _REQUESTS,
]

_COLUMNS = (
    "id", "settings", "seed", "config", "initializer", "setting", "status", "reason",
    "iterations", *METRICS, "curve", "seconds", "environment", "created", "note", "checksum",
)  # fmt: skip
_UPSERT = f"""
INSERT INTO runs ({", ".join(_COLUMNS)}) VALUES ({", ".join(f":{name}" for name in _COLUMNS)})
ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])}
WHERE runs.status = 'failed' OR (:again AND excluded.status != 'failed')
"""  # noqa: S608  # names of ours
_REQUEST = """
INSERT INTO requests (run, config, initializer, setting, checksum)
SELECT :id, {0}config, {0}initializer, {0}setting,
    checksum(:id, {0}config, {0}initializer, {0}setting)
FROM runs WHERE id = :id AND config != :config
ON CONFLICT (run, config) DO UPDATE
SET initializer = excluded.initializer, setting = excluded.setting, checksum = excluded.checksum
WHERE checksum != excluded.checksum
"""
#: Notes that another config asked for a run that is stored, in that config's words.
_ASKED = _REQUEST.format(":")
#: Notes whom a run was trained for, before another config takes that place.
_WAS_ASKED = _REQUEST.format("runs.")
#: The config that a run was trained for is no other.
_TRAINED = """
DELETE FROM requests WHERE run = :id AND config = (SELECT config FROM runs WHERE id = :id)
"""
#: Outer joins: a run whose settings are gone is damaged, and not absent.
_TABLES = """
FROM runs LEFT JOIN settings ON settings.id = runs.settings
LEFT JOIN environments ON environments.id = runs.environment
"""
SELECT = f"SELECT {_CHECKED_IN_SQL}, checksum {_TABLES}"  # names of ours
#: The words of each config that asked for a run beside the one that it was trained for.
REQUESTS_OF = "SELECT config, initializer, setting, checksum FROM requests WHERE run = ?"
_REQUESTS_OF_RUN = """
(SELECT json_group_array(json_array(requests.config, requests.initializer, requests.setting,
requests.checksum)) FROM requests WHERE run = runs.id)
"""


class Request(NamedTuple):
    """A config that asked for a run, and what it calls the run's initializer and setting."""

    config: str
    initializer: str
    setting: str  # JSON

    @classmethod
    def of(cls, record: Record) -> Request:
        """The words that a record speaks in."""
        return cls(record.config, record.initializer, json.dumps(record.setting))


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored run: its record, all that determined it, and where and when it was made.

    The record speaks in the words of one config, and ``others`` are those of all others that asked
    for the run.
    """

    record: Record
    resolved: dict[str, Any]
    provenance: Provenance
    others: tuple[Request, ...] = ()

    def asked_by(self, config: str | None) -> Stored:
        """The same run in the words of this config, if it asked for the run."""
        asked = next((one for one in self.others if one.config == config), None)
        if asked is None:
            return self
        own = self.record
        record = replace(
            own, config=asked.config, initializer=asked.initializer,
            setting=json.loads(asked.setting),
        )  # fmt: skip
        others = sorted({Request.of(own), *self.others} - {asked})
        return replace(self, record=record, others=tuple(others))


@dataclass(frozen=True, slots=True)
class Filter:
    """Selects runs: those that match everything that is not None."""

    ids: tuple[str, ...] | None = None
    config: str | None = None
    initializer: str | None = None
    status: str | None = None
    since: str | None = None  # UTC, ISO 8601; this moment included
    before: str | None = None

    @property
    def where(self) -> tuple[str, list[object]]:
        """An SQL condition and its values. An initializer's name alone matches any parameters."""
        terms: list[tuple[str, list[object]]] = []
        if self.ids is not None:
            # All ids are one value, because SQLite limits the variables of a statement.
            terms.append(("runs.id IN (SELECT value FROM json_each(?))", [json.dumps(self.ids)]))
        if self.initializer is not None:
            terms.append(
                (
                    "(runs.initializer = ? OR starts_with(runs.initializer, ?))",
                    [self.initializer, f"{self.initializer}("],
                )
            )
        if self.config is not None:
            terms.append(
                (
                    "(runs.config = ? OR runs.id IN (SELECT run FROM requests WHERE config = ?))",
                    [self.config, self.config],
                )
            )
        for condition, value in (
            ("runs.status = ?", self.status),
            ("runs.created >= ?", self.since),
            ("runs.created < ?", self.before),
        ):
            if value is not None:
                terms.append((condition, [value]))
        values = [value for _, several in terms for value in several]
        return " AND ".join(condition for condition, _ in terms) or "1", values


class Store:
    """An open ``runs.sqlite``. Its methods raise ResultsError with what to do."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def add(
        self, entries: Iterable[tuple[Record, str]], provenance: Provenance, *, again: bool = False
    ) -> None:
        """Store records, each with its resolved settings as JSON, in one transaction.

        A stored run stays, unless it failed, or ``again`` says that it was trained anew. A failure
        never replaces a result. Every config that a run was trained for is remembered.
        """
        environment = {
            column: getattr(provenance, name)
            for column, name in zip(_ENVIRONMENT_COLUMNS, _ENVIRONMENT, strict=True)
        }
        environment["git_dirty"] = int(provenance.dirty)  # as SQLite keeps it
        with self._writing() as connection:
            number = row_id(
                connection, "environments", _ENVIRONMENT_COLUMNS, list(environment.values())
            )
            settings: dict[str, int] = {}
            for record, resolved in entries:
                if resolved not in settings:
                    settings[resolved] = row_id(connection, "settings", ("resolved",), [resolved])
                values = {
                    **_values(record),
                    "resolved": resolved,
                    "settings": settings[resolved],
                    "environment": number,
                    "created": provenance.created,
                    **environment,
                    "again": again,
                }
                values["checksum"] = checksum(*(values[name] for name in _CHECKED))
                for statement in (_WAS_ASKED, _UPSERT, _ASKED, _TRAINED):
                    connection.execute(statement, values)

    def note(self, requests: Iterable[tuple[str, Request]]) -> None:
        """Note that configs asked for runs, by their ids; a run that is gone meanwhile has none."""
        with self._writing() as connection:
            connection.executemany(
                _ASKED, ({"id": run, **request._asdict()} for run, request in requests)
            )

    def select(self, chosen: Filter, limit: int = -1) -> Iterator[Stored]:
        """The runs that a filter selects, the newest first; DamagedError where one is not whole.

        Where the filter names a config, they are in that config's words.
        """
        where, values = chosen.where
        with explained(self.path, SCHEMA):
            for row in patiently(
                self._connection,
                f"SELECT {_CHECKED_IN_SQL}, checksum, {_REQUESTS_OF_RUN} {_TABLES} WHERE {where} "
                "ORDER BY created DESC, runs.rowid LIMIT ?",
                [*values, limit],
            ):
                *of_run, asked = row
                stored = whole(of_run)
                if stored is None:
                    raise damaged(self.path, "a run does not match its checksum")
                others = _whole_requests(stored.record.id, asked)
                if others is None:
                    raise damaged(self.path, "a request does not match its checksum")
                yield replace(stored, others=others).asked_by(chosen.config)

    def count(self, chosen: Filter) -> int:
        """How many runs a filter selects."""
        where, values = chosen.where
        with explained(self.path, SCHEMA):
            query = f"SELECT count(*) FROM runs WHERE {where}"  # noqa: S608
            row = patiently(self._connection, query, values)
            return int(row.fetchone()[0])

    def names(self) -> list[str]:
        """The names of all configs that asked for runs."""
        with explained(self.path, SCHEMA):
            query = "SELECT config FROM runs UNION SELECT config FROM requests ORDER BY config"
            rows = patiently(self._connection, query)
            return [name for (name,) in rows]

    def asked_by_others(self, chosen: Filter, config: str) -> dict[str, int]:
        """How many of the runs that a filter selects each config but this one has asked for."""
        where, values = chosen.where
        with explained(self.path, SCHEMA):
            query = f"""
                WITH chosen AS (SELECT runs.id AS id, runs.config AS config FROM runs WHERE {where})
                SELECT config, count(*) FROM (
                    SELECT id, config FROM chosen
                    UNION SELECT run, requests.config FROM requests JOIN chosen ON run = chosen.id
                ) WHERE config != ? GROUP BY config ORDER BY count(*) DESC, config
            """  # noqa: S608
            return dict(patiently(self._connection, query, [*values, config]).fetchall())

    def starting_with(self, prefix: str) -> list[str]:
        """The ids of stored runs that begin with ``prefix``."""
        with explained(self.path, SCHEMA):
            query = "SELECT id FROM runs WHERE starts_with(id, ?) ORDER BY id"
            rows = patiently(self._connection, query, [prefix])
            return [name for (name,) in rows]

    def remove(self, chosen: Filter) -> int:
        """Remove the runs that a filter selects, and what only they refer to; return how many."""
        where, values = chosen.where
        with self._writing() as connection:
            removed = connection.execute(f"DELETE FROM runs WHERE {where}", values).rowcount  # noqa: S608
            for table, column in (("settings", "settings"), ("environments", "environment")):
                connection.execute(
                    f"DELETE FROM {table} WHERE id NOT IN (SELECT {column} FROM runs)"  # noqa: S608
                )
        # The file can shrink only while nobody else reads it.
        with explained(self.path, SCHEMA), suppress(sqlite3.OperationalError):
            self._connection.execute("VACUUM")
        return removed

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path, SCHEMA), transaction(self._connection):
            yield self._connection


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """The folder's store, for reading and writing; it is made where there is none yet.

    A store of an older version is migrated, and a copy of it is kept.

    Raises:
        ResultsError: The file is damaged, belongs to another program, or was written by a newer
            initbench. It stays as it is.
    """
    path = folder / FILE
    with writable(path, SCHEMA, MIGRATIONS) as connection:
        yield Store(path, connection)


@contextmanager
def existing(folder: Path) -> Iterator[Store]:
    """The store that a folder has, for reading only where the folder may not be written to."""
    path = folder / FILE
    if not os.path.exists(path):  # Path.exists raises where it may not look
        raise ResultsError(
            f"{path}: no such file; `initbench run` makes it, or name another folder with --results"
        )
    if os.access(path, os.W_OK) and os.access(folder, os.W_OK):
        with opened(folder) as store:
            yield store
        return
    with read_only(path, SCHEMA, MIGRATIONS) as connection:
        yield Store(path, connection)


def _values(record: Record) -> dict[str, object]:
    return {
        "id": record.id,
        "seed": record.seed,
        "config": record.config,
        "initializer": record.initializer,
        "setting": json.dumps(record.setting),
        "status": record.status,
        "reason": record.reason,
        "note": record.note,
        "iterations": record.iterations,
        **{name: record.metric(name) for name in METRICS},
        "curve": _curve_text(record.curve),
        "seconds": record.seconds,
    }


def _curve_text(curve: Curve) -> str:
    """A curve as JSON, which keeps every digit of a float, and has null for infinity."""
    columns: dict[str, Sequence[float | None] | None] = {"iteration": curve.iteration}
    for name in METRICS:
        values: tuple[float, ...] | None = getattr(curve, name)
        columns[name] = values and [finite_or_none(value) for value in values]
    return json.dumps(columns, separators=(",", ":"))


def _curve(text: str) -> Curve:
    columns: dict[str, list[float | None] | None] = json.loads(text)
    return Curve(
        **{  # type: ignore[arg-type]  # the names are Curve's
            name: None
            if values is None
            else tuple(math.inf if value is None else value for value in values)
            for name, values in columns.items()
        }
    )


def _whole_requests(run: str, text: str) -> tuple[Request, ...] | None:
    """The requests in a text of :data:`_REQUESTS_OF_RUN`; None where one has changed."""
    try:
        rows = [tuple(map(str, row)) for row in json.loads(text)]
    except ValueError:
        return None
    found = [request for row in rows if (request := whole_request(run, row)) is not None]
    return tuple(sorted(found)) if len(found) == len(rows) else None


def whole_request(run: str, row: Sequence[str]) -> Request | None:
    """The request for a run in a row of :data:`REQUESTS_OF`; None where the row has changed."""
    *words, written = row
    return Request(*words) if checksum(run, *words) == written else None


def whole(row: Sequence[Any]) -> Stored | None:
    """The run in a row of :data:`SELECT`; None where the row does not match its checksum."""
    *checked, written = row
    if checksum(*checked) != written:
        return None
    values = dict(zip(_CHECKED, checked, strict=True))
    provenance = Provenance(
        **{
            name: values[column]
            for name, column in zip(_ENVIRONMENT, _ENVIRONMENT_COLUMNS, strict=True)
            if name != "dirty"
        },
        dirty=bool(values["git_dirty"]),
        created=values["created"],
    )
    record = Record(
        id=values["id"],
        config=values["config"],
        initializer=values["initializer"],
        setting=json.loads(values["setting"]),
        seed=values["seed"],
        status=values["status"],
        curve=_curve(values["curve"]),
        seconds=values["seconds"],
        reason=values["reason"],
        note=values["note"],
        numerics=provenance.numerics,
        cached=True,
    )
    resolved = {**json.loads(values["resolved"]), "seed": record.seed}
    return Stored(record, resolved, provenance)
