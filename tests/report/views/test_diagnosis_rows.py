"""Diagnoses that say the same share a row, and the rows lose none of them."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from initbench.diagnosis.diagnose import Diagnosis
from initbench.report.views import diagnose as report
from initbench.report.views.diagnosis_lines import idle_lines
from initbench.report.views.diagnosis_rows import idle_keys, rows_of
from tests.report.views.test_diagnose import FADING


def at(reason: str = "it fades.", **setting: object) -> Diagnosis:
    findings = replace(FADING.findings, setting=setting, train_loss=math.nan)
    return replace(FADING, findings=findings, reason=reason)


def test_settings_that_change_nothing_share_a_row() -> None:
    """42 settings of three keys, of which one alone changes what is said; NaN equals NaN."""
    rates, logs, depths = [0.1, 0.2, 0.3], [1, 2], [1, 2, 3, 4, 5, 6, 7]
    rows = rows_of(
        [
            at(f"depth {depth}.", learning_rate=rate, log_every=log, depth=depth)
            for rate, log, depth in product(rates, logs, depths)
        ]
    )
    assert len(rows) == 7
    (idle,) = idle_keys(rows)
    assert (idle.keys, idle.settings) == (("learning_rate", "log_every"), 6)
    assert idle_lines([idle], "each row") == [
        "learning_rate and log_every change nothing at the start; 6 settings share each row."
    ]
    table = report.summary_table("all", rows)
    assert "depth" in table.header
    assert not {"learning rate", "learning\nrate", "log_every"} & set(table.header)


def test_settings_that_are_no_product_keep_their_rows() -> None:
    """Two keys that move together: which of them is idle cannot be told."""
    rows = rows_of([at(learning_rate=0.1, depth=1), at(learning_rate=0.2, depth=2)])
    assert [row.values for row in rows] == [
        {"learning_rate": (0.1,), "depth": (1,)},
        {"learning_rate": (0.2,), "depth": (2,)},
    ]
    assert idle_keys(rows) == []


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 2), st.sampled_from(["gd", 0.1, None])), st.sampled_from("ab")
    )
)
def test_every_setting_is_in_one_row_that_says_its_reason(
    said: dict[tuple[int, object], str],
) -> None:
    diagnoses = [at(reason, depth=depth, other=other) for (depth, other), reason in said.items()]
    covered = [
        ((depth, other), row.diagnosis.reason)
        for row in rows_of(diagnoses)
        for depth, other in product(row.values["depth"], row.values["other"])
    ]
    assert sorted(covered, key=repr) == sorted(said.items(), key=repr)
