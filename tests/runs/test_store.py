from __future__ import annotations

import json
import math
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Timer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initbench.errors import DamagedError, ResultsError
from initbench.runs import database, store
from initbench.runs.provenance import Provenance
from initbench.runs.records import NO_CURVE, Curve, Record
from initbench.runs.salvage import Salvaged, salvage
from initbench.runs.store import Filter, Request, Store, Stored

MADE = Provenance(
    "0.1.0", "3.13.0", "2.4.6", "openblas 0.3.31 Zen", "a CPU", "abc", True,
    "2026-01-02T03:04:05+00:00",
)  # fmt: skip
CURVE = Curve((0, 10), (0.7, 0.1 + 0.2), (0.5, 1.0), (0.7, 0.4), (0.5, 0.9))
RECORD = Record(
    "0123456789abcdef", "he", "he_normal", {"learning_rate": 0.1}, 3, "ok", CURVE, 1.5,
    numerics=MADE.numerics, cached=True,
)  # fmt: skip
FAILED = replace(RECORD, status="failed", curve=NO_CURVE, reason="ValueError: no")
SETTINGS = json.dumps({"iterations": 10, "layers": [2, 1]})
B = Request("b", "own", '{"depth": 2}')


def add(opened: Store, *records: Record, made: Provenance = MADE, again: bool = False) -> None:
    opened.add([(record, SETTINGS) for record in records], made, again=again)


def read(folder: Path, chosen: Filter = Filter()) -> list[Stored]:  # noqa: B008
    with store.existing(folder) as opened:
        return list(opened.select(chosen))


def records(folder: Path, chosen: Filter = Filter()) -> list[Record]:  # noqa: B008
    return [one.record for one in read(folder, chosen)]


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(
    losses=st.lists(numbers | st.just(math.inf), min_size=2, max_size=2),
    accuracy=st.none() | st.lists(numbers, min_size=2, max_size=2),
    setting=st.dictionaries(st.text(), st.integers() | numbers | st.text() | st.lists(numbers)),
    seconds=numbers,
)
def test_a_record_comes_back_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory,
    losses: list[float],
    accuracy: list[float] | None,
    setting: dict[str, object],
    seconds: float,
) -> None:
    folder = tmp_path_factory.mktemp("store")
    accuracies = None if accuracy is None else tuple(accuracy)
    curve = Curve((0, 10**12), tuple(losses), accuracies, tuple(losses), accuracies)
    record = replace(RECORD, curve=curve, setting=setting, seconds=seconds)
    with store.opened(folder) as opened:
        add(opened, record)
    assert read(folder) == [Stored(record, {**json.loads(SETTINGS), "seed": 3}, MADE)]


def test_columns_hold_what_the_schema_says(tmp_path: Path) -> None:
    """For whoever reads the file with SQL."""
    diverged = replace(RECORD, status="diverged", curve=replace(CURVE, train_loss=(1.0, math.inf)))
    with store.opened(tmp_path) as opened:
        add(opened, diverged)
    with closing(sqlite3.connect(tmp_path / store.FILE)) as connection:
        [row] = connection.execute(
            "SELECT train_loss, test_accuracy, iterations, resolved, git_dirty, git_commit"
            " FROM runs JOIN settings ON settings.id = runs.settings"
            " JOIN environments ON environments.id = runs.environment"
        )
    assert row == (math.inf, 0.9, 10, SETTINGS, 1, "abc")


def test_what_is_there_stays_unless_it_failed_or_is_trained_again(tmp_path: Path) -> None:
    other = replace(RECORD, seconds=9.0, config="other")
    with store.opened(tmp_path) as opened:
        add(opened, FAILED)
        add(opened, RECORD)
        add(opened, other)
        assert records(tmp_path) == [RECORD]
        add(opened, other, again=True)
        assert records(tmp_path) == [other]
        add(opened, FAILED, again=True)
        assert records(tmp_path) == [other]  # a failure never takes a result's place


