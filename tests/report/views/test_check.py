from __future__ import annotations

import json

from initbench.files import json_text
from initbench.report.views.check import check_cells, check_document, verdict_table
from tests.report.conftest import Rendered
from tests.report.verdicts import VERDICTS


def test_a_table_at_80_columns(rendered: Rendered) -> None:
    table = verdict_table(VERDICTS, "results/baseline.json")
    assert rendered(table, 80) == (
        "Against results/baseline.json: 1 regressed, 1 expected failed, 1 stale, 1\n"
        "changed, 2 ok\n"
        "\n"
        "            config                            baseline    difference\n"
        " verdict    (initializer)  metric          (candidate)  (- baseline)  tolerance\n"
        " ──────────────────────────────────────────────────────────────────────────────\n"
        " regressed  he             test                 95.0 %          -5.0        1.5\n"
        "            he_normal      accuracy             90.0 %     -6.0…-2.0\n"
        " expected   he             train                     0                    1e-09\n"
        " failed     he_normal      loss@10                 0.5\n"
        " stale      xavier         all\n"
        "            lecun_normal\n"
        " changed    xavier         train                   0.1\n"
        "            lecun_normal   loss                    inf\n"
        " ok         zeros          1 unchanged\n"
        "                           1 promise kept\n"
        "\n"
        "regressed: he, he_normal, test_accuracy: worse, 100 %: a, b.\n"
        "expected failed: he, he_normal, train_loss@10: seed 3 must be 0.\n"
        "stale: xavier, lecun_normal: learning_rate 1 -> 2.\n"
        "changed: xavier, lecun_normal, train_loss: moved.\n"
        "stale: not judged, because the config has changed since the baseline was saved.\n"
        "changed: code or numerics changed the runs, not clearly for the worse; look,\n"
        "then save the baseline again.\n"
        "Difference: candidate less baseline, the median of the pairs by seed, then its\n"
        "99 % interval; + is worse for a loss, - for an accuracy, in points. Tolerance:\n"
        "how far a run may move between machines.\n"
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
