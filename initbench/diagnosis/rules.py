"""Findings -> the condition that a network starts in, from which layer on, and why.

These are pure functions of what was measured and predicted. Every threshold is a constant below,
with its reason and its source. What to do about a condition is said in
:mod:`initbench.diagnosis.advice`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from initbench.diagnosis.findings import Findings

Condition = Literal[
    "symmetric", "dead", "exploding", "saturated", "vanishing", "ordered", "chaotic", "healthy"
]
#: The conditions, worst first: the order of a summary, and of the rules.
CONDITIONS: tuple[Condition, ...] = (
    "symmetric", "dead", "exploding", "saturated", "vanishing", "ordered", "chaotic", "healthy",
)  # fmt: skip

#: A layer is symmetric where no more than this share of its units differ. At one half the network
#: has half the width that its config says.
DISTINCT_SHARE = 0.5
#: An initializer is called dead where this share of its seeds gives a constant output, so that the
#: median network does.
DEAD_SEEDS = 0.5
#: Before training, logits explode where their mean square is beyond this: a standard deviation of
#: 10, at which sigmoid and softmax are certain (10 is odds of 22,000 to 1) although nothing was
#: learned yet, and a regression is ten deviations of its target off. In
#: tests/benchmarks/diagnosis.py nearly all networks beyond it diverged or were late.
EXPLODED = 100.0
#: A layer is saturated where half of its units and samples are flat, so that the median unit
#: passes less than a fiftieth of its gradient on (propagation.FLAT_SLOPE). Glorot and Bengio 2010
#: (AISTATS) show that layers stall there.
SATURATED_SHARE = 0.5
#: Signals vanish, or gradients explode, where a variance changes by this factor between the ends
#: of the network: a factor of 18 in size. It was fitted in tests/benchmarks/diagnosis.py, on digits
#: alone; from 1e2 to 1e3 the share of right diagnoses hardly moved. The factor is for the whole
#: depth, as training feels it, and is no rate per layer.
LOST = 10**-2.5
#: Chance decides whether a network trains where the standard deviation, over draws, of the log of a
#: signal's variance is beyond this: a factor of e^1.75 = 5.8 up or down. For relu that is a sum of
#: 1 / width above 0.6. The typical network is then a factor of e^(1.75^2 / 2) = 4.6 below the mean
#: one. Hanin and Rolnick 2018, arXiv:1803.01719, describe the effect. The bound was fitted on
#: digits as LOST was, between narrow networks that all trained (up to 1.6) and others that did not
#: (from 1.9).
LOTTERY = 1.75


@dataclass(frozen=True, slots=True)
class Assessment:
    """The condition of an initializer's networks, the layer where it begins, and the reason.

    ``begins_at_layer`` is None where the networks are healthy, and where no single layer is to
    blame but the network's depth and width.
    """

    condition: Condition
    begins_at_layer: int | None
    reason: str


def assess(findings: Findings) -> Assessment:
    """The first condition that applies, from the worst to the best.

    While a network trains (``iteration`` above 0), large and certain outputs are what it learns,
    and no rule holds them against it.
    """
    for rule in (_symmetric, _dead, _exploding, _saturated, _fading, _chaotic, _lottery):
        assessment = rule(findings)
        if assessment is not None:
            return assessment
    return _healthy(findings)


def _symmetric(f: Findings) -> Assessment | None:
    for layer in f.layers[:-1]:
        assert layer.distinct_units is not None
        if layer.units > 1 and layer.distinct_units <= max(1, DISTINCT_SHARE * layer.units):
            n = round(layer.distinct_units)
            which = "all" if n == 1 else f"only {n} of"
            are = "are equal" if n == 1 else "differ"
            reason = (
                f"{which} {layer.units} units of layer {layer.layer} {are}, and equal units get "
                f"equal gradients: the layer can learn no more than {n} unit{'s' * (n > 1)} could"
            )
            if all(x.weight_gradient_variance == 0 for x in f.layers):
                reason += "; the gradients of all weights are 0"
            return Assessment("symmetric", layer.layer, reason + ".")
    return None


def _dead(f: Findings) -> Assessment | None:
    if f.born_dead < DEAD_SEEDS:
        return None
    hidden = f.layers[:-1]
    layer = next((x for x in hidden if x.dead == 1), max(hidden, key=lambda x: x.dead or 0.0))
    when = "are born dead" if f.iteration == 0 else "are dead"
    reason = (
        f"{100 * f.born_dead:.0f} % of the networks {when}: all {layer.units} units of layer "
        f"{layer.layer} are 0 on all samples, and the output is constant"
    )
    if f.iteration == 0 and f.theory is not None and f.theory.born_dead is not None:
        low, high = (f"{100 * bound:.2f}" for bound in f.theory.born_dead)
        reason += f" (theory: {low} to {high} %)"
    return Assessment("dead", layer.layer, reason + ".")


def _exploding(f: Findings) -> Assessment | None:
    values = [layer.preactivation_variance.measured for layer in f.layers]
    finite = all(map(math.isfinite, values))
    if finite and (f.iteration > 0 or values[-1] <= EXPLODED):
        return None
    begins = next(x.layer for x, v in zip(f.layers, values, strict=True) if not v <= EXPLODED)
    reason = (
        f"pre-activations grow to a standard deviation of {math.sqrt(values[-1]):.2g} in the last "
        f"layer, where the inputs have {math.sqrt(f.input_square):.2g}"
    )
    output = f.layers[-1].saturated
    if output is not None:
        reason += f"; on {100 * output:.0f} % of the samples the output is saturated"
    return Assessment("exploding", begins, reason + ".")


def _saturated(f: Findings) -> Assessment | None:
    """A hidden layer is saturated, or before training the output."""
    *hidden, last = f.layers
    for layer in hidden:
        if layer.saturated is not None and layer.saturated >= SATURATED_SHARE:
            deviation = math.sqrt(layer.preactivation_variance.measured)
            reason = (
                f"{100 * layer.saturated:.0f} % of layer {layer.layer}'s activations lie where "
                f"{f.activation} is flat and passes no gradient on: its pre-activations have a "
                f"standard deviation of {deviation:.3g}."
            )
            return Assessment("saturated", layer.layer, reason)
    if f.iteration > 0 or last.saturated is None or last.saturated < SATURATED_SHARE:
        return None
    reason = (
        f"on {100 * last.saturated:.0f} % of the samples the output is saturated: the network is "
        "certain before it has learned anything."
    )
    return Assessment("saturated", last.layer, reason)


def _fading(f: Findings) -> Assessment | None:
    """Vanishing or ordered: the differences between inputs fade, or the gradients do."""
    contrast, gradient = _contrast_change(f), _gradient_change(f)
    if len(f.layers) == 1 or (contrast >= LOST and gradient >= LOST):
        return None
    first, last = f.layers[0], f.layers[-1]
    variance = _ratio(last.preactivation_variance.measured, first.preactivation_variance.measured)
    begins = _contrast_fades_at(f) if contrast < LOST else _gradient_fades_at(f)
    differences = f"the differences between inputs shrink to {contrast:.2g} of their variance"
    # The contrast is q (1 - c): which of the two factors has taken more of it?
    if contrast < LOST and variance > math.sqrt(contrast):
        below_last = f.layers[-2]
        reason = (
            f"inputs merge: the cosine of two samples' pre-activations is "
            f"{first.cosine.measured:.2f} in layer 1 and {below_last.cosine.measured:.4g} in layer "
            f"{len(f.layers) - 1}, and {differences}; {_gradient_rate(f)}."
        )
        return Assessment("ordered", begins, reason)
    reason = (
        f"the variance of pre-activations goes from {first.preactivation_variance.measured:.2g} in "
        f"layer 1 to {last.preactivation_variance.measured:.2g} in layer {last.layer}, and "
        f"{differences}; {_gradient_rate(f)}."
    )
    return Assessment("vanishing", begins, reason)


def _contrast_fades_at(f: Findings) -> int:
    """From the inputs on, the first layer with too little contrast."""
    least = LOST * f.layers[0].contrast.measured
    return next(
        x.layer for x in f.layers if x.contrast.measured < least or x.contrast.measured == 0
    )


def _gradient_fades_at(f: Findings) -> int:
    """From the output back, the first layer with too small a gradient."""
    least = LOST * f.layers[-1].gradient_variance.measured
    return max(x.layer for x in f.layers if x.gradient_variance.measured < least)


def _chaotic(f: Findings) -> Assessment | None:
    if _gradient_change(f) <= 1 / LOST:
        return None
    most = f.layers[-1].gradient_variance.measured / LOST
    begins = max(x.layer for x in f.layers if x.gradient_variance.measured > most)
    reason = f"neighbouring inputs move apart and gradients explode: {_gradient_rate(f)}"
    if f.theory is not None:
        reason += f"; theory expects {f.theory.chi_1:.3g} (chi_1)"
    return Assessment("chaotic", begins, reason + ".")


def _lottery(f: Findings) -> Assessment | None:
    if f.iteration > 0 or f.theory is None or f.theory.length_spread <= LOTTERY:
        return None
    reason = (
        "the network is too deep for its width: from one draw of the weights to another theory "
        f"expects the last layer's variance to vary by a factor of e^{f.theory.length_spread:.2g} "
        "up or down, and the typical signal fades although the mean one does not."
    )
    return Assessment("vanishing", None, reason)


def _healthy(f: Findings) -> Assessment:
    if len(f.layers) == 1:
        return Assessment("healthy", None, "there is no hidden layer to lose a signal in.")
    reason = (
        "from one end of the network to the other the variance of the differences between inputs "
        f"changes by a factor of {_contrast_change(f):.2g}, and that of gradients by "
        f"{_gradient_change(f):.2g}."
    )
    return Assessment("healthy", None, reason)


def _ratio(variance: float, other: float) -> float:
    """``variance`` over ``other``; 0, which is lost, where both are."""
    return variance / other if other > 0 else 0.0


def _contrast_change(f: Findings) -> float:
    """The contrast of the last layer over that of the first."""
    return _ratio(f.layers[-1].contrast.measured, f.layers[0].contrast.measured)


def _gradient_change(f: Findings) -> float:
    """The gradient's variance in the first layer over that in the last."""
    last = f.layers[-1].gradient_variance.measured
    # A loss of 0 has no gradient to lose.
    return _ratio(f.layers[0].gradient_variance.measured, last) if last > 0 else 1.0


def _gradient_rate(f: Findings) -> str:
    """How the gradient's variance changes from one hidden layer to the one below, in words."""
    hidden = f.layers[:-1] if len(f.layers) > 2 else f.layers
    ratio = _ratio(hidden[0].gradient_variance.measured, hidden[-1].gradient_variance.measured)
    rate = ratio ** (1 / max(len(hidden) - 1, 1))
    return f"on the way back the gradient's variance changes by a factor of {rate:.2g} a layer"
