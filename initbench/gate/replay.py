"""A baseline and fresh runs -> verdicts. Pure functions: nothing is read, nothing is trained.

Three questions are asked, in this order. Replay: did any run move by more than another
machine explains? Statistics: is the difference over the seeds beyond chance, and large enough to
count? Confirmation: do the seeds that are kept for it show the same regression? What a config
itself expects is judged in :mod:`initbench.gate.expectations`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from initbench.analysis.intervals import Interval, median, median_interval
from initbench.analysis.paired import MIN_SEEDS, differences
from initbench.gate.outcomes import RowOutcomes, RunOutcome, distance
from initbench.gate.verdicts import Verdict, Word
from initbench.metrics import METRICS, Metric
from initbench.runs.records import RowKey
from initbench.spec.expectations import Gate
from initbench.wording import counted

#: The tolerance of a run is this multiple of the largest deviation of its twins. Over five OpenBLAS
#: kernels and the shipped configs no run moved by more than 2.5 such deviations
#: (tests/benchmarks/gate_power.py).
SPREAD_MULTIPLE = 10
#: OpenBLAS kernels move the loss of a run whose twins agree by up to 8 units in the last place.
FLOOR_ULPS = 64
#: Confidence of the interval that must exclude zero. It is wider than a table's, because a check
#: tests every metric of every config: of 200 candidates over six configs that differed in seeds
#: alone, 13 had a regression to confirm at 99 % and 32 at 95 %; confirmation left 0 and 1.
GATE_CONFIDENCE = 0.99
#: Digests of files that determine a row's numbers. A new digest says that a file changed, not that
#: the numbers did.
DIGESTS = {
    "initializer.sha256": "the source of the initializer",
    "dataset.sha256": "the data file",
}
#: Confidence where no other seeds can confirm, as between two saved files: ten runs must then be
#: all but unanimous.
UNCONFIRMED_CONFIDENCE = 0.9995
#: Level of the rank-sum test between two saved files without other seeds, beside the paired
#: interval: what six against six runs can show at most. Of 1,000 pairs of files over six configs
#: that differed in seeds alone, the interval by itself left 22 regressed.
UNPAIRED_LEVEL = 1 / 924
#: Level of the sign test that may take the rank-sum test's place: what so many pairs show that all
#: differ to one side. A check of six configs looks at 24 metrics, and 24 times the level is 0.6 %.
#: Either test beside the interval left 1, 5, 3 and 6 of 1,000 such pairs regressed, and 3, 8, 5 and
#: 4 improved, with 10, 12, 16 and 20 seeds.
UNANIMOUS = 12
PAIRED_LEVEL = 0.5**UNANIMOUS
#: An effect that equals the minimum but for rounding is not beyond it.
SLACK = 1e-9
#: Verdicts that the seeds kept for it must confirm.
PRELIMINARY: frozenset[Word] = frozenset({"regressed", "improved"})
#: What a metric that moved is called, by whether it moved for the worse (1) or the better (-1).
DIRECTIONS: dict[int, Word] = {1: "regressed", 0: "changed", -1: "improved"}


class Floors(NamedTuple):
    """The least tolerance of a metric: ``absolute`` plus ``relative`` times its value."""

    absolute: float
    relative: float


def judge(
    baseline: Mapping[RowKey, RowOutcomes],
    candidates: Iterable[RowOutcomes],
    gates: Mapping[str, Gate],
    *,
    confidence: float = GATE_CONFIDENCE,
) -> list[Verdict]:
    """Replay and statistics: one verdict for each metric of each candidate; ``gates`` by config.

    Statistics is asked even where replay passes every run, because a run that rounding alone sends
    anywhere is within its tolerance wherever it goes. ``regressed`` and ``improved`` from here are
    preliminary until :func:`confirmed` has seen the other seeds; where there are none,
    ``confidence`` is UNCONFIRMED_CONFIDENCE. A source or data file that has changed since the
    baseline is no reason not to judge: :func:`changed_files` names it.
    """
    verdicts = []
    for candidate in candidates:
        known = baseline.get(candidate.key)
        gate = gates.get(candidate.config, Gate())
        verdicts += _judge_row(known, candidate, gate, confidence)
    return verdicts


def to_confirm(verdicts: Iterable[Verdict]) -> set[RowKey]:
    """The rows with a regression or an improvement that the other seeds must confirm.

    A row that is regressed as a whole, because its runs failed, needs no confirmation.
    """
    return {v.key for v in verdicts if v.verdict in PRELIMINARY and v.metric}


def confirmed(
    verdicts: Sequence[Verdict],
    baseline: Mapping[RowKey, RowOutcomes],
    repeats: Iterable[RowOutcomes],
    gates: Mapping[str, Gate],
) -> list[Verdict]:
    """The verdicts once ``repeats``, the runs at the confirm seeds, are judged too.

    A regression is confirmed where the same metric of the same row regresses again. It is
    ``not_confirmed`` where that metric does not, and stays where the other seeds cannot say.
    Improvements are confirmed in the same way.
    """
    kept = {key: replace(row, runs=row.confirm) for key, row in baseline.items()}
    again = {(v.key, v.metric): v for v in judge(kept, repeats, gates)}
    return [
        _after_repeat(v, again.get((v.key, v.metric)) or again.get((v.key, "")))
        if v.verdict in PRELIMINARY and v.metric
        else v
        for v in verdicts
    ]


def _after_repeat(preliminary: Verdict, repeat: Verdict | None) -> Verdict:
    word = preliminary.verdict
    if repeat is None:
        outcome = "the baseline keeps no other seeds to confirm it"
    elif repeat.verdict == word:
        outcome = "the seeds kept to confirm it show it too"
    elif repeat.metric:
        word = "not_confirmed"
        outcome = "the seeds kept to confirm it do not show it"
    else:
        outcome = f"the seeds kept to confirm it could not be judged: {repeat.reason}"
    return replace(preliminary, verdict=word, reason=f"{preliminary.reason}; {outcome}")


def seen_unpaired(verdict: Verdict, baseline: RowOutcomes, candidate: RowOutcomes) -> Verdict:
    """A preliminary verdict that nothing can confirm, if the seeds show it beyond doubt.

    Ten pairs that all differ to one side are a chance of 1 in 1,024, and a check looks at many
    metrics. So the pairs must show it by a sign test at PAIRED_LEVEL, which takes UNANIMOUS of
    them, or the runs by the one-sided rank-sum test of Mann and Whitney (1947, Annals of
    Mathematical Statistics 18), which does not use that seeds are paired. Below MIN_SEEDS replay
    decides, and there is nothing to test.
    """
    if len(candidate.runs) < MIN_SEEDS:
        return verdict
    from scipy.stats import binomtest, mannwhitneyu  # slow to import, and only this asks for them

    metric = METRICS[verdict.metric]
    known = {run.seed: run.value(verdict.metric) for run in baseline.runs}
    before = [known[run.seed] for run in candidate.runs]
    after = [run.value(verdict.metric) for run in candidate.runs]
    side = metric.sign if verdict.verdict == "regressed" else -metric.sign
    moved = side * differences(after, before)
    agreeing, told_apart = int((moved > 0).sum()), int((moved != 0).sum())
    paired = binomtest(agreeing, told_apart, alternative="greater").pvalue
    unpaired = mannwhitneyu(after, before, alternative="greater" if side > 0 else "less").pvalue
    if paired <= PAIRED_LEVEL or unpaired <= UNPAIRED_LEVEL * (1 + SLACK):
        return verdict
    reason = (
        f"{verdict.reason}; the files hold no other seeds to confirm it, and "
        f"{agreeing} of {counted(len(after), 'pair')} to one side are too few to do without: "
        f"{UNANIMOUS} of {UNANIMOUS} would be enough (sign test: p = {paired:.2g}, at most "
        f"{PAIRED_LEVEL:.2g}), or runs that differ without their pairing too (rank-sum test: "
        f"p = {unpaired:.2g}, at most {UNPAIRED_LEVEL:.2g})"
    )
    return replace(verdict, verdict="not_confirmed", reason=reason)


def other_numerics(
    baseline: Mapping[RowKey, RowOutcomes], candidates: Iterable[RowOutcomes]
) -> list[str]:
    """A sentence for each pair of different NumPy and BLAS behind a baseline and a candidate."""
    pairs = [(baseline[c.key].numerics, c.numerics) for c in candidates if c.key in baseline]
    return [
        f"The baseline was made with {old}, the candidate with {new}: last digits may differ."
        for old, new in dict.fromkeys(pairs)
        if old and new and old != new
    ]


def _judge_row(
    baseline: RowOutcomes | None, candidate: RowOutcomes, gate: Gate, confidence: float
) -> list[Verdict]:
    row = Verdict(candidate.config, candidate.initializer, candidate.setting, "", "ok", "")
    if baseline is None:
        reason = "it has no baseline"
        return [replace(row, verdict="missing", reason=reason)]
    if difference := _staleness(baseline, candidate):
        reason = f"the config is not what the baseline ran: {difference}"
        return [replace(row, verdict="stale", reason=reason)]
    known = {run.seed: run for run in baseline.runs}
    if unknown := [run.seed for run in candidate.runs if run.seed not in known]:
        seeds = (
            f"seeds {', '.join(map(str, unknown))} are" if unknown[1:] else f"seed {unknown[0]} is"
        )
        reason = f"{seeds} not in the baseline"
        return [replace(row, verdict="missing", reason=reason)]
    if broken := [run.seed for run in baseline.runs if run.status == "failed"]:
        reason = f"the baseline's run at seed {broken[0]} failed, and there is nothing to compare"
        return [replace(row, verdict="missing", reason=reason)]
    if failed := [run for run in candidate.runs if run.status == "failed"]:
        reasons = "; ".join(dict.fromkeys(run.reason for run in failed))
        reason = f"{len(failed)} of {len(candidate.runs)} runs failed: {reasons}"
        return [replace(row, verdict="regressed", reason=reason)]
    pairs = [(known[run.seed], run) for run in candidate.runs]
    lone = [n for n in METRICS if len({r.metrics[n] is None for pair in pairs for r in pair}) > 1]
    if lone:
        reason = f"only one of the two has {lone[0]}"
        return [replace(row, verdict="missing", reason=reason)]
    verdicts = [
        _judge_metric(
            replace(row, metric=name), pairs, floors_of(METRICS[name], candidate), gate, confidence
        )
        for name in METRICS
        if pairs[0][0].metrics[name] is not None
    ]
    cause = _probable_cause(baseline, candidate)
    return [
        replace(v, reason=f"{v.reason}; probable cause: {cause}")
        if cause and v.verdict != "ok"
        else v
        for v in verdicts
    ]


def _probable_cause(baseline: RowOutcomes, candidate: RowOutcomes) -> str:
    """What differs between the two that can move the numbers; "" where nothing known does."""
    causes = [f"{what} ({old} -> {new})" for what, old, new in _file_changes(baseline, candidate)]
    before, after = baseline.provenance or {}, candidate.provenance or {}
    for key, what in {"initbench": "initbench", "numpy": "NumPy", "blas": "BLAS"}.items():
        old, new = before.get(key), after.get(key)
        if old and new and old != new:
            causes.append(f"{what} ({old} -> {new})")
    return ", ".join(causes)


def _staleness(baseline: RowOutcomes, candidate: RowOutcomes) -> str:
    """How what was run differs, field by field; "" where it does not differ."""
    if baseline.resolved is None or candidate.resolved is None:
        ids = {run.seed: run.id for run in baseline.runs}
        moved = [run.seed for run in candidate.runs if ids.get(run.seed, run.id) != run.id]
        if not moved:
            return ""
        return f"the identity differs at seed{'s' * bool(moved[1:])} {', '.join(map(str, moved))}"
    before, after = _flat(baseline.resolved), _flat(candidate.resolved)
    return ", ".join(
        f"{key} {_shown(before, key)} -> {_shown(after, key)}"
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key) and key not in DIGESTS
    )


def changed_files(
    baseline: Mapping[RowKey, RowOutcomes], candidates: Iterable[RowOutcomes]
) -> list[str]:
    """A sentence for each source or data file that has changed since the baseline was saved."""
    return [
        f"{candidate.config}, {candidate.initializer}: {what} has changed since the baseline "
        f"({old} -> {new}), and its runs are judged all the same."
        for candidate in candidates
        if (known := baseline.get(candidate.key))
        for what, old, new in _file_changes(known, candidate)
    ]


def _file_changes(baseline: RowOutcomes, candidate: RowOutcomes) -> list[tuple[str, str, str]]:
    """The files behind a row whose digests differ: what each is, and both digests, shortened."""
    if baseline.resolved is None or candidate.resolved is None:
        return []
    before, after = _flat(baseline.resolved), _flat(candidate.resolved)
    return [
        (what, old[:7], new[:7])
        for key, what in DIGESTS.items()
        if (old := before.get(key)) and (new := after.get(key)) and old != new
    ]


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _shown(data: Mapping[str, Any], key: str) -> str:
    return str(data[key]) if key in data else "(none)"


def _judge_metric(
    row: Verdict,
    pairs: Sequence[tuple[RunOutcome, RunOutcome]],
    floors: Floors,
    gate: Gate,
    confidence: float,
) -> Verdict:
    """``row`` with what became of its metric; ``pairs`` are (baseline, candidate), by seed."""
    before, after = ([run.value(row.metric) for run in side] for side in zip(*pairs, strict=True))
    tolerances = [tolerance_of(run, row.metric, floors) for run, _ in pairs]
    distances = [distance(b, a) for b, a in zip(before, after, strict=True)]
    worst = max(range(len(pairs)), key=lambda i: _excess(distances[i], tolerances[i]))
    level, interval = median(before), median_interval(differences(after, before), confidence)
    outside = sum(far > near for far, near in zip(distances, tolerances, strict=True))
    verdict = replace(
        row, reason="every run is within its tolerance", baseline=level, candidate=median(after),
        difference=interval, tolerance=tolerances[worst], confidence=confidence, moved=outside > 0,
    )  # fmt: skip

    enough = len(pairs) >= MIN_SEEDS
    metric = METRICS[row.metric]
    least = gate.least_change(metric, level)
    direction = _direction(metric, interval, least) if enough else 0
    if not enough and outside and metric.sign * interval.estimate > least * (1 + SLACK):
        # Replay has shown that the code changed: what moved the few seeds was not chance.
        direction = 1
    if not outside and not direction:
        return verdict
    reasons = []
    if outside:
        reasons.append(
            f"{outside} of {len(pairs)} runs moved by more than another machine explains: "
            f"seed {pairs[worst][0].seed} moved by {metric.change(distances[worst])}, and its "
            f"tolerance is {metric.change(tolerances[worst])}"
        )
    if not enough and direction:
        reasons.append(
            "the median is worse by more than the minimum effect; "
            f"{counted(len(pairs), 'seed')} cannot confirm it by statistics ({MIN_SEEDS} can)"
        )
    elif not enough:
        reasons.append(
            f"{counted(len(pairs), 'seed')} cannot tell better from worse, it takes {MIN_SEEDS}"
        )
    elif direction:
        better = "worse" if direction > 0 else "better"
        reasons.append(f"over the seeds it is {better} by more than chance and the minimum effect")
    return replace(verdict, verdict=DIRECTIONS[direction], reason="; ".join(reasons))


def floors_of(metric: Metric, row: RowOutcomes) -> Floors:
    """An accuracy may move by one sample, and a loss by ``FLOOR_ULPS`` units in the last place.

    Any one sample may lie on the boundary between classes to the last bit; if more than rounding
    moved it, the loss moved too.
    """
    if metric.floor == "sample":
        samples = (row.samples or {}).get(metric.split)
        # A share of n samples is itself rounded: half a sample more cannot be a sample.
        return Floors(1.5 / samples if samples else 0.0, 0.0)
    dtype = (row.resolved or {}).get("dtype", "float64")
    return Floors(0.0, FLOOR_ULPS * float(np.finfo(dtype).eps))


def _direction(metric: Metric, interval: Interval, least: float) -> int:
    """1 for worse, -1 for better, both beyond chance and the ``least`` change; 0 for neither."""
    ends = sorted((metric.sign * interval.low, metric.sign * interval.high))
    if ends[0] <= 0 <= ends[1]:
        return 0
    if abs(interval.estimate) <= least * (1 + SLACK):
        return 0
    return 1 if ends[0] > 0 else -1


def tolerance_of(run: RunOutcome, metric: str, floors: Floors) -> float:
    """How far another machine may move the run, by how far its twins moved."""
    value = run.value(metric)
    spread = (run.spread or {}).get(metric) or 0.0
    floor = floors.absolute + (floors.relative * abs(value) if math.isfinite(value) else 0.0)
    return max(SPREAD_MULTIPLE * spread, floor)


def _excess(distance: float, tolerance: float) -> float:
    """How many times its tolerance a run moved."""
    if distance == 0:
        return 0.0
    return distance / tolerance if tolerance else math.inf
