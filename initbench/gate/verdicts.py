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
    to the interval of the difference. ``moved`` says that a run moved by more than another machine
    explains, which ``not_confirmed`` leaves open. ``counts_iterations`` says that the figures of an
    expectation are iterations until its metric is reached.
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
    moved: bool = False
    counts_iterations: bool = False

    @property
    def key(self) -> RowKey:
        """The key of the row."""
        return RowKey.of(self.config, self.initializer, self.setting)


def failure_kind(verdict: Verdict, *, strict: bool) -> Literal["", "failure", "error"]:
    """A build's word for it: a ``failure``, an ``error`` if nothing was judged, or "" if fine.

    With ``strict`` runs that moved are a failure too, unless they moved for the better.
    """
    if verdict.verdict in ("missing", "stale"):
        return "error"
    if verdict.verdict in ("regressed", "expected_failed"):
        return "failure"
    moved = verdict.verdict == "changed" or (verdict.verdict == "not_confirmed" and verdict.moved)
    return "failure" if strict and moved else ""


def exit_code(verdicts: Iterable[Verdict], *, strict: bool) -> int:
    """1 where anything is a failure, else 3 where something could not be judged, else 0."""
    kinds = {failure_kind(verdict, strict=strict) for verdict in verdicts}
    return 1 if "failure" in kinds else 3 if "error" in kinds else 0
