from __future__ import annotations

from typing import Any

from initbench.errors import Place
from initbench.gate.verdicts import WORDS
from initbench.report.render.github import LEVELS, github
from tests.report.verdicts import VERDICTS


def test_annotations_point_at_the_config() -> None:
    places: dict[tuple[str, str | int], Place] = {
        ("he", "he_normal"): Place("configs/he.yaml", 3, 14),
        ("he", 0): Place("configs/he.yaml", 11, 5),
        ("xavier", "lecun_normal"): Place("--set initializer=x"),
    }
    assert github(VERDICTS, places, strict=False).splitlines() == [
        "::error file=configs/he.yaml,line=3,col=14,title=initbench%3A regressed::regressed: he, "
        "he_normal, test_accuracy: worse, 100 %25: a, b",
        "::error file=configs/he.yaml,line=11,col=5,title=initbench%3A expected failed::expected "
        "failed: he, he_normal, train_loss@10: seed 3 must be 0",
        "::error title=initbench%3A stale::stale: xavier, lecun_normal: learning_rate 1 -> 2",
        "::warning title=initbench%3A changed::changed: xavier, lecun_normal, train_loss: moved",
    ]
    assert github(VERDICTS, {}, strict=True).count("::error") == 4


def test_every_verdict_but_ok_has_a_level() -> None:
    words: Any = set(WORDS)
    assert LEVELS.keys() == words - {"ok"}
