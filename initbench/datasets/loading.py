"""Data sets: a name -> train and test arrays. The only place that reads data."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.special import entr

from initbench.datasets import named
from initbench.datasets.files import read_file
from initbench.datasets.preparation import Dataset, dataset_of, split_dataset
from initbench.errors import DataError
from initbench.metrics import METRICS
from initbench.spec.choice import Choice
from initbench.spec.datasets import (
    BlobsDataset,
    FileDataset,
    GeneratedDataset,
    MeasuredDataset,
)


def load(choice: Choice, folder: Path | None = None) -> Dataset:
    """The data set of a config's ``dataset``; ``folder`` is where a relative path starts.

    Raises DataError where a file does not hold what the config says of it.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # judged just below
            data = _load(choice, folder if isinstance(choice, FileDataset) else None)
    except MemoryError:
        raise DataError(f"{choice.name} does not fit in memory; ask for fewer samples") from None
    for split in (data.train, data.test):
        if not (np.isfinite(split.inputs).all() and np.isfinite(split.targets).all()):
            raise DataError(f"{choice.name} holds numbers too large to compute with; scale it down")
    return data


def constant_loss(dataset: Dataset) -> float:
    """The train loss of the best predictor that ignores its inputs.

    It says the classes' shares, or the mean: its loss is their entropy, or the variance (of
    several outputs, the mean of theirs).
    """
    targets = dataset.train.targets
    if dataset.task == "regression":
        return float(targets.var(axis=1).mean())
    shares = targets.mean(axis=1)
    if dataset.task == "binary":
        shares = np.array([1 - shares[0], shares[0]])
    return float(entr(shares).sum())


def metrics(dataset: Dataset) -> tuple[str, ...]:
    """Those of METRICS that the task has: a regression has no accuracy."""
    regression = dataset.task == "regression"
    return tuple(m.name for m in METRICS.values() if not (regression and m.family == "accuracy"))


def fingerprint(choice: Choice) -> str | None:
    """The SHA-256 of a user's file; None for a data set that its name and parameters determine."""
    if not isinstance(choice, FileDataset):
        return None
    with Path(choice.path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=8)
def _load(choice: Choice, folder: Path | None) -> Dataset:
    match choice:
        case GeneratedDataset():
            train = named.generated(choice, choice.train_samples, choice.train_random_state)
            test = named.generated(choice, choice.test_samples, choice.test_random_state)
            return dataset_of(train, test, classify=True)
        case BlobsDataset():
            return dataset_of(*named.blobs(choice), classify=True)
        case FileDataset():
            return split_dataset(choice, *read_file(choice, folder or Path()))
        case MeasuredDataset():
            return split_dataset(choice, *named.measured(choice))
    raise AssertionError(choice)  # every model in the spec has its case
