from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from initbench.analysis.paired import Interval
from initbench.errors import Place
from initbench.gate.verdicts import WORDS, Verdict
from initbench.report import documents, verdicts
from tests.report.test_tables import rendered

VERDICTS = [
    Verdict(
        "zeros", "zeros", {}, "train_loss", "ok", "every run is within its tolerance", 0.7, 0.7
    ),
    Verdict(
        "zeros", "zeros", {}, "test_accuracy", "ok", "the median is 0.5", 0.5, 0.5, expectation=1
    ),
    Verdict(
        "he", "he_normal", {}, "test_accuracy", "regressed", "worse, 100 %: a, b", 0.95, 0.9,
        Interval(-0.05, -0.06, -0.02), 0.015,
    ),
    Verdict(
        "he", "he_normal", {}, "train_loss@10", "expected_failed", "seed 3 must be 0", 0.0, 0.5,
        None, 1e-9, 0,
    ),
    Verdict("xavier", "lecun_normal", {}, "", "stale", "learning_rate 1 -> 2"),
    Verdict("xavier", "lecun_normal", {}, "train_loss", "changed", "moved", 0.1, float("inf")),
]  # fmt: skip


def test_a_table_at_80_columns() -> None:
    table = verdicts.verdict_table(VERDICTS, "results/baseline.json")
    assert rendered(table, 80) == (
        "Against results/baseline.json: 1 regressed, 1 expected failed, 1 stale, 1\n"
        "changed, 2 ok\n"
        "\n"
        "            config                        baseline\n"
        " verdict    (initializer)  metric      (candidate)  difference  tolerance\n"
        " ────────────────────────────────────────────────────────────────────────\n"
        " regressed  he             test             95.0 %        -5.0      0.015\n"
        "            he_normal      accuracy         90.0 %   -6.0…-2.0\n"
        " expected   he             train                 0                  1e-09\n"
        " failed     he_normal      loss@10             0.5\n"
        " stale      xavier         all\n"
        "            lecun_normal\n"
        " changed    xavier         train               0.1\n"
        "            lecun_normal   loss                inf\n"
        " ok         zeros          1 replayed\n"
        "                           1 expected\n"
        "\n"
        "regressed: he, he_normal, test_accuracy: worse, 100 %: a, b.\n"
        "expected failed: he, he_normal, train_loss@10: seed 3 must be 0.\n"
        "stale: xavier, lecun_normal: learning_rate 1 -> 2.\n"
        "changed: xavier, lecun_normal, train_loss: moved.\n"
        "stale: not judged: the config changed since the baseline was saved.\n"
        "changed: code or numerics changed the runs, not clearly for the worse; look,\n"
        "then save the baseline again.\n"
    )


def test_json() -> None:
    document = json.loads(documents.json_text(verdicts.check_document(VERDICTS, 1)))
    assert document.keys() == {"initbench", "verdicts", "exit_code"}
    assert document["verdicts"][2] == {
        "config": "he",
        "initializer": "he_normal",
        "setting": {},
        "metric": "test_accuracy",
        "verdict": "regressed",
        "reason": "worse, 100 %: a, b",
        "baseline": 0.95,
        "candidate": 0.9,
        "difference": {"estimate": -0.05, "low": -0.06, "high": -0.02},
        "tolerance": 0.015,
        "expectation": None,
    }
    assert document["verdicts"][5]["candidate"] is None


@pytest.mark.parametrize(("strict", "failures"), [(False, 0), (True, 1)])
def test_junit(strict: bool, failures: int) -> None:
    suites = ElementTree.fromstring(verdicts.junit(VERDICTS, strict=strict))
    counts = {
        suite.get("name"): [suite.get(key) for key in ("tests", "failures", "errors")]
        for suite in suites
    }
    assert counts == {
        "he": ["2", "2", "0"], "xavier": ["2", str(failures), "1"], "zeros": ["2", "0", "0"]
    }  # fmt: skip
    (failure,) = [case for case in suites.iter("testcase") if "test_accuracy" in case.attrib["name"]
                  and case.get("classname") == "he"]  # fmt: skip
    assert failure.find("failure").attrib == {  # type: ignore[union-attr]
        "type": "regressed", "message": "worse, 100 %: a, b"
    }  # fmt: skip


def test_junit_holds_no_character_that_xml_forbids() -> None:
    spoilt = Verdict("a", "b", {}, "", "regressed", "1 of 2 runs failed: \x00\x1b\ufffe<&>")
    (failure,) = ElementTree.fromstring(verdicts.junit([spoilt], strict=False)).iter("failure")
    assert failure.get("message") == "1 of 2 runs failed: ???<&>"


def test_annotations_point_at_the_config() -> None:
    places: dict[tuple[str, str | int], Place] = {
        ("he", "he_normal"): Place("configs/he.yaml", 3, 14),
        ("he", 0): Place("configs/he.yaml", 11, 5),
        ("xavier", "lecun_normal"): Place("--set initializer=x"),
    }
    assert verdicts.github(VERDICTS, places, strict=False).splitlines() == [
        "::error file=configs/he.yaml,line=3,col=14,title=initbench%3A regressed::regressed: he, "
        "he_normal, test_accuracy: worse, 100 %25: a, b",
        "::error file=configs/he.yaml,line=11,col=5,title=initbench%3A expected failed::expected "
        "failed: he, he_normal, train_loss@10: seed 3 must be 0",
        "::error title=initbench%3A stale::stale: xavier, lecun_normal: learning_rate 1 -> 2",
        "::warning title=initbench%3A changed::changed: xavier, lecun_normal, train_loss: moved",
    ]
    assert verdicts.github(VERDICTS, {}, strict=True).count("::error") == 4


def test_github_action_benchmark() -> None:
    assert verdicts.custom(VERDICTS, smaller=False) == [
        {"name": "he he_normal test_accuracy", "unit": "fraction", "value": 0.9,
         "extra": "regressed: worse, 100 %: a, b"},
    ]  # fmt: skip
    # A loss of inf is no JSON number.
    assert [row["name"] for row in verdicts.custom(VERDICTS, smaller=True)] == ["zeros train_loss"]


def test_every_verdict_but_ok_has_a_level() -> None:
    words: Any = set(WORDS)
    assert verdicts.LEVELS.keys() == words - {"ok"}
