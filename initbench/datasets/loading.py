"""Loading: a config's ``dataset`` -> train and test arrays, and what can be said of them."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.special import entr

from initbench.datasets import named
from initbench.datasets.files import read_file
from initbench.datasets.memory import available_memory, bytes_text
from initbench.datasets.preparation import (
    Dataset,
    DataSize,
    dataset_of,
    held_out,
    split_dataset,
    title,
)
from initbench.datasets.recent import Recent
from initbench.datasets.tables import Table
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
#: Data sets larger than this are made anew for each stack that trains on them.
KEPT_BYTES = 2**29
#: Numbers of 8 bytes at the peak, for each sample of the sets in the plane (by tracemalloc, 7 to
#: 10), and for each class of a blobs' sample beside its features twice.
PLANAR_NUMBERS, BLOB_NUMBERS = 9.0, 1.2


def load(choice: Choice, folder: Path | None = None) -> Dataset:
    """Load the data set of a config's ``dataset``, or find it among the last few loaded.

    Args:
        choice: The data set's model, as an experiment has it.
        folder: The folder that a relative path of a user's file starts from.

    Raises:
        DataError: The data set cannot be read, split, or held in memory as finite numbers; or a
            user's file has changed since its choice was :func:`pinned`.

    >>> from initbench import spec
    >>> data = load(spec.CirclesDataset())
    >>> data.task, data.train.inputs.shape, data.test.targets.shape
    ('binary', (2, 300), (1, 100))
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # found just below
            data = _of_file(choice, folder) if isinstance(choice, FileDataset) else _named(choice)
    except MemoryError:
        raise DataError(f"{title(choice)} does not fit in memory; use fewer samples") from None
    for split in (data.train, data.test):
        if not (np.isfinite(split.inputs).all() and np.isfinite(split.targets).all()):
            raise DataError(
                f"{title(choice)} holds numbers that are too large to compute with; scale them down"
            )
    return data


@lru_cache(maxsize=4096)
def size(choice: Choice) -> DataSize:
    """The samples and bytes of a data set that its choice determines, a user's file's if pinned.

    They are kept when the data themselves are not.
    """
    return load(choice).size


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
    """The SHA-256 of a user's file; None for other data sets, which their parameters determine.

    It is that of the bytes that were parsed, which are read once.
    """
    if not isinstance(choice, FileDataset):
        return None
    return choice.sha256 or load(choice).sha256


def pinned(choice: Choice, folder: Path | None = None, data: Dataset | None = None) -> Choice:
    """A user's file by its absolute path, bound to the bytes that it holds now; others as they are.

    Whatever is loaded of it later comes from bytes of the same SHA-256, or is refused. ``data`` is
    what was loaded of it, if it was.
    """
    if not isinstance(choice, FileDataset) or choice.sha256:
        return choice
    held = (data or load(choice, folder)).sha256
    return choice.pinned(*_absolute(choice, folder), held)


_TABLES = Recent[Table](2, KEPT_BYTES, lambda table: table.x.nbytes + table.y.nbytes)
_SPLITS = Recent[Dataset](8, KEPT_BYTES, lambda data: data.size.nbytes)


def _of_file(choice: FileDataset, folder: Path | None) -> Dataset:
    """A user's file, read once for all splits of it, until it changes."""
    paths = _absolute(choice, folder)
    key, stamp = choice.pinned(*paths, ""), tuple(map(_stamp, paths))

    def read() -> Table:
        return read_file(choice, folder or Path())

    def split() -> Dataset:
        return split_dataset(choice, _TABLES.get((key.unsplit, stamp), read))

    data = _SPLITS.get((key, stamp), split)
    if choice.sha256 not in ("", data.sha256):
        raise DataError(
            f"{choice.path}: has changed since this command first read it; start the command again"
        )
    return data


def _absolute(choice: FileDataset, folder: Path | None) -> tuple[str, str | None]:
    """The absolute paths of the file, and of that of the test samples if there is one."""

    def absolute(name: str) -> str:
        if "\0" in name:
            raise DataError(f"{name!r} holds the character NUL, which a file name cannot have")
        path = (folder or Path()) / name
        try:
            return str(path.resolve())
        except (OSError, RuntimeError):  # links that go in a circle: read_file will complain
            return str(path.absolute())

    test_path = choice.test_path
    return absolute(choice.path), None if test_path is None else absolute(test_path)


def _stamp(path: str | None) -> Stamp | None:
    """What tells a file from a later one of the same name; None where read_file will complain."""
    if path is None:
        return None
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


@lru_cache(maxsize=4)
def _measured(choice: MeasuredDataset) -> Table:
    x, y, classify = named.measured(choice)
    return Table(x, y, classify, numbers=x.shape[1])


def _ensure_room(choice: GeneratedDataset | BlobsDataset, features: int, numbers: float) -> None:
    """Raise DataError where samples that are yet to be drawn do not fit in memory."""
    samples = choice.train_samples + choice.test_samples
    needed, memory = int(8 * numbers * samples), available_memory()
    if memory is not None and needed > memory.size:
        raise DataError(
            f"{title(choice)} needs {bytes_text(needed)} ({samples:,} samples of {features:,} "
            f"features), {memory.whose} has {bytes_text(memory.size)}; use fewer samples"
        )


@lru_cache(maxsize=8)
def _named(choice: Choice) -> Dataset:
    match choice:
        case GeneratedDataset():
            _ensure_room(choice, features=2, numbers=PLANAR_NUMBERS)
            train = named.generated(choice, choice.train_samples, choice.train_random_state)
            test = named.generated(choice, choice.test_samples, choice.test_random_state)
            state = choice.train_random_state
            return dataset_of(*held_out(choice, train, test, state, classify=True), classify=True)
        case BlobsDataset():
            numbers = 2 * choice.features + BLOB_NUMBERS * choice.centers
            _ensure_room(choice, choice.features, numbers)
            train, test = named.blobs(choice)
            state = choice.random_state
            return dataset_of(*held_out(choice, train, test, state, classify=True), classify=True)
        case MeasuredDataset():
            return split_dataset(choice, _measured(type(choice)(name=choice.name)))
    raise AssertionError(choice)  # every model in the spec has its case
