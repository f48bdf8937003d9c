from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from initbench.analysis.summary import summarize
from initbench.files import json_text
from initbench.report.views import records as view
from initbench.report.views.run import run_document
from initbench.runs.records import Curve, Record

OK = Record(
    "0123456789abcdef", "he", "he_normal", {"learning_rate": 0.1}, 3, "ok",
    Curve((0, 10), (0.7, 0.1 + 0.2), (0.5, 1.0), (0.7, 0.4), (0.5, 0.9)), 1.5,
    numerics="numpy 2.4.6, openblas Zen",
)  # fmt: skip
DIVERGED = Record(
    "fedcba9876543210", "he", "he_normal", {"learning_rate": 9.0}, 3, "diverged",
    Curve((0,), (math.inf,), None, (math.inf,), None), 0.5, note="a note",
)  # fmt: skip


def test_a_record_holds_all_digits_and_its_curve() -> None:
    fields = json.loads(json_text(view.record_fields(OK)))
    assert fields == {
        "id": "0123456789abcdef",
        "config": "he",
        "initializer": "he_normal",
        "setting": {"learning_rate": 0.1},
        "seed": 3,
        "status": "ok",
        "reason": "",
        "note": "",
        "iterations": 10,
        "train_loss": 0.30000000000000004,
        "train_accuracy": 1.0,
        "test_loss": 0.4,
        "test_accuracy": 0.9,
        "curve": {
            "iteration": [0, 10],
            "train_loss": [0.7, 0.30000000000000004],
            "train_accuracy": [0.5, 1.0],
            "test_loss": [0.7, 0.4],
            "test_accuracy": [0.5, 0.9],
        },
        "seconds": 1.5,
        "numerics": "numpy 2.4.6, openblas Zen",
        "cached": False,
    }


def test_what_is_not_finite_is_null() -> None:
    fields = view.record_fields(DIVERGED)
    assert fields["train_loss"] is None
    assert fields["curve"]["train_loss"] == [None]
    assert fields["curve"]["test_accuracy"] is None
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"loss": math.inf})


def test_documents_have_the_promised_fields() -> None:
    records = [OK, DIVERGED]
    document = run_document(records, summarize(records))
    assert document.keys() == {"initbench", "records", "summary"}
    assert document["summary"][0] == {
        "config": "he",
        "initializer": "he_normal",
        "setting": {"learning_rate": 0.1},
        "runs": 1,
        "diverged": 0,
        "failed": 0,
        "reasons": [],
        "notes": [],
        "train_loss": dict.fromkeys(("median", "low", "high"), 0.30000000000000004),
        "train_accuracy": dict.fromkeys(("median", "low", "high"), 1.0),
        "test_loss": dict.fromkeys(("median", "low", "high"), 0.4),
        "test_accuracy": dict.fromkeys(("median", "low", "high"), 0.9),
    }


def test_rows_for_csv_have_a_column_a_swept_key() -> None:
    header, rows = view.record_cells([OK, DIVERGED])
    assert header == [
        "id", "config", "initializer", "learning_rate", "seed", "status", "reason",
        "iterations", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds",
        "note",
    ]  # fmt: skip
    assert rows[0] == [
        "0123456789abcdef",
        "he",
        "he_normal",
        0.1,
        3,
        "ok",
        "",
        10,
        0.1 + 0.2,
        1.0,
        0.4,
        0.9,
        1.5,
        "",
    ]
    assert rows[1][6:10] == ["", 0, math.inf, None]
    assert rows[1][-1] == "a note"


def test_rows_for_csv_have_no_two_columns_of_one_name() -> None:
    header, rows = view.record_cells([replace(OK, setting={"iterations": 20})])
    assert len(set(header)) == len(header)
    row = dict(zip(header, rows[0], strict=True))
    assert (row["sweep.iterations"], row["iterations"]) == (20, 10)
