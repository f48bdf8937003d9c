"""Experiments against a baseline -> verdicts: train afresh, judge, and confirm what regressed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from initbench.gate.expectations import judge_expectations
from initbench.gate.outcomes import RowOutcomes
from initbench.gate.replay import (
    PRELIMINARY,
    UNCONFIRMED_CONFIDENCE,
    changed_files,
    confirmed,
    judge,
    other_numerics,
    seen_unpaired,
    to_confirm,
)
from initbench.gate.training import Train, row_outcomes
from initbench.gate.verdicts import Verdict
from initbench.runs import plan
from initbench.runs.records import RowKey
from initbench.spec import Experiment


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a check says: verdicts, the experiments' own expectations first, and notes on them.

    ``candidates`` are the rows that were trained, with the runs at the confirm seeds where there
    are some. ``notes`` are sentences about files that have changed since the baseline was saved,
    and about different arithmetic behind the baseline and the candidate.
    """

    verdicts: tuple[Verdict, ...]
    candidates: tuple[RowOutcomes, ...]
    notes: tuple[str, ...]


def check(
    experiments: Sequence[Experiment], baseline: Mapping[RowKey, RowOutcomes], train: Train
) -> Judgement:
    """Train every run of the experiments, and judge what came out against the baseline.

    Rows that regressed or improved are trained again at the seeds that the baseline keeps to
    confirm them.
    """
    gates = {experiment.name: experiment.gate for experiment in experiments}
    runs = plan.runs(experiments)
    records = train(runs)
    rows = row_outcomes(runs, records)
    judged = judge(baseline, rows, gates)
    if moved := to_confirm(judged):
        again = [
            plan.Run(plan.experiment_at(e, kept.seed), choice, kept.seed)
            for e in experiments
            for choice in e.initializer
            if (key := RowKey.of(e.name, choice.label, e.setting)) in moved
            for kept in baseline[key].confirm
        ]
        repeats = row_outcomes(again, train(again))
        judged = confirmed(judged, baseline, repeats, gates)
        kept = {row.key: row.runs for row in repeats}
        rows = [replace(row, confirm=kept.get(row.key, ())) for row in rows]
    expected = [
        verdict
        for e in experiments
        for verdict in judge_expectations(
            e, [r for r in records if r.config == e.name and r.setting == e.setting]
        )
    ]
    notes = [*changed_files(baseline, rows), *other_numerics(baseline, rows)]
    return Judgement((*expected, *judged), tuple(rows), tuple(notes))


def check_saved(
    baseline: Mapping[RowKey, RowOutcomes], candidate: Mapping[RowKey, RowOutcomes]
) -> Judgement:
    """Judge one saved file's outcomes against another's; nothing is trained.

    What the baseline holds and the candidate lacks is ``missing``, a row or a seed of one.
    """
    gates = {
        row.config: row.gate for side in (baseline, candidate) for row in side.values() if row.gate
    }
    judged: list[Verdict] = []
    for row in candidate.values():
        known = baseline.get(row.key)
        # A regression is confirmed by the seeds that both files keep for it, or must be clearer.
        if known is not None and known.confirm and row.confirm:
            judged += judge(baseline, [row], gates)
            continue
        judged += [
            seen_unpaired(verdict, known, row)
            if known is not None and verdict.verdict in PRELIMINARY and verdict.metric
            else verdict
            for verdict in judge(baseline, [row], gates, confidence=UNCONFIRMED_CONFIDENCE)
        ]
    moved = to_confirm(judged)
    repeats = [
        replace(row, runs=row.confirm)
        for key, row in candidate.items()
        if key in moved and row.confirm
    ]
    absent = [
        verdict for key, row in baseline.items() for verdict in _absent(row, candidate.get(key))
    ]
    rows = candidate.values()
    notes = [*changed_files(baseline, rows), *other_numerics(baseline, rows)]
    verdicts = (*absent, *confirmed(judged, baseline, repeats, gates))
    return Judgement(verdicts, tuple(candidate.values()), tuple(notes))


def _absent(baseline: RowOutcomes, candidate: RowOutcomes | None) -> list[Verdict]:
    """A verdict where the candidate lacks the row, or seeds of it."""
    there = {run.seed for run in candidate.runs} if candidate else set()
    lacking = [run.seed for run in baseline.runs if run.seed not in there]
    if not lacking:
        return []
    what = "it" if candidate is None else f"seeds {', '.join(map(str, lacking))}"
    reason = f"the baseline has {what} and the candidate does not"
    row = (baseline.config, baseline.initializer, baseline.setting)
    return [Verdict(*row, "", "missing", reason)]
