"""Findings -> a verdict in words: what a network's start promises, from what layer, and what to do.

A pure function of what was measured and predicted. Every threshold is a constant below, with its
reason and where it is from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from initbench.runs.records import RowKey

Verdict = Literal[
    "symmetric", "dead", "exploding", "saturated", "vanishing", "ordered", "chaotic", "healthy"
]
#: The verdicts, worst first: the order of a summary.
VERDICTS: tuple[Verdict, ...] = (
    "symmetric", "dead", "exploding", "saturated", "vanishing", "ordered", "chaotic", "healthy",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """A quantity as theory predicts it (None where theory does not apply) and as measured."""

    predicted: float | None
    measured: float


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's findings, medians over seeds; None for what the layer or task does not have.

    :class:`initbench.core.propagation.Measurement` defines each. ``saturated`` is the share of
    units and samples where phi is flat, for an activation that is flat to both sides (tanh); for
    one that is flat to one side (relu) that share is ``inactive``. In the last layer ``saturated``
    is the share of samples whose output is.
    """

    layer: int
    fan_in: int
    units: int
    preactivation_mean: float
    preactivation_variance: Pair
    contrast: Pair
    activation_mean: float
    activation_variance: float
    gradient_variance: Pair
    weight_gradient_variance: float
    cosine: Pair
    effective_rank: float
    saturated: float | None
    inactive: float | None
    dead: float | None
    distinct_units: float | None
    update_size: float | None


@dataclass(frozen=True, slots=True)
class Theory:
    """What theory says of the network as a whole: :mod:`initbench.core.meanfield`."""

    sigma_w2: float
    sigma_b2: float
    fixed_variance: float
    fixed_cosine: float
    chi_1: float
    xi_q: float
    xi_c: float
    reach: float
    length_spread: float
    born_dead: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Steady:
    """What theory would start from: :func:`initbench.core.meanfield.steady_scale`.

    Under sigma_w^2 = ``scale`` this activation and depth lose least: ``change`` is the factor by
    which they change the variance of signal or gradient even so, ``spread`` what a width leaves to
    chance, as ``length_spread``.
    """

    scale: float
    change: float
    spread: float


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found of one initializer's networks, before or while they train."""

    config: str
    initializer: str
    setting: dict[str, Any]
    activation: str
    seeds: int
    samples: int
    iteration: int
    train_loss: float | None
    input_square: float
    input_cosine: float
    layers: tuple[Layer, ...]
    theory: Theory | None
    jacobian: tuple[float, float, float]
    born_dead: float
    steady: Steady

    @property
    def row(self) -> RowKey:
        """The key of the row that was diagnosed."""
        return RowKey.of(self.config, self.initializer, self.setting)

    @property
    def condition(self) -> float:
        """Of the Jacobian: its largest singular value over its smallest."""
        largest, _, smallest = self.jacobian
        return largest / smallest if smallest > 0 else math.inf


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, the layer where it begins (None: all is well), its reason, and what to do."""

    verdict: Verdict
    begins_at_layer: int | None
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found of an initializer, and what it means."""

    findings: Findings
    judgement: Judgement


#: A layer is symmetric where no more than this share of its units differ. At one half the network
#: has half the width that its config says.
DISTINCT_SHARE = 0.5
#: A start is called dead where this share of seeds give a constant output: the median network.
DEAD_SEEDS = 0.5
#: The mean square of the logits, at the start, beyond which they explode: standard deviation 10,
#: where sigmoid and softmax are certain (10 is odds of 22,000 to 1) of what nothing has taught
#: them, and a regression is ten deviations of its target off. In tests/benchmarks/verdicts.py
#: nearly all starts beyond it diverged or were late.
EXPLODED = 100.0
#: A layer is saturated where half of its units and samples are flat, so that the median unit
#: passes less than a fiftieth of its gradient on (propagation.FLAT_SLOPE). That layers stall there:
#: Glorot and Bengio 2010, AISTATS.
SATURATED_SHARE = 0.5
#: Signals vanish, or gradients explode, where a variance changes by this factor between the ends
#: of the network: a factor of 18 in size. Fitted, on digits alone, in tests/benchmarks/verdicts.py:
#: from 1e2 to 1e3 the share of right verdicts hardly moved. Note that it is a loss over all of
#: the depth, as training feels it, not a rate.
LOST = 10**-2.5
#: The standard deviation, over draws, of the log of a signal's variance, beyond which a network of
#: this depth and width is a lottery: a factor of e^1.75 = 5.8 up or down. For relu that is a sum of
#: 1 / width above 0.6. The typical network is then a factor of e^(1.75^2 / 2) = 4.6 below the mean
#: one. The effect: Hanin and Rolnick 2018, arXiv:1803.01719. The bound: fitted on digits as LOST
#: is, between narrow starts that all trained (up to 1.6) and such as did not (from 1.9).
LOTTERY = 1.75


