"""Findings -> the condition that a network starts in, from which layer on, and why.

These are pure functions of what was measured; theory decides nothing. Like is compared with like:
hidden layers with hidden layers, and gradients by their sum over a layer's units, which a change of
width leaves alone. The last layer's own gradient is there from the first update on, and it decides
nothing either.

What a start can bear depends on the optimizer, and :data:`BOUNDS` holds the bounds of both
families. They were fitted by tests/benchmarks/diagnosis.py. What to do about a condition is said in
:mod:`initbench.diagnosis.advice`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from initbench.diagnosis.findings import Findings, Layer

Condition = Literal[
    "symmetric", "dead", "exploding", "saturated", "vanishing", "ordered", "chaotic", "healthy"
]
#: The conditions, worst first: the order of a summary, and of the rules.
CONDITIONS: tuple[Condition, ...] = (
    "symmetric", "dead", "exploding", "saturated", "vanishing", "ordered", "chaotic", "healthy",
)  # fmt: skip

#: Optimizers whose steps are as long as the gradient ("descent"), and those that divide by its
#: running root mean square, so that its scale does not matter ("adaptive").
Family = Literal["descent", "adaptive"]
FAMILIES: dict[str, Family] = {
    "gd": "descent",
    "momentum": "descent",
    "nesterov": "descent",
    "rmsprop": "adaptive",
    "adam": "adaptive",
}
#: What sentences call a family.
WORDS: dict[Family, str] = {"descent": "gradient descent", "adaptive": "Adam and RMSProp"}

#: A layer is symmetric where no more than this share of its units differ. With a fifth of 64 units
#: left, networks of the benchmark still trained at once.
DISTINCT_SHARE = 0.1
#: An initializer is called dead where this share of its seeds gives a constant output, so that the
#: median network does.
DEAD_SEEDS = 0.5


@dataclass(frozen=True, slots=True)
class Bounds:
    """What networks can bear, and still train, under one family of optimizers.

    - ``fade`` is the least factor by which the differences between inputs (their variance, the
      contrast), or the gradients, may change from one end of the hidden layers to the other.
    - ``contrast`` is the least sum, over the last hidden layer's units, of the variance between
      samples: the rate at which gradient descent can learn the last layer's weights.
    - ``distance`` is the least share of the signal in the last hidden layer that differs between
      samples. Below it all samples look the same.
    - ``growth`` is the largest factor by which the gradients may grow on the way back, beyond what
      the signal grows on its way.
    - ``first_loss`` is the largest first loss, over the best constant predictor's. Of a regression,
      whose loss is a square, it is the largest root.
    - ``flat`` is the largest share of a hidden layer's units and samples that may be flat, where
      the activation is flat on both sides.
    - ``input_spread`` is the largest variance of a feature, over the median feature's.
    - ``slow`` is as ``fade``, for networks that train, but slowly.
    """

    fade: float
    contrast: float
    distance: float
    growth: float
    first_loss: float
    flat: float
    input_spread: float
    slow: float


#: Fitted on digits, moons, wine and breast_cancer, each bound to the nearest half decade. What
#: shrinks alone leaves an adaptive optimizer's steps alone, as long as its gradients stay above its
#: ``eps`` (1e-8); what no longer differs between inputs is lost to any.
BOUNDS: dict[Family, Bounds] = {
    "descent": Bounds(
        fade=3e-6,
        contrast=1e-6,
        distance=1e-5,
        growth=300.0,
        first_loss=100.0,
        flat=0.9,
        input_spread=1e4,
        slow=1e-3,
    ),
    "adaptive": Bounds(
        fade=1e-17,
        contrast=1e-20,
        distance=1e-12,
        growth=1e4,
        first_loss=1e7,
        flat=math.inf,
        input_spread=math.inf,
        slow=1e-9,
    ),
}


#: What a recommended start must keep to, well inside the bounds: what was tried on few seeds and
#: samples must hold on all of them.
ADVISED: dict[Family, Bounds] = {
    "descent": Bounds(
        fade=1e-3,
        contrast=1e-3,
        distance=1e-3,
        growth=10.0,
        first_loss=10.0,
        flat=0.5,
        input_spread=1e3,
        slow=1e-3,
    ),
    "adaptive": Bounds(
        fade=1e-6,
        contrast=1e-6,
        distance=1e-4,
        growth=100.0,
        first_loss=1e3,
        flat=0.9,
        input_spread=math.inf,
        slow=1e-6,
    ),
}


@dataclass(frozen=True, slots=True)
class Assessment:
    """The condition of an initializer's networks, the layer where it begins, and the reason.

    ``begins_at_layer`` is None where the networks are healthy, and where no layer is to blame.
    """

    condition: Condition
    begins_at_layer: int | None
    reason: str


def assess(findings: Findings, bounds: Bounds) -> Assessment:
    """The first condition that applies, from the worst to the best, within these bounds.

    While a network trains (``iteration`` above 0), large and certain outputs are what it learns,
    and no rule holds them against it.
    """
    for rule in RULES:
        assessment = rule(findings, bounds)
        if assessment is not None:
            return assessment
    return _healthy(findings)


def _closed(f: Findings) -> list[Layer]:
    """The layers whose weights are all 0."""
    return [layer for layer in f.layers if layer.weight_square == 0]


def _named(layers: Sequence[Layer]) -> str:
    """``layer 2``, or ``layers 2 and 3``."""
    numbers = " and ".join(str(layer.layer) for layer in layers)
    return f"layer{'s' * (len(layers) > 1)} {numbers}"


def _behind_closed_gates(f: Findings, _: Bounds) -> Assessment | None:
    """Dead: weights of 0 that get no gradient, because others are 0 too.

    Where all weights are 0 the units are equal as well, and that is said instead.
    """
    closed = _closed(f)
    stuck = all(layer.weight_gradient_variance == 0 for layer in f.layers)
    if not closed or len(closed) == len(f.layers) or not stuck:
        return None
    reason = (
        f"the weights of {_named(closed)} are all 0, and so are the "
        "gradients of all weights: no update moves them."
    )
    return Assessment("dead", closed[0].layer, reason)


def _symmetric(f: Findings, _: Bounds) -> Assessment | None:
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


def _dead(f: Findings, _: Bounds) -> Assessment | None:
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


def _exploding(f: Findings, bounds: Bounds) -> Assessment | None:
    """The first loss is far above the best constant's, or something is not finite."""
    values = [layer.preactivation_variance.measured for layer in f.layers]
    finite = all(map(math.isfinite, values))
    times = f.first_loss_ratio
    regression = f.layers[-1].saturated is None
    size = None if times is None else math.sqrt(times) if regression else times
    if finite and (f.iteration > 0 or size is None or size <= bounds.first_loss):
        return None
    first = values[0]
    begins = next(
        (x.layer for x, v in zip(f.layers, values, strict=True) if not v <= max(10 * first, 100)),
        1,
    )
    reason = (
        f"pre-activations have a standard deviation of {math.sqrt(values[-1]):.2g} in the last "
        f"layer, where the inputs have {math.sqrt(f.input_square):.2g}"
    )
    if times is not None:
        reason += f", and the first loss is {times:.3g} times the best constant's"
    output = f.layers[-1].saturated
    if output is not None:
        reason += f"; on {100 * output:.0f} % of the samples the output is saturated"
    return Assessment("exploding", begins, reason + ".")


