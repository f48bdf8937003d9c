"""A run's identity: all that determines its numbers, and a hash of that.

Runs with equal identities have equal numbers, so that one of them answers for all.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from initbench.core import ENGINE_REVISION
from initbench.core.activations import ACTIVATIONS
from initbench.interop import frameworks
from initbench.runs.plan import Run
from initbench.spec import InitializerChoice
from initbench.spec.biases import OWN
from initbench.spec.choice import Choice

#: Hexadecimal digits of an identity. They are 64 bits: of 10^7 stores with a million runs each, one
#: holds two runs of equal identity by chance.
ID_LENGTH = 16


def resolved(run: Run, data: str | None) -> dict[str, Any]:
    """All that determines a run's numbers, with defaults spelled out, as plain data.

    A user's data file and a user's initializer count by their content, not by their path. Names,
    descriptions, other seeds and other initializers are not in it.

    Args:
        run: The run.
        data: The :func:`initbench.datasets.fingerprint` of its data set.
    """
    e = run.experiment
    # A run's data set is already the seed's own: whether it was split anew is no part of it.
    unused = {"resplit", *(() if e.dataset.validation else ("validation", "judged_on"))}
    dataset = e.dataset.model_dump(mode="json", exclude=unused | e.dataset.unasked)
    if data is not None:
        paths = dict.fromkeys(("path", "test_path") & dataset.keys())
        dataset = {**dataset, **paths, "sha256": data}
    initializers = run.initializer.of_layers(len(e.architecture.shapes))
    drawing = {one.name for one in initializers}
    framework = {k: v for name in drawing for k, v in frameworks.versions(name).items()}
    biases = e.biases_of(run.initializer)
    revision = ACTIVATIONS[e.activation.name].revision
    return {
        "initializer": _by_layer(initializers),
        **({"framework": framework} if framework else {}),
        "layers": list(e.architecture.sizes),
        "activation": e.activation.model_dump(mode="json"),
        **({} if all(one == OWN for one in biases) else {"bias": _by_layer(biases)}),
        "dataset": dataset,
        "optimizer": e.optimizer.model_dump(mode="json"),
        "learning_rate": e.learning_rate,
        "iterations": e.iterations,
        "batch_size": e.batch_size,
        "dtype": e.dtype,
        "log_every": e.log_every,
        "seed": run.seed,
        "engine": ENGINE_REVISION,
        **({"activation_revision": revision} if revision else {}),
        **({"nudge": run.nudge} if run.nudge else {}),
    }


def _by_layer(choices: Sequence[InitializerChoice]) -> dict[str, Any]:
    """The settings of the first choice where all have the same; else all, by their layers' numbers.

    Layers often share one object, whose settings are written once.
    """
    written = {id(one): _settings_of(one) for one in {id(one): one for one in choices}.values()}
    settings = [written[id(one)] for one in choices]
    if all(one == settings[0] for one in settings):
        return settings[0]
    return {str(number): one for number, one in enumerate(settings, 1)}


def _settings_of(choice: InitializerChoice) -> dict[str, Any]:
    # Parameters that are null are left out, so that a new one does not change old identities.
    settings = choice.model_dump(mode="json", exclude_none=True)
    if choice.plugin is not None:
        settings["sha256"] = choice.plugin.sha256
    return settings


def identity(run: Run, data: str | None) -> str:
    """A hash of :func:`resolved`, which is equal for runs whose numbers must be equal."""
    return _hashed(resolved(run, data))


def identities(planned: Iterable[Run], data: Callable[[Choice], str | None]) -> list[str]:
    """The :func:`identity` of each run; ``data`` gives the fingerprint of a data set."""
    return [_hashed({**common, "seed": run.seed}) for run, common in _with_settings(planned, data)]


def settings(planned: Iterable[Run], data: Callable[[Choice], str | None]) -> list[str]:
    """The :func:`resolved` of each run without its seed, as JSON: all seeds have the same text."""
    return [settings_text(common) for _, common in _with_settings(planned, data)]


def settings_text(settings: Mapping[str, Any]) -> str:
    """What all seeds of a row share, as the store keeps it: equal settings have equal texts."""
    return json.dumps(settings, sort_keys=True)


def _with_settings(
    planned: Iterable[Run], data: Callable[[Choice], str | None]
) -> Iterator[tuple[Run, dict[str, Any]]]:
    """Each run and its :func:`resolved` without the seed, made once where neighbours share it."""
    for _, neighbours in itertools.groupby(
        planned, key=lambda run: (id(run.experiment), id(run.initializer), run.nudge)
    ):
        first, *others = neighbours
        common = resolved(first, data(first.experiment.dataset))
        del common["seed"]
        for run in (first, *others):
            yield run, common


def _hashed(settled: dict[str, Any]) -> str:
    return hashlib.sha256(settings_text(settled).encode()).hexdigest()[:ID_LENGTH]
