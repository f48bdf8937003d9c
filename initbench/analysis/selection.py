"""A sweep's settings: which one an initializer is judged at, and what the others would have cost.

The seeds that choose a setting do not judge it where there are enough of them for both: the best
of several settings looks better than it is to the seeds that found it best.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from initbench.analysis.intervals import median
from initbench.analysis.paired import MIN_SEEDS, paired_differences
from initbench.analysis.summary import metric_values
from initbench.metrics import METRICS
from initbench.runs.records import Record, setting_key

#: Fewer seeds than this choose no setting of a sweep on their own.
MIN_CHOOSERS = 3


@dataclass(frozen=True, slots=True)
class JudgedSetting:
    """A setting of an initializer's sweep: its median, over the seeds that judge.

    ``worse_by`` is the median paired difference to the chosen setting: 0 for that one, and below 0
    for a setting that is better by hindsight.
    """

    setting: dict[str, Any]
    median: float
    worse_by: float


@dataclass(frozen=True, slots=True)
class Selection:
    """The records of an initializer at its best setting, and how that was chosen.

    ``settings`` is empty where there was no choice. ``chosen_by`` counts the seeds that chose, and
    ``apart`` says that ``records`` are of other seeds.
    """

    records: list[Record]
    settings: tuple[JudgedSetting, ...] = ()
    chosen_by: int = 0
    apart: bool = True


def select_setting(records: Sequence[Record], metric: str) -> Selection:
    """An initializer's records at the setting with the best median over the choosing seeds."""
    settings: dict[str, list[Record]] = {}
    for record in records:
        settings.setdefault(setting_key(record.setting), []).append(record)
    if len(settings) == 1:
        return Selection(list(records))
    seeds = list(dict.fromkeys(record.seed for record in records))
    choosers, judges = _split(seeds)
    # After an interruption, a setting that has only choosing seeds has nothing to be judged by.
    candidates = [group for group in settings.values() if _at(group, judges)]
    if not candidates:
        choosers = judges = set(seeds)
        candidates = list(settings.values())
    best = min(candidates, key=lambda group: badness(_at(group, choosers), metric))
    judged = _at(best, judges)
    return Selection(
        judged,
        tuple(
            _judged(_at(group, judges), judged, group[0].setting, metric)
            for group in settings.values()
        ),
        len(choosers),
        choosers.isdisjoint(judges),
    )


def badness(records: Sequence[Record], metric: str) -> float:
    """The median of the metric, signed so that smaller is better; inf where no run has it."""
    values = metric_values(records, metric)
    return METRICS[metric].sign * median(values) if values else math.inf


def _split(seeds: Sequence[int]) -> tuple[set[int], set[int]]:
    """The first third of the seeds chooses and the others judge; few seeds do both."""
    third = len(seeds) // 3
    if third >= MIN_CHOOSERS and len(seeds) - third >= MIN_SEEDS:
        return set(seeds[:third]), set(seeds[third:])
    return set(seeds), set(seeds)


def _at(records: Sequence[Record], seeds: set[int]) -> list[Record]:
    return [record for record in records if record.seed in seeds]


def _judged(
    records: Sequence[Record], chosen: Sequence[Record], setting: dict[str, Any], metric: str
) -> JudgedSetting:
    values = metric_values(records, metric)
    worse = paired_differences(records, chosen, metric)
    return JudgedSetting(
        setting,
        median(values) if values else math.inf,
        METRICS[metric].sign * median(worse) if len(worse) else math.inf,
    )