def test_filters(tmp_path: Path) -> None:
    later = replace(MADE, created="2026-02-01T00:00:00+00:00")
    parameter = replace(RECORD, id="b", initializer="he_normal(gain=2)", config="x")
    longer = replace(RECORD, id="c", initializer="he_normalized", status="diverged")
    with store.opened(tmp_path) as opened:
        add(opened, RECORD, parameter)
        add(opened, longer, made=later)

        def ids(**chosen: object) -> list[str]:
            found = [one.record.id for one in opened.select(Filter(**chosen))]  # type: ignore[arg-type]
            assert opened.count(Filter(**chosen)) == len(found)  # type: ignore[arg-type]
            return found

        assert ids() == ["c", RECORD.id, "b"]  # the newest first
        assert ids(initializer="he_normal") == [RECORD.id, "b"]
        assert ids(initializer="he_normal(gain=2)") == ["b"]
        assert ids(status="diverged", config="he") == ["c"]
        assert ids(since=later.created) == ["c"]
        assert ids(before=later.created) == [RECORD.id, "b"]
        assert ids(ids=("b", "nobody")) == ["b"]
        assert ids(ids=()) == []
        assert [one.record.id for one in opened.select(Filter(), limit=1)] == ["c"]
        assert opened.names() == ["he", "x"]
        assert opened.starting_with("01") == [RECORD.id]
        assert opened.remove(Filter(config="he")) == 2
        assert ids() == ["b"]


def test_a_run_keeps_the_words_of_every_config_that_asked_for_it(tmp_path: Path) -> None:
    with store.opened(tmp_path) as opened:
        add(opened, RECORD)
        opened.note([(RECORD.id, B), ("nobody", B), (RECORD.id, Request.of(RECORD))])
        (mine,) = opened.select(Filter())
        assert (mine.record, mine.others) == (RECORD, (B,))
        (theirs,) = opened.select(Filter(config="b"))
        assert theirs.record == replace(RECORD, config="b", initializer="own", setting={"depth": 2})
        assert theirs.others == (Request.of(RECORD),)
        assert mine.asked_by("b") == theirs
        assert theirs.asked_by("he") == mine
        assert mine.asked_by("nobody") == mine
        assert opened.names() == ["b", "he"]
        assert opened.count(Filter(config="b")) == 1
        # A config that changed speaks in its newest words.
        opened.note([(RECORD.id, B._replace(setting="{}"))])
        assert next(opened.select(Filter(config="b"))).record.setting == {}


def test_training_again_for_another_config_forgets_nobody(tmp_path: Path) -> None:
    other = replace(RECORD, config="b", initializer="own")
    third = replace(RECORD, config="c")
    with store.opened(tmp_path) as opened:
        for again, record in ((False, RECORD), (False, third), (True, other), (True, other)):
            add(opened, record, again=again)
            asked = {"he", record.config} | ({"c"} if record != RECORD else set())
            (found,) = opened.select(Filter())
            assert {found.record.config, *(one.config for one in found.others)} == asked
            assert opened.names() == sorted(asked)
        assert found.record == other
        assert found.others == (Request.of(third), Request.of(RECORD))


def test_what_others_asked_for_is_counted_and_goes_with_the_run(tmp_path: Path) -> None:
    more = replace(RECORD, id="b", config="b")
    with store.opened(tmp_path) as opened:
        add(opened, RECORD, more, replace(RECORD, id="c"))
        opened.note([(RECORD.id, B), (more.id, Request.of(RECORD)), (RECORD.id, B)])
        opened.note([(RECORD.id, B._replace(config="z"))])
        assert opened.asked_by_others(Filter(config="he"), "he") == {"b": 2, "z": 1}
        assert opened.asked_by_others(Filter(config="b"), "b") == {"he": 2, "z": 1}
        assert opened.asked_by_others(Filter(ids=("c",)), "he") == {}
        assert opened.remove(Filter(config="b")) == 2
        assert opened.names() == ["he"]
        opened.remove(Filter())
        rows = opened._connection.execute("SELECT count(*) FROM requests").fetchone()
        assert rows == (0,)


def test_many_note_at_once(tmp_path: Path) -> None:
    def one(number: int) -> None:
        with store.opened(tmp_path) as opened:
            add(opened, replace(RECORD, config=f"config {number}"))
            opened.note([(RECORD.id, B._replace(config=f"noted {number}"))])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(16)))
    with store.existing(tmp_path) as opened:
        names = [f"{word} {number}" for word in ("config", "noted") for number in range(16)]
        assert opened.names() == sorted(names)


