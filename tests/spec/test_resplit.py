"""`resplit`: each seed has its own split, the same for all initializers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initbench import datasets, spec
from initbench.datasets.files import read_file
from initbench.runs import identity, plan
from initbench.spec import Experiment
from initbench.spec.datasets import derived_state

NAMES = sorted(set(spec.DATASET_MODELS) - {"file"})


def experiment(dataset: Any, **keys: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "c", "initializer": ["he_normal", "zeros"], "layers": [2, 3, 1],
            "iterations": 5, "learning_rate": 0.1, "dataset": dataset, "seeds": 3, **keys,
        }
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_each_seed_has_other_samples_and_every_initializer_the_same(name: str) -> None:
    runs = plan.runs([experiment({"name": name, "resplit": True})])
    of_seed: dict[int, set[Any]] = {}
    for run in runs:
        assert not run.experiment.dataset.resplit
        of_seed.setdefault(run.seed, set()).add(run.experiment.dataset)
    assert [len(sets) for sets in of_seed.values()] == [1, 1, 1]
    first, other = (datasets.load(of_seed[seed].pop()) for seed in (0, 1))
    assert first.train.inputs.shape == other.train.inputs.shape
    assert not np.array_equal(first.train.inputs, other.train.inputs)


@pytest.mark.parametrize("name", NAMES)
def test_without_it_nothing_changes(name: str) -> None:
    (run, *_) = plan.runs([experiment(name)])
    assert run.experiment.dataset is experiment(name).dataset or not run.experiment.dataset.resplit
    assert "resplit" not in identity.resolved(run, None)["dataset"]


def test_a_run_is_known_by_the_equal_plain_data_set() -> None:
    split = experiment({"name": "digits", "resplit": True}, layers=[64, 3, 10])
    (run, *_) = plan.runs([split])
    plain = experiment(
        {"name": "digits", "split_random_state": run.experiment.dataset.split_random_state},  # type: ignore[attr-defined]
        layers=[64, 3, 10],
    )
    assert identity.identity(run, None) == identity.identity(plan.runs([plain])[0], None)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_states_are_random_states_of_their_own(state: int, seed: int) -> None:
    derived = derived_state("split_random_state", state, seed)
    assert 0 <= derived < 2**32
    assert derived == derived_state("split_random_state", state, seed)


def test_a_file_is_read_once_for_all_its_splits(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b,y\n" + "".join(f"{i},{i * i},{i % 2}\n" for i in range(40)))
    choice = spec.FileDataset(name="file", path=str(path), target="y", resplit=True)
    reads = []

    def counted(choice: spec.FileDataset, folder: Path) -> Any:
        reads.append(choice)
        return read_file(choice, folder)

    monkeypatch.setattr("initbench.datasets.loading.read_file", counted)
    for seed in range(12):
        datasets.load(choice.at_seed(seed))
    assert len(reads) == 1
    path.write_text("a,b,y\n" + "".join(f"{i},{-i},{i % 2}\n" for i in range(40)))
    datasets.load(choice.at_seed(0))
    assert len(reads) == 2