def _saturated(f: Findings, bounds: Bounds) -> Assessment | None:
    for layer in f.layers[:-1]:
        if layer.saturated is not None and layer.saturated >= bounds.flat:
            deviation = math.sqrt(layer.preactivation_variance.measured)
            reason = (
                f"{100 * layer.saturated:.0f} % of layer {layer.layer}'s activations lie where "
                f"{f.activation} is flat and passes no gradient on: its pre-activations have a "
                f"standard deviation of {deviation:.3g}."
            )
            return Assessment("saturated", layer.layer, reason)
    return None


def _fading(f: Findings, bounds: Bounds) -> Assessment | None:
    """Vanishing or ordered: the differences between inputs fade, or the gradients do."""
    hidden = _open_hidden(f)
    if not hidden:
        return None
    first, last = hidden[0], hidden[-1]
    contrast = _ratio(last.contrast.measured, first.contrast.measured)
    gradient = _gradient_change(f)
    left = last.units * last.activation_contrast
    apart = _ratio(last.contrast.measured, last.preactivation_variance.measured)
    faded = contrast < bounds.fade or left < bounds.contrast
    if not (faded or apart < bounds.distance or gradient < bounds.fade):
        return None
    variance = _ratio(last.preactivation_variance.measured, first.preactivation_variance.measured)
    differences = (
        f"from layer 1 to layer {last.layer} the differences between inputs shrink to "
        f"{contrast:.2g} of their variance"
        if last is not first
        else f"between inputs, layer 1's activations vary by {last.activation_contrast:.2g}"
    )
    # The contrast is q (1 - c): which of the two factors has taken more of it?
    if apart < bounds.distance or (contrast < bounds.fade and variance > math.sqrt(contrast)):
        reason = (
            f"inputs merge: the cosine of two samples' pre-activations is "
            f"{first.cosine.measured:.2f} in layer 1 and {last.cosine.measured:.4g} in layer "
            f"{last.layer}, and {differences}; {_gradient_rate(f)}."
        )
        return Assessment("ordered", _contrast_fades_at(hidden, bounds), reason)
    reason = (
        f"the variance of pre-activations is {first.preactivation_variance.measured:.2g} in layer "
        f"1 and {last.preactivation_variance.measured:.2g} in layer {last.layer}, and "
        f"{differences}; {_gradient_rate(f)}."
    )
    begins = _contrast_fades_at(hidden, bounds) if faded else _gradient_fades_at(hidden, bounds)
    return Assessment("vanishing", begins, reason)


