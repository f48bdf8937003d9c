"""Data sets: a name -> train and test arrays. The only place that reads data.

scikit-learn is imported when a data set is loaded: it alone takes most of a second.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import math
import tokenize
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.lib.format import read_array
from numpy.typing import NDArray
from scipy.special import entr

from initbench import spec
from initbench.core.engine.train import Split
from initbench.errors import DataError
from initbench.metrics import METRICS
from initbench.spec.choice import Choice

Array = NDArray[Any]

#: A file's target of at most so many distinct whole numbers is taken for classes.
MAX_GUESSED_CLASSES = 20
#: What zipfile, zlib, tokenize and NumPy raise at a file that is no archive of arrays.
_NOT_NPZ = (
    ValueError, EOFError, MemoryError, RuntimeError, BadZipFile, zlib.error, tokenize.TokenError
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dataset:
    """Train and test samples, and the task they pose: binary, multiclass or regression.

    Inputs are (I, N). Targets are (1, N) 0 and 1 for a binary task, one-hot (classes, N)
    for a multiclass one, (1, N) numbers for a regression.
    """

    train: Split
    test: Split
    task: str


def load(choice: Choice, folder: Path | None = None) -> Dataset:
    """The data set of a config's ``dataset``; ``folder`` is where a relative path starts.

    Raises DataError where a file does not hold what the config says of it.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # judged just below
            data = _load(choice, folder if isinstance(choice, spec.FileDataset) else None)
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
    if not isinstance(choice, spec.FileDataset):
        return None
    with Path(choice.path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=8)
def _load(choice: Choice, folder: Path | None) -> Dataset:
    match choice:
        case spec.GeneratedDataset():
            samples = [
                _generated(choice, count, state)
                for count, state in (
                    (choice.train_samples, choice.train_random_state),
                    (choice.test_samples, choice.test_random_state),
                )
            ]
            return _dataset(*samples, classify=True)
        case spec.BlobsDataset():
            from sklearn.datasets import make_blobs

            x, y = make_blobs(
                choice.train_samples + choice.test_samples,
                n_features=choice.features,
                centers=choice.centers,
                cluster_std=choice.cluster_std,
                random_state=choice.random_state,
            )
            cut = choice.train_samples
            return _dataset((x[:cut], y[:cut]), (x[cut:], y[cut:]), classify=True)
        case spec.FileDataset():
            x, y, classify = _from_file(choice, folder or Path())
            return _split(choice, x, y, classify)
        case spec.MeasuredDataset():
            from sklearn import datasets

            x, y = getattr(datasets, f"load_{choice.name}")(return_X_y=True)
            return _split(choice, x, y, not isinstance(choice, spec.DiabetesDataset))
    raise AssertionError(choice)  # every model in the spec has its case


def _generated(choice: spec.GeneratedDataset, count: int, state: int) -> tuple[Array, Array]:
    """``count`` samples of a synthetic data set: (N, I) and classes (N,)."""
    if isinstance(choice, spec.SpiralsDataset):
        return _spirals(choice, count, state)
    from sklearn.datasets import make_circles, make_moons

    if isinstance(choice, spec.CirclesDataset):
        x, y = make_circles(count, noise=choice.noise, factor=choice.factor, random_state=state)
    else:
        x, y = make_moons(count, noise=cast(spec.MoonsDataset, choice).noise, random_state=state)
    return x, y


def _spirals(choice: spec.SpiralsDataset, count: int, state: int) -> tuple[Array, Array]:
    """Arm c: radius t in (0, 1), angle 2 pi (turns t + c / classes), plus Gaussian noise."""
    rng = np.random.RandomState(state)
    y = np.arange(count) % choice.classes
    t = np.sqrt(rng.uniform(0, 1, count))
    angle = 2 * np.pi * (choice.turns * t + y / choice.classes)
    x = t * np.stack([np.cos(angle), np.sin(angle)])
    x += choice.noise * rng.standard_normal(x.shape)
    return x.T, y


def _split(choice: spec.MeasuredDataset, x: Array, y: Array, classify: bool) -> Dataset:
    """Split by the stated seed, stratified by class; standardise on the train part."""
    from sklearn.model_selection import train_test_split

    try:
        x_train, x_test, y_train, y_test = train_test_split(
            x,
            y,
            test_size=choice.test_fraction,
            random_state=choice.split_random_state,
            stratify=y if classify else None,
        )
    except ValueError as error:
        raise DataError(f"{choice.name} cannot be split: {error}") from None
    if choice.standardize != "none":
        axis = 0 if choice.standardize == "features" else None
        mean, std = _moments(x_train, axis)
        x_train, x_test = (x_train - mean) / std, (x_test - mean) / std
    if not classify:
        mean, std = _moments(y_train, 0)
        y_train, y_test = (y_train - mean) / std, (y_test - mean) / std
    return _dataset((x_train, y_train), (x_test, y_test), classify=classify)


def _moments(values: Array, axis: int | None) -> tuple[Array, Array]:
    """Mean and standard deviation; 1 for the latter where a feature is constant."""
    std = values.std(axis=axis)
    # By the range: rounding gives a constant 0.1 a deviation of 1e-17.
    constant = values.min(axis=axis) == values.max(axis=axis)
    return values.mean(axis=axis), np.where(constant, 1.0, std)


