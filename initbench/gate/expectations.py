"""A config's own expectations against its records -> verdicts. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from initbench.analysis.intervals import median
from initbench.analysis.paired import paired_differences
from initbench.analysis.summary import metric_values
from initbench.gate.verdicts import Verdict, Word
from initbench.metrics import METRICS, parse_metric
from initbench.runs.records import Record
from initbench.spec import Experiment
from initbench.spec.expectations import Expectation
from initbench.wording import counted


class _Judged(NamedTuple):
    verdict: Word
    reason: str
    expected: float | None = None
    found: float | None = None
    tolerance: float | None = None


def judge_expectations(experiment: Experiment, records: Sequence[Record]) -> list[Verdict]:
    """One verdict for each of the config's expectations and each initializer that it covers.

    An expectation that cannot be judged is ``missing``: its seed was not trained, or nothing was
    logged at its iteration.
    """
    of_initializer = {
        choice.label: [r for r in records if r.initializer == choice.label]
        for choice in experiment.initializer
    }
    verdicts = []
    for index, expectation in enumerate(experiment.expect):
        named = expectation.initializer and experiment.find_initializer(expectation.initializer)
        other = expectation.other and experiment.find_initializer(expectation.other)
        others = of_initializer[other.label] if other else []
        if not expectation.is_about(experiment.setting):
            continue  # it is about another point of the sweep
        for label in [named.label] if named else of_initializer:
            judged = _judge(expectation, of_initializer[label], others)
            verdicts.append(
                Verdict(
                    config=experiment.name,
                    initializer=label,
                    setting=experiment.setting,
                    metric=expectation.metric,
                    verdict=judged.verdict,
                    reason=judged.reason,
                    baseline=judged.expected,
                    candidate=judged.found,
                    tolerance=judged.tolerance,
                    expectation=index,
                    counts_iterations=expectation.faster_than is not None,
                )
            )
    return verdicts


def _judge(e: Expectation, own: Sequence[Record], others: Sequence[Record]) -> _Judged:
    own = [record for record in own if e.seed in (None, record.seed)]
    if not own:
        which = "no seed was" if e.seed is None else f"seed {e.seed} was not"
        return _Judged("missing", f"{which} trained")
    values = [record.metric(e.metric) for record in own]
    if None in values:
        reason = "a run failed, or the task has no such metric"
        metric, iteration = parse_metric(e.metric)
        if iteration is not None and own[0].metric(metric.name) is not None:
            reason = f"nothing was logged at iteration {iteration}"
        return _Judged("missing", f"{e.metric} cannot be judged: {reason}")
    if e.faster_than is not None:
        return _faster(e, own, [record for record in others if e.seed in (None, record.seed)])
    if e.relation:
        return _apart(e, own, others)
    known = [value for value in values if value is not None]
    if e.at_least is not None:
        return _counted_seeds(e, known)
    return _bounded(e, median(known))


def _counted_seeds(e: Expectation, values: Sequence[float]) -> _Judged:
    """The forms ``min``, ``max`` and ``value`` at so many seeds."""
    held = sum(_bounded(e, value).verdict == "ok" for value in values)
    assert e.at_least is not None
    word: Word = "ok" if held >= e.at_least else "expected_failed"
    reason = f"it holds at {held} of {counted(len(values), 'seed')}, and must hold at {e.at_least}"
    expected = next(x for x in (e.value, e.min, e.max) if x is not None)
    return _Judged(word, reason, expected, median(values))


def _bounded(e: Expectation, found: float) -> _Judged:
    """The forms ``min``, ``max`` and ``value``."""
    who = "the median" if e.seed is None else f"seed {e.seed}"
    metric = parse_metric(e.metric).metric
    if e.value is not None:
        tolerance = e.atol + e.rtol * abs(e.value)
        return _Judged(
            "ok" if abs(found - e.value) <= tolerance else "expected_failed",
            f"{who} is {metric.quantity(found, 12)}, and must be {metric.quantity(e.value, 12)} "
            f"within {metric.change(tolerance)}",
            e.value,
            found,
            tolerance,
        )
    if e.min is not None and not found >= e.min:
        reason = f"{who} is {metric.quantity(found)}, and must be at least {metric.quantity(e.min)}"
        return _Judged("expected_failed", reason, e.min, found)
    if e.max is not None and not found <= e.max:
        reason = f"{who} is {metric.quantity(found)}, and must be at most {metric.quantity(e.max)}"
        return _Judged("expected_failed", reason, e.max, found)
    return _Judged(
        "ok", f"{who} is {metric.quantity(found)}", e.max if e.min is None else e.min, found
    )


def _apart(e: Expectation, own: Sequence[Record], others: Sequence[Record]) -> _Judged:
    """The forms ``above`` and ``below``: the median paired difference must reach the margin."""
    moved = paired_differences(own, others, e.metric)
    if len(moved) < len(own):
        return _Judged("missing", f"{e.other} has no {e.metric} at some seeds")
    sign = 1 if e.above is not None else -1
    by = sign * median(moved) + 0.0  # no -0
    # A margin of 0 still asks for a difference; a negative one allows to be worse.
    word: Word = "ok" if by >= e.margin and (by > 0 or e.margin < 0) else "expected_failed"
    where, elsewhere = ("above", "below") if sign > 0 else ("below", "above")
    metric = parse_metric(e.metric).metric
    found = f"{metric.change(abs(by), 6)} {where if by > 0 else elsewhere}" if by else "equal"
    reason = f"it must be {where} {e.other}, and is {found}"
    if e.margin:
        size = metric.change(abs(e.margin), 6)
        bound = f"must be at least {size} {where}"
        if e.margin < 0:
            bound = f"may be at most {size} {elsewhere}"
        reason = f"it {bound} {e.other}, and is {found}"
    seeds = {record.seed for record in own}
    level, reference = (
        median(metric_values([record for record in side if record.seed in seeds], e.metric))
        for side in (own, others)
    )
    return _Judged(word, reason, reference, level, e.margin)


def _faster(e: Expectation, own: Sequence[Record], others: Sequence[Record]) -> _Judged:
    """The form ``faster_than``: the median iterations to the target, infinite if never reached."""
    if any(record.status == "failed" for record in others):  # a failed run is not a slow one
        return _Judged("missing", f"{e.other} has no {e.metric} at some seeds")
    target = e.target or 0.0  # the model asks for one
    fast, slow = (
        median([record.iterations_to(e.metric, target) for record in side])
        for side in (own, others)
    )
    word: Word = "ok" if fast < slow and slow - fast >= e.margin else "expected_failed"
    reason = (
        f"it must reach {METRICS[e.metric].quantity(target)} at least {e.margin:,g} iterations "
        f"before {e.other}; "
        f"it {_needed(fast)}, {e.other} {_needed(slow)}"
    )
    return _Judged(word, reason, slow, fast, e.margin)


def _needed(iterations: float) -> str:
    return f"needed {iterations:,.0f}" if math.isfinite(iterations) else "never got there"
