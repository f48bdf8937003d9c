from __future__ import annotations

from pathlib import Path, PureWindowsPath
from typing import Any

import pytest

from initbench.errors import ConfigError, InitbenchError, Place, Problem
from initbench.gate.verdicts import WORDS
from initbench.report.render.github import LEVELS, github, problem_annotations
from tests.report.verdicts import VERDICTS

SAVE = "initbench baseline save CONFIG... --baseline gate/b.json"


def test_annotations_point_at_the_config() -> None:
    places: dict[tuple[str, str | int], Place] = {
        ("he", "he_normal"): Place("configs/he.yaml", 3, 14),
        ("he", 0): Place("configs/he.yaml", 11, 5),
        ("xavier", "lecun_normal"): Place("--set initializer=x"),
    }
    assert github(VERDICTS, places, strict=False, save=SAVE).splitlines() == [
        "::error file=configs/he.yaml,line=3,col=14,title=initbench%3A regressed::regressed: he, "
        "he_normal, test_accuracy: worse, 100 %25: a, b",
        "::error file=configs/he.yaml,line=11,col=5,title=initbench%3A expectation failed::"
        "expectation failed: he, he_normal, train_loss@10: seed 3 must be 0",
        "::error title=initbench%3A stale::stale: xavier, lecun_normal: learning_rate 1 -> 2; not "
        "judged, because the config has changed since the baseline was saved; save it again: "
        "`initbench baseline save CONFIG... --baseline gate/b.json`",
        "::warning title=initbench%3A changed::changed: xavier, lecun_normal, train_loss: moved; "
        "code or numerics changed the runs, not clearly for the worse; look, and if it was meant, "
        "save the baseline again: `initbench baseline save CONFIG... --baseline gate/b.json`",
    ]
    assert github(VERDICTS, {}, strict=True).count("::error") == 4


def test_files_are_named_from_the_repository_with_forward_slashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    mistake = ConfigError([Problem(Place("a/b.yaml", 1, 2), "key", "is 100 % wrong")])
    assert problem_annotations(mistake, str(tmp_path)) == (
        "::error file=sub/a/b.yaml,line=1,col=2,title=initbench%3A mistake in a config::"
        "a/b.yaml:1:2: key: is 100 %25 wrong\n"
    )
    windows = ConfigError([Problem(Place("a\\b.yaml", 1, 2), "key", "is wrong")])
    monkeypatch.setattr("initbench.report.render.github.Path", PureWindowsPath)
    assert "file=a/b.yaml," in problem_annotations(windows)


def test_an_error_without_a_place_is_annotated_too() -> None:
    error = InitbenchError("b.json: no such file")
    assert problem_annotations(error) == (
        "::error title=initbench%3A error::b.json: no such file\n"
    )


def test_every_verdict_but_ok_has_a_level() -> None:
    words: Any = set(WORDS)
    assert LEVELS.keys() == words - {"ok"}
