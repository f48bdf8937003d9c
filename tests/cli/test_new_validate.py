"""`new`, `validate`, `list configs`, and configs that are found by their names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from initbench import config
from initbench.config.loading import shipped_folder
from tests.cli.conftest import invoke, lines
from tests.conftest import POSIX_WORDS

BAD = "initializer: he_norml\nlayers: [2, 4, 1]\niterations: 0\nlearning_rate: 0.1\n"
PROMISE = (
    "initializer: zeros\nlayers: [2, 4, 1]\niterations: 10\nlearning_rate: 0.1\n"
    "expect:\n  - {metric: test_accuracy, min: 80}\n"
)


def test_a_new_config_validates_and_runs(folder: Path) -> None:
    done = invoke("new", "configs/mine")
    assert (done.exit_code, (folder / "configs/mine.yaml").is_file()) == (0, True)
    assert invoke("validate", "mine").exit_code == 0
    assert invoke("validate", "--all").exit_code == 0
    assert invoke("compare", "mine", "--set", "iterations=5", "-q").exit_code == 0


def test_what_a_new_config_has_in_comments_is_right_too(folder: Path) -> None:
    """Each block of keys after a blank line, its comment signs removed, validates and runs."""
    invoke("new")
    path, text = folder / "first.yaml", (folder / "first.yaml").read_text(encoding="utf-8")
    used, *blocks = text.split("\n\n")
    (folder / "own.py").write_text(
        "def own(rng, shape, dtype):\n    return rng.standard_normal(shape).astype(dtype)\n"
    )
    assert len(blocks) == 4
    keys = [line[2:] for block in blocks for line in block.splitlines() if ":" in line]
    keys = [line for line in keys if line.split(":")[0] in config_keys() or line[:1] == " "]
    assert len(keys) == 5
    path.write_text("\n".join([used, *keys]), encoding="utf-8")
    done = invoke("validate", "first", "--trust-plugins", "--format", "json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["configs"][0]["settings"] == 3


def config_keys() -> set[str]:
    from initbench.spec import Experiment

    return set(Experiment.model_fields)


@POSIX_WORDS
def test_a_new_config_overwrites_nothing(folder: Path) -> None:
    (folder / "first.yaml").write_text("mine")
    done = invoke("new")
    assert (done.exit_code, done.stderr) == (
        2, "first.yaml: exists already, and is not overwritten; choose another NAME\n"
    )  # fmt: skip
    assert (folder / "first.yaml").read_text() == "mine"
    done = invoke("new", "a:b")
    assert done.exit_code == 2
    assert "must be a plain file name" in done.stderr
    done = invoke("new", "first.yaml/x")
    assert (done.exit_code, "cannot be written" in done.stderr) == (2, True)
    assert [path.name for path in folder.iterdir()] == ["first.yaml"]


def test_shipped_configs_are_listed_and_found_from_an_empty_folder() -> None:
    done = invoke("list", "configs", "--format", "json")
    rows = json.loads(done.stdout)["configs"]
    assert {row["name"] for row in rows} == {path.stem for path in shipped_folder().rglob("*.yaml")}
    assert all(row["question"].endswith("?") for row in rows)
    for row in rows:
        assert invoke("validate", row["name"]).exit_code == 0
    done = invoke("run", "he", "--set", "iterations=5", "--seeds", "1", "-q")
    assert done.exit_code == 0
    assert lines(done)[0].startswith("he: circles")
    assert "did you mean 'zeros'" in invoke("run", "zeroes").stderr


def test_ones_own_config_comes_before_a_shipped_one(folder: Path) -> None:
    (folder / "configs").mkdir()
    (folder / "configs/he.yaml").write_text(PROMISE)
    assert config.located("he") == Path("configs/he.yaml")
    (folder / "he.yaml").write_text(PROMISE)
    assert config.located("he") == Path("he.yaml")
    assert config.located("xavier").parent == shipped_folder()


@POSIX_WORDS
def test_validate_names_all_mistakes_of_all_configs(folder: Path) -> None:
    (folder / "bad.yaml").write_text(BAD)
    (folder / "promise.yaml").write_text(PROMISE)
    done = invoke("validate", "bad.yaml", "promise", "he", "gone.yaml")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "bad.yaml:1:14: initializer: unknown name 'he_norml'; did you mean 'he_normal'?",
        "bad.yaml:3:13: iterations: must be at least 1, got 0; write e.g. `iterations: 15000`",
        "promise.yaml:6:34: expect[0].min: test accuracy is from 0 to 1, got 80; write 0.8 for 80 "
        "%",
        "gone.yaml: no such file",
    ]
    document = json.loads(invoke("validate", "bad.yaml", "--format", "json").stdout)
    assert document["problems"][1] == {
        "file": "bad.yaml", "line": 3, "column": 13, "key": "iterations",
        "message": "must be at least 1, got 0; write e.g. `iterations: 15000`",
    }  # fmt: skip


@POSIX_WORDS
@pytest.mark.parametrize("command", ["validate", "check"])
def test_mistakes_are_annotated(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (folder / "sub").mkdir()
    (folder / "sub/bad.yaml").write_text(BAD.replace("he_norml", "zeros"))
    expected = (
        "::error file=sub/bad.yaml,line=3,col=13,title=initbench%3A mistake in a config::"
        "{0}bad.yaml:3:13: iterations: must be at least 1, got 0; write e.g. "
        "`iterations: 15000`\n"
    )
    assert invoke(command, "sub/bad.yaml", "--format", "github").stdout == expected.format("sub/")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder))
    monkeypatch.chdir(folder / "sub")
    done = invoke(command, "bad.yaml")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(expected.format(""))


def test_a_valid_config_says_what_it_would_run() -> None:
    done = invoke("validate", "he", "zeros", "--seeds", "0-2,5", "--set", "expect=[]")
    assert done.exit_code == 0
    assert [line.split() for line in lines(done)][4:6] == [
        ["he", "1", "1", "4", "0"], ["zeros", "1", "1", "4", "0"]
    ]  # fmt: skip
    assert invoke("validate", "he", "--format", "github").stdout == ""