def judge(findings: Findings) -> Judgement:
    """The first verdict that applies, in the order of their gravity.

    While a network trains (``iteration`` above 0) large and certain outputs are what it learns,
    and count for nothing.
    """
    for rule in (_symmetric, _dead, _exploding, _saturated, _fading, _chaotic, _lottery):
        judgement = rule(findings)
        if judgement is not None:
            return judgement
    return _healthy(findings)


def _symmetric(f: Findings) -> Judgement | None:
    for layer in f.layers[:-1]:
        assert layer.distinct_units is not None
        if layer.units > 1 and layer.distinct_units <= max(1, DISTINCT_SHARE * layer.units):
            n = round(layer.distinct_units)
            which = "all" if n == 1 else f"only {n} of"
            are = "are equal" if n == 1 else "differ"
            reason = (
                f"{which} {layer.units} units of layer {layer.layer} {are}, and gradients keep "
                f"them so: it can learn no more than a layer of {n} unit{'s' * (n > 1)}"
            )
            if all(x.weight_gradient_variance == 0 for x in f.layers):
                reason += "; the gradients of all weights are 0"
            return Judgement(
                "symmetric", layer.layer, reason + ".", _advice(f, "Draw weights at random")
            )
    return None


def _dead(f: Findings) -> Judgement | None:
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
    return Judgement("dead", layer.layer, reason + ".", "Use wider or fewer layers, or leaky_relu.")


def _exploding(f: Findings) -> Judgement | None:
    values = [layer.preactivation_variance.measured for layer in f.layers]
    finite = all(map(math.isfinite, values))
    if finite and (f.iteration > 0 or values[-1] <= EXPLODED):
        return None
    layer = next(x.layer for x, v in zip(f.layers, values, strict=True) if not v <= EXPLODED)
    reason = (
        f"pre-activations grow to a deviation of {math.sqrt(values[-1]):.2g} in the last layer, "
        f"from {math.sqrt(f.input_square):.2g} of the inputs"
    )
    output = f.layers[-1].saturated
    if output is not None:
        reason += f"; on {100 * output:.0f} % of the samples the output is saturated"
    return Judgement("exploding", layer, reason + ".", _advice(f, "Use smaller weights"))


def _saturated(f: Findings) -> Judgement | None:
    """A hidden layer, or at the start the output."""
    *hidden, last = f.layers
    for layer in hidden:
        if layer.saturated is not None and layer.saturated >= SATURATED_SHARE:
            reason = (
                f"{100 * layer.saturated:.0f} % of layer {layer.layer}'s activations lie where "
                f"{f.activation} is flat and passes no gradient on: its pre-activations have a "
                f"deviation of {math.sqrt(layer.preactivation_variance.measured):.3g}."
            )
            return Judgement("saturated", layer.layer, reason, _advice(f, "Use smaller weights"))
    if f.iteration > 0 or last.saturated is None or last.saturated < SATURATED_SHARE:
        return None
    reason = (
        f"on {100 * last.saturated:.0f} % of the samples the output is saturated: it is certain "
        "of what nothing has taught it."
    )
    return Judgement("saturated", last.layer, reason, _advice(f, "Use smaller weights"))


