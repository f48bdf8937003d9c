"""A config's own expectations against its records -> verdicts. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from initbench.analysis.paired import differences, median
from initbench.gate.verdicts import Verdict, Word
from initbench.metrics import parse_metric
from initbench.runs.records import Record
from initbench.spec import Experiment
from initbench.spec.expectations import Expectation


class _Said(NamedTuple):
    verdict: Word
    reason: str
    expected: float | None = None
    got: float | None = None
    tolerance: float | None = None


def judge_expectations(experiment: Experiment, records: Sequence[Record]) -> list[Verdict]:
    """A verdict for each of the config's expectations, and each initializer that it is of.

    ``missing`` is one that cannot be judged: its seed was not trained, its moment not logged.
    """
    mine = {
        choice.label: [r for r in records if r.initializer == choice.label]
        for choice in experiment.initializer
    }
    verdicts = []
    for index, expectation in enumerate(experiment.expect):
        named = expectation.initializer and experiment.find_initializer(expectation.initializer)
        other = expectation.other and experiment.find_initializer(expectation.other)
        for label in [named.label] if named else mine:
            said = _judge(expectation, mine[label], mine[other.label] if other else [])
            verdicts.append(
                Verdict(
                    config=experiment.name,
                    initializer=label,
                    setting=experiment.setting,
                    metric=expectation.metric,
                    verdict=said.verdict,
                    reason=said.reason,
                    baseline=said.expected,
                    candidate=said.got,
                    tolerance=said.tolerance,
                    expectation=index,
                )
            )
    return verdicts


def _judge(e: Expectation, mine: Sequence[Record], others: Sequence[Record]) -> _Said:
    mine = [record for record in mine if e.seed in (None, record.seed)]
    if not mine:
        which = "no seed was" if e.seed is None else f"seed {e.seed} was not"
        return _Said("missing", f"{which} trained")
    values = [record.metric(e.metric) for record in mine]
    if None in values:
        reason = "it failed, or its task has no such metric"
        metric, iteration = parse_metric(e.metric)
        if iteration is not None and mine[0].metric(metric.name) is not None:
            reason = f"nothing was logged at iteration {iteration}"
        return _Said("missing", f"{e.metric} cannot be judged: {reason}")
    if e.faster_than is not None:
        return _faster(e, mine, [record for record in others if e.seed in (None, record.seed)])
    if e.relation:
        return _apart(e, mine, others)
    return _bounded(e, median([value for value in values if value is not None]))


def _bounded(e: Expectation, got: float) -> _Said:
    """The forms min, max and value."""
    who = "the median" if e.seed is None else f"seed {e.seed}"
    if e.value is not None:
        tolerance = e.atol + e.rtol * abs(e.value)
        return _Said(
            "ok" if abs(got - e.value) <= tolerance else "expected_failed",
            f"{who} must be {e.value:.12g} within {tolerance:.2g}, is {got:.12g}",
            e.value,
            got,
            tolerance,
        )
    if e.min is not None and not got >= e.min:
        reason = f"{who} must be at least {e.min:.6g}, is {got:.6g}"
        return _Said("expected_failed", reason, e.min, got)
    if e.max is not None and not got <= e.max:
        reason = f"{who} must be at most {e.max:.6g}, is {got:.6g}"
        return _Said("expected_failed", reason, e.max, got)
    return _Said("ok", f"{who} is {got:.6g}", e.max if e.min is None else e.min, got)


def _apart(e: Expectation, mine: Sequence[Record], others: Sequence[Record]) -> _Said:
    """The forms above and below: the median of the paired differences, against the margin."""
    reference = {record.seed: record.metric(e.metric) for record in others}
    pairs = [
        (value, other)
        for record in mine
        if (value := record.metric(e.metric)) is not None
        and (other := reference.get(record.seed)) is not None
    ]
    values, besides = ([pair[side] for pair in pairs] for side in (0, 1))
    if len(pairs) < len(mine):
        return _Said("missing", f"{e.other} has no {e.metric} at some seeds")
    sign = 1 if e.above is not None else -1
    by = sign * median(differences(values, besides)) + 0.0  # no -0
    # A margin of 0 still asks for a difference.
    word: Word = "ok" if by > 0 and by >= e.margin else "expected_failed"
    where = "above" if sign > 0 else "below"
    reason = f"must be {where} {e.other} by at least {e.margin:g}, is by {by:.6g}"
    return _Said(word, reason, median(besides), median(values), e.margin)


def _faster(e: Expectation, mine: Sequence[Record], others: Sequence[Record]) -> _Said:
    """The form faster_than: median iterations to the target; never is inf."""
    if any(record.status == "failed" for record in others):  # which is not to be slow
        return _Said("missing", f"{e.other} has no {e.metric} at some seeds")
    target = e.target or 0.0  # the model asks for one
    fast, slow = (
        median([record.iterations_to(e.metric, target) for record in side])
        for side in (mine, others)
    )
    word: Word = "ok" if fast < slow and slow - fast >= e.margin else "expected_failed"
    times = [f"{x:,.0f} iterations" if math.isfinite(x) else "never" for x in (fast, slow)]
    reason = (
        f"must reach {target:g} at least {e.margin:g} iterations before {e.other}: "
        f"{times[0]} against {times[1]}"
    )
    return _Said(word, reason, slow, fast, e.margin)
