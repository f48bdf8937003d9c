"""`initbench run`, as its users meet it: whole outputs, files, exit codes."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import pytest

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


FILES = {"small.yaml": CONFIG}
run = partial(invoke, "run")


@POSIX_WORDS
def test_the_table() -> None:
    """Zeros stay at ln 2 and guess one class: a result known beforehand."""
    done = run("small.yaml")
    assert done.exit_code == 0
    assert lines(done) == [
        "small: circles (one split), 2-4-1 relu, gd, learning rate 0.1, 20 iterations,",
        "full batch, float64",
        "",
        "                                          train              test",
        "                  runs   train  loss   accuracy    test  accuracy",
        " initializer  diverged    loss  curve         %    loss         %",
        " ────────────────────────────────────────────────────────────────",
        " zeros             0/2  0.6931  ▁▁▁        50.0  0.6931      50.0",
        "",
        "Median over 2 seeds, then the range from the lowest to the highest. Loss is in",
        "nats.",
        "Loss curve: the median train loss from the first iteration to the last, which",
        "stays where it is.",
        "",
    ]
    assert done.stderr == (
        "wrote results/small.csv, results/small.json\n2 runs: 0 from results, 2 trained\n"
    )


def test_markdown() -> None:
    done = run("small.yaml", "--format", "markdown", "--quiet")
    assert done.stdout == (
        "**small: circles (one split), 2-4-1 relu, gd, learning rate 0.1, 20 iterations, full "
        "batch, float64**\n"
        "\n"
        "| initializer | runs diverged | train loss | train accuracy % | test loss | "
        "test accuracy % |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| zeros | 0/2 | 0.6931 | 50.0 | 0.6931 | 50.0 |\n"
        "\n"
        "Median over 2 seeds, then the range from the lowest to the highest. "
        "Loss is in nats.\n"
    )
    assert done.stderr == ""


def test_json_is_one_document_and_all_of_it(folder: Path) -> None:
    done = run("small.yaml", "--format", "json")
    document = json.loads(done.stdout)
    assert document == json.loads((folder / "results/small.json").read_text())
    assert [record["seed"] for record in document["records"]] == [0, 1]
    assert document["records"][0]["train_loss"] == 0.6931471805599453  # ln 2, to the last digit
    assert document["records"][0]["curve"]["iteration"] == [0, 10, 20]
    assert document["summary"][0]["runs"] == 2


def test_csv_has_a_row_a_run(folder: Path) -> None:
    done = run("small.yaml", "--format", "csv")
    assert done.stdout == (folder / "results/small.csv").read_text()
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [(row["seed"], row["status"], row["test_accuracy"]) for row in rows] == [
        ("0", "ok", "0.5"),
        ("1", "ok", "0.5"),
    ]


def test_a_diverged_run_is_a_result() -> None:
    done = run("small.yaml", "--set", "initializer=he_normal", "--set", "learning_rate=1e308",
               "--format", "json")  # fmt: skip
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert {record["status"] for record in document["records"]} == {"diverged"}
    assert document["summary"][0]["diverged"] == 2
    assert document["summary"][0]["train_loss"]["median"] is None


def test_seeds_and_set_override_the_config() -> None:
    done = run("small.yaml", "--seeds", "7,3", "--set", "dataset.train_samples=50",
               "--set", "iterations=1e1", "--format", "json")  # fmt: skip
    records = json.loads(done.stdout)["records"]
    assert [(record["seed"], record["iterations"]) for record in records] == [(7, 10), (3, 10)]


def test_one_seed_as_a_list() -> None:
    records = json.loads(run("small.yaml", "--seeds", "3,", "--format", "json").stdout)["records"]
    assert [record["seed"] for record in records] == [3]


def test_jobs_do_not_change_the_records() -> None:
    one, two = (
        json.loads(run("small.yaml", "--set", "initializer=he_normal", "--format", "json",
                       "--jobs", jobs, "--force").stdout)["records"]
        for jobs in ("1", "2")
    )  # fmt: skip
    for record in [*one, *two]:
        del record["seconds"]
    assert one == two


def test_several_configs_have_a_table_and_files_each(folder: Path) -> None:
    (folder / "other.yaml").write_text(CONFIG.replace("zeros", "[ones, he_normal]"))
    done = run("small.yaml", "other.yaml", "--results", "out")
    assert done.exit_code == 0
    assert "small: circles" in done.stdout
    assert "other: circles" in done.stdout
    names = sorted(path.name for path in (folder / "out").iterdir())
    assert names == ["other.csv", "other.json", "runs.sqlite", "small.csv", "small.json"]
    assert not (folder / "results").exists()


def test_a_wrong_config_writes_nothing(folder: Path) -> None:
    (folder / "wrong.yaml").write_text(CONFIG + "learning_rat: 1\ndtype: float16\n")
    done = run("small.yaml", "wrong.yaml")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr == (
        "wrong.yaml:8:1: learning_rat: unknown key; did you mean 'learning_rate'?\n"
        "wrong.yaml:9:8: dtype: must be one of float64, float32, got the text 'float16'; "
        "did you mean 'float64'?\n"
    )
    assert not (folder / "results").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Error: Name configs, or give --all."),
        (["small.yam"], "small.yam: no such file; did you mean 'small.yaml'?"),
        (["small.yaml", "--job", "2"], "Error: No such option"),
        (["small.yaml", "--jobs", "0"], "Error: Invalid value for '--jobs'"),
        (["small.yaml", "--format", "xml"], "Error: Invalid value for '--format'"),
        (["small.yaml", "--set", "seeds"], "--set seeds: must be KEY=VALUE"),
        (["small.yaml", "--seeds", "x"], "--seeds x: seeds: must be a count"),
        (["small.yaml", "--results", "small.yaml"], "Error: Invalid value for '--results'"),
    ],
)
def test_bad_usage_exits_2_with_a_message(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@POSIX_WORDS
def test_results_that_cannot_be_written_are_refused_before_training(folder: Path) -> None:
    (folder / "results").write_text("")
    done = run("small.yaml", "--results", "results/deeper")
    assert done.exit_code == 2
    assert done.stderr.startswith("results/deeper: cannot be written: Not a directory")


def test_what_an_initializer_has_to_say_stands_under_the_table(folder: Path) -> None:
    """One unit a layer: ReLU is dead for all samples in most runs, and LSUV has nothing to fit."""
    done = run("small.yaml", "--set", "initializer=lsuv", "--set", "layers=[2, 1, 1, 1, 1]",
               "--seeds", "6", "--quiet")  # fmt: skip
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-7:-3] == [
        "Median over 6 seeds, then the range from the lowest to the highest. Loss is in ",
        "nats.",
        "small, lsuv: 5 of 6 runs: layer 3 did not converge: variance 0; layer 4 did not ",
        "converge: variance 0 (and others).",
    ]
    records = json.loads((folder / "results" / "small.json").read_text())["records"]
    assert [record["status"] for record in records] == ["ok"] * 6
    assert sum("did not converge" in record["note"] for record in records) == 5


def test_a_shorter_trial_says_what_it_replaces(folder: Path) -> None:
    assert "held" not in run("small.yaml", "--seeds", "3").stderr
    done = run("small.yaml", "--seeds", "1")
    held = len(json.loads((folder / "results/small.json").read_text())["records"])
    assert done.stderr.startswith(
        f"results/small.* held {3 * held} runs and now hold {held}; "
        "`initbench show --results results` shows which runs are stored\n"
    )
    run("small.yaml", "--seeds", "3")
    (folder / "results/small.json").unlink()
    assert "held" not in run("small.yaml", "--seeds", "1", "--quiet").stderr
    run("small.yaml", "--seeds", "3")
    (folder / "results/small.json").unlink()
    done = run("small.yaml", "--seeds", "1")
    assert done.stderr.startswith(f"results/small.* held {3 * held} runs and now hold {held}; ")
