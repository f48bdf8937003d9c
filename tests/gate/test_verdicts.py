from __future__ import annotations

from typing import Any

import pytest

from initbench.gate.verdicts import Verdict, exit_code


@pytest.mark.parametrize(
    ("verdicts", "code", "strict"),
    [
        ([], 0, 0),
        (["ok", "improved", "not_confirmed"], 0, 0),
        (["ok", "changed"], 0, 1),
        (["stale", "ok"], 3, 3),
        (["missing", "changed"], 3, 1),
        (["missing", "regressed", "regressed"], 1, 1),
        (["expected_failed", "stale"], 1, 1),
    ],
)
def test_exit_codes(verdicts: list[Any], code: int, strict: int) -> None:
    given_verdicts = [Verdict("c", "i", {}, "m", word, "") for word in verdicts]
    assert exit_code(given_verdicts, strict=False) == code
    assert exit_code(given_verdicts, strict=True) == strict


def test_strict_fails_on_runs_that_moved_even_where_worse_was_not_confirmed() -> None:
    moved = Verdict("c", "i", {}, "m", "not_confirmed", "", moved=True)
    assert exit_code([moved], strict=True) == 1
    assert exit_code([moved], strict=False) == 0
