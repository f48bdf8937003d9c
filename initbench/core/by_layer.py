"""One initializer made of several: each layer is drawn by its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.random import RandomState

from initbench.core.architecture import layer_key
from initbench.core.draw import ChosenInitializer, law
from initbench.core.gains import with_numbers
from initbench.core.initializers import Initializer, Network, Property, Start

#: The initializers, by the keys of their layers: see :func:`.layer_key`.
Parts = Mapping[str, ChosenInitializer]


def by_layer(parts: Parts) -> ChosenInitializer:
    """The initializer of a whole network whose layers are drawn by different ones.

    All draw from the run's one generator, in the order of the layers: layers are independent, and
    the layers before the first that is drawn otherwise are what its initializer draws alone. An
    initializer of whole networks draws one where its first layer stands, and its layers are taken
    from that.

    Args:
        parts: The initializers, by the layers' keys. They must speak for each layer.

    Examples:
        >>> from initbench.core.initializers import INITIALIZERS
        >>> chosen = {
        ...     "hidden": ChosenInitializer("he_normal", INITIALIZERS["he_normal"], {}),
        ...     "output": ChosenInitializer("zeros", INITIALIZERS["zeros"], {}),
        ... }
        >>> by_layer(chosen).initializer.formula
        'hidden: N(0, 2 / fan_in); output: 0'
    """
    rows = [part.initializer for part in parts.values()]
    formula = "; ".join(f"{key}: {part.initializer.formula}" for key, part in parts.items())
    sources = dict.fromkeys(row.reference for row in rows if row.reference != "-")
    promised = {name for row in rows for name in row.properties}
    properties: set[Property] = {
        name for name in promised if name == "skewed" or all(name in row.properties for row in rows)
    }
    row = Initializer(
        _draw,
        formula,
        "; ".join(sources) or "-",
        _law,
        "network",
        frozenset(properties),
    )
    name = ", ".join(f"{key}: {part.name}" for key, part in parts.items())
    return ChosenInitializer(f"{{{name}}}", row, {"parts": parts})


def _draw(rng: RandomState, network: Network, *, parts: Parts) -> Start:
    starts: dict[tuple[str, str], Start] = {}
    layers = []
    for number, shape in enumerate(network.shapes, 1):
        part = _part(parts, number, network)
        function, numbers = part.initializer.draw, with_numbers(part.parameters, network)
        if part.initializer.scope == "layer":
            weights = function(rng, shape, network.dtype, **numbers)
            layers.append((weights, np.zeros(shape[0], network.dtype)))
            continue
        if part.key not in starts:
            starts[part.key] = function(rng, network, **numbers)
        layers.append(starts[part.key].layers[number - 1])
    return Start(layers, "; ".join(start.note for start in starts.values() if start.note))


def _law(network: Network, layer: int, *, parts: Parts) -> Any:
    """Moments, as of every initializer; None for a layer whose own has no law."""
    return law(_part(parts, layer + 1, network), network, layer)


def _part(parts: Parts, number: int, network: Network) -> ChosenInitializer:
    count = len(network.shapes)
    key = layer_key(parts, number, count)
    if key is None:
        raise ValueError(f"layer {number} of {count} has no initializer")
    return parts[key]


def misfits(keys: Collection[str], count: int) -> list[tuple[str, str]]:
    """What does not fit between keys and ``count`` layers: (key, words with the fix).

    The key is "" for the first layer that no key speaks for.

    Examples:
        >>> misfits(["output"], 3)
        [('', 'layer 1 of 3 has no initializer; add hidden')]
        >>> misfits(["hidden", "output", "7"], 3)
        [('7', 'there are 3 layers; write a number from 1 to 3')]
    """
    found = [
        (key, f"there are {count} layers; write a number from 1 to {count}")
        for key in keys
        if key.isdecimal() and int(key) > count
    ]
    for number in range(1, count + 1):
        if layer_key(keys, number, count) is None:
            role = "output" if number == count else "hidden"
            return [*found, ("", f"layer {number} of {count} has no initializer; add {role}")]
    return found
