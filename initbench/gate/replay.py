"""Baseline against candidate -> verdicts. Pure functions: nothing is read, nothing is trained.

In this order: did any run move by more than machines differ (replay); is what moved worse, or
better, by more than chance and by enough to count (statistics), and is it so again on seeds
kept for that. What a config itself expects is judged in expected.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import Any

import numpy as np

from initbench.analysis.paired import MIN_SEEDS, Interval, differences, median, median_interval
from initbench.gate.verdicts import Verdict, Word
from initbench.metrics import METRICS, Metric
from initbench.runs.records import Record, RowKey, Status
from initbench.spec.expectations import Gate

#: Twins a run: each starts from weights moved by one unit in the last place.
TWINS = 8
#: A run has changed outside so many times the largest deviation of its twins. Over five OpenBLAS
#: kernels and the shipped configs the worst run stood at 2.5 (tests/benchmarks/gate_power.py).
SPREAD_MULTIPLE = 10
#: Kernels move the loss of a run whose twins agree by up to 8 units in the last place.
FLOOR_ULPS = 64
#: The interval that must exclude zero. Wider than a table's, since a check makes a test a metric
#: and config: of 200 candidates over six configs that differed in seeds alone, 13 had a finding
#: at 99 % and 32 at 95 %; confirmation left 0 and 1.
GATE_CONFIDENCE = 0.99
#: An effect exactly as large as the minimum, but for rounding, is not beyond it.
SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Run:
    """One run's outcome; ``spread`` is how far its twins' metrics moved at most.

    None in ``metrics`` is a metric that the task does not have; None for ``spread`` says that
    nobody measured it.
    """

    seed: int
    id: str
    status: Status
    metrics: Mapping[str, float | None]
    spread: Mapping[str, float | None] | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """An initializer of a config, at a point of its sweep: its runs, and those kept to confirm.

    ``resolved`` is what determines the runs' numbers (:func:`initbench.runs.plan.resolved`) but for
    the seed; None in a document that does not say. ``samples`` are those of each split.
    """

    config: str
    initializer: str
    setting: Mapping[str, Any]
    runs: tuple[Run, ...]
    confirm: tuple[Run, ...] = ()
    resolved: Mapping[str, Any] | None = None
    samples: Mapping[str, int] | None = None
    provenance: Mapping[str, Any] | None = None

    @property
    def key(self) -> RowKey:
        """What a group is found by."""
        return RowKey.of(self.config, self.initializer, self.setting)

    @property
    def numerics(self) -> str:
        """The NumPy and BLAS that made the runs; "" in a document that does not say."""
        made = self.provenance
        return f"NumPy {made['numpy']}, {made['blas']}" if made else ""


def confirm_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    """As many other seeds: the smallest that are not among them.

    >>> confirm_seeds([0, 1, 5])
    (2, 3, 4)
    """
    taken = set(seeds)
    return tuple(islice((seed for seed in count() if seed not in taken), len(seeds)))


def outcome(record: Record, twins: Iterable[Record] = ()) -> Run:
    """A record as a baseline keeps it, with the spread of its twins where it has some."""
    metrics = {name: record.metric(name) for name in METRICS}
    twins = list(twins)
    spread = {
        name: value if value is None else max(_distance(t.metric(name), value) for t in twins)
        for name, value in metrics.items()
        if twins
    }
    return Run(record.seed, record.id, record.status, metrics, spread or None, record.reason)


def judge(
    baseline: Mapping[RowKey, Group], candidates: Iterable[Group], gates: Mapping[str, Gate]
) -> list[Verdict]:
    """Replay and statistics: a verdict a metric of each candidate; ``gates`` by config.

    Statistics judges what replay let pass, too: runs that rounding alone sends anywhere are
    within their tolerance wherever they go. A ``regressed`` here is a finding, which
    :func:`confirmed` has yet to confirm.
    """
    verdicts = []
    for candidate in candidates:
        known = baseline.get(candidate.key)
        gate = gates.get(candidate.config, Gate())
        verdicts += _judge_group(known, candidate, gate)
    return verdicts


def other_numerics(baseline: Mapping[RowKey, Group], candidates: Iterable[Group]) -> list[str]:
    """In words, the NumPy and BLAS of what is judged against a baseline made with others."""
    pairs = [(baseline[c.key].numerics, c.numerics) for c in candidates if c.key in baseline]
    return [
        f"Baseline made with {old}, candidate with {new}: last digits may differ."
        for old, new in dict.fromkeys(pairs)
        if old and new and old != new
    ]


def _judge_group(baseline: Group | None, candidate: Group, gate: Gate) -> list[Verdict]:
    def whole(word: Word, reason: str) -> Verdict:
        return Verdict(candidate.config, candidate.initializer, candidate.setting, "", word, reason)

    if baseline is None:
        return [whole("missing", "has no baseline; save one with `initbench baseline save`")]
    if difference := _staleness(baseline, candidate):
        return [whole("stale", f"is not what the baseline ran: {difference}; save it again")]
    known = {run.seed: run for run in baseline.runs}
    if unknown := [run.seed for run in candidate.runs if run.seed not in known]:
        seeds = f"seed{'s' if len(unknown) > 1 else ''} {', '.join(map(str, unknown))}"
        return [whole("missing", f"{seeds} have no baseline; save it again")]
    if failed := [run for run in candidate.runs if run.status == "failed"]:
        reasons = "; ".join(dict.fromkeys(run.reason for run in failed))
        failures = f"{len(failed)} of {len(candidate.runs)} runs failed: {reasons}"
        return [whole("regressed", failures)]
    pairs = [(known[run.seed], run) for run in candidate.runs]
    return [
        replace(
            _judge_metric(name, pairs, _floors(METRICS[name], candidate), gate),
            config=candidate.config, initializer=candidate.initializer, setting=candidate.setting,
        )
        for name in METRICS
        if pairs[0][0].metrics[name] is not None
    ]  # fmt: skip


def _staleness(baseline: Group, candidate: Group) -> str:
    """Field by field, how what was run differs; empty where it does not."""
    if baseline.resolved is None or candidate.resolved is None:
        ids = {run.seed: run.id for run in baseline.runs}
        moved = [run.seed for run in candidate.runs if ids.get(run.seed, run.id) != run.id]
        return f"the identity differs at seeds {', '.join(map(str, moved))}" if moved else ""
    before, after = _flat(baseline.resolved), _flat(candidate.resolved)
    return ", ".join(
        f"{key} {_shown(before, key)} -> {_shown(after, key)}"
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    )


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


def _floors(metric: Metric, candidate: Group) -> tuple[float, float]:
    """The least tolerance of a metric: absolute, and relative to its value.

    Of an accuracy one sample: any sample may lie on the boundary between classes to the last
    bit, and if more than rounding moved it, the loss moved too. Of a loss ``FLOOR_ULPS``.
    """
    if metric.floor == "sample":
        samples = (candidate.samples or {}).get(metric.split)
        # A share of n samples is itself rounded: half a sample more cannot be a sample.
        return (1.5 / samples if samples else 0.0), 0.0
    dtype = (candidate.resolved or {}).get("dtype", "float64")
    return 0.0, FLOOR_ULPS * float(np.finfo(dtype).eps)


def _judge_metric(
    metric: str, pairs: Sequence[tuple[Run, Run]], floors: tuple[float, float], gate: Gate
) -> Verdict:
    before, after = ([_value(run, metric) for run in side] for side in zip(*pairs, strict=True))
    tolerances = [_tolerance(run, metric, floors) for run, _ in pairs]
    distances = [_distance(b, a) for b, a in zip(before, after, strict=True)]
    outside = [i for i, far in enumerate(distances) if far > tolerances[i]]
    worst = max(range(len(pairs)), key=lambda i: _excess(distances[i], tolerances[i]))
    moved = differences(after, before)
    interval = median_interval(moved, GATE_CONFIDENCE)
    verdict = Verdict(
        "", "", {}, metric, "ok", "every run within its tolerance", median(before), median(after),
        interval, tolerances[worst],
    )  # fmt: skip
    least = gate.least_change(METRICS[metric], median(before))
    direction = _direction(METRICS[metric], interval, least) if len(pairs) >= MIN_SEEDS else 0
    if not outside and not direction:
        return verdict
    reasons = []
    if outside:
        seed = pairs[worst][0].seed
        reasons.append(
            f"{len(outside)} of {len(pairs)} runs moved by more than machines differ: seed {seed} "
            f"by {distances[worst]:.2g}, its tolerance is {tolerances[worst]:.2g}"
        )
    if len(pairs) < MIN_SEEDS:
        reasons.append(f"{len(pairs)} seeds cannot say for better or worse ({MIN_SEEDS} can)")
    if direction:
        which = "worse" if direction > 0 else "better"
        reasons.append(f"{which} over the seeds by more than chance and the minimum")
    word: Word = "changed"
    if direction:
        word = "regressed" if direction > 0 else "improved"
    return replace(verdict, verdict=word, reason="; ".join(reasons))


def _direction(metric: Metric, interval: Interval, least: float) -> int:
    """1 for worse, -1 for better, 0 for neither beyond chance and beyond the ``least`` change."""
    ends = sorted((metric.sign * interval.low, metric.sign * interval.high))
    if ends[0] <= 0 <= ends[1]:
        return 0
    if abs(interval.estimate) <= least * (1 + SLACK):
        return 0
    return 1 if ends[0] > 0 else -1


def findings(verdicts: Iterable[Verdict]) -> set[RowKey]:
    """The groups whose regressions are to be confirmed on their other seeds."""
    return {v.key for v in verdicts if v.verdict == "regressed" and v.metric}


def confirmed(
    verdicts: Sequence[Verdict],
    baseline: Mapping[RowKey, Group],
    repeats: Iterable[Group],
    gates: Mapping[str, Gate],
) -> list[Verdict]:
    """The verdicts, with findings that ``repeats`` (the confirm seeds' runs) do not repeat.

    A finding repeats where the same metric of the same group is found worse again.
    """
    kept = {key: replace(group, runs=group.confirm) for key, group in baseline.items()}
    again = {(v.key, v.metric): v for v in judge(kept, repeats, gates)}
    result = []
    for verdict in verdicts:
        repeat = again.get((verdict.key, verdict.metric)) or again.get((verdict.key, ""))
        if verdict.verdict != "regressed" or not verdict.metric:
            result.append(verdict)
            continue
        if repeat is None:
            said = "no other seeds are kept to confirm it"
        elif repeat.verdict == "regressed":
            said = "confirmed on other seeds"
        elif repeat.metric:
            verdict = replace(verdict, verdict="not_confirmed")
            said = "not so on the seeds kept to confirm"
        else:
            said = f"the seeds kept to confirm it: {repeat.reason}"
        result.append(replace(verdict, reason=f"{verdict.reason}; {said}"))
    return result


def _value(run: Run, metric: str) -> float:
    value = run.metrics[metric]
    return math.inf if value is None else value


def _distance(value: float | None, other: float | None) -> float:
    """|value - other|; 0 between two infinities, inf to a run that has no value."""
    if value is None or other is None:
        return math.inf
    return 0.0 if value == other else abs(value - other)


def _tolerance(run: Run, metric: str, floors: tuple[float, float]) -> float:
    absolute, relative = floors
    value = _value(run, metric)
    spread = (run.spread or {}).get(metric) or 0.0
    floor = absolute + relative * abs(value) if math.isfinite(value) else absolute
    return max(SPREAD_MULTIPLE * spread, floor)


def _excess(distance: float, tolerance: float) -> float:
    """How many times its tolerance a run moved."""
    if distance == 0:
        return 0.0
    return distance / tolerance if tolerance else math.inf
