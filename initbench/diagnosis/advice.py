"""A condition -> what to do about it."""

from __future__ import annotations

import math

from initbench.diagnosis.findings import Findings
from initbench.diagnosis.rules import LOST, LOTTERY, Assessment, Condition

#: What to change about the weights, before an initializer is named.
WEIGHTS: dict[Condition, str] = {
    "symmetric": "Draw weights at random",
    "exploding": "Use smaller weights",
    "saturated": "Use smaller weights",
    "chaotic": "Use smaller weights",
}
#: The sigma_w^2 of initializers that have a name; others are a variance_scaling.
NAMED = {1: "lecun_normal", 2: "he_normal"}
#: A named initializer is recommended where its sigma_w^2 is this near to theory's.
NEAR = 0.05


def advise(findings: Findings, assessment: Assessment) -> str:
    """What to do about an assessed condition, as a sentence; "" where the networks are healthy."""
    match assessment.condition:
        case "healthy":
            return ""
        case "dead":
            return "Use wider or fewer layers, or leaky_relu."
        case "vanishing" if assessment.begins_at_layer is None:  # depth and width are to blame
            return "Use wider or fewer layers."
        case condition:
            return _use_weights(findings, WEIGHTS.get(condition, ""))


def _use_weights(findings: Findings, change: str) -> str:
    """The ``change``, and an initializer that theory recommends for this activation and depth."""
    layers = f"{len(findings.layers)} layers of {findings.activation}"
    steady = findings.steady
    if steady.change > 1 / LOST or steady.spread > LOTTERY:
        return (
            f"No scale of the weights carries a signal safely through {layers} of this width: use "
            "fewer or wider layers, or another activation."
        )
    gain = math.sqrt(steady.scale)
    name = next((n for scale, n in NAMED.items() if abs(steady.scale / scale - 1) < NEAR), None)
    if name is None:
        name = f"variance_scaling with scale {steady.scale:.2f} (gain {gain:.2f})"
    recommended = f"{layers} use {name}, or orthogonal with gain {gain:.2f}."
    return f"{change}: for {recommended}" if change else f"For {recommended}"
