"""Records -> rows: what a comparison says of each initializer. Pure functions."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initbench.records import METRICS, Record


@dataclass(frozen=True, slots=True)
class Spread:
    """A metric over seeds. Diverged runs are in it, with a loss of inf: never dropped."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Summary:
    """One initializer of one config (at one point of its sweep), over its seeds.

    ``metrics`` are those of the runs that did not fail; ``reasons`` say why the others did.
    ``notes`` are what initializers have to say of runs that trained, one a run.
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


@dataclass(frozen=True, slots=True)
class Ranked:
    """A summary with its rank among those that pose the same problem, 1 the best."""

    summary: Summary
    problem: int
    rank: int
    metric: str


def summarize(records: Iterable[Record]) -> list[Summary]:
    """One Summary for each (config, initializer, setting), in the order of the records."""
    groups: dict[Hashable, list[Record]] = {}
    for record in records:
        key = (record.config, record.initializer, repr(record.setting))
        groups.setdefault(key, []).append(record)
    return [
        Summary(
            config=group[0].config,
            initializer=group[0].initializer,
            setting=group[0].setting,
            runs=len(group),
            diverged=sum(record.status == "diverged" for record in group),
            metrics={name: _spread([record.metric(name) for record in group]) for name in METRICS},
            failed=sum(record.status == "failed" for record in group),
            reasons=tuple(
                dict.fromkeys(record.reason for record in group if record.status == "failed")
            ),
            notes=tuple(r.reason for r in group if r.reason and r.status != "failed"),
        )
        for group in groups.values()
    ]


def _spread(values: Sequence[float | None]) -> Spread | None:
    """Median, lowest and highest; None for a metric that the task does not have.

    The median of an even number of runs is the mean of the middle two, inf if one of them is.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(float(np.median(known)), min(known), max(known))


def rank(groups: Iterable[Sequence[Summary]], metric: str) -> list[Ranked]:
    """Rank each group by the metric's median, the best first; equals share a rank.

    >>> def row(name, loss):
    ...     return Summary(name, name, {}, 1, 0, {"train_loss": Spread(loss, loss, loss)})
    >>> rows = rank([[row("zeros", 0.7), row("he", 0.1), row("ones", 0.7)]], "train_loss")
    >>> [(r.summary.config, r.rank) for r in rows]
    [('he', 1), ('zeros', 2), ('ones', 2)]
    """
    smaller_is_better = METRICS[metric]

    def badness(summary: Summary) -> float:
        spread = summary.metrics[metric]
        if spread is None:
            return np.inf
        return spread.median if smaller_is_better else -spread.median

    ranked = []
    for number, group in enumerate(groups):
        ordered = sorted(group, key=badness)
        for summary in ordered:
            better = sum(badness(other) < badness(summary) for other in ordered)
            ranked.append(Ranked(summary, number, better + 1, metric))
    return ranked
