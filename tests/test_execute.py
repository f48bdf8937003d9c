from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from initbench import config, datasets, execute, plan
from initbench.core.initializers import INITIALIZERS, Initializer
from initbench.core.network import layer_views
from initbench.errors import WorkerError
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
    done = dict(execute.execute(stacks, jobs, report))
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
    stacks = {one.stack for one in news}
    assert len(stacks) == jobs
    # A worker's last word may still be under way when its result is in.
    for stack in stacks:
        assert [one.iteration for one in news if one.stack == stack][:4] == [0, 10, 20, 30]


def test_a_worker_that_dies_is_an_error_that_says_so(
    experiments: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly = Initializer(leave, "-", "-")
    monkeypatch.setitem(INITIALIZERS, "he_normal", deadly)
    with pytest.raises(WorkerError, match="a worker process died"):
        train(experiments, 2)


def leave(*_: object, **__: object) -> NoReturn:
    os._exit(1)


def test_a_run_that_cannot_be_drawn_fails_alone(
    experiments: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise ZeroDivisionError("by a plugin")

    whole = train(experiments, 1)
    monkeypatch.setitem(INITIALIZERS, "normal", Initializer(broken, "-", "-"))
    records = train(experiments, 1)
    failed = [record for record in records if record.status == "failed"]
    assert {record.initializer for record in failed} == {"normal(std=10)"}
    assert {record.reason for record in failed} == {"ZeroDivisionError: by a plugin"}
    assert {(record.iterations, record.metric("train_loss")) for record in failed} == {(0, None)}
    assert [r for r in records if r.status != "failed"] == [
        r for r in whole if r.initializer != "normal(std=10)"
    ]


def work_of(experiments: list[Any], nudges: list[int]) -> execute.Work:
    runs = [plan.Run(e, e.initializer[0], 0, nudge) for e in experiments[:1] for nudge in nudges]
    return execute.prepare(plan.Stack(tuple(runs), tuple(range(len(runs)))))


def test_twins_start_one_unit_in_the_last_place_away(experiments: list[Any]) -> None:
    work = work_of(experiments, [0, 1, 2])
    theta, _ = execute.draw(work)
    drawn = theta.copy()
    execute.nudge(theta, work)
    moved = np.abs(theta - drawn) / np.spacing(np.abs(drawn))
    biases = np.zeros_like(theta[:1])
    for view in layer_views(biases, work.problem.sizes):
        view[..., -1] = 1
    assert (moved[0] == 0).all()
    # A unit below a power of two is half as large.
    assert np.isin(moved[1:, biases[0] == 0], [0.5, 1.0]).all()
    assert (moved[1:, biases[0] == 1] == 0).all()
    assert (theta[1] != theta[2]).any()
    up = (theta[1] > drawn[1])[biases[0] == 0]
    assert 0 < up.sum() < up.size


def test_weights_of_zero_have_no_twins(tmp_path: Path) -> None:
    path = tmp_path / "zeros.yaml"
    path.write_text(CONFIG.replace("he_normal", "zeros"))
    work = work_of(config.load([path]), [0, 1])
    theta, _ = execute.draw(work)
    execute.nudge(theta, work)
    assert (theta == 0).all()


def test_a_twin_trains_the_same_alone_and_beside_its_run(experiments: list[Any]) -> None:
    def train_runs(nudges: list[int]) -> list[Record]:
        run = plan.runs(experiments)[0]
        runs = [dataclasses.replace(run, nudge=nudge) for nudge in nudges]
        done = dict(execute.execute(plan.stacks(runs, 1, samples), 1, lambda _: None))
        return [dataclasses.replace(done[i], seconds=0.0) for i in range(len(runs))]

    together = train_runs([0, 1, 2])
    assert train_runs([1]) == [together[1]]
    assert len({record.id for record in together}) == 3
