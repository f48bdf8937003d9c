"""A condition -> what may help, best first. The diagnosis tries each before it recommends one.

A remedy is a change of the config. This module knows which remedies there are and what to call
them; whether one helps is measured in :mod:`initbench.diagnosis.diagnose`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from initbench.core.means import Phi, elementwise, means_of
from initbench.diagnosis.findings import Findings
from initbench.diagnosis.rules import ADVISED, FAMILIES, Condition
from initbench.spec import Experiment
from initbench.spec.biases import OWN
from initbench.wording import counted

#: The sigma_w^2 of initializers that have a name; others are a variance_scaling.
NAMED = {1: "lecun_normal", 2: "he_normal"}
#: A named initializer is recommended where its sigma_w^2 is this near to theory's.
NEAR = 0.2
#: Inputs whose mean square is beyond these need a first layer that is scaled by it.
UNIT_INPUTS = (0.1, 10.0)
#: How much wider, and how much less deep, a remedy makes a network.
WIDER, SHALLOWER = 4, 2
#: A wider network than this is no remedy.
WIDEST = 256
#: Adam's usual learning rate.
ADAM_RATE = 0.001


@dataclass(frozen=True, slots=True)
class Remedy:
    """Keys of a config with their new values, and what to call the change in a sentence."""

    changes: dict[str, Any]
    words: str


def remedies(experiment: Experiment, findings: Findings, condition: Condition) -> Iterator[Remedy]:
    """What may mend a start, best first.

    Hidden biases come first if the config gives them, then weights, inputs, activation, optimizer
    and sizes.

    Args:
        experiment: The config, as it was diagnosed.
        findings: What was measured.
        condition: What is to be mended.
    """
    yield from _without_hidden_biases(experiment)
    hidden = len(findings.layers) - 1
    layers = f"{counted(hidden, 'hidden layer')} of"
    architecture = experiment.architecture
    activation = architecture.activation
    phi = elementwise(activation, architecture.activation_parameters)
    inputs = list(_inputs(experiment, findings))
    for data, first, square in inputs:
        for initializer, name in _starts(phi, square):
            use = (
                f"{first}use {name}"
                if first
                else f"For {layers} {findings.activation} use {name}"
                if hidden
                else f"Use {name}"
            )
            yield Remedy({**data, "initializer": initializer}, use)
    for other in ("leaky_relu", "tanh") if condition == "dead" else ("tanh", "relu"):
        for data, first, square in inputs if other != activation else ():
            for initializer, name in _starts(elementwise(other, {}), square):
                yield Remedy(
                    {**data, "activation": other, "initializer": initializer},
                    f"No weights that were tried help {layers} {findings.activation}: "
                    f"{first.lower()}use the activation {other} with {name}",
                )
    if FAMILIES[findings.optimizer] == "descent":
        yield Remedy(
            {"optimizer": "adam", "learning_rate": ADAM_RATE},
            f"Use the optimizer adam, with a learning rate of about {ADAM_RATE}",
        )
    yield from _other_sizes(architecture.sizes, phi, findings.input_square)


def _without_hidden_biases(experiment: Experiment) -> Iterator[Remedy]:
    """Hidden biases of 0, where the config gives other ones; the output keeps its own."""
    *hidden, output = experiment.biases
    if all(rule.name in ("initializer", "zeros", "none") for rule in hidden):
        return
    biases: dict[str, Any] = {"hidden": "zeros"}
    if output != OWN:
        biases["output"] = output.model_dump(mode="json", exclude_unset=True)
    yield Remedy({"bias": biases}, "Start the hidden biases at 0 (bias: {hidden: zeros})")


def _inputs(
    experiment: Experiment, findings: Findings
) -> Iterator[tuple[dict[str, Any], str, float]]:
    """The inputs as they are, unless one feature drowns the others, and standardised.

    Each is what to change about the data, words for it, and the inputs' mean square.
    """
    raw = getattr(experiment.dataset, "standardize", "") == "none"
    drowned = findings.input_spread > ADVISED[FAMILIES[findings.optimizer]].input_spread
    if not (raw and drowned):
        yield {}, "", findings.input_square
    if raw:
        dataset = {**experiment.dataset.model_dump(exclude_unset=True), "standardize": "features"}
        words = "Standardise the inputs (standardize: features in dataset) and "
        yield {"dataset": dataset}, words, 1.0


def _other_sizes(sizes: tuple[int, ...], phi: Phi, input_square: float) -> Iterator[Remedy]:
    features, *hidden, outputs = sizes
    wider = [features, *[min(WIDER * units, max(WIDEST, units)) for units in hidden], outputs]
    fewer = [features, *hidden[: len(hidden) // SHALLOWER], outputs]
    for layers, words in ((wider, "wider layers"), (fewer, "fewer layers")):
        if tuple(layers) != sizes:
            for initializer, name in _starts(phi, input_square):
                yield Remedy(
                    {"layers": layers, "initializer": initializer},
                    f"Use {words} (layers: {layers}) and {name}",
                )


def _starts(phi: Phi, input_square: float) -> list[tuple[dict[str, Any], str]]:
    """Initializers that theory or data fit to an activation, as a config has them, and in words."""
    scale = steady_scale(phi)
    gain = math.sqrt(scale)
    name = next((n for known, n in NAMED.items() if abs(scale / known - 1) < NEAR), None)
    rounded, rounded_gain = float(f"{scale:.3g}"), float(f"{gain:.3g}")
    random = (
        ({"name": name}, name)
        if name
        else (
            {"name": "variance_scaling", "scale": rounded, "distribution": "normal"},
            f"variance_scaling with scale {rounded:g} (gain {rounded_gain:g}) and distribution "
            "normal",
        )
    )
    orthogonal = (
        {"name": "orthogonal", "gain": rounded_gain},
        f"orthogonal with gain {rounded_gain:g}",
    )
    by_data = ({"name": "lsuv"}, "lsuv, which scales each layer by the data that reach it")
    low, high = UNIT_INPUTS
    if low < input_square < high:
        return [random, orthogonal, by_data]
    return [by_data, random, orthogonal]


def steady_scale(phi: Phi) -> float:
    """The sigma_w^2 that holds a signal of variance 1: 1 / E[phi(z)^2], with z ~ N(0, 1).

    An odd activation would be driven to where it is flat by that. It is at the edge of order and
    chaos at 1 / phi'(0)^2, with biases of 0.

    >>> [round(steady_scale(elementwise(name, {})), 2) for name in ("relu", "tanh")]
    [2.0, 1.0]

    References:
        He et al. 2015, arXiv:1502.01852; Poole et al. 2016, arXiv:1606.05340.
    """
    value, slope = phi(np.array([-1.0, 0.0, 1.0]))
    if value[0] == -value[2]:
        return 1 / float(slope[1]) ** 2
    return 1 / means_of(phi).square(1.0)
