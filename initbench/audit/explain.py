"""What an initializer draws for given layers: its declared law, or where it has none, its draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initbench.core import draw
from initbench.core.arrays import Array
from initbench.core.draw import ChosenInitializer
from initbench.core.initializers import INITIALIZERS, Moments, Network, defaults
from initbench.core.initializers.dialects import (
    DIALECTS,
    equivalent_of,
    incompatibility,
    with_dialect_defaults,
)
from initbench.errors import InitbenchError


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """Mean, standard deviation and bounds of one layer's weights.

    They are those that the initializer declares, or where ``drawn`` those of weights it drew.
    """

    fan_in: int
    fan_out: int
    mean: float
    std: float
    low: float
    high: float
    drawn: bool


@dataclass(frozen=True, slots=True)
class FrameworkDraw:
    """What a framework draws under a name: the initializer that draws the same, and its weights."""

    framework: str
    chosen: ChosenInitializer
    layers: list[LayerWeights]


def explain(
    chosen: ChosenInitializer, network: Network, seeds: Sequence[int]
) -> list[LayerWeights]:
    """Describe each layer's weights, from the first layer to the last.

    Args:
        chosen: The initializer and its parameters.
        network: The network to initialize, with samples for initializers that look at data.
        seeds: Seeds to draw at. Only layers without a closed form are drawn.

    Returns:
        One description a layer: of the declared law, or without one of the weights drawn at all
        ``seeds`` together.

    Raises:
        InitbenchError: The parameters do not fit each other, or the weights cannot be drawn.
    """
    try:
        laws = draw.laws(chosen, network)
    except ValueError as error:
        raise InitbenchError(f"{chosen.name}: {error}") from None
    weights = drawn_weights(chosen, network, seeds) if None in laws else []
    layers = []
    for layer, ((outputs, inputs), law) in enumerate(zip(network.shapes, laws, strict=True)):
        moments = _moments_of(weights[layer]) if law is None else law
        layers.append(LayerWeights(inputs, outputs, *moments, drawn=law is None))
    return layers


def drawn_weights(chosen: ChosenInitializer, network: Network, seeds: Sequence[int]) -> list[Array]:
    """Draw each layer's weights at every seed, as the engine draws them before training.

    Args:
        chosen: The initializer and its parameters.
        network: The network to initialize, with samples for initializers that look at data.
        seeds: Seeds of the draws; a seed's weights do not depend on the others.

    Returns:
        The weights (R, O, I) of each layer, from the first to the last, without the biases.

    Raises:
        InitbenchError: The initializer failed, or returned what training cannot start from.
    """
    starts = draw.draw(network, [chosen] * len(seeds), seeds)
    for reason in starts.failures.values():
        raise InitbenchError(reason)
    return [view[..., :-1] for view in network.views(starts.theta)]


def draws_of_frameworks(
    name: str, given: Mapping[str, Any], network: Network, seeds: Sequence[int]
) -> list[FrameworkDraw]:
    """Describe what each framework that knows ``name`` draws under it.

    Args:
        name: The initializer's name.
        given: The parameters that the user gave; the others are the framework's own defaults.
        network: The network to initialize.
        seeds: Seeds to draw at, where there is no closed form.

    Returns:
        One entry a framework. A framework that cannot draw with these parameters has none.
    """
    found = []
    for dialect, known in DIALECTS.items():
        if name not in known:
            continue
        parameters = {**with_dialect_defaults(dialect, name, given), "dialect": dialect}
        if incompatibility(name, {**defaults(INITIALIZERS[name].draw), **parameters}):
            continue
        equivalent, parameters = equivalent_of(name, parameters)
        chosen = ChosenInitializer(equivalent, INITIALIZERS[equivalent], parameters)
        found.append(FrameworkDraw(dialect, chosen, explain(chosen, network, seeds)))
    return found


def _moments_of(weights: Array) -> Moments:
    """The moments and extremes of all weights (R, O, I) of a layer."""
    values = weights.astype(np.float64)
    return Moments(*map(float, (values.mean(), values.std(), values.min(), values.max())))
