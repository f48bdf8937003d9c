"""Gains: factors of weights that make up for what an activation takes from a signal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from initbench.core.activations import ACTIVATIONS
from initbench.core.initializers.protocol import GAIN_WORDS, Network
from initbench.core.quadrature import gaussian_moments

#: PyTorch's ``torch.nn.init.calculate_gain``, by our names of the activations.
TORCH_GAINS: dict[str, float] = {
    "identity": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2.0),
    "leaky_relu": math.sqrt(2.0),  # over sqrt(1 + negative_slope^2)
    "selu": 0.75,
}


def exact_gain(activation: str, parameters: Mapping[str, Any]) -> float:
    """The gain that keeps a signal's second moment: ``1 / sqrt(E[phi(z)^2])``, z ~ N(0, 1).

    Args:
        activation: A name in :data:`~initbench.core.activations.ACTIVATIONS`.
        parameters: The activation's keyword parameters.

    Examples:
        >>> [round(exact_gain(name, {}), 4) for name in ("tanh", "relu", "selu", "gelu")]
        [1.5925, 1.4142, 1.0, 1.5335]
    """
    function = ACTIVATIONS[activation].apply
    _, second = gaussian_moments(lambda z, slope: function(z, slope, **parameters))
    return 1 / math.sqrt(second)


def torch_gain(activation: str, parameters: Mapping[str, Any]) -> float:
    """The gain that PyTorch's ``calculate_gain`` recommends.

    Args:
        activation: A name in :data:`~initbench.core.activations.ACTIVATIONS`.
        parameters: The activation's keyword parameters.

    Raises:
        ValueError: PyTorch has no value for this activation.

    Examples:
        >>> torch_gain("tanh", {})
        1.6666666666666667

    References:
        ``torch.nn.init.calculate_gain``. Its values for tanh and selu are rules of thumb.
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
    """An initializer's parameters, with the activation's number where the gain is a word."""
    gain = parameters.get("gain")
    if gain not in GAIN_WORDS:
        return dict(parameters)
    function = {"exact": exact_gain, "torch": torch_gain}[gain]
    return {**parameters, "gain": function(network.activation, network.activation_parameters)}
