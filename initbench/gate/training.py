"""Experiments -> outcomes: what `check` and `baseline` train, and how they group it by row.

Both are handed ``train``, which gives the record of every run that it is asked for
(:func:`initbench.runs.runner.train_afresh`, say). It must train: a gate that read stored runs
would judge the past.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from initbench import datasets
from initbench.errors import FailedRunsError
from initbench.gate.outcomes import TWINS, RowOutcomes, RunOutcome, confirm_seeds, run_outcome
from initbench.runs import identity, plan
from initbench.runs.plan import Run
from initbench.runs.provenance import provenance
from initbench.runs.records import Record, RowKey
from initbench.runs.runner import failure_lines
from initbench.spec import Experiment

Train = Callable[[Sequence[Run]], Sequence[Record]]


def baseline_of(experiments: Sequence[Experiment], train: Train) -> list[RowOutcomes]:
    """The outcomes that a baseline keeps: each run with its twins, and runs at other seeds.

    The twins say by how much machines may differ; the other seeds, as many again, are kept to
    confirm a regression. Raises FailedRunsError where a run failed.
    """
    runs = plan.runs(experiments)
    twins = [replace(run, nudge=k) for run in runs for k in range(1, TWINS + 1)]
    others = plan.runs(e.model_copy(update={"seeds": confirm_seeds(e.seeds)}) for e in experiments)
    records = train([*runs, *twins, *others])
    if failures := failure_lines(records):
        raise FailedRunsError("runs failed; no baseline was saved:\n" + "\n".join(failures))
    first = len(runs) + len(twins)
    confirm = {row.key: row.runs for row in row_outcomes(others, records[first:])}
    return [
        replace(row, confirm=confirm[row.key])
        for row in row_outcomes([*runs, *twins], records[:first])
    ]


def row_outcomes(runs: Sequence[Run], records: Sequence[Record]) -> list[RowOutcomes]:
    """The outcomes of runs and of their twins, row by row."""
    made = asdict(provenance())
    rows: dict[RowKey, list[tuple[Run, Record]]] = {}
    for run, record in zip(runs, records, strict=True):
        rows.setdefault(run.row, []).append((run, record))
    return [
        RowOutcomes(
            config=key.config,
            initializer=key.initializer,
            setting=members[0][0].experiment.setting,
            runs=tuple(_outcomes(members)),
            resolved=_resolved(members[0][0]),
            samples=_split_samples(members[0][0].experiment),
            provenance=made,
            gate=members[0][0].experiment.gate,
        )
        for key, members in rows.items()
    ]


def _outcomes(members: Iterable[tuple[Run, Record]]) -> list[RunOutcome]:
    firsts: dict[int, Record] = {}
    twins: dict[int, list[Record]] = {}
    for run, record in members:
        if run.nudge:
            twins.setdefault(run.seed, []).append(record)
        else:
            firsts[run.seed] = record
    return [run_outcome(record, twins.get(seed, ())) for seed, record in firsts.items()]


def _resolved(run: Run) -> dict[str, Any]:
    """All that determines the row's numbers except for the seed, as JSON reads it back."""
    fields = identity.resolved(run, datasets.fingerprint(run.experiment.dataset))
    del fields["seed"]
    plain: dict[str, Any] = json.loads(json.dumps(fields))
    return plain


def _split_samples(experiment: Experiment) -> dict[str, int]:
    data = datasets.load(experiment.dataset)
    return {"train": data.train.inputs.shape[1], "test": data.test.inputs.shape[1]}
