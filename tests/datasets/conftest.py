"""What the tests of data sets share: loading one by name, and a user's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from initbench import datasets, spec
from initbench.datasets import Dataset
from initbench.errors import DataError

Arrays = dict[str, Any]


def dataset(name: str, **parameters: Any) -> Dataset:
    return datasets.load(spec.DATASET_MODELS[name](name=name, **parameters))


def file_data(path: Path, **parameters: Any) -> Dataset:
    choice = spec.FileDataset(**{"path": path.name, "target": "y"} | parameters)
    return datasets.load(choice, path.parent)


def refusal(path: Path, **parameters: Any) -> str:
    with pytest.raises(DataError) as caught:
        file_data(path, **parameters)
    return str(caught.value)


def csv_of(folder: Path, text: str | bytes) -> Path:
    path = folder / "data.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def npz_of(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path
