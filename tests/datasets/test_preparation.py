"""Splits and scales."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from tests.datasets.conftest import csv_of, dataset, file_data, refusal


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "wine", "iris"])
def test_a_split_keeps_the_share_of_every_class(name: str) -> None:
    data = dataset(name)
    train, test = (split.targets.mean(axis=1) for split in (data.train, data.test))
    assert np.abs(train - test).max() < 1 / data.test.targets.shape[1]


def test_features_and_numbers_to_predict_are_standardised_on_train_alone() -> None:
    data, raw = dataset("wine"), dataset("wine", standardize="none")
    assert np.allclose(data.train.inputs.mean(axis=1), 0, atol=1e-12)
    mean, std = raw.train.inputs.mean(axis=1), raw.train.inputs.std(axis=1)
    for held, given in ((data.train, raw.train), (data.test, raw.test)):
        assert np.allclose(held.inputs.T * std + mean, given.inputs.T)
    targets = dataset("diabetes").train.targets  # a regression's, too
    assert np.allclose((targets.mean(), targets.std()), (0, 1))


def test_constant_features_become_zero() -> None:
    data = dataset("digits")  # three corner pixels are always blank
    assert set(data.train.inputs[data.train.inputs.std(axis=1) == 0].flat) == {0.0}


def test_standardised_globally_or_not_at_all() -> None:
    raw = dataset("digits", standardize="none").train.inputs
    scaled = dataset("digits", standardize="global").train.inputs
    assert (raw.min(), raw.max()) == (0, 16)
    assert np.allclose(scaled, (raw - raw.mean()) / raw.std())


def test_a_split_is_made_by_its_own_state_and_fraction() -> None:
    other = dataset("iris", split_random_state=1)
    assert not np.array_equal(dataset("iris").test.inputs, other.test.inputs)
    assert dataset("iris", test_fraction=0.5).test.inputs.shape == (4, 75)


def test_a_constant_column_becomes_zero_although_its_mean_is_rounded(tmp_path: Path) -> None:
    text = "a,b,y\n" + "".join(f"0.1,{i},{i % 2}\n" for i in range(300))
    data = file_data(csv_of(tmp_path, text))
    assert np.abs(data.train.inputs[0]).max() < 1e-12


@pytest.mark.parametrize(
    ("labels", "keys", "words"),
    [
        (
            "uvuvuvuvuvw",
            {},
            "1 of 3 classes has 1 sample, and each needs 2, one to train on and one for the test "
            "split; remove them or add samples",
        ),
        (
            "uvwuvw",
            {},
            "test_fraction 0.25 of 6 samples leaves 2 for the test split, fewer than the 3 "
            "classes; write test_fraction: at least 0.5, or 0 to train on all of them, or "
            "add samples",
        ),
        (
            "uvwuvw",
            {"test_fraction": 0.8},
            "test_fraction 0.8 of 6 samples leaves 1 for the train split, fewer than the 3 "
            "classes; write test_fraction: at most 0.5, or 0 to train on all of them, or "
            "add samples",
        ),
        (
            "uvuvuvuv",
            {"validation": 0.1},
            "validation 0.1 of 6 samples leaves 1 for the validation split, fewer than the 2 "
            "classes; write validation: at least 0.34, or add samples",
        ),
    ],
)
def test_a_split_too_small_for_its_classes(
    tmp_path: Path, labels: str, keys: dict[str, Any], words: str
) -> None:
    path = csv_of(tmp_path, "a,y\n" + "".join(f"1,{label}\n" for label in labels))
    assert refusal(path, **keys) == f"{path.name} cannot be split: {words}"
    share = keys.get("validation", keys.get("test_fraction", 0.25))
    held = list(labels[: 6 if "validation" in keys else None])
    with pytest.raises(ValueError, match=r"least populated|number of classes"):  # scikit-learn's
        train_test_split(held, test_size=share, stratify=held)
