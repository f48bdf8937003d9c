"""`show`, `clean`, and what `run` takes from the store: whole outputs."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from initbench.core import ENGINE_REVISION
from initbench.core.engine.blas import blas
from initbench.runs import store
from initbench.runs.database import checksum
from initbench.runs.provenance import provenance
from tests.cli.conftest import invoke, lines
from tests.conftest import POSIX_WORDS

CONFIG = """
initializer: zeros
layers: [2, 4, 1]
iterations: 20
log_every: 10
learning_rate: 0.1
seeds: 2
"""
FILES = {"small.yaml": CONFIG, "rates.yaml": CONFIG + "sweep: {learning_rate: [0.1, 0.2]}"}
CREATED = "2026-01-02T03:04:05+00:00"


@pytest.fixture(autouse=True)
def folder(folder: Path) -> Path:
    """It holds a sweep's results too, stored at a known time and with known arithmetic."""
    assert invoke("run", "rates.yaml", "--quiet").exit_code == 0
    change("UPDATE runs SET created = ?, seconds = 0.25", CREATED)
    change("UPDATE environments SET numpy = '2.0.0', blas = 'openblas Zen', cpu = 'a CPU'")
    change("UPDATE environments SET python = '3.13.0', initbench = '0.1.0', git_commit = 'abc'")
    return folder


def change(statement: str, *values: object) -> None:
    """Rewrite the store, checksums included."""
    with closing(sqlite3.connect(f"results/{store.FILE}")) as connection, connection:
        connection.create_function("checksum", -1, checksum)
        connection.execute(statement, values)
        connection.execute(store.SEAL)


def shown(*arguments: str) -> list[str]:
    done = invoke("show", *arguments)
    assert done.exit_code == 0, done.output
    return lines(done)


def last_message(done: Result) -> str:
    return done.stderr.splitlines()[-1]


def test_a_config_with_stored_runs_trains_the_others_only() -> None:
    done = invoke("run", "small.yaml", "--seeds", "3", "--format", "json")
    assert last_message(done) == "3 runs: 2 from results, 1 trained"
    records = json.loads(done.stdout)["records"]
    assert [record["cached"] for record in records] == [True, True, False]
    assert {record["config"] for record in records} == {"small"}  # whoever trained them
    assert [record["setting"] for record in records] == [{}] * 3
    assert last_message(invoke("run", "small.yaml")) == "2 runs: 2 from results, 0 trained"
    assert last_message(invoke("run", "small.yaml", "--force")) == (
        "2 runs: 0 from results, 2 trained"
    )


def test_order_names_and_spelt_out_defaults_are_no_reason_to_train(folder: Path) -> None:
    (folder / "other.yaml").write_text(
        "seeds: [1, 0]\ndescription: again\nactivation: {name: relu}\noptimizer: gd\n"
        "learning_rate: 1e-1\nlog_every: 10\niterations: 20\nlayers: [2, 4, 1]\n"
        "initializer: [zeros]\n"
    )
    assert last_message(invoke("compare", "other.yaml")) == "2 runs: 2 from results, 0 trained"


def test_two_configs_that_ask_for_the_same_train_it_once() -> None:
    done = invoke("run", "rates.yaml", "small.yaml", "--seeds", "5,6", "--format", "json")
    assert last_message(done) == "6 runs: 2 from results, 4 trained"
    records = json.loads(done.stdout)["records"]
    assert [record["config"] for record in records] == ["rates"] * 4 + ["small"] * 2


def test_the_table_says_which_records_other_arithmetic_made() -> None:
    here = provenance().numerics
    done = invoke("run", "small.yaml", "--seeds", "3", "--format", "markdown")
    assert done.stdout.endswith(
        " Loss is in nats.\n"
        f"2 runs made with NumPy 2.0.0, openblas Zen (here: {here}): last digits may differ.\n"
    )
    assert "made with" not in invoke("run", "small.yaml", "--seeds", "7,8").stdout


@POSIX_WORDS
def test_show_lists_the_newest_first_with_their_settings() -> None:
    change("UPDATE runs SET id = printf('%016d', seed + 10 * (setting LIKE '%0.2%')) || 'x'")
    invoke("run", "small.yaml", "--seeds", "9,")
    change("UPDATE runs SET id = 'ff', created = '2026-02-03T00:00:00+00:00' WHERE seed = 9")
    assert shown("--limit", "2") == [
        "results/runs.sqlite",
        "",
        "                                                       test",
        "          config                            train  accuracy  stored",
        " run      (initializer)      seed  status    loss         %  (UTC)",
        " ──────────────────────────────────────────────────────────────────────",
        " ff       small                 9  ok      0.6931      50.0  2026-02-03",
        "          zeros",
        " 0000000  rates                 0  ok      0.6931      50.0  2026-01-02",
        "          zeros",
        "          learning_rate=0.1",
        "",
        "The newest 2 of 5 runs; --limit shows more. Loss and accuracy are those after",
        "the last iteration.",
        "",
    ]
    assert shown("small", "--format", "markdown") == [
        "**results/runs.sqlite**",
        "",
        "| run | config (initializer) | seed | status | train loss | test accuracy % "
        "| stored (UTC) |",
        "| --- | --- | ---: | --- | ---: | ---: | --- |",
        "| ff | small (zeros) | 9 | ok | 0.6931 | 50.0 | 2026-02-03 |",
        "",
        "1 run, the newest first. Loss and accuracy are those after the last iteration.",
    ]


