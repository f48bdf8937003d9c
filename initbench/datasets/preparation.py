"""Preparation: samples -> train and test arrays, split and standardised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from initbench.core.arrays import Array
from initbench.core.engine.protocol import Split
from initbench.errors import DataError
from initbench.spec.choice import Choice
from initbench.spec.datasets import FileDataset, MeasuredDataset, ResplitDataset

#: Features (N, I), and each sample's target (N,).
Samples = tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Train and test samples, and the task that they pose: binary, multiclass or regression.

    Inputs are (I, N): features before samples. Targets are 0 and 1, (1, N), in a binary task;
    one-hot, (classes, N), in a multiclass task; and numbers, (1, N), in a regression.
    """

    train: Split
    test: Split
    task: str


def title(choice: Choice) -> str:
    """What messages call a data set: a user's file by its path, any other by its name."""
    return choice.path if isinstance(choice, FileDataset) else choice.name


def split_dataset(choice: MeasuredDataset, x: Array, y: Array, classify: bool) -> Dataset:
    """Split the samples (N, I), (N,) as the choice says, and standardise on the train samples.

    A classification (``classify``) is stratified. A regression's target is always standardised.
    """
    state = choice.split_random_state
    try:
        train, test = _parted((x, y), choice.test_fraction, state, classify=classify)
    except ValueError as error:
        raise DataError(f"{title(choice)} cannot be split: {error}") from None
    (x_train, y_train), (x_test, y_test) = held_out(choice, train, test, state, classify=classify)
    if choice.standardize != "none":
        axis = 0 if choice.standardize == "features" else None
        mean, std = _moments(x_train, axis)
        x_train, x_test = (x_train - mean) / std, (x_test - mean) / std
    if not classify:
        mean, std = _moments(y_train, 0)
        y_train, y_test = (y_train - mean) / std, (y_test - mean) / std
    return dataset_of((x_train, y_train), (x_test, y_test), classify=classify)


def held_out(
    choice: ResplitDataset, train: Samples, test: Samples, state: int, *, classify: bool
) -> tuple[Samples, Samples]:
    """Train and test samples, once the validation samples are taken from the former.

    Where the choice is judged on the validation samples, they stand in the test samples' place.
    """
    if choice.validation is None:
        return train, test
    try:
        train, held = _parted(train, choice.validation, state, classify=classify)
    except ValueError as error:
        raise DataError(
            f"{title(choice)} cannot be split into train and validation samples: {error}"
        ) from None
    return train, held if choice.judged_on == "validation" else test


def _parted(
    samples: Samples, share: float, state: int, *, classify: bool
) -> tuple[Samples, Samples]:
    """All samples but a share of them, and that share; stratified in a classification."""
    from sklearn.model_selection import train_test_split

    x, y = samples
    x_rest, x_part, y_rest, y_part = train_test_split(
        x, y, test_size=share, random_state=state, stratify=y if classify else None
    )
    return (x_rest, y_rest), (x_part, y_part)


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
