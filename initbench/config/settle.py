"""Settling: an experiment gets the sizes that its data need, and is checked against them."""

from __future__ import annotations

from pathlib import Path

from initbench import datasets, spec
from initbench.config.document import Document
from initbench.config.messages import closest
from initbench.errors import Problem
from initbench.runs import cost
from initbench.spec import Experiment
from initbench.spec.expectations import RELATIONS


def settled(
    document: Document, experiment: Experiment, folder: Path, data: datasets.Dataset
) -> Experiment | list[Problem]:
    """Give the network the sizes that its data need, or say which do not fit."""
    problems = []
    inputs, outputs = len(data.train.inputs), len(data.train.targets)
    samples = data.train.inputs.shape[1]
    if experiment.layers is None:
        assert experiment.width is not None
        assert experiment.depth is not None
        sizes = (inputs, *[experiment.width] * experiment.depth, outputs)
    else:
        sizes = experiment.layers
        for index, needed, what in (
            (0, inputs, f"the features of {experiment.dataset.name}"),
            (len(sizes) - 1, outputs, f"the outputs that {experiment.dataset.name} needs"),
        ):
            if sizes[index] != needed:
                place = document.place(("layers", index))
                message = f"must be {needed}, {what}, got {sizes[index]}; write {needed}"
                problems.append(Problem(place, f"layers[{index}]", message))
    if experiment.batch_size is not None and experiment.batch_size > samples:
        message = (
            f"must be at most {samples}, the train samples of {experiment.dataset.name}, got "
            f"{experiment.batch_size}; write null for the full batch"
        )
        problems.append(Problem(document.place(("batch_size",)), "batch_size", message))
    problems += _unknown_initializers(document, experiment)
    # model_copy keeps the checked fields as they are; the sizes were checked just above.
    copy = experiment.model_copy(update={"layers": sizes, "width": None, "depth": None})
    if isinstance(experiment.dataset, spec.FileDataset):
        absolute = str((folder / experiment.dataset.path).resolve())
        dataset = experiment.dataset.model_copy(update={"path": absolute})
        copy = copy.model_copy(update={"dataset": dataset})
    if not problems and (excess := cost.memory_excess(copy, samples)):
        key = "layers" if experiment.layers is not None else "width"
        problems.append(Problem(document.place((key,)), key, excess))
    return problems or copy


def _unknown_initializers(document: Document, experiment: Experiment) -> list[Problem]:
    """Initializers that an expectation names and the config does not."""
    problems = []
    labels = [choice.label for choice in experiment.initializer]
    for index, expectation in enumerate(experiment.expect):
        for key in ("initializer", *RELATIONS):
            name = getattr(expectation, key)
            if name is not None and experiment.find_initializer(name) is None:
                message = f"is none of this config's initializers, got the text {name!r}" + (
                    closest(name, labels) or f"; it has {', '.join(labels)}"
                )
                place = document.place(("expect", index, key))
                problems.append(Problem(place, f"expect[{index}].{key}", message))
    return problems
