"""Experiments against a baseline -> verdicts: train afresh, judge, and confirm what regressed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from initbench.gate.expectations import judge_expectations
from initbench.gate.outcomes import RowOutcomes
from initbench.gate.replay import confirmed, judge, other_numerics, to_confirm
from initbench.gate.training import Train, row_outcomes
from initbench.gate.verdicts import Verdict
from initbench.runs import plan
from initbench.runs.records import RowKey
from initbench.spec import Experiment


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a check says: verdicts, the experiments' own expectations first, and notes on them.

    ``notes`` are sentences about different arithmetic behind the baseline and the candidate.
    """

    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]


def check(
    experiments: Sequence[Experiment], baseline: Mapping[RowKey, RowOutcomes], train: Train
) -> Judgement:
    """Train every run of the experiments, and judge what came out against the baseline.

    Rows that regressed are trained again at the seeds that the baseline keeps to confirm them.
    """
    gates = {experiment.name: experiment.gate for experiment in experiments}
    runs = plan.runs(experiments)
    records = train(runs)
    rows = row_outcomes(runs, records)
    judged = judge(baseline, rows, gates)
    if regressed := to_confirm(judged):
        firsts = {run.row: run for run in runs if run.row in regressed}
        again = [
            replace(run, seed=kept.seed)
            for key, run in firsts.items()
            for kept in baseline[key].confirm
        ]
        judged = confirmed(judged, baseline, row_outcomes(again, train(again)), gates)
    expected = [
        verdict
        for e in experiments
        for verdict in judge_expectations(
            e, [r for r in records if r.config == e.name and r.setting == e.setting]
        )
    ]
    return Judgement((*expected, *judged), tuple(other_numerics(baseline, rows)))


def check_saved(
    baseline: Mapping[RowKey, RowOutcomes], candidate: Mapping[RowKey, RowOutcomes]
) -> Judgement:
    """Judge one saved file's outcomes against another's; nothing is trained."""
    judged = judge(baseline, candidate.values(), {})
    regressed = to_confirm(judged)
    repeats = [
        replace(row, runs=row.confirm)
        for key, row in candidate.items()
        if key in regressed and row.confirm
    ]
    notes = other_numerics(baseline, candidate.values())
    return Judgement(tuple(confirmed(judged, baseline, repeats, {})), tuple(notes))
