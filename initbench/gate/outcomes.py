"""What runs came to, as a baseline keeps it and a check compares it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from initbench.analysis.sequential import more_seeds
from initbench.metrics import METRICS
from initbench.runs.records import Record, RowKey, Status
from initbench.spec.expectations import Gate

#: A baseline trains this many twins beside each run: copies whose first weights are moved by one
#: unit in the last place. How far they end from the run is how far machines may end from it.
TWINS = 8


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What one run came to: its final metrics, and how far its twins ended from them at most.

    A metric that the task does not have is None. ``spread`` is None where no twins were trained.
    """

    seed: int
    id: str
    status: Status
    metrics: Mapping[str, float | None]
    spread: Mapping[str, float | None] | None = None
    reason: str = ""

    def value(self, metric: str) -> float:
        """The metric as statistics takes it: what a run does not have is worst, inf."""
        value = self.metrics[metric]
        return math.inf if value is None else value


@dataclass(frozen=True, slots=True)
class RowOutcomes:
    """The runs of one initializer of a config, at one point of its sweep.

    ``confirm`` holds the runs at the other seeds, which confirm a regression. ``resolved`` is what
    determines the runs' numbers (:func:`initbench.runs.identity.resolved`) without the seed, and
    None in a document that does not say. ``samples`` counts the samples of each split, and
    ``gate`` holds the config's least changes.
    """

    config: str
    initializer: str
    setting: Mapping[str, Any]
    runs: tuple[RunOutcome, ...]
    confirm: tuple[RunOutcome, ...] = ()
    resolved: Mapping[str, Any] | None = None
    samples: Mapping[str, int] | None = None
    provenance: Mapping[str, Any] | None = None
    gate: Gate | None = None

    @property
    def key(self) -> RowKey:
        """The key by which a baseline and a check find the same row."""
        return RowKey.of(self.config, self.initializer, self.setting)

    @property
    def numerics(self) -> str:
        """The NumPy and BLAS that made the runs; "" in a document that does not say."""
        made = self.provenance
        return f"NumPy {made['numpy']}, {made['blas']}" if made else ""


def confirm_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    """As many other seeds: the smallest that are not among ``seeds``.

    >>> confirm_seeds([0, 1, 5])
    (2, 3, 4)
    """
    return more_seeds(seeds, 2 * len(seeds))[len(seeds) :]


def run_outcome(record: Record, twins: Iterable[Record] = ()) -> RunOutcome:
    """What a record came to, with the spread of its twins where it has some."""
    metrics = {name: record.metric(name) for name in METRICS}
    twins = list(twins)
    spread = {
        name: value if value is None else max(distance(t.metric(name), value) for t in twins)
        for name, value in metrics.items()
        if twins
    }
    return RunOutcome(record.seed, record.id, record.status, metrics, spread or None, record.reason)


def distance(value: float | None, other: float | None) -> float:
    """abs(value - other); 0 between two infinities, inf where one of them is None.

    >>> distance(0.5, 0.25), distance(math.inf, math.inf), distance(None, 0.5)
    (0.25, 0.0, inf)
    """
    if value is None or other is None:
        return math.inf
    return 0.0 if value == other else abs(value - other)
