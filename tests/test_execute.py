from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from initbench import config, datasets, execute, plan
from initbench.core.initializers import INITIALIZERS, Initializer
from initbench.executors import Processes
from initbench.records import Record

CONFIG = """
initializer: [he_normal, {name: normal, std: 10}, glorot_uniform]
layers: [2, 6, 4, 1]
iterations: 40
log_every: 10
learning_rate: 0.1
batch_size: 16
dataset: {name: moons, train_samples: 60, test_samples: 20}
seeds: 4
"""


@pytest.fixture
def experiments(tmp_path: Path) -> list[Any]:
    path = tmp_path / "small.yaml"
    path.write_text(CONFIG)
    return config.load([path], [("--set", "sweep={learning_rate: [0.1, 1]}")])


def train(
    experiments: list[Any], jobs: int, report: Callable[[Any], None] = lambda _: None
) -> list[Record]:
    runs = plan.runs(experiments)
    stacks = plan.stacks(runs, jobs, samples)
    workers = Processes(jobs) if jobs > 1 else None
    identities = plan.identities(runs, datasets.fingerprint)
    done: dict[int, Record] = {}
    try:
        for batch in execute.execute(stacks, identities, workers, report):
            done |= zip(batch.positions, batch.records, strict=True)
    finally:
        if workers:
            workers.close()
    return [dataclasses.replace(done[position], seconds=0.0) for position in range(len(runs))]


def samples(experiment: Any) -> int:
    return int(datasets.load(experiment.dataset).train.inputs.shape[1])


def test_records_do_not_depend_on_jobs_or_stacks(
    experiments: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = train(experiments, 1)
    assert together == train(experiments, 2)
    monkeypatch.setattr(plan, "MAX_STACK", 1)
    assert together == train(experiments, 1)


def test_records_say_who_they_are(experiments: list[Any]) -> None:
    first, last = (lambda records: (records[0], records[-1]))(train(experiments, 1))
    assert (first.config, first.initializer, first.seed) == ("small", "he_normal", 0)
    assert first.setting == {"learning_rate": 0.1}
    assert first.curve.iteration == (0, 10, 20, 30, 40)
    assert (last.initializer, last.seed) == ("glorot_uniform", 3)
    assert last.setting == {"learning_rate": 1}


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_reaches_the_end_of_every_stack(experiments: list[Any], jobs: int) -> None:
    news: list[execute.Progress] = []
    train(experiments, jobs, news.append)
    stacks = {one.stack.positions for one in news}
    assert len(stacks) == 2
    for positions in stacks:
        # Between the two, a worker tells what it has reached now and then.
        iterations = [one.iteration for one in news if one.stack.positions == positions]
        assert iterations == sorted(iterations)
        assert (iterations[0], iterations[-1]) == (0, 40)


def test_a_deadly_initializer_fails_and_no_other(
    experiments: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(experiments, 1)
    monkeypatch.setitem(INITIALIZERS, "normal", Initializer(leave, "-", "-", None))
    records = train(experiments, 2)
    failed = [record for record in records if record.status == "failed"]
    assert {record.initializer for record in failed} == {"normal(std=10)"}
    assert {record.reason for record in failed} == {
        "its worker died in each of 3 tries (killed, or out of memory?)"
    }
    assert [r for r in records if r.status != "failed"] == [
        r for r in whole if r.initializer != "normal(std=10)"
    ]


def leave(*_: object, **__: object) -> NoReturn:
    os._exit(1)


def test_a_run_that_cannot_be_drawn_fails_alone(
    experiments: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise ZeroDivisionError("by a plugin")

    whole = train(experiments, 1)
    monkeypatch.setitem(INITIALIZERS, "normal", Initializer(broken, "-", "-", None))
    records = train(experiments, 1)
    failed = [record for record in records if record.status == "failed"]
    assert {record.initializer for record in failed} == {"normal(std=10)"}
    assert {record.reason for record in failed} == {"normal raised ZeroDivisionError: by a plugin"}
    assert {(record.iterations, record.metric("train_loss")) for record in failed} == {(0, None)}
    assert [r for r in records if r.status != "failed"] == [
        r for r in whole if r.initializer != "normal(std=10)"
    ]
