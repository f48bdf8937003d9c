"""A sweep's settings: which one an initializer is judged at, and what the others would have cost.

No seed judges a setting that it helped to choose: the best of several settings looks better than
it is to the seeds that found it best. Seeds are therefore cut into folds, and each fold is judged
at the setting that the other folds' seeds like best (cross-fitting; Stone 1974, "Cross-validatory
choice and assessment of statistical predictions"). A row so says how well an initializer does whose
setting is chosen by this sweep; the setting that it shows is the one that all seeds choose.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from initbench.analysis.intervals import median
from initbench.analysis.summary import metric_values
from initbench.metrics import METRICS
from initbench.runs.records import Record, setting_key

#: Seeds are cut into at most so many folds; up to so many seeds each is a fold of its own.
FOLDS = 10

Trained = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class JudgedSetting:
    """A setting of an initializer's sweep: the metric's median over all seeds.

    ``worse_by`` is how much worse that is than the median at the shown setting. It is 0 for the
    shown setting and never negative: where another setting has the better median but did not train
    at half of its seeds, it is 0 too.
    """

    setting: dict[str, Any]
    median: float
    worse_by: float


@dataclass(frozen=True, slots=True)
class Selection:
    """The records that judge an initializer, one a seed, and how its setting was chosen.

    Attributes:
        setting: The setting that all seeds choose.
        records: One record a seed, each at the setting that the seeds of the other folds choose.
        settings: Every setting that was tried; empty where there was no choice.
        chosen_by: Seeds that chose ``setting``.
        agreeing: Seeds that are judged at ``setting`` itself.
        apart: Whether no seed judges what it helped to choose; a single seed does both.
        on_validation: Whether validation samples chose, and the test samples only judge.
        beyond: Where ``setting`` is at an edge of the grid: the swept key -> a value to add.
    """

    setting: dict[str, Any]
    records: list[Record]
    settings: tuple[JudgedSetting, ...] = ()
    chosen_by: int = 0
    agreeing: int = 0
    apart: bool = True
    on_validation: bool = False
    beyond: tuple[tuple[str, float], ...] = ()


def select_setting(
    records: Sequence[Record],
    metric: str,
    trained: Trained,
    choosing: Sequence[Record] = (),
) -> Selection:
    """An initializer's records at its best setting: the best median of the metric.

    A setting at which at least half of the runs trained comes before any at which fewer did. Where
    the metric is a test metric, ``choosing`` are the same runs judged on validation samples, and
    they choose in the place of ``records``.
    """
    tried = _by_setting(records)
    if len(tried) == 1:
        return Selection(records[0].setting, list(records))
    choices = _by_setting(choosing) if choosing else tried
    seeds = list(dict.fromkeys(record.seed for record in records))
    groups = [group for key, group in choices.items() if key in tried]
    shown = _best(groups, set(seeds), metric, trained)[0].setting
    judging: list[Record] = []
    for fold in range(min(len(seeds), FOLDS)):
        judges = set(seeds[fold::FOLDS])
        choosers = set(seeds) - judges or judges
        # After an interruption a setting may lack the seeds that are to judge it.
        complete = [
            group
            for group in groups
            if len(_at(tried[setting_key(group[0].setting)], judges)) == len(judges)
        ]
        best = _best(complete or groups, choosers, metric, trained)
        judging += _at(tried[setting_key(best[0].setting)], judges)
    place = {seed: index for index, seed in enumerate(seeds)}
    judging.sort(key=lambda record: place[record.seed])
    return Selection(
        setting=shown,
        records=judging,
        settings=_judged(groups, shown, metric),
        chosen_by=len(seeds),
        agreeing=sum(record.setting == shown for record in judging),
        apart=len(seeds) > 1,
        on_validation=bool(choosing),
        beyond=_beyond(shown, [group[0].setting for group in groups]),
    )


def _by_setting(records: Sequence[Record]) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(setting_key(record.setting), []).append(record)
    return groups


def badness(records: Sequence[Record], metric: str) -> float:
    """The median of the metric, signed so that smaller is better; inf where no run has it."""
    values = metric_values(records, metric)
    return METRICS[metric].sign * median(values) if values else math.inf


def preference(records: Sequence[Record], metric: str, trained: Trained) -> tuple[bool, float]:
    """What settings are chosen by, the least first: whether few runs trained, then the metric."""
    few = 2 * sum(map(trained, records)) < max(1, len(records))
    return few, badness(records, metric)


def _best(
    groups: Sequence[list[Record]], seeds: set[int], metric: str, trained: Trained
) -> list[Record]:
    """The settings' records that ``seeds`` like best."""
    return min(groups, key=lambda group: preference(_at(group, seeds), metric, trained))


def _at(records: Sequence[Record], seeds: set[int]) -> list[Record]:
    return [record for record in records if record.seed in seeds]


def _judged(
    groups: Sequence[list[Record]], shown: dict[str, Any], metric: str
) -> tuple[JudgedSetting, ...]:
    of_shown = next(badness(group, metric) for group in groups if group[0].setting == shown)
    judged = []
    for group in groups:
        values = metric_values(group, metric)
        worse = badness(group, metric)
        judged.append(
            JudgedSetting(
                group[0].setting,
                median(values) if values else math.inf,
                0.0 if worse <= of_shown else worse - of_shown,
            )
        )
    return tuple(judged)


def _beyond(
    shown: dict[str, Any], settings: Sequence[dict[str, Any]]
) -> tuple[tuple[str, float], ...]:
    """For each swept number whose best value is the smallest or largest tried, the next one."""
    found = []
    for key, chosen in shown.items():
        values = sorted({s[key] for s in settings if _is_positive_number(s[key])})
        if not _is_positive_number(chosen) or len(values) < 2:
            continue
        for edge, neighbour in ((values[0], values[1]), (values[-1], values[-2])):
            if chosen == edge:
                # The grid goes on as it began: by the same factor.
                found.append((key, float(f"{edge * edge / neighbour:.2g}")))
    return tuple(found)


def _is_positive_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