def test_show_one_run_whole() -> None:
    change("UPDATE runs SET id = 'abcdef0123456789' WHERE seed = 1 AND setting LIKE '%0.2%'")
    change("UPDATE environments SET git_dirty = 1")
    assert shown("abcd", "--format", "markdown") == [
        "**run abcdef0123456789**",
        "",
        "| what | value |",
        "| --- | --- |",
        "| config | rates |",
        "| initializer | zeros |",
        "| learning_rate | 0.2 |",
        "| seed | 1 |",
        "| status | ok |",
        "| iterations | 20 |",
        "| train_loss | 0.6931471805599453 |",
        "| train_accuracy | 0.5 |",
        "| test_loss | 0.6931471805599453 |",
        "| test_accuracy | 0.5 |",
        "| seconds | 0.25 |",
        "",
        "**determined by**",
        "",
        "| what | value |",
        "| --- | --- |",
        "| activation | relu |",
        "| dataset | circles(factor=0.8, noise=0.05, test_random_state=2, test_samples=100, "
        "train_random_state=1, train_samples=300) |",
        "| dtype | float64 |",
        f"| engine | {ENGINE_REVISION} |",
        "| initializer | zeros |",
        "| iterations | 20 |",
        "| layers | [2, 4, 1] |",
        "| learning_rate | 0.2 |",
        "| log_every | 10 |",
        "| optimizer | gd |",
        "| seed | 1 |",
        "",
        "**made with**",
        "",
        "| what | value |",
        "| --- | --- |",
        "| initbench | 0.1.0 |",
        "| python | 3.13.0 |",
        "| numpy | 2.0.0 |",
        "| blas | openblas Zen |",
        "| cpu | a CPU |",
        f"| created | {CREATED} |",
        "| git | abc and changes |",
        "",
        "**curve**",
        "",
        "| iteration | train_loss | train_accuracy | test_loss | test_accuracy |",
        "| ---: | ---: | ---: | ---: | ---: |",
        "| 0 | 0.693147 | 0.5 | 0.693147 | 0.5 |",
        "| 10 | 0.693147 | 0.5 | 0.693147 | 0.5 |",
        "| 20 | 0.693147 | 0.5 | 0.693147 | 0.5 |",
    ]


def test_show_exports_everything() -> None:
    document = json.loads(invoke("show", "--format", "json").stdout)
    assert document.keys() == {"initbench", "runs"}
    assert len(document["runs"]) == 4
    run = document["runs"][0]
    assert run["config"] == "rates"
    assert run["train_loss"] == 0.6931471805599453
    assert run["curve"]["iteration"] == [0, 10, 20]
    assert run["created"] == CREATED
    assert run["resolved"]["layers"] == [2, 4, 1]
    assert run["provenance"] == {
        "initbench": "0.1.0",
        "python": "3.13.0",
        "numpy": "2.0.0",
        "blas": "openblas Zen",
        "cpu": "a CPU",
        "commit": "abc",
        "dirty": run["provenance"]["dirty"],
    }
    rows = list(csv.DictReader(invoke("show", "--format", "csv").stdout.splitlines()))
    assert [row["id"] for row in rows] == [run["id"] for run in document["runs"]]
    assert [row["learning_rate"] for row in rows] == [
        str(run["setting"]["learning_rate"]) for run in document["runs"]
    ]
    assert {row["train_loss"] for row in rows} == {"0.6931471805599453"}


def shown_seeds(*arguments: str) -> list[int]:
    done = invoke("show", *arguments, "--format", "json")
    assert done.exit_code == 0, done.output
    return [run["seed"] for run in json.loads(done.stdout)["runs"]]


def test_show_filters() -> None:
    invoke("run", "small.yaml", "--seeds", "2,")
    assert shown_seeds("rates") == [0, 1, 0, 1]
    assert shown_seeds("small") == [2]
    assert shown_seeds("small.yaml") == [0, 1]  # what it asks for, whoever trained it
    assert shown_seeds("--status", "diverged") == []
    assert shown_seeds("--initializer", "zeros", "--limit", "2") == [2, 0]
    assert shown_seeds("--before", "2026-01-03") == [0, 1, 0, 1]
    assert shown_seeds("--since", "2026-01-03") == [2]


