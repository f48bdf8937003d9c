"""Preparation: samples -> train and test arrays, split, filled, encoded and standardised."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from initbench.core.arrays import Array
from initbench.core.engine.protocol import Split
from initbench.datasets.tables import Table
from initbench.errors import DataError
from initbench.spec.choice import Choice
from initbench.spec.datasets import FileDataset, MeasuredDataset, ResplitDataset

#: The note on data of which all samples are trained on.
NO_TEST = "test_fraction is 0: test metrics are those of the train samples."
#: Features (N, I), and each sample's target (N,).
Samples = tuple[Array, Array]


class DataSize(NamedTuple):
    """The samples of each split of a data set, and the bytes of its arrays."""

    train: int
    test: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """Train and test samples, and the task that they pose: binary, multiclass or regression.

    Inputs are (I, N): features before samples. Targets are 0 and 1, (1, N), in a binary task;
    one-hot, (classes, N), in a multiclass task; and numbers, (1, N), in a regression.

    Attributes:
        train: The samples to learn from.
        test: The samples to judge by.
        task: What the target poses.
        target: The name of a user's target; empty for named data sets.
        unit: What a regression's target was divided by: its standard deviation over the train
            samples, in its own unit.
        notes: What the user should know of how a file was read.
        sha256: The fingerprint of the file's bytes; empty for named data sets.
    """

    train: Split
    test: Split
    task: str
    target: str = ""
    unit: float = 1.0
    notes: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def task_in_words(self) -> str:
        """The number of classes, or the number that is to be predicted.

        >>> nothing = Split(np.zeros((2, 4)), np.zeros((1, 4)))
        >>> Dataset(nothing, nothing, "binary").task_in_words
        '2 classes'
        >>> Dataset(nothing, nothing, "regression", "price").task_in_words
        'regression of price'
        """
        if self.task == "regression":
            return f"regression of {self.target}" if self.target else "regression"
        return f"{max(2, len(self.train.targets))} classes"

    @property
    def size(self) -> DataSize:
        """Its samples and bytes."""
        splits = (self.train, self.test)
        train, test = (split.inputs.shape[1] for split in splits)
        nbytes = sum(split.inputs.nbytes + split.targets.nbytes for split in splits)
        return DataSize(train, test, nbytes)


def title(choice: Choice) -> str:
    """What messages call a data set: a user's file by its path, any other by its name."""
    return choice.path if isinstance(choice, FileDataset) else choice.name


def split_dataset(choice: MeasuredDataset, table: Table) -> Dataset:
    """Split a table's samples as the choice says, and prepare them as the train samples demand.

    A classification is stratified. A regression's target is always standardised. What fills
    missing cells, means and standard deviations are those of the train samples.
    """
    state, classify = choice.split_random_state, table.classify
    whole = (table.x, table.y)
    notes = table.notes
    if table.tests is not None:
        train, test = ((table.x[rows], table.y[rows]) for rows in (~table.tests, table.tests))
        if problem := _unusable(train[1], test[1], classify=classify):
            raise DataError(f"{title(choice)} cannot be used with its test samples: {problem}")
    elif choice.test_fraction == 0:
        train, test = (table.x.copy(), table.y), (table.x.copy(), table.y)
        if choice.validation is None:
            notes = (*notes, NO_TEST)
    else:
        train, test = _parted(choice, whole, choice.test_fraction, "test", state, classify=classify)
    (x_train, y_train), (x_test, y_test) = held_out(choice, train, test, state, classify=classify)
    strategy = choice.missing if isinstance(choice, FileDataset) else "error"
    x_train, x_test = _as_numbers(table, x_train, x_test, strategy)
    if choice.standardize != "none":
        # Not scikit-learn's StandardScaler: its sums round otherwise, and the numbers of stored
        # runs would change with it. Columns of 0 and 1 stay as they are.
        axis = 0 if choice.standardize == "features" else None
        mean, std = _moments(x_train[:, : table.numbers], axis)
        for x in (x_train, x_test):
            x[:, : table.numbers] -= mean
            x[:, : table.numbers] /= std
    unit = 1.0
    if not classify:
        mean, std = _moments(y_train, 0)
        y_train, y_test = (y_train - mean) / std, (y_test - mean) / std
        unit = float(std)
    data = dataset_of((x_train, y_train), (x_test, y_test), classify=classify)
    return Dataset(data.train, data.test, data.task, table.target, unit, notes, table.sha256)


