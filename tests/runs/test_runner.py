"""The flow from experiments to records, without a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from initbench import config, datasets
from initbench.runs import execute, identity, plan
from initbench.runs.records import NO_CURVE, Record
from initbench.runs.runner import Execution, Trained, train, train_afresh, train_runs
from initbench.runs.store import opened
from initbench.runs.workers import Processes

CONFIG = "initializer: zeros\nlayers: [2, 4, 1]\niterations: 2\nlearning_rate: 1\nseeds: 2"


def test_workers_are_ended_when_ctrl_c_comes_before_their_first_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.yaml").write_text(CONFIG)
    runs = plan.runs(config.load([str(tmp_path / "small.yaml")]))
    todo = dict(zip(identity.identities(runs, datasets.fingerprint), runs, strict=True))
    closed: list[bool] = []
    monkeypatch.setattr(Processes, "close", lambda _: closed.append(True))

    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(execute, "execute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(train_runs(todo, Execution(jobs=2)))
    assert closed == [True]


def test_the_gate_reads_a_data_set_once_for_all_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.yaml").write_text(CONFIG + "\nsweep: {learning_rate: [1, 2]}")
    runs = plan.runs(config.load([str(tmp_path / "small.yaml")]))
    read: list[object] = []
    monkeypatch.setattr(datasets, "fingerprint", read.append)
    assert [record.seed for record in train_afresh(runs, Execution(jobs=1))] == [0, 1, 0, 1]
    assert len(read) == 1


def record(status: str) -> Record:
    return Record("id", "c", "own", {}, 0, status, NO_CURVE, 0.0, reason="no")  # type: ignore[arg-type]


def test_what_came_of_the_runs_is_said_in_words() -> None:
    ok, failed = record("ok"), record("failed")
    assert Trained([ok], 1).summary == "1 run: 0 from results, 1 trained"
    assert Trained([ok] * 1500, 1500).summary == "1,500 runs: 0 from results, 1,500 trained"
    assert Trained([ok], 2, KeyboardInterrupt()).summary == "1 of 2 runs finished"
    assert Trained([ok], 1).failure is None
    assert str(Trained([failed], 1).failure) == "1 of 1 run failed:\nc, own: no"
    assert str(Trained([failed, failed, ok], 3).failure) == "2 of 3 runs failed:\nc, own: no"
    interrupt = KeyboardInterrupt()
    assert Trained([failed], 2, interrupt).failure is interrupt


def test_stored_runs_are_not_trained_again_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(CONFIG)
    experiments = config.load([tmp_path / "small.yaml"])
    one = Execution(jobs=1)
    with opened(tmp_path) as store:
        first, second, forced = (
            train(experiments, execution, store)
            for execution in (one, one, Execution(jobs=1, force=True))
        )
    assert [record.cached for record in first.records] == [False, False]
    assert [record.cached for record in second.records] == [True, True]
    assert [record.cached for record in forced.records] == [False, False]
    assert [r.curve for r in first.records] == [r.curve for r in forced.records]
    assert not any(record.cached for record in train(experiments, one).records)
