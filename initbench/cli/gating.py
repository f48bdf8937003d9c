"""What `check` and `baseline` share: train afresh, never from results, and group the outcomes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

from initbench import datasets
from initbench.cli.training import labelled, train_runs
from initbench.gate.outcomes import RowOutcomes, RunOutcome, run_outcome
from initbench.runs import identity
from initbench.runs.plan import Run
from initbench.runs.provenance import provenance
from initbench.runs.records import Record, RowKey
from initbench.spec import Experiment


def train(runs: Sequence[Run], jobs: int | None, *, quiet: bool) -> list[Record]:
    """Train every run, and keep nothing: a gate that read a cache would judge the past."""
    prints = {d: datasets.fingerprint(d) for d in {run.experiment.dataset for run in runs}}
    identities = identity.identities(runs, prints.__getitem__)
    todo = dict(zip(identities, runs, strict=True))
    with closing(train_runs(todo, jobs, quiet=quiet)) as batches:
        finished = {record.id: record for batch in batches for record in batch.records}
    return list(labelled(runs, identities, finished))  # configs may share runs


def key(run: Run) -> RowKey:
    """The group that a run belongs to."""
    return RowKey.of(run.experiment.name, run.initializer.label, run.experiment.setting)


def groups(runs: Sequence[Run], records: Sequence[Record]) -> list[RowOutcomes]:
    """The outcomes of runs and their twins, group by group."""
    made = asdict(provenance())
    of_key: dict[RowKey, list[tuple[Run, Record]]] = {}
    for run, record in zip(runs, records, strict=True):
        of_key.setdefault(key(run), []).append((run, record))
    return [
        RowOutcomes(
            config=group_key.config,
            initializer=group_key.initializer,
            setting=members[0][0].experiment.setting,
            runs=tuple(_outcomes(members)),
            resolved=_resolved(members[0][0]),
            samples=_split_samples(members[0][0].experiment),
            provenance=made,
        )
        for group_key, members in of_key.items()
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
    """What determines the group's numbers, as JSON reads it back."""
    fields = identity.resolved(run, datasets.fingerprint(run.experiment.dataset))
    del fields["seed"]
    plain: dict[str, Any] = json.loads(json.dumps(fields))
    return plain


def _split_samples(experiment: Experiment) -> dict[str, int]:
    data = datasets.load(experiment.dataset)
    return {"train": data.train.inputs.shape[1], "test": data.test.inputs.shape[1]}
