"""What an initializer draws for given layers: by its law, or where it has none, as drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initbench.core import draw as start
from initbench.core.draw import Chosen
from initbench.core.engine.network import layer_views
from initbench.core.initializers import INITIALIZERS, Network, defaults
from initbench.core.initializers.dialects import DIALECTS, complaint, filled, spoken
from initbench.errors import InitbenchError


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """One layer's weights: mean, standard deviation and bounds, of the law or of the draws."""

    fan_in: int
    fan_out: int
    mean: float
    std: float
    low: float
    high: float
    drawn: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a framework draws under a name: which initializer of ours does, and its weights."""

    framework: str
    chosen: Chosen
    layers: list[LayerWeights]


def explain(chosen: Chosen, network: Network, seeds: Sequence[int]) -> list[LayerWeights]:
    """Each layer's weights, from the first to the last.

    Where a layer's law has no closed form, its moments and extremes are those of the weights
    drawn at ``seeds``. InitbenchError where parameters do not fit, or it cannot be drawn.
    """
    try:
        laws = start.laws(chosen, network)
    except ValueError as error:
        raise InitbenchError(f"{chosen.name}: {error}") from None
    layers = []
    if None in laws:
        starts = start.draw(network, [chosen] * len(seeds), seeds)
        for reason in starts.failures.values():
            raise InitbenchError(reason)
        layers = layer_views(starts.theta, network.sizes)
    shown = []
    for number, ((outputs, inputs), law) in enumerate(zip(network.shapes, laws, strict=True)):
        if law is not None:
            shown.append(
                LayerWeights(inputs, outputs, law.mean, law.std, law.low, law.high, drawn=False)
            )
            continue
        weights = layers[number][..., :-1].astype(np.float64)
        mean, std, low, high = map(
            float, (weights.mean(), weights.std(), weights.min(), weights.max())
        )
        shown.append(LayerWeights(inputs, outputs, mean, std, low, high, drawn=True))
    return shown


def in_frameworks(
    name: str, given: Mapping[str, Any], network: Network, seeds: Sequence[int]
) -> list[Spoken]:
    """What every framework that knows ``name`` draws under it, with the parameters ``given``.

    What is not given is the framework's own default. A framework that cannot draw with these
    parameters is left out.
    """
    found = []
    for dialect, known in DIALECTS.items():
        if name not in known:
            continue
        written = {**filled(dialect, name, given), "dialect": dialect}
        if complaint(name, {**defaults(INITIALIZERS[name].draw), **written}):
            continue
        drawn, parameters = spoken(name, written)
        chosen = Chosen(drawn, INITIALIZERS[drawn], parameters)
        found.append(Spoken(dialect, chosen, explain(chosen, network, seeds)))
    return found
