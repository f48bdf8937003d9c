"""Sizes and paths are settled by the data set, the folder and the memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from initbench import config, spec
from initbench.datasets.memory import Memory
from initbench.runs import cost
from tests.config.conftest import BASE, NO_SIZES, load, refusal


def test_width_and_depth_become_layers_that_fit_the_data() -> None:
    (experiment,) = load(NO_SIZES + "width: 7\ndepth: 3\ndataset: wine\n")
    assert experiment.architecture.sizes == (13, 7, 7, 7, 3)
    assert (experiment.width, experiment.depth) == (None, None)


def test_a_network_larger_than_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "available_memory", lambda: Memory(2**20, "this machine"))
    assert load(BASE)
    wide = NO_SIZES + "width: 9000\ndepth: 2\n"
    for text, place in (wide, "4:8: width"), (BASE.replace("3", "9000, 9000"), "2:9: layers"):
        message = refusal(text)
        assert message.startswith(f"x.yaml:{place}: one run needs 2.")
        assert " GiB (81,045,001 parameters, data of 0.0 MiB), this machine has 1.0 MiB" in message
    monkeypatch.setattr(cost, "available_memory", lambda: None)
    assert load(text)


def test_a_path_is_relative_to_its_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "data.csv").write_text("a,b,y\n" + "1,2,u\n3,4,v\n" * 9)
    path = tmp_path / "deep" / "own.yaml"
    text = "initializer: zeros\nwidth: 3\ndepth: 1\niterations: 1\nlearning_rate: 1\n"
    path.write_text(text + "dataset: {name: file, path: ../data.csv, target: y}\n")
    monkeypatch.chdir(tmp_path / "deep")
    for spelling in ("own.yaml", path, "../deep/own.yaml"):
        (experiment,) = config.load([spelling])
        assert experiment.architecture.sizes == (2, 3, 1)
        assert isinstance(experiment.dataset, spec.FileDataset)
        assert experiment.dataset.path == str(tmp_path / "data.csv")
