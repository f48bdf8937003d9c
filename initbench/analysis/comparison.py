"""Records -> rows: what a comparison says about each initializer. Pure functions.

Seeds are replicates that all initializers of a comparison share, so that differences are paired.
A diverged run is in every statistic, with a loss of inf. A failed run has no metrics: it counts
among the runs, and its seed is in no pair.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from initbench.analysis.best import LEVEL
from initbench.analysis.intervals import Interval, median_interval
from initbench.analysis.selection import JudgedSetting, Selection, badness, select_setting
from initbench.analysis.standing import Standing, Word, standings
from initbench.analysis.summary import failure_reasons, metric_values, run_notes, with_status
from initbench.metrics import METRICS
from initbench.runs.records import Record
from initbench.spec import Experiment
from initbench.spec.expectations import Gate

#: A run has trained where its train loss is at least this share below the constant predictor's:
#: 5 %, the gate's default of an effect that counts. The loss decides, because a network that
#: learned nothing can have a high accuracy: the share of the class that it happens to predict.
LEARNED_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Contest:
    """The records of all that compete on one problem, and its constant predictor's train loss.

    ``experiments`` are those that pose the problem. ``choosing`` are the same runs judged on
    validation samples, where these choose the settings of a sweep.
    """

    records: Sequence[Record]
    constant_loss: float
    experiments: tuple[Experiment, ...] = ()
    choosing: Sequence[Record] = ()

    def trained(self, record: Record) -> bool:
        """Whether a run has trained on this problem; see :func:`has_trained`."""
        return has_trained(record, self.constant_loss)


@dataclass(frozen=True, slots=True)
class Target:
    """A metric's value that runs are to reach."""

    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class Row:
    """One initializer of a comparison, at its own best setting.

    ``problem`` numbers the contest. ``metrics`` holds each metric's median over the seeds that
    judge, with its interval. ``pairs``, ``difference``, ``p_value``, ``best_group``,
    ``standing`` (its word) and ``seeds_to_decide`` come from
    :class:`initbench.analysis.standing.Standing`; ``settings``, ``chosen_by``, ``agreeing``,
    ``apart`` and ``beyond`` come from :class:`initbench.analysis.selection.Selection`. ``trained``
    counts the runs that have trained (:func:`has_trained`), and ``reached`` those that reached the
    target.
    """

    config: str
    initializer: str
    setting: dict[str, Any]
    problem: int
    rank: int
    metric: str
    runs: int
    diverged: int
    failed: int
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    trained: int
    metrics: dict[str, Interval | None]
    pairs: int
    difference: Interval | None
    p_value: float | None
    best_group: bool | None
    standing: Word | None
    least_difference: float
    seeds_to_decide: int | None
    iterations_to_target: Interval | None
    reached: int
    settings: tuple[JudgedSetting, ...]
    chosen_by: int
    agreeing: int
    apart: bool
    on_validation: bool
    beyond: tuple[tuple[str, float], ...]


def compare(
    contests: Iterable[Contest],
    metric: str = "train_loss",
    target: Target | None = None,
    level: float = LEVEL,
) -> list[Row]:
    """The rows of each contest by the metric's median, the best first; equals share a rank.

    ``level`` is the chance that a contest of equal rows tells any row from the best.
    """
    return [
        row
        for number, contest in enumerate(contests)
        for row in _rows(number, contest, metric, target, level)
    ]


def learned_loss(constant_loss: float) -> float:
    """The train loss from which on a run has learned: below the best constant predictor's."""
    return (1 - LEARNED_SHARE) * constant_loss


def has_trained(record: Record, constant_loss: float) -> bool:
    """Whether a run ended with clearly less train loss than a predictor that ignores its inputs.

    It must be less by ``LEARNED_SHARE`` of ``constant_loss``: a network that stayed where it
    started has not trained, nor has one that diverged or failed.
    """
    loss = record.metric("train_loss")
    return loss is not None and loss <= learned_loss(constant_loss)


def by_competitor(records: Iterable[Record]) -> dict[tuple[str, str], list[Record]]:
    """The records of each initializer of each config, in their order."""
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        found.setdefault((record.config, record.initializer), []).append(record)
    return found


def judged(contest: Contest, metric: str) -> list[Selection]:
    """The records that judge each initializer, in the order of the contest's records."""
    choosers = by_competitor(contest.choosing)
    return [
        select_setting(records, metric, contest.trained, choosers.get(who, ()))
        for who, records in by_competitor(contest.records).items()
    ]


def _rows(
    number: int, contest: Contest, metric: str, target: Target | None, level: float
) -> list[Row]:
    selections = sorted(
        judged(contest, metric), key=lambda selection: badness(selection.records, metric)
    )
    scores = [badness(selection.records, metric) for selection in selections]
    gates = {experiment.name: experiment.gate for experiment in contest.experiments}
    best_median = METRICS[metric].sign * scores[0]
    least = [
        gates.get(s.records[0].config, Gate()).least_change(METRICS[metric], best_median)
        for s in selections
    ]
    against_best = standings([selection.records for selection in selections], metric, least, level)
    if not any(contest.trained(record) for selection in selections for record in selection.records):
        # Among rows that learned nothing none is the best.
        against_best = [replace(one, best_group=None, word=None) for one in against_best]
    return [
        _row(
            selection,
            standing,
            least_difference=least_difference,
            problem=number,
            rank=sum(other < score for other in scores) + 1,
            metric=metric,
            trained=sum(map(contest.trained, selection.records)),
            target=target,
        )
        for selection, standing, least_difference, score in zip(
            selections, against_best, least, scores, strict=True
        )
    ]


def _row(
    selection: Selection,
    standing: Standing,
    *,
    least_difference: float,
    problem: int,
    rank: int,
    metric: str,
    trained: int,
    target: Target | None,
) -> Row:
    records = selection.records
    times = _times_to(target, records)
    return Row(
        config=records[0].config,
        initializer=records[0].initializer,
        setting=selection.setting,
        problem=problem,
        rank=rank,
        metric=metric,
        runs=len(records),
        diverged=with_status(records, "diverged"),
        failed=with_status(records, "failed"),
        reasons=failure_reasons(records),
        notes=run_notes(records),
        trained=trained,
        metrics={name: _interval(metric_values(records, name)) for name in METRICS},
        pairs=standing.pairs,
        difference=standing.difference,
        p_value=standing.p_value,
        best_group=standing.best_group,
        standing=standing.word,
        least_difference=least_difference,
        seeds_to_decide=standing.seeds_to_decide,
        iterations_to_target=_interval(times),
        reached=sum(map(math.isfinite, times)),
        settings=selection.settings,
        chosen_by=selection.chosen_by,
        agreeing=selection.agreeing,
        apart=selection.apart,
        on_validation=selection.on_validation,
        beyond=selection.beyond,
    )


def _times_to(target: Target | None, records: Sequence[Record]) -> list[float]:
    """Iterations until each run that did not fail reached the target; inf where it never did."""
    if target is None:
        return []
    return [r.iterations_to(target.metric, target.value) for r in records if r.status != "failed"]


def _interval(values: Sequence[float]) -> Interval | None:
    """A median and its interval; one value has no interval, whose ends are then infinite."""
    if len(values) == 1:
        return Interval(values[0], -math.inf, math.inf)
    return median_interval(values) if values else None