@pytest.mark.parametrize("name", ["kaiming_normal", "HeNormal", "he_normal", "my_own"])
def test_an_initializer_is_found_by_any_name_that_a_config_may_write(name: str) -> None:
    stored = "my_own" if name == "my_own" else "he_normal"  # one of a plugin has one name
    change("UPDATE runs SET initializer = ? WHERE seed = 1", stored)
    change("UPDATE runs SET initializer = ? WHERE setting LIKE '%0.2%'", f"{stored}(gain=2.0)")
    assert shown_seeds("--initializer", name) == [1, 0, 1]
    assert shown_seeds("--initializer", f"{name}(gain=2.0)") == [0, 1]
    assert invoke("clean", "--initializer", name, "--yes").exit_code == 0
    assert shown_seeds() == [0]


@POSIX_WORDS
def test_what_is_not_there_is_met_with_the_closest() -> None:
    done = invoke("show", "rate")
    assert (done.exit_code, done.stderr) == (
        2,
        "results/runs.sqlite: has no config and no run 'rate'; did you mean 'rates'?\n",
    )
    change("UPDATE runs SET id = 'abcde' || seed || setting")
    assert "'abcde' begins the ids of 4 runs, such as abcde0" in invoke("show", "abcde").stderr
    done = invoke("show", "--results", "nowhere")
    assert (done.exit_code, done.stderr) == (
        2,
        "nowhere/runs.sqlite: no such file; `initbench run` makes it, or name another folder "
        "with --results\n",
    )


@POSIX_WORDS
def test_clean_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke("clean", "rates")
    assert done.exit_code == 2
    assert "Error: Nobody can answer on standard input; give --yes to remove 4 runs." in done.stderr

    # CliRunner's input is no terminal: say that it is one.
    monkeypatch.setattr("initbench.cli.clean_command.asked", lambda: True)
    done = invoke("clean", "rates", answer="n\n")
    # The answer is not echoed: what follows it may stand in the question's line.
    assert (done.exit_code, done.stderr.endswith("nothing was removed\n")) == (0, True)
    assert "Remove 4 runs from results/runs.sqlite? [y/N]:" in done.stderr
    done = invoke("clean", "rates", answer="")  # Ctrl-D, and so Ctrl-C
    assert (done.exit_code, done.stderr.endswith("interrupted\n")) == (130, True)
    assert len(shown_seeds()) == 4
    done = invoke("clean", "rates", answer="y\n")
    assert (done.exit_code, done.stderr.endswith("removed 4 of 4 runs\n")) == (0, True)
    assert shown_seeds() == []


@POSIX_WORDS
def test_clean_removes_what_the_filters_say() -> None:
    done = invoke("clean", "small.yaml", "--yes")
    assert (done.exit_code, done.stderr) == (
        0, "removed 2 of 4 runs, 2 of them also asked for by rates\n"
    )  # fmt: skip
    assert last_message(invoke("run", "rates.yaml")) == "4 runs: 2 from results, 2 trained"
    done = invoke("clean", "--status", "failed", "--yes")
    assert (done.exit_code, done.stderr) == (0, "results/runs.sqlite: holds no such run\n")
    assert invoke("clean", "--before", "2026-01-03", "--yes").stderr == "removed 2 of 4 runs\n"
    assert invoke("clean", "--all", "--yes").stderr == "removed 2 of 2 runs\n"


def test_a_run_is_shown_in_the_words_of_each_config_that_asked_for_it() -> None:
    invoke("run", "small.yaml", "--quiet")
    (row,) = json.loads(invoke("show", "small", "--limit", "1", "--format", "json").stdout)["runs"]
    assert (row["config"], row["setting"], row["others"]) == ("small", {}, ["rates"])
    assert json.loads(invoke("show", "small.yaml", "--format", "json").stdout)["runs"][0] == row
    whole = lines(invoke("show", row["id"], "--format", "markdown"))
    assert whole[4:6] == ["| config | rates |", "| also asked for by | small |"]
    listed = shown("rates", "--format", "markdown")
    assert sum("also small" in line for line in listed) == 2
    cells = csv.DictReader(invoke("show", "small", "--format", "csv").stdout.splitlines())
    assert [row["others"] for row in cells] == ["rates", "rates"]


