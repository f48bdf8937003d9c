"""Networks and problems in a line of words, for the titles of tables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from initbench import datasets
from initbench.spec import Experiment, FileDataset
from initbench.spec.biases import OWN
from initbench.wording import counted


def network(experiment: Experiment) -> str:
    """Sizes and activation, in words: ``2-10-5-1 relu``."""
    sizes = experiment.architecture.sizes
    words = "-".join(map(str, sizes))
    if len(set(sizes[1:-1])) == 1 and len(sizes) > 6:
        words = f"{sizes[0]}-[{sizes[1]}]x{len(sizes) - 2}-{sizes[-1]}"
    return f"{words} {experiment.activation.label}"


def problem(experiments: Sequence[Experiment]) -> str:
    """The problem that experiments pose, in a line of words.

    A swept key that has one value here is part of the problem, and stands by its value; a key that
    has several is named as swept.
    """
    e = experiments[0]
    swept = {
        key
        for key in e.setting
        if any(other.setting.get(key) != e.setting[key] for other in experiments)
    }
    sizes_swept = not swept.isdisjoint({"layers", "width", "depth"})
    words = {
        "dataset": _data(e),
        "activation": f"layers {e.activation.label}" if sizes_swept else network(e),
        "bias": "" if any(key.startswith("bias.") for key in swept) else _biases(experiments),
        "optimizer": e.optimizer.label,
        "learning_rate": f"learning rate {e.learning_rate:g}",
        "iterations": counted(e.iterations, "iteration"),
        "batch_size": f"batches of {e.batch_size:,}" if e.batch_size else "full batch",
        "dtype": e.dtype,
    }
    if "log_every" in e.setting:  # which is part of a problem only under a sweep of it
        words["log_every"] = f"logged every {counted(e.log_every, 'iteration')}"
    parts = [text for key, text in words.items() if text and key not in swept]
    parts += [f"{key} swept" for key in e.setting if key in swept]
    return ", ".join(parts)


def _biases(experiments: Sequence[Experiment]) -> str:
    """What biases start at, unless all initializers give them so by themselves."""
    first, *others = dict.fromkeys(map(_biases_of, experiments))
    return "biases by config" if others else first


def _biases_of(experiment: Experiment) -> str:
    rules = {rule for c in experiment.initializer for rule in experiment.biases_of(c)}
    if rules == {OWN}:
        return ""
    return "no biases" if experiment.bias.name == "none" else f"bias {experiment.bias.label}"


def _data(experiment: Experiment) -> str:
    """The data set, whether all seeds share one split of it, and what a user's target poses."""
    dataset = experiment.dataset
    plain: dict[str, Any] = {"resplit": False, "validation": None, "judged_on": "test"}
    if isinstance(dataset, FileDataset):
        paths = {"path": dataset.path, "test_path": dataset.test_path}
        plain |= {key: path and _from_here(path) for key, path in paths.items()}
    label = dataset.model_copy(update=plain).label
    words = "a split for each seed" if dataset.resplit else "one split"
    if getattr(dataset, "test_fraction", None) == 0 and not dataset.validation:
        words = "no test samples"
    if dataset.validation is not None:
        words += f", {100 * dataset.validation:g} % validation"
    if isinstance(dataset, FileDataset):
        words += f"; {datasets.load(dataset).task_in_words}"
    return f"{label} ({words})"


def _from_here(path: str) -> str:
    """A path as seen from the working directory, where that is shorter than the whole path."""
    with suppress(ValueError, OSError):  # another drive of Windows, or no working directory
        return min(os.path.relpath(path), path, key=len)
    return path


def data_notes(experiments: Sequence[Experiment]) -> tuple[str, ...]:
    """What a user should know of how the experiments' data were read, each note once."""
    loaded = map(datasets.load, dict.fromkeys(e.dataset for e in experiments))
    return tuple(dict.fromkeys(note for data in loaded for note in data.notes))
