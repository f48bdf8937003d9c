from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from initbench.analysis.intervals import Interval
from initbench.files import json_text
from initbench.gate.baseline import save_command
from initbench.gate.verdicts import Verdict, Word
from initbench.report.render.markdown import markdown_view
from initbench.report.views.check import check_cells, check_document, check_view, verdict_table
from tests.report.conftest import Rendered
from tests.report.verdicts import VERDICTS


def test_a_table_at_80_columns(rendered: Rendered) -> None:
    table = verdict_table(VERDICTS, "results/baseline.json")
    assert rendered(table, 80) == (
        "Against results/baseline.json: 1 regressed, 1 expectation failed, 1 stale, 1\n"
        "changed, 2 ok\n"
        "\n"
        "              config                          baseline    difference\n"
        " verdict      (initializer)  metric        (candidate)  (- baseline)  tolerance\n"
        " ──────────────────────────────────────────────────────────────────────────────\n"
        " regressed    he             test               95.0 %          -5.0        1.5\n"
        "              he_normal      accuracy           90.0 %     -6.0…-2.0\n"
        " expectation  he             train                   0                    1e-09\n"
        " failed       he_normal      loss@10               0.5\n"
        " stale        xavier         all\n"
        "              lecun_normal\n"
        " changed      xavier         train                 0.1\n"
        "              lecun_normal   loss                  inf\n"
        " ok           zeros          1 metric\n"
        "                             unchanged,\n"
        "                             1\n"
        "                             expectation\n"
        "                             met\n"
        "\n"
        "regressed: he, he_normal, test_accuracy: worse, 100 %: a, b.\n"
        "expectation failed: he, he_normal, train_loss@10: seed 3 must be 0.\n"
        "stale: xavier, lecun_normal: learning_rate 1 -> 2.\n"
        "changed: xavier, lecun_normal, train_loss: moved.\n"
        "stale: not judged, because the config has changed since the baseline was saved.\n"
        "changed: code or numerics changed the runs, not clearly for the worse.\n"
        "Difference: candidate less baseline, the median of the pairs by seed, then its\n"
        "99 % interval; + is worse for a loss, - is worse for an accuracy, in points.\n"
        "Tolerance: how far a run may move between machines, of an accuracy in points.\n"
    )


def test_json() -> None:
    document = json.loads(json_text(check_document(VERDICTS, 1)))
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
        "confidence": 0.99,
    }
    assert document["verdicts"][5]["candidate"] is None


def test_a_csv_has_a_row_a_verdict() -> None:
    header, rows = check_cells(VERDICTS)
    named = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["verdict"] for row in named] == [v.verdict for v in VERDICTS]
    assert (named[2]["difference_low"], named[2]["tolerance"]) == (-0.06, 0.015)
    assert (named[4]["metric"], named[4]["difference_low"], named[3]["expectation"]) == (
        None, None, 0
    )  # fmt: skip


def test_a_summary_in_markdown_has_no_broken_lines() -> None:
    text = markdown_view(check_view(VERDICTS, 1, "b.json"))
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert "| expectation failed | he (he_normal) | train loss@10 | 0 (0.5) |" in rows[3]
    assert "| ok | zeros | 1 metric unchanged, 1 expectation met |" in rows[-1]


def test_figures_of_faster_than_are_iterations() -> None:
    verdict = Verdict(
        "he", "he_normal", {}, "test_accuracy", "expected_failed", "slow", 12_000, math.inf,
        tolerance=500, expectation=0, counts_iterations=True,
    )  # fmt: skip
    (row,) = verdict_table([verdict], "b.json").on_paper.rows
    assert row[2:] == ("iterations to test accuracy", "12,000\nnever", "", "500")


@pytest.mark.parametrize("word", ["changed", "improved", "missing", "stale"])
def test_hints_name_the_file_that_was_asked_for(word: Word) -> None:
    save = save_command(Path("gate/my baseline.json"))
    verdicts = [Verdict("he", "he", {}, "", word, "why")]
    caption = verdict_table(verdicts, "b.json", (), save).caption
    assert "`initbench baseline save CONFIG... --baseline 'gate/my baseline.json'`" in caption
    assert "initbench" not in verdict_table(verdicts, "b.json").caption


def test_the_legend_says_the_level_of_each_interval() -> None:
    def caption(*levels: float) -> str:
        moved = Interval(1.0, 0.5, 2.0)
        verdicts = [
            Verdict(f"{level}", "he", {}, "train_loss", "changed", "moved", 1, 2, moved, 0.1,
                    confidence=level)
            for level in levels
        ]  # fmt: skip
        return verdict_table(verdicts, "b.json").caption

    assert "its 99.95 % interval; + is worse for a loss." in caption(0.9995)
    assert "its 99 % or 99.95 % interval" in caption(0.99, 0.9995)
