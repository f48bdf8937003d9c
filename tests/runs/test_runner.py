from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from initbench import config, datasets
from initbench.runs import identity, plan
from initbench.runs import workers as executors
from initbench.runs.runner import Execution, train_afresh, train_runs

CONFIG = "initializer: zeros\nlayers: [2, 4, 1]\niterations: 2\nlearning_rate: 1\nseeds: 2"


def test_workers_are_ended_when_ctrl_c_comes_before_their_first_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.yaml").write_text(CONFIG)
    runs = plan.runs(config.load([str(tmp_path / "small.yaml")]))
    todo = dict(zip(identity.identities(runs, datasets.fingerprint), runs, strict=True))
    closed: list[bool] = []
    monkeypatch.setattr(executors.Processes, "close", lambda _: closed.append(True))

    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(plan, "stacks", interrupted)
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