#: Names that mean something to GLOB, LIKE, a regular expression or SQL.
WILD = st.text("*?[]%_^-()'\"\\;\0aA", max_size=6)


@settings(max_examples=40)
@given(st.lists(WILD, min_size=1, max_size=6, unique=True), WILD, st.text("01%_*?[", max_size=2))
def test_names_select_literally(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], asked: str, prefix: str
) -> None:
    """Python's own comparison of texts is the oracle."""
    stored = {
        f"{one}{other}": replace(RECORD, id=f"{one}{other}", initializer=initializer, config=name)
        for one, name in enumerate(names)
        for other, initializer in enumerate((name, f"{name}(gain=2)"))
    }

    def whose(chosen: Filter) -> set[str]:
        return {one.record.id for one in opened.select(chosen)}

    with store.opened(tmp_path_factory.mktemp("store")) as opened:
        add(opened, *stored.values())
        assert whose(Filter(initializer=asked)) == {
            id_
            for id_, record in stored.items()
            if record.initializer == asked or record.initializer.startswith(f"{asked}(")
        }
        assert whose(Filter(config=asked)) == {i for i, r in stored.items() if r.config == asked}
        assert whose(Filter(ids=(prefix, "00"))) == stored.keys() & {prefix, "00"}
        assert set(opened.starting_with(prefix)) == {i for i in stored if i.startswith(prefix)}
        assert sorted(names) == opened.names()


def test_removing_takes_along_what_nobody_refers_to(tmp_path: Path) -> None:
    with store.opened(tmp_path) as opened:
        add(opened, RECORD)
        opened.remove(Filter())
    with closing(sqlite3.connect(tmp_path / store.FILE)) as connection:
        for table in ("settings", "environments"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_transaction_is_whole_or_absent(tmp_path: Path) -> None:
    def entries() -> object:
        yield RECORD, SETTINGS
        raise KeyboardInterrupt

    with store.opened(tmp_path) as opened:
        with pytest.raises(KeyboardInterrupt):
            opened.add(entries(), MADE)  # type: ignore[arg-type]
        assert records(tmp_path) == []
        add(opened, RECORD)  # and the store goes on
    assert records(tmp_path) == [RECORD]


def test_many_open_at_once_where_nothing_was(tmp_path: Path) -> None:
    def one(number: int) -> None:
        with store.opened(tmp_path) as opened:
            add(opened, replace(RECORD, id=str(number)), replace(RECORD, id="shared"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(32)))
    assert {record.id for record in records(tmp_path)} == {"shared", *map(str, range(32))}


def test_many_open_a_new_folder_at_the_same_moment(tmp_path: Path) -> None:
    together = Barrier(4, timeout=10)

    def all_folders(_: int) -> None:
        for number in range(20):
            folder = tmp_path / str(number)
            folder.mkdir(exist_ok=True)
            together.wait()
            with store.opened(folder):
                pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(all_folders, range(4)))


def test_a_schema_that_is_made_meanwhile_is_not_another_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.05)  # the writer waits for a reader in vain
    path = tmp_path / store.FILE
    with (
        closing(database.connect(path)) as connection,
        closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other,
    ):
        traced: list[str] = []

        def make(statement: str) -> None:
            traced.append(statement)
            if "sqlite_master" in statement:  # the last that is read
                with suppress(sqlite3.OperationalError):  # it has to wait for the reader
                    database._migrate(other, path, store.SCHEMA, store.MIGRATIONS)

        connection.set_trace_callback(make)
        assert database._judge(connection, path, store.SCHEMA, newest=4) == 0
        assert any("sqlite_master" in statement for statement in traced)


