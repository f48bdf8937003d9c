"""Layers: initializers and biases by layer must fit the network's layers, and one another."""

from __future__ import annotations

from collections.abc import Iterator

from initbench.config.document import Document, KeyPath, spelled
from initbench.core.architecture import layer_key
from initbench.core.by_layer import misfits
from initbench.errors import Problem
from initbench.spec import Experiment, InitializerChoice


def initializers_of(
    document: Document, experiment: Experiment
) -> list[tuple[KeyPath, InitializerChoice]]:
    """The initializers with their paths in the config, and last what fills the biases."""
    listed = isinstance(document.data["initializer"], list)
    found: list[tuple[KeyPath, InitializerChoice]] = [
        (("initializer", index) if listed else ("initializer",), choice)
        for index, choice in enumerate(experiment.initializer)
    ]
    return [*found, (("bias",), experiment.bias)]


def problems_of_layers(document: Document, experiment: Experiment, count: int) -> list[Problem]:
    """A problem for each key or initializer that does not fit ``count`` layers."""
    *initializers, (_, bias) = initializers_of(document, experiment)
    mistakes: list[tuple[KeyPath, str]] = []
    for path, choice in initializers:
        others = [one for _, one in initializers if one is not choice]
        mistakes += [((*path, *key), words) for key, words in _misplaced(choice, others, count)]
    mistakes += [(("bias", *key), words) for key, words in _misplaced_biases(bias, count)]
    return [Problem(document.place(path), spelled(path), words) for path, words in mistakes]


def _misplaced(
    choice: InitializerChoice, others: list[InitializerChoice], count: int
) -> Iterator[tuple[KeyPath, str]]:
    """(key, words) of what an initializer by layer cannot have; the key is () for the whole.

    A layer may be fitted to those before it. They must then be of the same initializer.
    """
    if "" in choice.parts:  # it is for all layers
        return
    if unfit := misfits(choice.parts, count):
        yield from (((key,) if key else (), words) for key, words in unfit)
        return
    parts = choice.of_layers(count)
    for number, part in enumerate(parts):
        if part.chosen.initializer.fits and parts[:number] != (part,) * number:
            yield (
                (str(layer_key(choice.parts, number + 1, count)),),
                f"{part.label} declares no law: it may fit a layer to those before it, and layer "
                f"{number} is of {parts[number - 1].label}; give it all layers from the first on",
            )
            break
    whole = [one for one in others if "" in one.parts or not misfits(one.parts, count)]
    if same := [one.label for one in whole if one.of_layers(count) == parts]:
        yield (), f"draws in each layer what {same[0]} draws; keep one of them"


def _misplaced_biases(bias: InitializerChoice, count: int) -> Iterator[tuple[KeyPath, str]]:
    """The same of biases; layers without a key have those that their initializer gives."""
    if "" in bias.parts:
        return
    yield from (((key,), words) for key, words in misfits(bias.parts, count) if key)
    for key, part in bias.parts.items():
        if part.name == "prior" and layer_key([key], count, count) is None:
            yield (key,), "prior is about the output; write output: prior"
