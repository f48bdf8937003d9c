"""Records -> a summary for each row: its metrics over the seeds, and how its runs ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initbench.metrics import METRICS
from initbench.runs.records import Record, RowKey, Status


@dataclass(frozen=True, slots=True)
class Spread:
    """A metric's median, lowest and highest value over the seeds; inf is a diverged run's loss."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Summary:
    """An initializer of a config, at one point of its sweep, over its seeds.

    ``metrics`` covers the runs that did not fail, and ``reasons`` says why the others did, each
    reason once. ``notes`` holds what initializers report of runs that trained, one for each run.
    """

    config: str
    initializer: str
    setting: dict[str, Any]
    runs: int
    diverged: int
    metrics: dict[str, Spread | None]
    failed: int = 0
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def summarize(records: Iterable[Record]) -> list[Summary]:
    """One Summary for each (config, initializer, setting), in the order of the records."""
    return [
        Summary(
            config=runs[0].config,
            initializer=runs[0].initializer,
            setting=runs[0].setting,
            runs=len(runs),
            diverged=with_status(runs, "diverged"),
            metrics={name: _spread(metric_values(runs, name)) for name in METRICS},
            failed=with_status(runs, "failed"),
            reasons=failure_reasons(runs),
            notes=run_notes(runs),
        )
        for runs in by_row(records)
    ]


def by_row(records: Iterable[Record]) -> list[list[Record]]:
    """The records of each (config, initializer, setting), in the order of the records."""
    rows: dict[RowKey, list[Record]] = {}
    for record in records:
        rows.setdefault(record.row, []).append(record)
    return list(rows.values())


def _spread(values: Sequence[float]) -> Spread | None:
    """None where no run has the metric. The median of two runs is inf if one of them is."""
    if not values:
        return None
    return Spread(float(np.median(values)), min(values), max(values))


def metric_values(records: Sequence[Record], metric: str) -> list[float]:
    """The final values of the runs that have the metric."""
    return [value for record in records if (value := record.metric(metric)) is not None]


def with_status(records: Sequence[Record], status: Status) -> int:
    """How many of the runs ended so."""
    return sum(record.status == status for record in records)


def failure_reasons(records: Sequence[Record]) -> tuple[str, ...]:
    """Why runs failed, each reason once."""
    return tuple(dict.fromkeys(r.reason for r in records if r.status == "failed"))


def run_notes(records: Sequence[Record]) -> tuple[str, ...]:
    """What initializers report of runs that trained, one note for each run that has one."""
    return tuple(r.note for r in records if r.note)
