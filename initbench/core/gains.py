"""Gains: by how much weights are widened to make up for what an activation takes away."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from initbench.core.activations import ACTIVATIONS
from initbench.core.initializers.protocol import GAIN_WORDS, Network
from initbench.core.quadrature import gaussian_moments

#: PyTorch's ``torch.nn.init.calculate_gain``, by our names. Its tanh and selu are rules of thumb.
TORCH_GAINS: dict[str, float] = {
    "identity": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2.0),
    "leaky_relu": math.sqrt(2.0),  # over sqrt(1 + negative_slope^2)
    "selu": 0.75,
}


def exact_gain(activation: str, parameters: Mapping[str, Any]) -> float:
    """``1 / sqrt(E[phi(z)^2])``, z ~ N(0, 1): unit pre-activations in, a unit second moment out.

    >>> [round(exact_gain(name, {}), 4) for name in ("tanh", "relu", "selu", "gelu")]
    [1.5925, 1.4142, 1.0, 1.5335]
    """
    function = ACTIVATIONS[activation].apply
    _, second = gaussian_moments(lambda z, slope: function(z, slope, **parameters))
    return 1 / math.sqrt(second)


def torch_gain(activation: str, parameters: Mapping[str, Any]) -> float:
    """What PyTorch's ``calculate_gain`` recommends; ValueError where it has no value.

    >>> torch_gain("tanh", {})
    1.6666666666666667
    """
    if activation not in TORCH_GAINS:
        known = ", ".join(TORCH_GAINS)
        raise ValueError(
            f"gain torch: PyTorch's calculate_gain has no value for {activation}, only for "
            f"{known}; write gain: exact"
        )
    slope = parameters["negative_slope"] if activation == "leaky_relu" else 0.0
    return TORCH_GAINS[activation] / math.sqrt(1 + slope**2)


def with_numbers(parameters: Mapping[str, Any], network: Network) -> dict[str, Any]:
    """An initializer's parameters, a gain given by word turned into the activation's number."""
    gain = parameters.get("gain")
    if gain not in GAIN_WORDS:
        return dict(parameters)
    function = {"exact": exact_gain, "torch": torch_gain}[gain]
    return {**parameters, "gain": function(network.activation, network.activation_parameters)}
