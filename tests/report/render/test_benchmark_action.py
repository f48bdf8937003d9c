from __future__ import annotations

from initbench.report.render.benchmark_action import DIVERGED, benchmark_action
from tests.report.verdicts import VERDICTS


def test_github_action_benchmark() -> None:
    assert benchmark_action(VERDICTS, smaller=False) == [
        {"name": "he he_normal test_accuracy", "unit": "%", "value": 90.0,
         "extra": "regressed: worse, 100 %: a, b"},
    ]  # fmt: skip
    # A loss of inf is no JSON number, and a row that is left out alerts nobody.
    values = {row["name"]: row["value"] for row in benchmark_action(VERDICTS, smaller=True)}
    assert max(values.values()) == DIVERGED
    assert len(values) == 2
