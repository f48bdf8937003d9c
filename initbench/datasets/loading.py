"""Loading: a config's ``dataset`` -> train and test arrays, and what can be said of them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.special import entr

from initbench.core.arrays import Array
from initbench.datasets import named
from initbench.datasets.files import read_file
from initbench.datasets.preparation import Dataset, dataset_of, held_out, split_dataset, title
from initbench.errors import DataError
from initbench.metrics import METRICS
from initbench.spec.choice import Choice
from initbench.spec.datasets import (
    BlobsDataset,
    FileDataset,
    GeneratedDataset,
    MeasuredDataset,
)

#: A file's time of change in ns, its size in bytes and its inode.
Stamp = tuple[int, int, int]


def load(choice: Choice, folder: Path | None = None) -> Dataset:
    """Load the data set of a config's ``dataset``, or find it among the last few loaded.

    Args:
        choice: The data set's model, as an experiment has it.
        folder: The folder that a relative path of a user's file starts from.

    Raises:
        DataError: The data set cannot be read, split, or held in memory as finite numbers.

    >>> from initbench import spec
    >>> data = load(spec.CirclesDataset())
    >>> data.task, data.train.inputs.shape, data.test.targets.shape
    ('binary', (2, 300), (1, 100))
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # found just below
            data = (
                _load(choice, folder, _stamp(choice, folder or Path()))
                if isinstance(choice, FileDataset)
                else _load(choice, None, None)
            )
    except MemoryError:
        raise DataError(f"{title(choice)} does not fit in memory; use fewer samples") from None
    for split in (data.train, data.test):
        if not (np.isfinite(split.inputs).all() and np.isfinite(split.targets).all()):
            raise DataError(
                f"{title(choice)} holds numbers that are too large to compute with; scale them down"
            )
    return data


def constant_loss(dataset: Dataset) -> float:
    """The train loss of the best predictor that ignores its inputs.

    In a classification that predictor gives each class its share of the train samples, and its
    loss is the entropy of the shares, in nats. In a regression it gives the mean, and its loss is
    the variance, averaged over the outputs.

    >>> from initbench import spec
    >>> round(constant_loss(load(spec.CirclesDataset())), 4)  # two classes of one size: log 2
    0.6931
    """
    targets = dataset.train.targets
    if dataset.task == "regression":
        return float(targets.var(axis=1).mean())
    shares = targets.mean(axis=1)
    if dataset.task == "binary":
        shares = np.array([1 - shares[0], shares[0]])
    return float(entr(shares).sum())


def metrics(dataset: Dataset) -> tuple[str, ...]:
    """The names of the metrics that the task has: a regression has no accuracy."""
    regression = dataset.task == "regression"
    return tuple(m.name for m in METRICS.values() if not (regression and m.family == "accuracy"))


def fingerprint(choice: Choice) -> str | None:
    """The SHA-256 of a user's file; None for other data sets, which their parameters determine."""
    if not isinstance(choice, FileDataset):
        return None
    with Path(choice.path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp(choice: FileDataset, folder: Path) -> Stamp | None:
    """What tells a file from a later one of the same name; None where read_file will complain."""
    try:
        status = (folder / choice.path).stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


@lru_cache(maxsize=2)
def _read(
    choice: FileDataset,
    folder: Path,
    stamp: Stamp | None,  # noqa: ARG001  # what the cache tells files apart by
) -> tuple[Array, Array, bool]:
    return read_file(choice, folder)


@lru_cache(maxsize=4)
def _measured(choice: MeasuredDataset) -> tuple[Array, Array, bool]:
    return named.measured(choice)


@lru_cache(maxsize=8)
def _load(choice: Choice, folder: Path | None, stamp: Stamp | None) -> Dataset:
    match choice:
        case GeneratedDataset():
            train = named.generated(choice, choice.train_samples, choice.train_random_state)
            test = named.generated(choice, choice.test_samples, choice.test_random_state)
            state = choice.train_random_state
            return dataset_of(*held_out(choice, train, test, state, classify=True), classify=True)
        case BlobsDataset():
            train, test = named.blobs(choice)
            state = choice.random_state
            return dataset_of(*held_out(choice, train, test, state, classify=True), classify=True)
        case FileDataset():
            # A file is read once for all splits of it, until it changes.
            unsplit = FileDataset(path=choice.path, target=choice.target, task=choice.task)
            return split_dataset(choice, *_read(unsplit, folder or Path(), stamp))
        case MeasuredDataset():
            return split_dataset(choice, *_measured(type(choice)(name=choice.name)))
    raise AssertionError(choice)  # every model in the spec has its case
