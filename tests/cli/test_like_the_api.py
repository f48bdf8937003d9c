"""The Python API and the command line give the same documents, files and tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import initbench
from initbench.errors import InitbenchError
from tests.cli.conftest import invoke

FILES = {
    "a.yaml": (
        "initializer: [he_normal, zeros]\nlayers: [2, 6, 1]\niterations: 40\nlog_every: 10\n"
        "learning_rate: 0.3\nseeds: 6\n"
    ),
    "b.yaml": (
        "initializer: {name: normal, std: 0.1}\nlayers: [2, 6, 1]\niterations: 40\n"
        "learning_rate: 0.3\nseeds: 6\nlog_every: 10\nsweep: {learning_rate: [0.1, 0.3]}\n"
        "expect:\n  - {metric: train_loss, max: 0.7}\n"
    ),
}


def document(*arguments: str) -> Any:
    done = invoke(*arguments, "--format", "json", "-q")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_run() -> None:
    initbench.run(["a.yaml", "b.yaml"], results="results")
    result = initbench.run(["a.yaml", "b.yaml"], results="results")
    assert result.to_dict() == document("run", "a.yaml", "b.yaml")
    assert [path.name for path in result.written] == ["a.csv", "a.json", "b.csv", "b.json"]
    assert result.summary == "24 runs: 24 from results, 0 trained"
    assert len(result.records) == 24
    assert len(result.rows) == 4
    table = invoke("run", "a.yaml", "b.yaml", "-q").stdout
    assert str(result) == repr(result) == table


def test_run_with_options() -> None:
    asked = {"iterations": 20, "dataset.noise": 0.1}
    initbench.run("a.yaml", set=asked, seeds=[4, 2], results="results")
    result = initbench.run("a.yaml", set=asked, seeds=[4, 2], results=Path("results"))
    options = ["--set", "iterations=20", "--set", "dataset.noise=0.1", "--seeds", "4,2"]
    assert result.to_dict() == document("run", "a.yaml", *options)
    assert {record.seed for record in result.records} == {2, 4}
    assert all(record.cached for record in result.records)
    again = initbench.run("a.yaml", set=asked, seeds=[4, 2], results="results", force=True)
    assert not any(record.cached for record in again.records)


def test_compare() -> None:
    options: dict[str, Any] = {"metric": "test_loss", "target": ("train_loss", 0.69)}
    initbench.compare(["a.yaml", "b.yaml"], results="results", **options)
    result = initbench.compare(["a.yaml", "b.yaml"], results="results", **options)
    arguments = ["--metric", "test_loss", "--target", "train_loss=0.69"]
    assert result.to_dict() == document("compare", "a.yaml", "b.yaml", *arguments)
    assert [path.name for path in result.written] == [
        "comparison.md", "comparison.csv", "comparison.json",
    ]  # fmt: skip
    assert [row.metric for row in result.rows] == ["test_loss"] * 3


@pytest.mark.parametrize("during", [False, True])
def test_diagnose(during: bool) -> None:
    result = initbench.diagnose(["a.yaml", "b.yaml"], during=during)
    options = ["--during"] * during
    assert result.to_dict() == document("diagnose", "a.yaml", "b.yaml", *options)
    assert str(result) == invoke("diagnose", "a.yaml", "b.yaml", *options).stdout
    assert {row.findings.initializer for row in result.rows} == {
        "he_normal", "zeros", "normal(std=0.1)",
    }  # fmt: skip


def test_check() -> None:
    assert invoke("baseline", "save", "a.yaml", "b.yaml", "-q").exit_code == 0
    result = initbench.check(["a.yaml", "b.yaml"], strict=True)
    assert result.to_dict() == document("check", "a.yaml", "b.yaml", "--strict")
    assert (result.ok, result.exit_code) == (True, 0)
    assert {verdict.verdict for verdict in result.rows} == {"ok"}
    assert initbench.check("a.yaml").unnamed == ("b",)


def test_check_of_saved_files() -> None:
    for number in ("1", "2"):
        options = ["--set", "learning_rate=0.2"] if number == "2" else []
        assert invoke("run", "a.yaml", *options, "--results", number, "-q").exit_code == 0
    done = invoke("check", "1/a.json", "2/a.json", "--format", "json")
    result = initbench.check("2/a.json", baseline="1/a.json")
    assert result.to_dict() == json.loads(done.stdout)
    assert result.exit_code == done.exit_code == 3
    with pytest.raises(InitbenchError, match=r"2/a\.json: holds runs that have finished"):
        initbench.check("2/a.json", baseline="1/a.json", seeds=3)
