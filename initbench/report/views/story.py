"""Beside each network a few lines of words: how it starts, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from initbench.analysis.comparison import Row
from initbench.analysis.curves import curve_points
from initbench.diagnosis.diagnose import Diagnosis
from initbench.diagnosis.rules import CONDITIONS
from initbench.metrics import METRICS
from initbench.report.views.diagnosis_lines import condition_line
from initbench.report.views.pictures import JudgedContest
from initbench.wording import counted


@dataclass(frozen=True, slots=True)
class Story:
    """One initializer in words: what its networks promise, and how its runs ended.

    ``about`` is the description of the config, where it has one and one initializer.
    """

    name: str
    about: str
    condition: str
    start: str
    end: str


def stories(problem: JudgedContest, diagnoses: Sequence[Diagnosis]) -> list[Story]:
    """A story for each initializer: the worst start first, of equal starts the worst rank."""
    about = {
        e.name: e.description
        for e in problem.contest.experiments
        if e.description and len(e.initializer) == 1
    }
    found = {
        (d.findings.config, d.findings.initializer): d
        for d in diagnoses
        if any(
            (row.config, row.initializer, row.setting)
            == (d.findings.config, d.findings.initializer, d.findings.setting)
            for row in problem.rows
        )
    }
    told = []
    for name, selection in problem.named:
        who = selection.records[0].config, selection.records[0].initializer
        row = next(row for row in problem.rows if (row.config, row.initializer) == who)
        diagnosis = found.get(who)
        told.append(
            Story(
                name,
                about.get(who[0], ""),
                diagnosis.condition if diagnosis else "not drawn",
                _start(diagnosis),
                _end(problem, name, row),
            )
        )
    ranks = {problem.name(row): row.rank for row in problem.rows}
    return sorted(told, key=lambda one: (_order(one.condition), -ranks[one.name]))


def _order(condition: str) -> int:
    """The place of a condition, the worst first; networks that cannot be drawn come before all."""
    return CONDITIONS.index(condition) if condition in CONDITIONS else -1


def _start(diagnosis: Diagnosis | None) -> str:
    if diagnosis is None:
        return "Its networks could not be drawn."
    begins = diagnosis.begins_at_layer
    place = "" if begins is None else f" from layer {begins}"
    return f"Start: {diagnosis.condition}{place}; {diagnosis.reason}"


def _end(problem: JudgedContest, name: str, row: Row) -> str:
    metric = METRICS[problem.metric]
    records = dict(problem.named)[name].records
    points = curve_points(records, problem.metric)
    if not points:
        return f"End: all of its {counted(row.runs, 'run')} failed."
    unit = f" {metric.unit}" if metric.unit else ""
    first, last = (metric.text(point.median) for point in (points[0], points[-1]))
    went = f"stayed at {last}{unit}" if first == last else f"went from {first} to {last}{unit}"
    lost = "".join(
        f", {counted(count, 'run')} {status}"
        for status, count in (("diverged", row.diverged), ("failed", row.failed))
        if count
    )
    best = problem.name(problem.rows[0])
    against = {
        "best": "; it is the best.",
        "as good": f"; it is as good as {best}.",
        "worse": f"; it is worse than {best}.",
        "undecided": f"; whether it is worse than {best} is undecided.",
    }.get(row.standing or "", ".")
    return (
        f"End: the median {metric.label} {went} in {points[-1].iteration:,} updates, and "
        f"{row.trained} of {counted(row.runs, 'run')} learned{lost}{against}"
    )


def diagnosis_lines(problem: JudgedContest, diagnoses: Sequence[Diagnosis]) -> list[str]:
    """Each initializer's condition, its reason and the advice, at each point of its sweep."""
    lines = []
    for one in diagnoses:
        setting = "".join(f", {key} {value}" for key, value in one.findings.setting.items())
        name = problem.name_of(one.findings.config, one.findings.initializer)
        lines.append(f"{name}{setting}: {condition_line(one)}")
    return lines
