"""Whole commands that are killed, starved and run beside each other: nothing is lost."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from initbench.runs import store

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL and file-size limits are POSIX")

DRIVER = Path(__file__).parent / "crash" / "driver.py"
RUNS = 200
KILLS = 20
#: Its spirals need no scikit-learn, whose import would be most of a session that is killed.
CONFIG = f"""
initializer: he_normal
layers: [2, 8, 1]
dataset: {{name: spirals, train_samples: 50, test_samples: 20}}
iterations: 1000
log_every: 500
learning_rate: 0.1
seeds: {RUNS}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    (tmp_path / "sweep.yaml").write_text(CONFIG)
    return tmp_path


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(DRIVER), *arguments]


def call(*arguments: str, **how: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        command(*arguments), capture_output=True, text=True, check=False, timeout=120, **how
    )


def exported(folder: Path) -> list[dict[str, str]]:
    """All stored runs by id, without what tells when they were made and how fast."""
    done = call("show", "--format", "csv", cwd=folder)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    for row in rows:
        del row["seconds"], row["created"]
    return sorted(rows, key=lambda row: row["id"])


def stored_seeds(results: Path) -> set[int]:
    if not (results / store.FILE).exists():
        return set()
    with closing(sqlite3.connect(results / store.FILE, timeout=60)) as connection:
        try:
            return {seed for (seed,) in connection.execute("SELECT seed FROM runs")}
        except sqlite3.OperationalError:  # killed before it had made the table
            return set()


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep that nobody killed."""
    path = tmp_path_factory.mktemp("calm")
    (path / "sweep.yaml").write_text(CONFIG)
    done = call("compare", "sweep.yaml", "--jobs", "2", cwd=path)
    assert done.returncode == 0, done.stderr
    return path


def assert_same(output: str, folder: Path, calm: Path) -> None:
    """A command's table, its file and all stored runs are those of the calm sweep."""
    table = (calm / "results/comparison.md").read_text()
    assert output == table
    assert (folder / "results/comparison.md").read_text() == table
    assert exported(folder) == exported(calm)
    with closing(sqlite3.connect(folder / "results" / store.FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_driver_that_is_killed_loses_nothing_and_repeats_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, calm: Path
) -> None:
    draws = folder / "draws"
    draws.touch()
    monkeypatch.setenv("DRAWS", str(draws))
    moments = random.Random(4)
    kept: list[tuple[int, set[int]]] = []  # at each kill: how much was drawn, what was stored
    for kill in range(KILLS):
        jobs, drawn = str(1 + (kill % 4 == 0)), draws.stat().st_size
        arguments = ["compare", "sweep.yaml", "--format", "markdown", "--jobs", jobs]
        with subprocess.Popen(
            command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as driver:
            if kill % 5:  # once it trains, however long it took to start
                while draws.stat().st_size == drawn and driver.poll() is None:
                    time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.2))
            driver.kill()
        time.sleep(0.05)  # for workers to notice, and what they drew meanwhile
        kept.append((draws.stat().st_size, stored_seeds(folder / "results")))
    assert 0 < len(kept[0][1] | kept[-1][1]) <= RUNS
    done = call("compare", "sweep.yaml", "--format", "markdown", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert f"{RUNS} runs: {len(kept[-1][1])} from results" in done.stderr

    assert_same(done.stdout, folder, calm)
    assert stored_seeds(folder / "results") == set(range(RUNS))
    for drawn, seeds in kept:
        later = {int(line) for line in draws.read_bytes()[drawn:].split()}
        assert not later & seeds, "trained again, although it was stored"


def test_workers_end_with_a_driver_that_is_killed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAWS", str(folder / "draws"))
    arguments = ["run", "sweep.yaml", "--jobs", "2", "--set", "iterations=100000000",
                 "--set", "log_every=100000"]  # fmt: skip
    with (
        (folder / "said").open("w") as said,
        subprocess.Popen(command(*arguments), start_new_session=True, stderr=said) as driver,
    ):
        while not (folder / "draws").exists():
            time.sleep(0.01)
        driver.kill()
    deadline = time.monotonic() + 30
    while group_lives(driver.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not group_lives(driver.pid)
    assert (folder / "said").read_text() == ""  # semaphores are removed without a word


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_two_drivers_at_once(folder: Path, calm: Path) -> None:
    arguments = ["compare", "sweep.yaml", "--format", "markdown", "--jobs", "1"]
    drivers = [
        subprocess.Popen(
            command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for driver in drivers:
        output, errors = driver.communicate(timeout=120)
        assert driver.returncode == 0, errors
        assert_same(output, folder, calm)


def test_a_limit_of_the_files_size(folder: Path, calm: Path) -> None:
    """As a full disk: what fits is kept, and once there is room the rest is trained."""
    arguments = ["compare", "sweep.yaml", "--format", "markdown", "--jobs", "2"]
    done = call(*arguments, env={**os.environ, "FILE_SIZE": "100000"})
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("results/runs.sqlite: cannot be written (disk I/O error); check")
    assert done.stderr.count("\n") == 1
    kept = len(stored_seeds(folder / "results"))
    assert 0 < kept < RUNS
    done = call(*arguments)
    assert done.returncode == 0, done.stderr
    assert_same(done.stdout, folder, calm)
    assert f"{RUNS} runs: {kept} from results, {RUNS - kept} trained" in done.stderr


MIXED = """
initializer: [he_normal, deadly, broken, zeros]
layers: [2, 4, 1]
dataset: {name: spirals, train_samples: 50, test_samples: 20}
iterations: 20
learning_rate: 0.1
seeds: 2
"""
#: A plugin: one initializer ends its process, one raises.
PLUGIN = """
import os

def deadly(rng, shape, dtype):
    os._exit(1)

def broken(rng, shape, dtype):
    raise ZeroDivisionError("as it was asked to")
"""


@pytest.mark.parametrize(
    "executor", [["--jobs", "1"], ["--jobs", "2"], ["--jobs", "2", "--executor", "dask"]], ids=str
)
def test_failing_initializers_are_in_the_table_and_all_others_too(
    folder: Path, executor: list[str]
) -> None:
    if "dask" in executor:
        pytest.importorskip("distributed")
    (folder / "mixed.yaml").write_text(MIXED)
    (folder / "own.py").write_text(PLUGIN)
    own = ["--plugin", "own.py"]
    done = call("run", "mixed.yaml", "--format", "json", *own, *executor)
    assert done.returncode == 1, done.stderr
    said = done.stderr
    if "dask" in executor:  # which on a busy machine may have words of its own for a death, before
        said = said[said.index("wrote results/") :]
    assert said == (
        "wrote results/mixed.csv, results/mixed.json\n"
        "8 runs: 0 from results, 8 trained\n"
        "4 of 8 runs failed:\n"
        "mixed, deadly: ended its process (exit code 1)\n"
        "mixed, broken: raised ZeroDivisionError: as it was asked to (own.py:8)\n"
    )
    records = json.loads(done.stdout)["records"]
    assert [record["status"] for record in records] == ["ok"] * 2 + ["failed"] * 4 + ["ok"] * 2
    # What failed is tried again, what did not is not.
    done = call("run", "mixed.yaml", "--set", "initializer=[he_normal, broken, zeros]", *own)
    assert done.returncode == 1
    assert "6 runs: 4 from results, 2 trained\n2 of 6 runs failed:\n" in done.stderr


@pytest.mark.parametrize(
    "executor", [["--jobs", "2"], ["--jobs", "2", "--executor", "dask"]], ids=str
)
def test_no_module_of_the_working_directory_runs(folder: Path, executor: list[str]) -> None:
    """Files that are named as modules which a new Python, a worker or a task imports."""
    if "dask" in executor:
        pytest.importorskip("distributed")
    for name in ("types", "random", "numpy", "initbench", "asyncio", "json", "_pickle", "click"):
        (folder / f"{name}.py").write_text(f"open({str(folder / 'ran')!r}, 'a').write({name!r})\n")
    small = ["--set", "seeds=8", "--set", "iterations=20"]
    done = call("run", "sweep.yaml", *small, *executor, cwd=folder)
    assert not (folder / "ran").exists(), (folder / "ran").read_text()
    assert (done.returncode, "8 runs: 0 from results, 8 trained" in done.stderr) == (0, True)


def test_fail_fast_stops_and_keeps_what_is_finished(folder: Path) -> None:
    (folder / "mixed.yaml").write_text(MIXED.replace("deadly, ", ""))
    (folder / "own.py").write_text(PLUGIN)
    options = ["--plugin", "own.py", "--jobs", "1", "--fail-fast", "--format", "json"]
    done = call("run", "mixed.yaml", "sweep.yaml", *options)
    assert done.returncode == 1
    records = json.loads(done.stdout)["records"]
    assert {record["config"] for record in records} == {"mixed"}
    assert sum(record["status"] == "failed" for record in records) in (1, 2)
    assert f"{len(records)} of 206 runs finished\n" in done.stderr
    assert (folder / "results/mixed.partial.csv").exists()
