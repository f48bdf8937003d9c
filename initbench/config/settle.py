"""Settling: an experiment gets the sizes that its data set needs, and must fit it and memory."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from initbench import datasets, spec
from initbench.config.document import Document, KeyPath, spelled
from initbench.config.layers import initializers_of, problems_of_layers
from initbench.config.messages import closest
from initbench.errors import Problem
from initbench.runs import cost
from initbench.spec import Experiment
from initbench.spec.choice import Choice
from initbench.spec.expectations import RELATIONS


def settled(
    document: Document, experiment: Experiment, folder: Path, data: datasets.Dataset
) -> Experiment | list[Problem]:
    """The experiment with the sizes of all layers, and bound to a user's files as they are now.

    Or the problems: sizes and a batch that do not fit the data, keys of layers that do not fit the
    sizes, initializers that an expectation names and the config does not have, or a network larger
    than the machine's memory.
    """
    problems = [
        *_sizes_that_do_not_fit(document, experiment, data),
        *_too_large_a_batch(document, experiment, data),
        *_unknown_initializers(document, experiment),
        *_numbers_beyond_the_dtype(document, experiment),
        *problems_of_layers(document, experiment, len(_sizes(experiment, data)) - 1),
        *_data_beyond_the_dtype(document, experiment, data),
    ]
    # model_copy validates nothing: what it changes is checked here.
    sizes = _sizes(experiment, data)
    copy = experiment.model_copy(update={"layers": sizes, "width": None, "depth": None})
    if isinstance(experiment.dataset, spec.FileDataset):
        copy = copy.model_copy(
            update={"dataset": datasets.pinned(experiment.dataset, folder, data)}
        )
    if experiment.plugins:
        absolute_files = tuple(str((folder / path).resolve()) for path in experiment.plugins)
        copy = copy.model_copy(update={"plugins": absolute_files})
    if not problems and (excess := cost.memory_excess(copy, data.size)):
        key = "layers" if experiment.layers is not None else "width"
        problems.append(Problem(document.place((key,)), key, excess))
    return problems or copy


def _sizes(experiment: Experiment, data: datasets.Dataset) -> tuple[int, ...]:
    """The sizes that the config gives, or those of its width and depth between input and output."""
    if experiment.layers is not None:
        return experiment.layers
    assert experiment.width is not None
    assert experiment.depth is not None
    hidden = [experiment.width] * experiment.depth
    return (len(data.train.inputs), *hidden, len(data.train.targets))


def _sizes_that_do_not_fit(
    document: Document, experiment: Experiment, data: datasets.Dataset
) -> list[Problem]:
    sizes, name = _sizes(experiment, data), experiment.dataset.name
    problems = []
    for index, needed, what in (
        (0, len(data.train.inputs), f"the number of features of {name}"),
        (len(sizes) - 1, len(data.train.targets), f"the number of outputs for {name}"),
    ):
        if sizes[index] != needed:
            place = document.place(("layers", index))
            message = f"must be {needed}, {what}, got {sizes[index]}; write {needed}"
            problems.append(Problem(place, f"layers[{index}]", message))
    return problems


def _too_large_a_batch(
    document: Document, experiment: Experiment, data: datasets.Dataset
) -> list[Problem]:
    samples = data.train.inputs.shape[1]
    if experiment.batch_size is None or experiment.batch_size <= samples:
        return []
    message = (
        f"must be at most {samples}, the number of train samples of {experiment.dataset.name}, "
        f"got {experiment.batch_size}; write null for the full batch"
    )
    return [Problem(document.place(("batch_size",)), "batch_size", message)]


def _numbers_beyond_the_dtype(document: Document, experiment: Experiment) -> list[Problem]:
    """A problem for each number that the type of all arithmetic rounds to one that is refused."""
    dtype = np.dtype(experiment.dtype)
    parts: list[tuple[KeyPath, Choice | None, Mapping[str, Any]]] = [
        ((), None, {"learning_rate": experiment.learning_rate}),
        (("optimizer",), experiment.optimizer, experiment.optimizer.parameters),
        (("activation",), experiment.activation, experiment.activation.parameters),
    ]
    for path, choice in initializers_of(document, experiment):
        for key, part in choice.parts.items():
            parts.append(((*path, key) if key else path, part, part.parameters))
    problems = []
    for path, holder, parameters in parts:
        for key, value in parameters.items():
            if not isinstance(value, float) or not value:
                continue
            with np.errstate(over="ignore", under="ignore"):
                held = float(dtype.type(value))
            if math.isinf(held) or not held or not _takes(holder, key, held):
                what = "infinite" if math.isinf(held) else f"{held:g}"
                message = f"{value!r} is {what} in {dtype}; write another number, or dtype: float64"
                place = document.place((*path, key))
                problems.append(Problem(place, spelled((*path, key)), message))
    return problems


def _takes(choice: Choice | None, key: str, held: float) -> bool:
    """Whether a parameter's bounds let a rounded number in: a momentum below 1 may become 1."""
    if choice is None or getattr(choice, key) == held:
        return True
    try:
        type(choice)(name=choice.name, **{**choice.parameters, key: held})
    except ValidationError:
        return False
    return True


def _data_beyond_the_dtype(
    document: Document, experiment: Experiment, data: datasets.Dataset
) -> list[Problem]:
    """A problem where samples are infinite in the type of all arithmetic."""
    limit = float(np.finfo(experiment.dtype).max)
    if limit == sys.float_info.max:  # finite numbers are none beyond it
        return []
    arrays = (data.train.inputs, data.train.targets, data.test.inputs, data.test.targets)
    # Both ends: the sizes of all numbers would be a copy of the data.
    largest = max(float(max(array.max(initial=0), -array.min(initial=0))) for array in arrays)
    if largest <= limit:
        return []
    message = (
        f"{experiment.dataset.name} holds numbers up to {largest:g}, which are infinite in "
        f"{experiment.dtype}; scale them down, or write dtype: float64"
    )
    return [Problem(document.place(("dataset",)), "dataset", message)]


def _unknown_initializers(document: Document, experiment: Experiment) -> list[Problem]:
    """A problem for each initializer that an expectation names and the config does not have."""
    problems = []
    labels = [choice.label for choice in experiment.initializer]
    for index, expectation in enumerate(experiment.expect):
        for key in ("initializer", *RELATIONS):
            name = getattr(expectation, key)
            if name is not None and experiment.find_initializer(name) is None:
                hint = closest(name, labels) or f"; it has {', '.join(labels)}"
                message = f"names no initializer of this config, got the text {name!r}{hint}"
                place = document.place(("expect", index, key))
                problems.append(Problem(place, f"expect[{index}].{key}", message))
    return problems