def _one_sided(f: Findings, bounds: Bounds) -> Assessment | None:
    """Ordered from the inputs on: one feature drowns the others."""
    if f.iteration > 0 or f.input_spread <= bounds.input_spread:
        return None
    reason = (
        "samples differ in little but their largest features: the largest variance of a feature is "
        f"{f.input_spread:.2g} times the median one, and a step that suits it moves nothing else."
    )
    return Assessment("ordered", 1, reason)


def _contrast_fades_at(hidden: list[Layer], bounds: Bounds) -> int:
    """From the inputs on, the first hidden layer with too little contrast."""
    least = bounds.fade * hidden[0].contrast.measured
    return next(
        (
            x.layer
            for x in hidden
            if not x.contrast.measured > least
            or x.units * x.activation_contrast < bounds.contrast
            or x.contrast.measured < bounds.distance * x.preactivation_variance.measured
        ),
        hidden[-1].layer,
    )


def _gradient_fades_at(hidden: list[Layer], bounds: Bounds) -> int:
    """From the output back, the first hidden layer with too small a gradient."""
    least = bounds.fade * hidden[-1].gradient_energy
    return max(x.layer for x in hidden if x.gradient_energy < least)


def _chaotic(f: Findings, bounds: Bounds) -> Assessment | None:
    """Gradients grow on the way back, and the signal less on its way."""
    hidden = _open_hidden(f)
    if len(hidden) < 2:
        return None
    first, last = (x.preactivation_variance.measured for x in (hidden[0], hidden[-1]))
    signal = max(_ratio(last, first), 1.0)
    if _gradient_change(f) <= bounds.growth * signal:
        return None
    most = hidden[-1].gradient_energy * bounds.growth
    # Where the last gradient is infinite already, none is larger.
    begins = max((x.layer for x in hidden if x.gradient_energy > most), default=hidden[-1].layer)
    reason = f"neighbouring inputs move apart and gradients explode: {_gradient_rate(f)}"
    if f.theory is not None:
        reason += f"; theory expects {f.theory.chi_1:.3g} (chi_1)"
    return Assessment("chaotic", begins, reason + ".")


def slow(f: Findings, bounds: Bounds) -> bool:
    """Whether networks that are healthy under ``bounds`` train, but slowly."""
    hidden = _open_hidden(f)
    if f.iteration > 0 or len(hidden) < 2:
        return False
    return _ratio(hidden[-1].contrast.measured, hidden[0].contrast.measured) < bounds.slow


def _healthy(f: Findings) -> Assessment:
    hidden, closed = _open_hidden(f), _closed(f)
    if len(f.layers) == 1:
        return Assessment("healthy", None, "there is no hidden layer to lose a signal in.")
    if len(hidden) < 2:
        reason = "no hidden layer stands between the inputs and the layer that tells them apart"
    else:
        contrast = _ratio(hidden[-1].contrast.measured, hidden[0].contrast.measured)
        reason = (
            f"from layer 1 to layer {hidden[-1].layer} the variance of the differences between "
            f"inputs changes by a factor of {contrast:.2g}"
        )
        if not closed:
            reason += f", and on the way back that of gradients by {_gradient_change(f):.2g}"
    if closed:
        reason += (
            f". Closed gate: the weights of {_named(closed)} are 0 and the gradients below it too, "
            "but it has gradients of its own, and opens with the first update"
        )
    return Assessment("healthy", None, reason + ".")


#: The rules, worst condition first.
RULES: tuple[Callable[[Findings, Bounds], Assessment | None], ...] = (
    _behind_closed_gates, _symmetric, _dead, _exploding, _saturated, _fading, _chaotic,
    _one_sided,
)  # fmt: skip


def _open_hidden(f: Findings) -> list[Layer]:
    """The hidden layers below the first closed gate: above it nothing differs before it opens."""
    gates = _closed(f)
    below = gates[0].layer if gates else len(f.layers)
    return [layer for layer in f.layers[:-1] if layer.layer < below]


def _ratio(variance: float, other: float) -> float:
    """``variance`` over ``other``; 0, which is lost, where both are."""
    return variance / other if other > 0 else 0.0


def _gradient_change(f: Findings) -> float:
    """The gradient's energy in the first hidden layer over that in the last; 1 where it is 0."""
    hidden = f.layers[:-1]
    # A loss of 0 has no gradient to lose, nor has a layer below a closed gate.
    if not hidden or _closed(f) or not hidden[-1].gradient_energy > 0:
        return 1.0
    return hidden[0].gradient_energy / hidden[-1].gradient_energy


def _gradient_rate(f: Findings) -> str:
    """How the gradient's energy changes from one hidden layer to the one below, in words."""
    fitted = None if _closed(f) else f.growth["gradient"]
    if fitted is not None:
        rate = f"{fitted.factor:.2g} (standard error {fitted.error:.1g})"
    else:
        rate = f"{_gradient_change(f) ** (1 / max(len(f.layers) - 2, 1)):.2g}"
    return f"on the way back the gradient's variance changes by a factor of {rate} a layer"
