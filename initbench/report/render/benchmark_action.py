"""Verdicts -> the JSON that github-action-benchmark reads, which charts a number over commits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from initbench.gate.verdicts import Verdict
from initbench.metrics import METRICS
from initbench.report.views.check import row_name

#: The value of a median that is infinite, because half of the runs or more diverged.
DIVERGED = 1e9


def benchmark_action(verdicts: Sequence[Verdict], *, smaller: bool) -> list[dict[str, Any]]:
    """The medians of the candidate as github-action-benchmark reads them, one direction a list.

    A diverged row has the value DIVERGED, which no threshold lets pass: JSON has no infinity, and a
    row that is left out alerts nobody.
    """
    return [
        {
            "name": f"{row_name(v)} {v.metric}".replace("\n", " "),
            "unit": METRICS[v.metric].unit or METRICS[v.metric].family,
            "value": METRICS[v.metric].scale * v.candidate
            if math.isfinite(v.candidate)
            else DIVERGED,
            "extra": f"{v.verdict}: {v.reason}",
        }
        for v in verdicts
        if v.expectation is None and v.metric and METRICS[v.metric].smaller_is_better is smaller
        if v.candidate is not None
    ]
