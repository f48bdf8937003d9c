"""Splits that people have: a file of test samples, a split column, none at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from initbench import datasets, spec
from initbench.errors import DataError
from initbench.runs import identity, plan
from initbench.spec import Experiment
from tests.datasets.conftest import csv_of, dataset, file_data, refusal

COLORS = ["red", "green", "blue"]
ROWS = [
    (COLORS[i * 5 % 3], "" if i % 9 == 4 else str(i * 7 % 23), i % 2, i / 4, i % 3)
    for i in range(60)
]
HEADER = "color,size,member,weight,fold\n"


def text(rows: Any) -> str:
    return HEADER + "".join(",".join(map(str, row)) + "\n" for row in rows)


def test_the_train_samples_are_no_test_samples(tmp_path: Path) -> None:
    path = csv_of(tmp_path, text(ROWS))
    (tmp_path / "copy.csv").write_bytes(path.read_bytes())
    for name in (path.name, "copy.csv"):
        assert refusal(path, target="weight", test_path=name, missing="drop") == (
            f"{tmp_path / name}: test_path names the train samples themselves; name another file, "
            "or write test_fraction: 0 in its place to train and judge on all of them"
        )


def test_a_split_column_is_prepared_as_scikit_learn_would(tmp_path: Path) -> None:
    path = csv_of(tmp_path, text(ROWS))
    keys: dict[str, Any] = {"target": "weight", "split_column": "fold", "test_value": "1"}
    data = file_data(path, **keys, missing="mean")
    tests = np.array([row[4] == 1 for row in ROWS])
    sizes = np.array([[float(row[1] or "nan"), row[2]] for row in ROWS])
    imputer, scaler, encoder = SimpleImputer(), StandardScaler(), OneHotEncoder(sparse_output=False)
    colors = encoder.fit_transform([[row[0]] for row in ROWS])
    train = scaler.fit_transform(imputer.fit_transform(sizes[~tests]))
    expected = np.hstack([train, colors[~tests]])
    assert pytest.approx(expected) == data.train.inputs.T
    held = np.hstack([scaler.transform(imputer.transform(sizes[tests])), colors[tests]])
    assert pytest.approx(held) == data.test.inputs.T
    weights = np.array([row[3] for row in ROWS])
    assert data.unit == pytest.approx(weights[~tests].std())
    assert data.notes[-1] == (
        "data.csv: the 20 rows whose fold is 1 are the test samples; all others are trained on "
        "(0 20, 2 20)."
    )
    for value, words in (("7", "has no value '7'; it has 0 (20), 1 (20), 2 (20)"),):
        found = refusal(path, **{**keys, "test_value": value}, missing="mean")
        assert found == f"{path}: split_column 'fold' {words}; write another test_value"


def test_a_file_of_test_samples_is_the_same_split(tmp_path: Path) -> None:
    whole = csv_of(tmp_path, text(ROWS))
    column = file_data(
        whole, target="weight", split_column="fold", test_value="1", missing="median"
    )
    (tmp_path / "train.csv").write_text(text(row for row in ROWS if row[4] != 1))
    reversed_columns = "fold,weight,member,size,color\n" + "".join(
        ",".join(map(str, row[::-1])) + "\n" for row in ROWS if row[4] == 1
    )
    (tmp_path / "test.csv").write_text(reversed_columns)
    files = file_data(
        tmp_path / "train.csv", target="weight", test_path="test.csv", missing="median",
        drop=("fold",),
    )  # fmt: skip
    for split, other in ((column.train, files.train), (column.test, files.test)):
        assert np.array_equal(split.inputs, other.inputs)
        assert np.array_equal(split.targets, other.targets)
    assert len(files.sha256) == 129


def test_problems_of_the_file_of_test_samples_name_it(tmp_path: Path) -> None:
    path = csv_of(tmp_path, "a,c,y\n" + "".join(f"{i},{'pq'[i % 2]},{i % 2}\n" for i in range(20)))
    other = tmp_path / "test.csv"
    other.write_text("a,y\nx,0\n?,01\n")
    assert refusal(path, test_path="test.csv").splitlines() == [
        f"{other}: column 'a' holds texts, and in the file of the train samples numbers; write "
        "both in one way",
        f"{other}: has no column 'c', as the file of the train samples has",
        f"{other}:3: column 'y': '01' is the same number as '1' in the file of the train samples; "
        "write both in one way",
        f"{other}:3: column 'a': '?' is missing; fill it or drop the row, or write missing: drop, "
        "mean, median or most_frequent",
    ]
    other.unlink()
    assert refusal(path, test_path="test.csv").startswith(f"{other}: cannot be read")


def test_both_files_are_bound_to_their_bytes(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i % 2}\n" for i in range(20))
    path, other = csv_of(tmp_path, f"a,y\n{rows}"), tmp_path / "test.csv"
    other.write_text(f"a,y\n{rows}8,0\n")
    choice = spec.FileDataset(path="data.csv", target="y", test_path="test.csv")
    bound = datasets.pinned(choice, tmp_path)
    assert isinstance(bound, spec.FileDataset)
    config = {"name": "c", "initializer": "zeros", "layers": [1, 1], "seeds": [0]}
    e = Experiment.model_validate({**config, "iterations": 1, "learning_rate": 0.1})
    (run,) = plan.runs([e.model_copy(update={"dataset": bound})])
    known = identity.resolved(run, datasets.fingerprint(bound))["dataset"]
    assert (known["path"], known["test_path"], len(known["sha256"])) == (None, None, 129)
    assert not {"features", "split_column", "decimal"} & known.keys()
    other.write_text(f"a,y\n{rows}9,0\n")
    with pytest.raises(DataError, match="has changed since"):
        datasets.load(bound)
    path.unlink()


def test_the_four_rows_of_xor_are_all_trained_on(tmp_path: Path) -> None:
    path = csv_of(tmp_path, "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    assert "or 0 to train on all of them" in refusal(path)
    data = file_data(path, test_fraction=0, standardize="none")
    assert data.train.inputs.tolist() == [[0, 0, 1, 1], [0, 1, 0, 1]]
    assert data.train.targets.tolist() == [[0, 1, 1, 0]]
    assert np.array_equal(data.test.inputs, data.train.inputs)
    assert data.notes == ("test_fraction is 0: test metrics are those of the train samples.",)
    scaled = file_data(path, test_fraction=0)
    assert scaled.train.inputs.tolist() == [[-1, -1, 1, 1], [-1, 1, -1, 1]]
    kept = file_data(path, test_fraction=0.5, standardize="none")  # of the table that is kept
    assert set(kept.train.inputs.flat) == {0, 1}


def test_named_data_can_be_trained_on_whole() -> None:
    whole, split = dataset("iris", test_fraction=0), dataset("iris")
    assert whole.train.inputs.shape == (4, 150)
    assert split.train.inputs.shape == (4, 112)


@pytest.mark.parametrize(
    "keys",
    [
        {"test_path": "b.csv", "split_column": "fold"},
        {"test_path": "b.csv", "resplit": True},
        {"split_column": "fold", "test_fraction": 0.5},
    ],
)
def test_samples_are_split_in_one_way(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=" and ".join(keys)):
        spec.FileDataset(path="a.csv", target="y", **keys)


def test_each_class_of_the_test_samples_needs_a_train_sample(tmp_path: Path) -> None:
    rows = "".join(f"{i},{'uvw'[i // 10]},{i // 20}\n" for i in range(30))
    path = csv_of(tmp_path, f"a,y,fold\n{rows}")
    found = refusal(path, split_column="fold", test_value="1")
    assert found == (
        "data.csv cannot be used with its test samples: some classes of the test samples have no "
        "train sample; add some, or remove them"
    )