def _dataset(train: tuple[Array, Array], test: tuple[Array, Array], *, classify: bool) -> Dataset:
    """Splits with features before samples, and targets as the task's loss wants them."""
    if classify:
        classes = np.unique(np.concatenate([train[1], test[1]]))
        task = "binary" if len(classes) == 2 else "multiclass"
    else:
        classes, task = np.empty(0), "regression"

    def targets(y: Array) -> Array:
        if task == "regression":
            return y[None].astype(np.float64)
        one_hot: Array = (classes[:, None] == y).astype(np.float64)
        return one_hot[1:] if task == "binary" else one_hot

    splits = [
        Split(np.ascontiguousarray(x.T, np.float64), np.ascontiguousarray(targets(y)))
        for x, y in (train, test)
    ]
    return Dataset(splits[0], splits[1], task)


def _from_file(choice: spec.FileDataset, folder: Path) -> tuple[Array, Array, bool]:
    """Features (N, I), target (N,), and whether the target is a class."""
    path = folder / choice.path
    if "\0" in choice.path:
        raise DataError(f"{choice.path!r} holds the character NUL, which no file name has")
    try:
        if path.suffix.lower() == ".npz":
            x, y = _from_npz(path, choice.target)
        elif path.suffix.lower() == ".csv":
            x, y = _from_csv(path, choice.target)
        else:
            raise DataError(f"{path}: must end in .csv or .npz")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(y) < 4:
        raise DataError(f"{path}: has {len(y)} samples; at least 4 are needed")
    whole = y.dtype.kind not in "fc" or bool((y == np.round(y)).all())
    few = len(np.unique(y)) <= MAX_GUESSED_CLASSES
    text = y.dtype.kind not in "iufb"
    classify = {"classification": True, "regression": False, "auto": text or (whole and few)}[
        choice.task
    ]
    if not classify and text:
        raise DataError(f"{path}: target {choice.target!r} holds texts; a regression needs numbers")
    if len(np.unique(y)) < 2:
        raise DataError(f"{path}: target {choice.target!r} is {y[0]} in every row")
    return x, y, classify


def _from_csv(path: Path, target: str) -> tuple[Array, Array]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header_line = file.readline()
            delimiter = max(",;\t", key=header_line.count)
            header = next(csv.reader([header_line], delimiter=delimiter), [])
            reader = csv.reader(file, delimiter=delimiter)
            lines, rows = [], []
            for row in reader:
                if row:  # blank lines are none
                    lines.append(reader.line_num + 1)
                    rows.append(row)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 ({error.reason}); save it as UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{path}: is not CSV: {error}") from None
    column = _named(path, target, header, "column")
    features = np.empty((len(rows), len(header) - 1))
    for number, (line, row) in enumerate(zip(lines, rows, strict=True)):
        if len(row) != len(header):
            raise DataError(f"{path}:{line}: has {len(row)} fields; the header has {len(header)}")
        if not row[column].strip():
            raise DataError(f"{path}:{line}: column {target!r}: is empty; fill or drop the row")
        for index, (name, cell) in enumerate(
            (name, cell)
            for position, (name, cell) in enumerate(zip(header, row, strict=True))
            if position != column
        ):
            features[number, index] = _number(path, line, name, cell)
    labels = np.array([row[column].strip() for row in rows])
    try:
        labels = labels.astype(np.float64)
    except ValueError:
        return _finite(path, features, lines), labels
    return _finite(path, features, lines), _finite(path, labels, lines)


def _number(path: Path, line: int, name: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        what = f"{cell!r} is not a number" if cell.strip() else "is empty"
        raise DataError(f"{path}:{line}: column {name!r}: {what}; features are numbers") from None


def _from_npz(path: Path, target: str) -> tuple[Array, Array]:
    try:
        # Opened here: np.load leaves a file open that is not an archive.
        with path.open("rb") as file, ZipFile(file) as archive:
            arrays = {}
            for member in archive.namelist():
                with archive.open(member) as stream:
                    arrays[member.removesuffix(".npy")] = read_array(stream, allow_pickle=False)
    except _NOT_NPZ as error:
        raise DataError(f"{path}: is not an NPZ file of plain arrays: {error}") from None
    _named(path, target, list(arrays), "array")
    y = arrays.pop(target)
    if y.ndim != 1:
        raise DataError(f"{path}: target {target!r} must have one axis, got shape {y.shape}")
    columns = []
    for name, array in arrays.items():
        if array.dtype.kind not in "iufb" or array.shape[:1] != y.shape:
            raise DataError(
                f"{path}: array {name!r} must hold {len(y)} rows of numbers, "
                f"got shape {array.shape} of {array.dtype}"
            )
        columns.append(array.reshape(len(y), math.prod(array.shape[1:])).astype(np.float64))
    x = _finite(path, np.concatenate(columns, axis=1) if columns else np.empty((len(y), 0)))
    return x, _finite(path, y) if y.dtype.kind in "fc" else y


def _named(path: Path, name: str, known: list[str], what: str) -> int:
    """The index of ``name`` among a file's columns or arrays; there must be another, too."""
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known) or 'none'}"
        raise DataError(f"{path}: has no {what} {name!r} for the target; {hint}")
    if len(known) < 2:
        raise DataError(f"{path}: has no {what} beside the target {name!r}")
    return known.index(name)


def _finite(path: Path, values: Array, lines: list[int] | None = None) -> Array:
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        place = f"{path}:{lines[row]}:" if lines else f"{path}: row {row + 1}"
        raise DataError(f"{place} holds NaN or infinity; fill or drop it")
    return values