def _as_numbers(table: Table, x_train: Array, x_test: Array, strategy: str) -> tuple[Array, Array]:
    """The features with missing cells filled and categories one-hot encoded.

    The first columns stay where they are: numbers, then columns of 0 and 1. A column that has no
    cell in the train samples becomes 0. Of two categories one column tells.
    """
    if not table.categories and not np.isnan(table.x).any():
        return x_train, x_test
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    def filled(how: str) -> SimpleImputer:
        return SimpleImputer(strategy=how, keep_empty_features=True)

    # All categories of the table are known, so that each split of it has as many columns.
    known = [np.arange(count, dtype=float) for count in table.categories]
    encoder = OneHotEncoder(categories=known, drop="if_binary", sparse_output=False)
    frequent = "most_frequent"
    first, last = table.numbers, table.numbers + table.booleans
    transformer = ColumnTransformer(
        [
            ("numbers", filled(frequent if strategy in ("error", "drop") else strategy),
             list(range(first))),
            ("booleans", filled(frequent), list(range(first, last))),
            ("categories", make_pipeline(filled(frequent), encoder),
             list(range(last, last + len(known)))),
        ],
        sparse_threshold=0,
    )  # fmt: skip
    fitted = transformer.fit(x_train)
    return (
        np.ascontiguousarray(fitted.transform(x_train)),
        np.ascontiguousarray(fitted.transform(x_test)),
    )


def held_out(
    choice: ResplitDataset, train: Samples, test: Samples, state: int, *, classify: bool
) -> tuple[Samples, Samples]:
    """Train and test samples, once the validation samples are taken from the former.

    Where the choice is judged on the validation samples, they stand in the test samples' place.
    """
    if choice.validation is None:
        return train, test
    train, held = _parted(choice, train, choice.validation, "validation", state, classify=classify)
    return train, held if choice.judged_on == "validation" else test


def _parted(
    choice: Choice, samples: Samples, share: float, part: str, state: int, *, classify: bool
) -> tuple[Samples, Samples]:
    """All samples but a share of them, and that share; stratified in a classification."""
    from sklearn.model_selection import train_test_split

    x, y = samples
    if problem := _too_small(y, share, part, classify=classify):
        raise DataError(f"{title(choice)} cannot be split: {problem}")
    x_rest, x_part, y_rest, y_part = train_test_split(
        x, y, test_size=share, random_state=state, stratify=y if classify else None
    )
    return (x_rest, y_rest), (x_part, y_part)


def _unusable(train: Array, test: Array, *, classify: bool) -> str:
    """Why targets that were split by the user cannot be used, in words; empty where they can."""
    if len(train) < 2 or not len(test):
        return f"{len(train)} train and {len(test)} test samples are left"
    classes = len(np.unique(train))
    if classify and classes < len(np.unique(np.concatenate([train, test]))):
        return "some classes of the test samples have no train sample; add some, or remove them"
    return ""


def _too_small(y: Array, share: float, part: str, *, classify: bool) -> str:
    """Why a share of the samples cannot be taken, in words; empty where it can."""
    key = "test_fraction" if part == "test" else part
    held = math.ceil(share * len(y))
    rest = len(y) - held
    if rest < 1:
        return f"{key} {share:g} of {len(y)} samples leaves none to train on; write a smaller {key}"
    if not classify:
        return ""
    counts = Counter(y.tolist())
    (_, least), classes = counts.most_common()[-1], len(counts)
    if least < 2:
        single = sum(count < 2 for count in counts.values())
        has = "has" if single == 1 else "have"
        return (
            f"{single} of {classes} classes {has} 1 sample, and each needs 2, one to train on and "
            f"one for the {part} split; remove them or add samples"
        )
    if min(held, rest) < classes:
        hint = ", or 0 to train on all of them" if part == "test" else ""
        smaller, needed = ("train", f"at most {math.floor(100 * (1 - classes / len(y))) / 100:g}")
        if held < classes:
            smaller, needed = (part, f"at least {math.ceil(100 * classes / len(y)) / 100:g}")
        return (
            f"{key} {share:g} of {len(y)} samples leaves {min(held, rest)} for the {smaller} "
            f"split, fewer than the {classes} classes; write {key}: {needed}{hint}, or add samples"
        )
    return ""


def _moments(values: Array, axis: int | None) -> tuple[Array, Array]:
    """Mean and standard deviation, which is 1 for a constant feature."""
    std = values.std(axis=axis)
    # The range decides: rounding gives a constant 0.1 a standard deviation of 1e-17.
    constant = values.min(axis=axis) == values.max(axis=axis)
    return values.mean(axis=axis), np.where(constant, 1.0, std)


def dataset_of(train: Samples, test: Samples, *, classify: bool) -> Dataset:
    """A data set of train and test samples (N, I), (N,), with targets as the task's loss needs."""
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
