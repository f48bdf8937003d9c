"""Whatever a caller has for configs -> Experiments: files, plain data, Experiments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from initbench import config
from initbench.config.document import Document, parse
from initbench.config.plugins import Allowed
from initbench.errors import InitbenchError, Place
from initbench.spec import Experiment

#: A config's file, its content as plain data, or the model of it.
Config: TypeAlias = str | Path | Mapping[str, Any] | Experiment
#: A count, a range such as ``"0-9"``, or a list of seeds and ranges; None for the config's own.
Seeds: TypeAlias = int | str | Sequence[int | str] | None
Options: TypeAlias = Mapping[str, Any] | Iterable[str] | str | None


def experiments_of(
    configs: Config | Iterable[Config],
    options: Options = None,
    seeds: Seeds = None,
    allowed: Allowed = Allowed(),  # noqa: B008  # it is frozen
    *,
    judged: bool = False,
) -> list[Experiment]:
    """The Experiments of one or several configs, each point of a sweep one of them.

    Whatever the form of a config, it goes the way of a file: the same checks, the same messages.
    ``options`` and ``seeds`` set keys of all configs. ``judged`` says that expectations will be.
    """
    listed = [configs] if isinstance(configs, str | Path | Mapping | Experiment) else list(configs)
    sources = [_source(one, number) for number, one in enumerate(listed, 1)]
    return config.load(
        sources,
        overrides_of(options, seeds),
        allowed,
        judged=judged,
    )


def overrides_of(options: Options, seeds: Seeds = None) -> list[tuple[str, str]]:
    """Keys to set, as (place for messages, ``KEY=VALUE``)."""
    if isinstance(options, Mapping):
        texts = [f"{key}={plain_text(value, f'set {key}')}" for key, value in options.items()]
    else:
        texts = [options] if isinstance(options, str) else list(options or ())
    overrides = [(f"set {text}", text) for text in texts]
    if seeds is not None:
        text = f"seeds={plain_text(seeds, 'seeds')}"
        overrides.append((text, text))
    return overrides


def plain_text(value: object, place: str) -> str:
    """Plain data as JSON, which is YAML too, so that it is read as a config's text is."""
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain)
    except TypeError as error:
        raise InitbenchError(f"{place}: must be plain data: {error}") from None


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # a NumPy scalar or array
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is neither a number, a text, a list nor a mapping")


def _source(one: Config, number: int) -> str | Path | Document:
    if isinstance(one, str | Path):
        return one
    name = "config" if number == 1 else f"config {number}"
    data = one.model_dump(mode="json", exclude_unset=True) if isinstance(one, Experiment) else one
    return parse(name, plain_text(dict(data), name), fixed=Place(name))


def places_of(
    experiments: Iterable[Experiment],
    paths: Iterable[str | Path],
    overrides: Sequence[tuple[str, str]] = (),
) -> dict[tuple[str, str | int], Place]:
    """Where the experiments' files write initializers and expectations, for annotations.

    The keys are (config, an initializer's label) and (config, an expectation's index).
    """
    documents = {
        document.data["name"]: document
        for document in (config.read_config(path, overrides) for path in paths)
    }
    places: dict[tuple[str, str | int], Place] = {}
    for e in experiments:
        place = documents[e.name].place
        for index, choice in enumerate(e.initializer):
            places[e.name, choice.label] = place(("initializer", index))
        for index in range(len(e.expect)):
            places[e.name, index] = place(("expect", index))
    return places
