from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from tests.cli.conftest import invoke

CONFIG = """
initializer: {initializer}
layers: [2, 4, 1]
iterations: {iterations}
learning_rate: 0.1
seeds: 2
"""


FILES = {
    f"configs/{name}.yaml": CONFIG.format(initializer=name, iterations=iterations)
    for name, iterations in (("zeros", 20), ("ones", 20), ("he_normal", 30))
}
compare = partial(invoke, "compare")


def test_all_groups_by_problem_and_ranks_within(folder: Path) -> None:
    done = compare("--all", "--format", "json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    rows = {row["config"]: row for row in document["comparison"]}
    assert rows.keys() == {"zeros", "ones", "he_normal"}
    assert rows["he_normal"]["rank"] == 1
    assert rows["he_normal"]["problem"] != rows["zeros"]["problem"] == rows["ones"]["problem"]
    assert {rows["zeros"]["rank"], rows["ones"]["rank"]} == {1, 2}
    assert rows["zeros"]["metric"] == "train_loss"
    assert rows["zeros"]["median"] == 0.6931471805599453
    assert len(document["records"]) == 6
    names = sorted(path.name for path in (folder / "results").iterdir())
    assert names == ["comparison.csv", "comparison.json", "comparison.md", "runs.sqlite"]


def test_markdown_on_standard_output_is_the_file(folder: Path) -> None:
    done = compare("--all", "--format", "markdown", "--quiet")
    assert done.stdout == (folder / "results/comparison.md").read_text()
    # Two configs pose one problem, a third another.
    assert done.stdout.count("| # | config (initializer) |") == 1
    assert done.stdout.count("| # | initializer |") == 1


def test_csv_on_standard_output_is_the_file(folder: Path) -> None:
    done = compare("configs/zeros.yaml", "configs/ones.yaml", "--format", "csv")
    assert done.stdout == (folder / "results/comparison.csv").read_text()
    header, *rows = done.stdout.splitlines()
    assert header.startswith(
        "problem,rank,best_group,config,initializer,runs,diverged,failed,trained,train_loss_median,"
    )
    assert len(rows) == 2


def test_all_works_from_an_empty_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "empty").mkdir()
    monkeypatch.chdir(folder / "empty")
    done = compare("--all", "--set", "iterations=10", "--seeds", "1", "--format", "json")
    assert done.exit_code == 0
    configs = {record["config"] for record in json.loads(done.stdout)["records"]}
    assert configs == {"zeros", "random_large", "random_small", "he", "xavier", "glorot"}


@pytest.mark.parametrize("arguments", [[], ["--all", "configs/zeros.yaml"]])
def test_configs_or_all(arguments: list[str]) -> None:
    done = compare(*arguments)
    assert done.exit_code == 2
    both = "; not both" if arguments else ""
    assert f"Name configs, or give --all{both}." in done.stderr


def test_an_empty_configs_folder_is_said(folder: Path) -> None:
    for path in (folder / "configs").iterdir():
        path.unlink()
    done = compare("--all")
    assert (done.exit_code, done.stderr) == (
        2,
        "configs: holds no config (*.yaml); name configs, or add some\n",
    )


@pytest.mark.skipif(os.name == "nt", reason="SIGINT to another process is POSIX")
@pytest.mark.parametrize("jobs", ["1", "3"])
def test_an_interrupt_keeps_what_is_finished(folder: Path, jobs: str) -> None:
    """SIGINT while short stacks are done and long ones, which began first, far from their end."""
    short, long = folder / "configs/zeros.yaml", folder / "long.yaml"
    long.write_text(CONFIG.format(initializer="ones", iterations=10**8) + "log_every: 1000000\n")
    (folder / "results").mkdir()
    (folder / "results/comparison.md").write_text("an earlier, complete table")
    code = "from initbench.cli import main; main()"
    arguments = ["compare", str(short), str(long), "--jobs", jobs, "--format", "json"]
    for patience in (4, 12, 36):  # for imports and the short stack, on an ever busier machine
        with subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            time.sleep(patience)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30)
        if "2 of 4 runs finished" in errors:
            break
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "2 of 4 runs finished\ninterrupted\n" in errors
    assert {record["config"] for record in json.loads(output)["records"]} == {"zeros"}
    assert (folder / "results/comparison.md").read_text() == "an earlier, complete table"
    assert "zeros" in (folder / "results/comparison.partial.md").read_text()
    assert not list((folder / "results").glob(".*"))