def test_the_log_is_begun_when_another_has_ended_its_transaction(tmp_path: Path) -> None:
    with closing(
        sqlite3.connect(tmp_path / store.FILE, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        end = Timer(0.1, other.execute, ["COMMIT"])
        end.start()
        with store.opened(tmp_path) as opened:
            add(opened, RECORD)
        end.join()
    assert records(tmp_path) == [RECORD]


# What may be wrong with the file.


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A folder with a store of several pages."""
    return filled(tmp_path / "results")


def filled(folder: Path, runs: int = 100) -> Path:
    folder.mkdir()
    with store.opened(folder) as opened:
        add(opened, *(replace(RECORD, id=f"{number:016x}", seed=number) for number in range(runs)))
        opened.note((f"{number:016x}", B) for number in range(0, runs, 2))
    return folder


def refusal(folder: Path) -> str:
    """What opening says, which must leave everything as it was."""
    before = contents(folder)
    with pytest.raises(ResultsError) as refused, store.opened(folder) as opened:
        add(opened, RECORD)
    assert contents(folder) == before
    return str(refused.value).replace(str(folder), "results")


def test_a_file_that_is_no_database(full: Path) -> None:
    (full / store.FILE).write_text("these are not the runs you are looking for" * 100)
    assert refusal(full) == (
        "results/runs.sqlite: is damaged (file is not a database); `initbench clean --damaged "
        "--results results` saves the runs that can be read and are whole, and keeps a copy of the "
        "file"
    )


@pytest.mark.parametrize("share", [0.9, 0.5, 0.1])
def test_a_truncated_file(full: Path, share: float) -> None:
    path = full / store.FILE
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "is damaged (database disk image is malformed); `initbench clean" in refusal(full)


def test_a_page_that_was_overwritten(full: Path) -> None:
    path = full / store.FILE
    data = bytearray(path.read_bytes())
    data[8192:12288] = b"\xff" * 4096
    path.write_bytes(data)
    assert "is damaged (" in refusal(full)


def assert_refused_or_true(folder: Path, truth: dict[str, Stored]) -> bool:
    """Whether the store can be used: then every run that it gives is the one that was written."""
    try:
        with store.existing(folder) as opened:
            found = {one.record.id: one for one in opened.select(Filter())}
            asked = opened.select(Filter(ids=tuple(truth)))
            assert {one.record.id: one for one in asked} == found
            opened.names()
            opened.starting_with("0")
            opened.count(Filter(initializer="he_normal"))
            add(opened, replace(RECORD, id="new"))
            opened.remove(Filter(ids=("new",)))
    except ResultsError:
        return False
    assert found.items() <= truth.items()
    return True


def damage(rng: random.Random, data: bytes) -> bytes:
    """The bytes with a few bits flipped, or a stretch overwritten, or cut off."""
    changed = bytearray(data)
    kind = rng.choice(["bits", "bits", "bytes", "header", "stretch", "cut"])
    if kind in ("bits", "bytes", "header"):
        for _ in range(rng.choice([1, 1, 2, 8, 40])):
            place = rng.randrange(100 if kind == "header" else len(data))
            changed[place] = (
                rng.randrange(256) if kind == "bytes" else changed[place] ^ 1 << rng.randrange(8)
            )
    elif kind == "stretch":
        start = rng.randrange(len(data))
        length = rng.choice([16, 512, 4096])
        changed[start : start + length] = rng.randbytes(len(changed[start : start + length]))
    else:
        del changed[rng.randrange(len(data)) :]
    return bytes(changed)


def bare(stored: Stored) -> Stored:
    """The run without the words of other configs, which may be lost where the run is saved."""
    return replace(stored, others=())


#: `make fuzz` tries more.
DAMAGES = int(os.environ.get("INITBENCH_FUZZ", "100"))


def test_no_damage_changes_a_number_or_ends_in_a_traceback(tmp_path: Path) -> None:
    """A damaged store is refused, or gives what was written; what it holds is saved."""
    whole = filled(tmp_path / "whole", runs=33)
    truth = {one.record.id: one for one in read(whole)}
    runs = {id_: bare(one) for id_, one in truth.items()}
    data = (whole / store.FILE).read_bytes()
    rng = random.Random(14)
    refused = saved = 0
    for number in range(DAMAGES):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / store.FILE).write_bytes(damage(rng, data))
        if assert_refused_or_true(folder, truth):
            continue
        refused += 1
        before = (folder / store.FILE).read_bytes()
        with suppress(ResultsError):  # a header of another program's, say
            done = salvage(folder)
            if done.copy is None:  # it was the writing that failed
                continue
            kept = {one.record.id: one for one in read(folder)}
            assert len(kept) == done.runs
            assert {id_: bare(one) for id_, one in kept.items()}.items() <= runs.items()
            assert all(one.others in ((), truth[id_].others) for id_, one in kept.items())
            assert done.copy.read_bytes() == before
            assert assert_refused_or_true(folder, kept)
            saved += len(kept)
    assert refused > DAMAGES / 2
    assert saved > refused * 33 / 2  # most damage is to a page or two


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE runs SET seconds = 2.5",
        "UPDATE runs SET curve = replace(curve, '0.4', '0.5')",
        "UPDATE runs SET train_loss = 17",
        "UPDATE runs SET id = 'other'",
        "UPDATE runs SET settings = 77",
        "UPDATE runs SET status = 'diverged'",
        "UPDATE settings SET resolved = replace(resolved, '10', '11')",
        "UPDATE environments SET blas = 'another'",
        "UPDATE runs SET checksum = ''",
    ],
)
def test_every_column_of_a_run_is_under_its_checksum(tmp_path: Path, statement: str) -> None:
    with store.opened(tmp_path) as opened:
        add(opened, RECORD)
    with closing(sqlite3.connect(tmp_path / store.FILE)) as connection, connection:
        connection.execute(statement)
    with pytest.raises(DamagedError, match="a run does not match its checksum"):
        read(tmp_path)
    assert salvage(tmp_path).runs == 0
    assert records(tmp_path) == []


@pytest.mark.parametrize("column", ["config", "initializer", "setting", "checksum"])
def test_a_request_is_under_its_checksum(tmp_path: Path, column: str) -> None:
    with store.opened(tmp_path) as opened:
        add(opened, RECORD)
        opened.note([(RECORD.id, B), (RECORD.id, B._replace(config="c"))])
    with closing(sqlite3.connect(tmp_path / store.FILE)) as connection, connection:
        connection.execute(f"UPDATE requests SET {column} = 'other' WHERE config = 'b'")
    with pytest.raises(DamagedError, match="a request does not match its checksum"):
        read(tmp_path)
    assert salvage(tmp_path).runs == 1
    (saved,) = read(tmp_path)
    assert (saved.record, [one.config for one in saved.others]) == (RECORD, ["c"])


def test_one_damaged_run_costs_no_other(full: Path) -> None:
    before = read(full)
    with closing(sqlite3.connect(full / store.FILE)) as connection, connection:
        connection.execute("UPDATE runs SET seconds = 9 WHERE id = ?", [before[7].record.id])
    copy = full / "runs.sqlite.damaged"
    assert salvage(full) == Salvaged(99, copy)
    assert sorted(read(full), key=by_id) == sorted(before[:7] + before[8:], key=by_id)
    assert salvage(full) == Salvaged(99, None)
    assert sorted(contents(full)) == ["runs.sqlite", "runs.sqlite.damaged"]
    copy.rename(full / store.FILE)  # and once more, of the copy
    (full / "runs.sqlite.damaged").touch()
    assert salvage(full) == Salvaged(99, full / "runs.sqlite.damaged2")


def by_id(stored: Stored) -> str:
    return stored.record.id


def test_a_damaged_log_is_saved_too(full: Path) -> None:
    """What a command that was killed had not yet moved from the log into the file."""
    with store.opened(full) as opened:
        add(opened, replace(RECORD, id="late"))
        copies = contents(full)
    for name, data in copies.items():
        (full / name).write_bytes(data)
    with closing(sqlite3.connect(full / store.FILE, isolation_level=None)) as connection:
        connection.execute("UPDATE runs SET seconds = 9 WHERE id = ?", [f"{5:016x}"])
        copies = contents(full)
    for name, data in copies.items():
        (full / name).write_bytes(data)
    assert "runs.sqlite-wal" in copies
    assert salvage(full).runs == 100
    assert "late" in {record.id for record in records(full)}


def test_a_newer_schema(full: Path) -> None:
    with closing(sqlite3.connect(full / store.FILE)) as connection:
        connection.execute("PRAGMA user_version = 7")
    assert refusal(full) == (
        "results/runs.sqlite: was written by a newer initbench (schema 7; this one knows 4); "
        "upgrade initbench, or choose another folder with --results"
    )


def test_a_database_of_another_program(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / store.FILE)) as connection:
        connection.execute("CREATE TABLE cookies (name)")
    assert refusal(tmp_path) == (
        "results/runs.sqlite: is a database of another program; choose another folder with "
        "--results"
    )


#: A next version, as a later release would write it.
NEXT = """
-- A comment; with a semicolon.
ALTER TABLE runs ADD COLUMN word TEXT NOT NULL DEFAULT ''; -- a word of the user's
CREATE INDEX runs_by_status ON runs (status);
"""


def test_an_older_schema_is_migrated_and_a_copy_kept(
    full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = records(full)
    monkeypatch.setattr(store, "MIGRATIONS", [*store.MIGRATIONS, NEXT])
    monkeypatch.setattr(store, "SCHEMA", store.SCHEMA + NEXT)
    assert records(full) == before
    with closing(sqlite3.connect(full / store.FILE)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (5,)
        assert connection.execute("SELECT DISTINCT word FROM runs").fetchall() == [("",)]
    assert sorted(contents(full)) == ["runs.sqlite", "runs.sqlite.v4.bak"]
    monkeypatch.undo()
    (full / "runs.sqlite.v4.bak").rename(full / store.FILE)
    assert records(full) == before


def test_a_migration_that_fails_changes_nothing(
    full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = records(full)
    monkeypatch.setattr(
        store, "MIGRATIONS", [*store.MIGRATIONS, NEXT, "ALTER TABLE runs DROP COLUMN nothing;"]
    )
    monkeypatch.setattr(store, "SCHEMA", store.SCHEMA + NEXT)
    with pytest.raises(ResultsError, match="nothing"):
        records(full)
    monkeypatch.undo()
    assert records(full) == before


#: The tables of version 1, as 0.1.0 made them, and three of its runs.
VERSION_1 = """
CREATE TABLE environments (
    id          INTEGER PRIMARY KEY,
    initbench   TEXT NOT NULL,
    python      TEXT NOT NULL,
    numpy       TEXT NOT NULL,
    blas        TEXT NOT NULL,
    cpu         TEXT NOT NULL,
    git_commit  TEXT NOT NULL,
    git_dirty   INTEGER NOT NULL,
    UNIQUE (initbench, python, numpy, blas, cpu, git_commit, git_dirty)
);
CREATE TABLE settings (
    id          INTEGER PRIMARY KEY,
    resolved    TEXT NOT NULL UNIQUE
);
CREATE TABLE runs (
    id              TEXT NOT NULL PRIMARY KEY,
    settings        INTEGER NOT NULL REFERENCES settings (id),
    seed            INTEGER NOT NULL,
    config          TEXT NOT NULL,
    initializer     TEXT NOT NULL,
    setting         TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('ok', 'diverged', 'failed')),
    reason          TEXT NOT NULL,
    iterations      INTEGER NOT NULL,
    train_loss      REAL,
    train_accuracy  REAL,
    test_loss       REAL,
    test_accuracy   REAL,
    curve           TEXT NOT NULL,
    seconds         REAL NOT NULL,
    environment     INTEGER NOT NULL REFERENCES environments (id),
    created         TEXT NOT NULL
);
CREATE INDEX runs_by_age ON runs (created);
PRAGMA application_id = 0x696E6962;
PRAGMA user_version = 1;
INSERT INTO environments VALUES (
    1, '0.1.0', '3.13.0', '2.4.6', 'openblas 0.3.31 Zen', 'a CPU', 'abc', 1
);
INSERT INTO settings VALUES (1, '{"iterations": 10, "layers": [2, 1]}');
INSERT INTO runs VALUES (
    'failed', 1, 0, 'he', 'own', '{}', 'failed', 'ValueError: no', 0, NULL, NULL, NULL, NULL,
    '{"iteration": [], "train_loss": [], "train_accuracy": null, "test_loss": [], \
"test_accuracy": null}', 1.5, 1, '2026-01-02T03:04:05+00:00'
), (
    'noted', 1, 1, 'he', 'lsuv', '{}', 'ok', 'layer 3 did not converge', 10, 0.5, NULL, 0.5, NULL,
    '{"iteration": [10], "train_loss": [0.5], "train_accuracy": null, "test_loss": [0.5], \
"test_accuracy": null}', 1.5, 1, '2026-01-02T03:04:05+00:00'
), (
    'plain', 1, 2, 'he', 'he_normal', '{}', 'diverged', '', 10, 9e999, NULL, 0.5, NULL,
    '{"iteration": [10], "train_loss": [null], "train_accuracy": null, "test_loss": [0.5], \
"test_accuracy": null}', 1.5, 1, '2026-01-02T03:04:05+00:00'
);
"""


def columns(folder: Path) -> list[object]:
    with closing(sqlite3.connect(folder / store.FILE)) as connection:
        return connection.execute("PRAGMA table_info(runs)").fetchall()


def test_the_first_version_is_migrated(tmp_path: Path) -> None:
    """A failed run keeps its reason; what a run that trained had to say becomes its note."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    with closing(sqlite3.connect(old / store.FILE)) as connection:
        connection.executescript(VERSION_1)
    found = {record.id: record for record in records(old)}
    assert {name: (r.status, r.reason, r.note) for name, r in found.items()} == {
        "failed": ("failed", "ValueError: no", ""),
        "noted": ("ok", "", "layer 3 did not converge"),
        "plain": ("diverged", "", ""),
    }
    assert found["plain"].metric("train_loss") == math.inf
    assert (old / "runs.sqlite.v1.bak").exists()
    with store.opened(new) as opened:
        add(opened, replace(RECORD, note="a note"))
    assert records(new)[0].note == "a note"
    assert columns(old) == columns(new)


@pytest.mark.parametrize("version", [1, 3])
def test_an_older_version_is_read_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    with closing(sqlite3.connect(tmp_path / store.FILE)) as connection:
        connection.executescript(VERSION_1)
    if version > 1:
        with monkeypatch.context() as before:
            before.setattr(store, "MIGRATIONS", store.MIGRATIONS[: version - 1])
            before.setattr(store, "SCHEMA", store.SCHEMA.replace(store._REQUESTS, ""))
            with store.opened(tmp_path):
                pass
    before_reading = contents(tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert {record.id for record in records(tmp_path)} == {"failed", "noted", "plain"}
    assert contents(tmp_path) == before_reading
    monkeypatch.undo()
    with store.existing(tmp_path) as opened:  # and where it can be, it is migrated
        opened.note([("plain", B)])
        assert opened.names() == ["b", "he"]


def test_a_full_database_keeps_what_it_has(full: Path) -> None:
    """SQLITE_FULL, by a limit of pages: what a full disk gives, too."""
    before = records(full)
    with store.opened(full) as opened:
        connection = opened._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(ResultsError, match="the disk is full; free some space and start again"):
            add(opened, *(replace(RECORD, id=f"more{number}") for number in range(1000)))
    assert records(full) == before


def test_a_busy_file_is_waited_for_and_then_said(
    full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    with closing(sqlite3.connect(full / store.FILE)) as other:
        other.execute("BEGIN IMMEDIATE")
        with (
            store.opened(full) as opened,
            pytest.raises(ResultsError, match=r"another program has held it for 0\.05 seconds"),
        ):
            add(opened, RECORD)


#: Runs with a user's rights, also where the tests run as root, whom no folder is read-only to.
AS_A_USER = """
import os, sys
from initbench.runs import store
from initbench.errors import ResultsError
from initbench.runs.store import Filter
os.chdir(sys.argv[1])
if os.geteuid() == 0:
    os.setuid(65534)
from pathlib import Path
with store.existing(Path("results")) as opened:
    print(len(list(opened.select(Filter()))))
try:
    with store.opened(Path("results")) as opened:
        opened.remove(Filter())
except ResultsError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="modes of files are POSIX")
def test_a_read_only_folder_is_read_and_not_written() -> None:
    # Not in pytest's folders: they are closed to other users.
    with tempfile.TemporaryDirectory() as public:
        os.chmod(public, 0o755)
        full = filled(Path(public) / "results")
        before = contents(full)
        (full / store.FILE).chmod(0o444)
        full.chmod(0o555)
        try:
            done = subprocess.run(
                [sys.executable, "-c", AS_A_USER, str(full.parent)],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
        finally:
            full.chmod(0o755)
        assert done.stderr == ""
        count, message = done.stdout.splitlines()
        assert count == "100"
        assert message.startswith("results/runs.sqlite: cannot be opened for writing (")
        assert message.endswith("); choose another folder with --results")
        assert contents(full) == before


def test_no_store_yet(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no such file; `initbench run` makes it"):
        records(tmp_path)
    assert not list(tmp_path.iterdir())