def _fading(f: Findings) -> Judgement | None:
    """Vanishing, or ordered: the differences between inputs fade, or the gradients do."""
    first, last = f.layers[0], f.layers[-1]
    contrast, gradient = _contrast(f), _gradient(f)
    if len(f.layers) == 1 or (contrast >= LOST and gradient >= LOST):
        return None
    if contrast < LOST:
        begins = next(
            x.layer
            for x in f.layers
            if x.contrast.measured < LOST * first.contrast.measured or x.contrast.measured == 0
        )
    else:  # from the output down, the first that gets too little
        begins = max(
            x.layer
            for x in f.layers
            if x.gradient_variance.measured < LOST * last.gradient_variance.measured
        )
    variance = _ratio(last.preactivation_variance.measured, first.preactivation_variance.measured)
    before, after = first.cosine.measured, f.layers[max(len(f.layers) - 2, 0)].cosine.measured
    # contrast is q (1 - c): which of the two factors has taken more of it?
    if contrast < LOST and variance > math.sqrt(contrast):
        reason = (
            f"inputs merge: the cosine of two samples' pre-activations is {before:.2f} in layer 1 "
            f"and {after:.4g} in layer {len(f.layers) - 1}, and {_differences(f)}; {_rate(f)}."
        )
        return Judgement("ordered", begins, reason, _advice(f))
    reason = (
        f"the variance of pre-activations goes from {first.preactivation_variance.measured:.2g} in "
        f"layer 1 to {last.preactivation_variance.measured:.2g} in layer {last.layer}, and "
        f"{_differences(f)}; {_rate(f)}."
    )
    return Judgement("vanishing", begins, reason, _advice(f))


def _chaotic(f: Findings) -> Judgement | None:
    gradient = _gradient(f)
    if gradient <= 1 / LOST:
        return None
    last = f.layers[-1]
    begins = max(
        x.layer
        for x in f.layers
        if x.gradient_variance.measured > last.gradient_variance.measured / LOST
    )
    reason = f"neighbouring inputs part and gradients explode: {_rate(f)}"
    if f.theory is not None:
        reason += f", chi_1 {f.theory.chi_1:.3g}"
    return Judgement("chaotic", begins, reason + ".", _advice(f, "Use smaller weights"))


def _lottery(f: Findings) -> Judgement | None:
    if f.iteration > 0 or f.theory is None or f.theory.length_spread <= LOTTERY:
        return None
    reason = (
        f"too deep for its width: over draws, theory gives the last layer's variance a factor of "
        f"e^{f.theory.length_spread:.2g} up or down, and the typical signal fades though the "
        "mean one does not."
    )
    return Judgement("vanishing", None, reason, "Use wider or fewer layers.")


def _healthy(f: Findings) -> Judgement:
    if len(f.layers) == 1:
        return Judgement("healthy", None, "there is no hidden layer to go wrong.", "")
    reason = (
        f"from one end to the other the differences between inputs change by a factor of "
        f"{_contrast(f):.2g} in variance, and gradients by {_gradient(f):.2g}."
    )
    return Judgement("healthy", None, reason, "")


def _ratio(above: float, below: float) -> float:
    """Of two variances; a signal that is 0 at both ends is lost."""
    return above / below if below > 0 else 0.0


def _contrast(f: Findings) -> float:
    return _ratio(f.layers[-1].contrast.measured, f.layers[0].contrast.measured)


def _gradient(f: Findings) -> float:
    last = f.layers[-1].gradient_variance.measured
    # A loss of 0 has no gradient to lose.
    return _ratio(f.layers[0].gradient_variance.measured, last) if last > 0 else 1.0


def _differences(f: Findings) -> str:
    return f"what tells inputs apart shrinks to {_contrast(f):.2g} of its variance"


def _rate(f: Findings) -> str:
    """How the gradient's variance changes a layer, over the hidden layers."""
    hidden = f.layers[:-1] if len(f.layers) > 2 else f.layers
    ratio = _ratio(hidden[0].gradient_variance.measured, hidden[-1].gradient_variance.measured)
    rate = ratio ** (1 / max(len(hidden) - 1, 1))
    return f"on the way back the gradient's variance changes by a factor of {rate:.2g} a layer"


def _advice(f: Findings, what: str = "") -> str:
    """``what`` to do, and an initializer that theory recommends for this activation and depth."""
    layers = f"{len(f.layers)} layers of {f.activation}"
    if f.steady.change > 1 / LOST or f.steady.spread > LOTTERY:
        return (
            f"No scale of the weights carries a signal safely through {layers} of this width: use "
            "fewer or wider layers, or another activation."
        )
    scale, gain = f.steady.scale, math.sqrt(f.steady.scale)
    named = {1: "lecun_normal", 2: "he_normal"}
    name = next((n for s, n in named.items() if abs(scale / s - 1) < 0.05), None)
    if name is None:
        name = f"variance_scaling with scale {scale:.2f} (gain {gain:.2f})"
    text = f"for {layers} use {name}, or orthogonal with gain {gain:.2f}."
    return f"{what}: {text}" if what else text[0].upper() + text[1:]
