"""Records -> rows: what a comparison says about each initializer. Pure functions.

Seeds are replicates that all initializers of a comparison share, so that differences are paired.
A diverged run is in every statistic, with a loss of inf. A failed run has no metrics: it counts
among the runs, and its seed is in no pair.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from initbench.analysis.intervals import Interval, median_interval
from initbench.analysis.paired import paired_differences
from initbench.analysis.selection import JudgedSetting, Selection, badness, select_setting
from initbench.analysis.standing import Standing, standings
from initbench.analysis.summary import failure_reasons, metric_values, run_notes, with_status
from initbench.metrics import METRICS
from initbench.runs.records import Record
from initbench.spec import Experiment

#: A run has trained where its train loss is at least this share below the constant predictor's:
#: 5 %, the gate's default of an effect that counts. The loss decides, because a network that
#: learned nothing can have a high accuracy: the share of the class that it happens to predict.
LEARNED_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Contest:
    """The records of all that compete on one problem, and its constant predictor's train loss.

    ``experiments`` are those that pose the problem.
    """

    records: Sequence[Record]
    constant_loss: float
    experiments: tuple[Experiment, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A metric's value that runs are to reach."""

    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class Row:
    """One initializer of a comparison, at its own best setting.

    ``problem`` numbers the contest. ``metrics`` holds each metric's median over the seeds that
    judge, with its interval. ``pairs``, ``difference``, ``p_value`` and ``best_group`` come
    from :class:`initbench.analysis.standing.Standing`; ``settings``, ``chosen_by`` and ``apart``
    from :class:`initbench.analysis.selection.Selection`. ``trained`` counts the runs that have
    trained (:func:`has_trained`), and ``reached`` those that reached the target.
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
    iterations_to_target: Interval | None
    reached: int
    settings: tuple[JudgedSetting, ...]
    chosen_by: int
    apart: bool


def compare(
    contests: Iterable[Contest], metric: str = "train_loss", target: Target | None = None
) -> list[Row]:
    """The rows of each contest by the metric's median, the best first; equals share a rank."""
    return [
        row
        for number, contest in enumerate(contests)
        for row in _rows(number, contest, metric, target)
    ]


def has_trained(record: Record, constant_loss: float) -> bool:
    """Whether a run ended with clearly less train loss than a predictor that ignores its inputs.

    It must be less by ``LEARNED_SHARE`` of ``constant_loss``: a network that stayed where it
    started has not trained, nor has one that diverged or failed.
    """
    loss = record.metric("train_loss")
    return loss is not None and loss <= (1 - LEARNED_SHARE) * constant_loss


def _rows(number: int, contest: Contest, metric: str, target: Target | None) -> list[Row]:
    competitors: dict[Hashable, list[Record]] = {}
    for record in contest.records:
        competitors.setdefault((record.config, record.initializer), []).append(record)
    selections = sorted(
        (select_setting(records, metric) for records in competitors.values()),
        key=lambda selection: badness(selection.records, metric),
    )
    scores = [badness(selection.records, metric) for selection in selections]
    best = selections[0].records
    against_best = standings([paired_differences(s.records, best, metric) for s in selections])
    return [
        _row(
            selection,
            standing,
            problem=number,
            rank=sum(other < score for other in scores) + 1,
            metric=metric,
            constant_loss=contest.constant_loss,
            target=target,
        )
        for selection, standing, score in zip(selections, against_best, scores, strict=True)
    ]


def _row(
    selection: Selection,
    standing: Standing,
    *,
    problem: int,
    rank: int,
    metric: str,
    constant_loss: float,
    target: Target | None,
) -> Row:
    records = selection.records
    times = _times_to(target, records)
    return Row(
        config=records[0].config,
        initializer=records[0].initializer,
        setting=records[0].setting,
        problem=problem,
        rank=rank,
        metric=metric,
        runs=len(records),
        diverged=with_status(records, "diverged"),
        failed=with_status(records, "failed"),
        reasons=failure_reasons(records),
        notes=run_notes(records),
        trained=sum(has_trained(record, constant_loss) for record in records),
        metrics={name: _interval(metric_values(records, name)) for name in METRICS},
        pairs=standing.pairs,
        difference=standing.difference,
        p_value=standing.p_value,
        best_group=standing.best_group,
        iterations_to_target=_interval(times),
        reached=sum(map(math.isfinite, times)),
        settings=selection.settings,
        chosen_by=selection.chosen_by,
        apart=selection.apart,
    )


def _times_to(target: Target | None, records: Sequence[Record]) -> list[float]:
    """Iterations until each run that did not fail reached the target; inf where it never did."""
    if target is None:
        return []
    return [r.iterations_to(target.metric, target.value) for r in records if r.status != "failed"]


def _interval(values: Sequence[float]) -> Interval | None:
    return median_interval(values) if values else None
