"""Records -> rows: what a comparison says of each initializer. Pure functions.

Seeds are replicates, shared by all initializers of a comparison, so that differences are
paired. Diverged runs are in every statistic, with a loss of inf. Failed runs have no metrics:
they count among the runs, and break the pairs of their seed.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initbench.analysis.paired import (
    MIN_SEEDS,
    Interval,
    differences,
    holm,
    median,
    median_interval,
    seeds_needed,
    signed_rank_p,
)
from initbench.metrics import METRICS
from initbench.runs.records import Record, setting_key

#: What a train loss must have lost of the constant predictor's to count as trained: 5 %, the
#: gate's default of an effect that counts. By the loss: a stuck net's accuracy is a coin's.
LEARNED_SHARE = 0.05
#: Rows are told apart where Holm's adjusted p is at most this.
SIGNIFICANCE = 0.05
#: Fewer seeds than this choose no setting of a sweep on their own.
MIN_CHOOSERS = 3


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


def summarize(records: Iterable[Record]) -> list[Summary]:
    """One Summary for each (config, initializer, setting), in the order of the records."""
    groups: dict[Hashable, list[Record]] = {}
    for record in records:
        groups.setdefault(record.row, []).append(record)
    return [
        Summary(
            config=group[0].config,
            initializer=group[0].initializer,
            setting=group[0].setting,
            runs=len(group),
            diverged=sum(record.status == "diverged" for record in group),
            metrics={name: _spread([record.metric(name) for record in group]) for name in METRICS},
            failed=sum(record.status == "failed" for record in group),
            reasons=_reasons(group),
            notes=_notes(group),
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


@dataclass(frozen=True, slots=True)
class Setting:
    """A point of a sweep for one initializer, judged by the seeds that judge its row.

    ``worse_by`` is the median paired difference to the setting chosen, 0 for that one.
    """

    setting: dict[str, Any]
    median: float
    worse_by: float


@dataclass(frozen=True, slots=True)
class Row:
    """One initializer of a comparison, at its own best setting.

    ``metrics`` are medians over the seeds that judge, with bootstrap intervals. ``difference``
    is paired, over the seeds that this row and the best have in common. ``best_group`` says
    whether the row cannot be told from the best; None where there are too few seeds to say.
    ``trained`` counts runs of ``runs``; diverged, stuck and failed ones are in the latter alone.
    ``settings`` is empty unless a sweep gave a choice; then ``chosen_by`` seeds chose, and
    where ``apart`` others judge.
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
    settings: tuple[Setting, ...]
    chosen_by: int
    apart: bool


@dataclass(frozen=True, slots=True)
class Contest:
    """The records of all that compete on one problem, and its constant predictor's loss."""

    records: Sequence[Record]
    constant_loss: float


@dataclass(frozen=True, slots=True)
class Target:
    """As good as ``value`` in ``metric``."""

    metric: str
    value: float


def compare(
    contests: Iterable[Contest], metric: str = "train_loss", target: Target | None = None
) -> list[Row]:
    """The rows of each contest, by the metric's median, the best first; equals share a rank."""
    return [
        row
        for number, contest in enumerate(contests)
        for row in _rows(number, contest, metric, target)
    ]


@dataclass(frozen=True, slots=True)
class _Entry:
    """An initializer of a contest: the records that judge it, and how its setting was chosen."""

    records: list[Record]
    settings: tuple[Setting, ...]
    chosen_by: int
    apart: bool