def test_metric_and_target() -> None:
    arguments = ["--metric", "test_loss", "--target", "train_loss=0.7", "--format", "json"]
    rows = json.loads(compare("configs/zeros.yaml", *arguments).stdout)["comparison"]
    assert [(row["metric"], row["iterations_to_target"]) for row in rows] == [("test_loss", 0.0)]


@pytest.mark.parametrize("target", ["0.9", "accuracy=0.9", "test_accuracy=", "train_loss=nan"])
def test_a_target_is_a_metric_and_a_number(target: str) -> None:
    done = compare("--all", "--target", target)
    assert done.exit_code == 2
    assert "must be METRIC=VALUE, as in test_accuracy=0.9" in done.stderr


@pytest.mark.parametrize(
    ("option", "value"), [("--metric", "test_accuracy"), ("--target", "train_accuracy=0.9")]
)
def test_a_regression_has_no_accuracy(folder: Path, option: str, value: str) -> None:
    done = compare(
        "configs/zeros.yaml", "--set", "dataset=diabetes", "--set", "layers=[10,2,1]", option, value
    )
    assert done.exit_code == 2
    assert done.stderr == (
        f"{option} {value}: zeros: its task has no {value.partition('=')[0]}; "
        "it has train_loss and test_loss\n"
    )
    assert not (folder / "results").exists()


def test_each_initializer_stands_at_its_own_best_setting(folder: Path) -> None:
    sweep = "sweep={learning_rate: [0.001, 0.5]}"
    configs = ["configs/zeros.yaml", "configs/ones.yaml"]
    done = compare(*configs, "--seeds", "9", "--set", sweep, "--format", "json")
    rows = json.loads(done.stdout)["comparison"]
    assert [row["problem"] for row in rows] == [0, 0]
    assert all(len(row["settings"]) == 2 for row in rows)
    assert [(row["runs"], row["chosen_by"], row["apart"]) for row in rows] == [(9, 9, True)] * 2
    assert "Each initializer's best setting" in (folder / "results/comparison.md").read_text()


def test_until_decided_adds_seeds_where_they_are_needed(folder: Path) -> None:
    (folder / "two.yaml").write_text(
        "initializer: [he_normal, he_uniform, zeros]\nlayers: [2, 8, 1]\niterations: 60\n"
        "learning_rate: 0.5\nseeds: 6\n"
    )
    options = ("two.yaml", "--until-decided", "--max-seeds", "24", "--format", "json")
    done = compare(*options)
    document = json.loads(done.stdout)
    runs = {row["initializer"]: row["runs"] for row in document["comparison"]}
    assert runs["zeros"] <= max(runs.values()) <= 24
    assert [look["seeds"] for look in document["looks"]][:1] == [6]
    assert sum(look["level"] for look in document["looks"]) <= 0.05 + 1e-12
    assert "look 1 of 3: 6 seeds for 3 rows" in done.stderr
    again = json.loads(compare(*options).stdout)
    assert again["comparison"] == document["comparison"]
    assert all(record["cached"] for record in again["records"])


def test_max_seeds_needs_until_decided() -> None:
    done = invoke("compare", "--all", "--max-seeds", "20")
    assert done.exit_code == 2
    assert "--max-seeds goes with --until-decided." in done.stderr


def test_a_sweep_ranked_by_a_test_metric_chooses_on_validation_samples(folder: Path) -> None:
    (folder / "s.yaml").write_text(
        "initializer: [he_normal, zeros]\nlayers: [2, 8, 1]\niterations: 60\n"
        "learning_rate: 0.5\nseeds: 4\nsweep: {learning_rate: [0.1, 0.5]}\n"
    )
    done = compare("s.yaml", "--metric", "test_accuracy", "--format", "json")
    assert "settings are chosen on validation samples" in done.stderr
    rows = json.loads(done.stdout)["comparison"]
    assert {row["on_validation"] for row in rows} == {True}
    assert len(json.loads(done.stdout)["records"]) == 16
    assert "32 runs: 0 from results, 32 trained" in done.stderr
    quiet = json.loads(compare("s.yaml", "--format", "json").stdout)["comparison"]
    assert {row["on_validation"] for row in quiet} == {False}