def test_clean_says_what_it_would_take_from_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b", "c", "d", "e"):
        (folder / f"{name}.yaml").write_text(CONFIG)
        seeds = "1" if name == "e" else "2"
        assert invoke("run", f"{name}.yaml", "--quiet", "--seeds", seeds).exit_code == 0
    monkeypatch.setattr("initbench.cli.clean_command.asked", lambda: True)
    also = "2 of them also asked for by b, 2 by c, 2 by d, some by 1 more"
    for what in ("rates", "rates.yaml"):
        done = invoke("clean", what, answer="n\n")
        assert f"Remove 4 runs from {Path('results', store.FILE)}, {also}? [y/N]:" in done.stderr
    assert invoke("clean", "e", "--yes").stderr == (
        "removed 1 of 4 runs, 1 of them also asked for by b, 1 by c, 1 by d, some by 1 more\n"
    )
    assert invoke("clean", "rates", "--yes").stderr.endswith(
        "removed 3 of 3 runs, 1 of them also asked for by b, 1 by c, 1 by d\n"
    )
    # Runs that are selected by how they ended are nobody's own.
    invoke("run", "b.yaml", "c.yaml", "--quiet")
    assert invoke("clean", "--status", "ok", "--yes").stderr == "removed 2 of 2 runs\n"


@pytest.mark.parametrize("name", ["*", "z*", "?eros", "[a-z]eros", "%", "zero_", "zeros\\"])
def test_clean_takes_names_literally(name: str) -> None:
    assert "has no run of an initializer" in invoke("clean", "--initializer", name, "--yes").stderr
    assert len(shown_seeds()) == 4


@pytest.mark.parametrize("arguments", [[], ["rates", "--all"], ["--yes"]])
def test_clean_wants_to_know_which(arguments: list[str]) -> None:
    done = invoke("clean", *arguments)
    assert done.exit_code == 2
    assert "Error: Select runs, or give --all" in done.stderr


@POSIX_WORDS
@pytest.mark.parametrize("command", ["run", "compare"])
def test_a_store_that_cannot_be_used_is_said_before_training(folder: Path, command: str) -> None:
    (folder / "results" / store.FILE).write_text("no database" * 1000)
    done = invoke(command, "small.yaml")
    assert done.exit_code == 2
    assert "results/runs.sqlite: is damaged (file is not a database)" in done.stderr
    assert done.stdout == ""


@POSIX_WORDS
def test_clean_damaged_keeps_what_is_whole(folder: Path) -> None:
    done = invoke("clean", "--damaged")
    assert (done.exit_code, done.stderr) == (0, "results/runs.sqlite: is whole: 4 runs\n")
    with closing(sqlite3.connect(f"results/{store.FILE}")) as connection, connection:
        connection.execute("UPDATE runs SET curve = replace(curve, '0.69', '0.68') WHERE seed = 1")
    said = (
        "results/runs.sqlite: is damaged (a run does not match its checksum); `initbench clean "
        "--damaged --results results` saves the runs that can be read and are whole, and keeps a "
        "copy of the file\n"
    )
    for command in (["run", "rates.yaml"], ["compare", "rates.yaml"], ["show"]):
        done = invoke(*command)
        assert (done.exit_code, done.stderr, done.stdout) == (2, said, "")
    done = invoke("clean", "--damaged")
    assert (done.exit_code, done.stderr) == (
        0,
        "results/runs.sqlite: kept 2 runs that could be read and are whole; the damaged file is "
        "now results/runs.sqlite.damaged\n",
    )
    assert last_message(invoke("run", "rates.yaml")) == "4 runs: 2 from results, 2 trained"
    assert "--damaged takes all runs" in invoke("clean", "rates", "--damaged").stderr
    assert "--damaged takes all runs" in invoke("clean", "--all", "--damaged").stderr
    nowhere = invoke("clean", "--damaged", "--results", "nowhere")
    assert (nowhere.exit_code, "no such file" in nowhere.stderr) == (2, True)
    assert not (folder / "nowhere").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scheduler", "tcp://localhost:1"], "Error: --scheduler needs --executor dask."),
        (
            ["--executor", "dask", "--scheduler", "tcp://localhost:1", "--jobs", "2"],
            "Error: --scheduler has workers of its own: give no --jobs with it.",
        ),
        (["--executor", "threads"], "Error: Invalid value for '--executor'"),
    ],
)
def test_options_that_do_not_fit(arguments: list[str], message: str) -> None:
    done = invoke("run", "small.yaml", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_without_dask_the_way_to_get_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask", None)
    done = invoke("run", "small.yaml", "--executor", "dask", "--force")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (
        3,
        "Dask is not installed; try: pip install 'initbench[dask]'",
    )


def test_the_kernel_is_in_every_export() -> None:
    invoke("run", "small.yaml", "--force")
    rows = list(csv.DictReader(invoke("show", "small", "--format", "csv").stdout.splitlines()))
    assert {row["blas"] for row in rows} == {blas()}