def _rows(number: int, contest: Contest, metric: str, target: Target | None) -> list[Row]:
    groups: dict[Hashable, list[Record]] = {}
    for record in contest.records:
        groups.setdefault((record.config, record.initializer), []).append(record)
    entries = sorted(
        (_at_best_setting(group, metric) for group in groups.values()),
        key=lambda entry: _badness(entry.records, metric),
    )
    scores = [_badness(entry.records, metric) for entry in entries]
    pairs = [paired_differences(entry.records, entries[0].records, metric) for entry in entries]
    # With fewer seeds no row could be told from the best, whatever the runs: that says nothing.
    # An initializer whose every run failed is in no test, and asks the others for no more seeds.
    enough = max(MIN_SEEDS, seeds_needed(sum(map(bool, map(len, pairs))) - 1, SIGNIFICANCE))
    told = [len(pair) >= enough for pair in pairs]
    tested = [i for i in range(1, len(entries)) if told[i]]
    p_values = dict(zip(tested, holm([signed_rank_p(pairs[i]) for i in tested]), strict=True))
    rows = []
    for i, entry in enumerate(entries):
        records = entry.records
        times = (
            [r.iterations_to(target.metric, target.value) for r in records if r.status != "failed"]
            if target
            else []
        )
        rows.append(
            Row(
                config=records[0].config,
                initializer=records[0].initializer,
                setting=records[0].setting,
                problem=number,
                rank=sum(score < scores[i] for score in scores) + 1,
                metric=metric,
                runs=len(records),
                diverged=sum(record.status == "diverged" for record in records),
                failed=sum(record.status == "failed" for record in records),
                reasons=_reasons(records),
                notes=_notes(records),
                trained=sum(has_trained(record, contest.constant_loss) for record in records),
                metrics={name: _interval(_values(records, name)) for name in METRICS},
                pairs=len(pairs[i]),
                difference=_interval(pairs[i]),
                p_value=p_values.get(i),
                best_group=(i == 0 or p_values[i] > SIGNIFICANCE) if told[i] else None,
                iterations_to_target=_interval(times),
                reached=sum(map(math.isfinite, times)),
                settings=entry.settings,
                chosen_by=entry.chosen_by,
                apart=entry.apart,
            )
        )
    return rows


def paired_differences(records: Sequence[Record], others: Sequence[Record], metric: str) -> Any:
    """Differences in ``metric`` over the seeds at which both have it, in the seeds' order."""
    values, reference = (
        {record.seed: record.metric(metric) for record in side} for side in (records, others)
    )
    pairs = [
        (value, other)
        for seed, value in values.items()
        if value is not None and (other := reference.get(seed)) is not None
    ]
    return differences([value for value, _ in pairs], [other for _, other in pairs])


def has_trained(record: Record, constant_loss: float) -> bool:
    """Whether a run ended with less loss than a predictor that ignores its inputs.

    By ``LEARNED_SHARE`` of it: a net stuck at its start does not, nor one that diverged.
    """
    loss = record.metric("train_loss")
    return loss is not None and loss <= (1 - LEARNED_SHARE) * constant_loss


def _at_best_setting(records: Sequence[Record], metric: str) -> _Entry:
    """An initializer's records at the setting of its sweep that the choosing seeds like best."""
    settings: dict[str, list[Record]] = {}
    for record in records:
        settings.setdefault(setting_key(record.setting), []).append(record)
    if len(settings) == 1:
        return _Entry(list(records), (), 0, True)
    seeds = list(dict.fromkeys(record.seed for record in records))
    third = len(seeds) // 3
    apart = third >= MIN_CHOOSERS and len(seeds) - third >= MIN_SEEDS
    choosers = set(seeds[:third] if apart else seeds)
    judges = set(seeds[third:] if apart else seeds)

    def of(group: Sequence[Record], chosen: set[int]) -> list[Record]:
        return [record for record in group if record.seed in chosen]

    # Of runs cut short, a setting that only choosing seeds finished has nothing to be judged by.
    candidates = [group for group in settings.values() if of(group, judges)]
    if not candidates:
        choosers = judges = set(seeds)
        apart, candidates = False, list(settings.values())
    best = min(candidates, key=lambda group: _badness(of(group, choosers), metric))
    judged = of(best, judges)
    shown = []
    for group in settings.values():
        values, worse = (
            _values(of(group, judges), metric),
            paired_differences(of(group, judges), judged, metric),
        )
        sign = METRICS[metric].sign
        shown.append(
            Setting(
                group[0].setting,
                median(values) if values else math.inf,
                sign * median(worse) if len(worse) else math.inf,
            )
        )
    return _Entry(judged, tuple(shown), len(choosers), apart)


def _badness(records: Sequence[Record], metric: str) -> float:
    """The median, signed so that smaller is better; without values the worst."""
    values = _values(records, metric)
    if not values:
        return math.inf
    return METRICS[metric].sign * median(values)


def _values(records: Sequence[Record], metric: str) -> list[float]:
    return [value for record in records if (value := record.metric(metric)) is not None]


def _interval(values: Any) -> Interval | None:
    return median_interval(values) if len(values) else None


def _reasons(records: Sequence[Record]) -> tuple[str, ...]:
    """Why runs failed, each reason once."""
    return tuple(dict.fromkeys(r.reason for r in records if r.status == "failed"))


def _notes(records: Sequence[Record]) -> tuple[str, ...]:
    """What initializers have to say of runs that trained, one a run."""
    return tuple(r.note for r in records if r.note)
