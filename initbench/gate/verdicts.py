"""Verdict: what the gate says about one metric of one row, and the exit code of many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from initbench.analysis.intervals import Interval
from initbench.runs.records import RowKey

Word = Literal[
    "ok", "expected_failed", "changed", "regressed", "not_confirmed", "improved", "missing", "stale"
]
#: The verdicts from bad to good, which is the order of a table's rows.
WORDS: tuple[Word, ...] = (
    "regressed", "expected_failed", "missing", "stale", "changed", "not_confirmed", "improved", "ok"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one metric of one row: an initializer of a config, at a point of its sweep.

    ``metric`` is "" where the verdict is about the row as a whole. ``baseline`` and ``candidate``
    are medians over the seeds, and ``difference`` is paired by seed, candidate less baseline. For
    an expectation ``baseline`` is what was expected, and ``expectation`` its index in the config.
    ``tolerance`` belongs to the run that moved most in proportion to its own, and ``confidence``
    to the interval of the difference. ``counts_iterations`` says that the figures of an expectation
    are iterations until its metric is reached.
    """

    config: str
    initializer: str
    setting: Mapping[str, Any]
    metric: str
    verdict: Word
    reason: str
    baseline: float | None = None
    candidate: float | None = None
    difference: Interval | None = None
    tolerance: float | None = None
    expectation: int | None = None
    confidence: float | None = None
    counts_iterations: bool = False

    @property
    def key(self) -> RowKey:
        """The key of the row."""
        return RowKey.of(self.config, self.initializer, self.setting)


def exit_code(verdicts: Iterable[Verdict], *, strict: bool) -> int:
    """1 for a regression or a failed expectation, 3 where something could not be judged, else 0.

    With ``strict`` a change that is neither better nor worse exits with 1 too.
    """
    words = {verdict.verdict for verdict in verdicts}
    if words & {"regressed", "expected_failed"} or (strict and "changed" in words):
        return 1
    return 3 if words & {"missing", "stale"} else 0
