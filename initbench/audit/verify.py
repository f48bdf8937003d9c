"""Whether initializers draw what they declare: statistics of draws, and where they must lie.

Every initializer draws the same networks, one for each seed. The weights of one network may depend
on each other in any way (those of an orthogonal matrix do), but networks of different seeds do
not. So a statistic is computed for each network, and Student's t compares its average over the
seeds with the value that the law gives. No test needs to know more about a law than its moments
and bounds. An average over thousands of weights is close to normal, as t requires, whatever the
law; the tests check the rate of false alarms by simulation.
"""

from __future__ import annotations

import itertools
import math
import pickle
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.random import RandomState
from scipy import stats
from threadpoolctl import threadpool_limits

from initbench.core import draw
from initbench.core.arrays import Array
from initbench.core.draw import ChosenInitializer
from initbench.core.initializers import Moments, Network, Shape
from initbench.core.initializers.scaling import TRUNCATED_STD
from initbench.errors import PluginError

#: The networks' layers are tall and wide in turn (O above and below I), and all of one size.
SIZES = (40, 100, 40, 100, 40)
SEEDS = range(48)
SAMPLES = 256
#: The networks as a config describes them.
SETTINGS = [("--layers", f"layers={list(SIZES)}")]
#: What a config writes for an initializer that has a parameter without a default.
WITH_EXAMPLES = {"constant": "{name: constant, value: 0.5}"}
#: The chance that any of all checks fails although every initializer does what it declares.
FALSE_ALARM = 1e-6
#: How far rounding may move a statistic whose scale is 1. Sums of float64 are a few ulps off, and
#: Gram matrices of these sizes some dozens.
ROUNDING = 1e-9
#: How far, in standard deviations, it may move a weight at its bound: frameworks draw in float32.
BOUND_ROUNDING = 1e-6


def inputs() -> Array:
    """Standard normal samples (I, B) for initializers that look at data."""
    return RandomState(0).standard_normal((SIZES[0], SAMPLES))


@dataclass(frozen=True, slots=True)
class Check:
    """One check: a statistic, the interval that it must lie in, and whether it does.

    ``words`` say what a failure suggests, and are empty where it suggests nothing.
    """

    initializer: str
    check: str
    statistic: float
    low: float
    high: float
    words: str = ""

    @property
    def ok(self) -> bool:
        """Whether the statistic lies in the interval."""
        return self.low <= self.statistic <= self.high


@dataclass(frozen=True, slots=True)
class _PerSeed:
    """A statistic of each seed's network, and the mean that the law gives it.

    ``faults`` are the means that well-known mistakes give it instead.
    """

    check: str
    values: Array  # (R,)
    mean: float
    faults: Mapping[str, float] = field(default_factory=dict)


def verify(
    named: Mapping[str, ChosenInitializer], network: Network, seeds: Sequence[int] = SEEDS
) -> list[Check]:
    """Check whether initializers draw what they declare.

    The level of each test is FALSE_ALARM over the number of tests (Bonferroni), so that more
    initializers make wider intervals.

    Args:
        named: The initializers with their parameters, by the labels that the checks bear.
        network: The network to draw, with samples for initializers that look at data.
        seeds: The seeds to draw at, three or more.

    Returns:
        The checks of each initializer in turn. Those that need a law are left out where an
        initializer declares none.
    """
    with threadpool_limits(1, user_api="blas"):  # the products are too small to share
        measured: list[tuple[str, Check | _PerSeed]] = [
            (label, one)
            for label, chosen in named.items()
            for one in _measurements(chosen, network, seeds)
        ]
    tests = sum(isinstance(one, _PerSeed) for _, one in measured)
    return [
        _t_test(label, one, FALSE_ALARM / tests)
        if isinstance(one, _PerSeed)
        else replace(one, initializer=label)
        for label, one in measured
    ]


def _t_test(label: str, statistic: _PerSeed, level: float) -> Check:
    """The two-sided t test as an interval around the mean that the law gives."""
    count = len(statistic.values)
    error = float(statistic.values.std(ddof=1)) / math.sqrt(count)
    half = float(stats.t.isf(level / 2, count - 1)) * error + ROUNDING
    mean = float(statistic.values.mean())
    check = Check(label, statistic.check, mean, statistic.mean - half, statistic.mean + half)
    if check.ok:
        return check
    alike = (fault for fault, value in statistic.faults.items() if abs(mean - value) <= half)
    return replace(check, words=next(alike, ""))


def _measurements(
    chosen: ChosenInitializer, network: Network, seeds: Sequence[int]
) -> Iterator[Check | _PerSeed]:
    """Draw from one initializer; its checks without chance, and the statistics to be tested."""
    # This draw comes before the states are read: what a first draw imports may draw itself, as JAX
    # does from NumPy's global generator.
    single = draw.draw(replace(network, dtype=np.dtype(np.float32)), [chosen], seeds[:1])
    before = _global_states()
    drawn = draw.draw(network, [chosen] * len(seeds), seeds)
    touched = [name for name, state in _global_states().items() if state != before[name]]
    reasons = [*drawn.failures.values(), *single.failures.values()]
    yield _exact("shape, dtype, finite", len(reasons), words=reasons[0] if reasons else "")
    words = f"draws changed {' and '.join(touched)}"
    yield _exact("global random state", len(touched), words=words)
    if reasons:
        return

    # Drawn again in another order and company, which a state of the initializer's own would show.
    again = draw.draw(network, [chosen] * 3, seeds[2::-1])
    differing = np.count_nonzero(again.theta[::-1] != drawn.theta[:3])
    yield _exact("determinism", int(differing), words="a seed's weights differ from call to call")
    layers = [view[..., :-1] for view in network.views(drawn.theta)]  # (R, O, I)
    yield from _distribution(chosen, network, layers)


def _distribution(
    chosen: ChosenInitializer, network: Network, layers: Sequence[Array]
) -> Iterator[Check | _PerSeed]:
    """Dependence, orthogonality and moments of the layers' weights, each (R, O, I)."""
    properties = chosen.initializer.properties
    try:
        laws = draw.laws(chosen, network)
    except PluginError as error:  # a user's law that is none
        yield _exact("law", 1, words=str(error))
        return
    fixed = "fixed" in properties or all(law is not None and law.std == 0 for law in laws)
    yield from _dependence(layers, fixed=fixed)
    if not fixed and not any(np.ptp(layer, axis=0).any() for layer in layers):
        return  # all seeds drew the same weights: there is nothing to average over
    if "orthogonal" in properties:
        yield _orthogonality(layers)
    symmetric = not fixed and "skewed" not in properties
    for tall in (True, False):
        known = [
            (layer, law)
            for layer, law, (outputs, inputs) in zip(layers, laws, network.shapes, strict=True)
            if law is not None and (outputs > inputs) == tall
        ]
        if known:
            shape = known[0][0].shape[1:]
            faults = _faults(chosen, network, shape, known[0][1])
            yield from _moments("tall" if tall else "wide", known, faults, symmetric=symmetric)


def _exact(check: str, statistic: float, low: float = 0, high: float = 0, words: str = "") -> Check:
    """A check whose statistic is not random."""
    exact = Check("", check, float(statistic) + 0.0, low, high)  # + 0.0: no -0
    return exact if exact.ok else replace(exact, words=words)


def _global_states() -> dict[str, Any]:
    """The states of the global generators, from which nobody may draw, as values to compare."""
    return {
        "numpy.random's": pickle.dumps(np.random.get_state()),
        "random's": random.getstate(),
    }


def _dependence(layers: Sequence[Array], *, fixed: bool) -> Iterator[Check | _PerSeed]:
    """Whether the draws of different seeds, or the layers of one network, depend on each other.

    Each weight's average over the seeds is subtracted first, since it may differ from weight to
    weight (on a diagonal, say). The residuals are then correlated pair by pair.
    """
    weights = [layer.reshape(len(layer), -1) for layer in layers]  # (R, O I)
    if fixed:
        spread = max(float(np.ptp(layer, axis=0).max()) for layer in weights)
        yield _exact("fixed", spread, words="declared fixed, and differs between seeds")
        return
    residuals = [layer - layer.mean(axis=0) for layer in weights]
    sizes = [float(np.sqrt(np.mean(residual**2))) for residual in residuals]
    # Equal numbers less their average leave nothing but rounding.
    varying = [
        residual / size
        for residual, size, layer in zip(residuals, sizes, weights, strict=True)
        if size > ROUNDING * float(np.abs(layer).max())
    ]
    if not varying:
        words = "every seed has the same weights (without chance? declare them fixed)"
        yield _exact("independence, seeds", 1, words=words)
        same = sum(np.array_equal(a, b) for a, b in itertools.combinations(layers, 2))
        yield _exact("independence, layers", same, words="pairs of layers have the same weights")
        return
    # Where seeds are independent, residuals about the average of R seeds correlate by -1 / (R - 1).
    every = np.concatenate(varying, axis=1)
    pairs = np.mean(every[0:-1:2] * every[1::2], axis=1) + 1 / (len(every) - 1)
    yield _PerSeed("independence, seeds", pairs, 0.0)
    if len(varying) > 1:
        products = [np.mean(a * b, axis=1) for a, b in itertools.combinations(varying, 2)]
        yield _PerSeed("independence, layers", np.mean(products, axis=0), 0.0)


def _orthogonality(layers: Sequence[Array]) -> Check:
    """The largest error of W W^T / g^2 - I, W being the rows or columns, whichever are fewer."""
    errors = []
    for layer in layers:
        rows = layer if layer.shape[1] <= layer.shape[2] else layer.swapaxes(1, 2)
        gram = rows @ rows.swapaxes(1, 2)
        scale = np.trace(gram, axis1=1, axis2=2)[:, None, None] / gram.shape[-1]
        with np.errstate(invalid="ignore"):  # rows of 0: NaN, which is in no interval
            errors.append(np.abs(gram / scale - np.eye(gram.shape[-1])).max())
    words = "largest error of W W^T / g^2"
    return _exact("orthogonality", float(np.max(errors)), high=ROUNDING, words=words)


def _moments(
    orientation: str,
    layers: Sequence[tuple[Array, Moments]],
    faults: Mapping[str, float],
    *,
    symmetric: bool,
) -> Iterator[Check | _PerSeed]:
    """Mean, variance, bounds and symmetry of the weights in units of their law.

    From each weight the law's mean is subtracted, and the rest divided by the law's standard
    deviation; where that is 0, by the size of the mean.
    """
    scales = [law.std or abs(law.mean) or 1.0 for _, law in layers]
    scaled = [
        (layer.reshape(len(layer), -1) - law.mean) / scale
        for (layer, law), scale in zip(layers, scales, strict=True)
    ]
    every = np.concatenate(scaled, axis=1)  # (R, weights)
    # Each weight counts alike; those of a layer without spread vary by 0.
    sizes = [one.shape[1] for one in scaled]
    varying = float(np.average([law.std > 0 for _, law in layers], weights=sizes))
    yield _PerSeed(f"mean, {orientation}", every.mean(axis=1), 0.0)
    yield _PerSeed(
        f"variance, {orientation}",
        np.mean(every**2, axis=1),
        varying,
        faults,
    )
    below, above = (
        max(
            float(sign * (extreme(one) - (bound - law.mean) / scale))
            for one, (_, law), scale in zip(scaled, layers, scales, strict=True)
            for bound in ((law.low, law.high)[sign > 0],)
        )
        for sign, extreme in ((-1, np.min), (1, np.max))
    )
    if max(below, above) > -math.inf:
        words = f"in std, beyond the {'lower' if below > above else 'upper'} bound"
        yield _exact(f"bounds, {orientation}", max(below, above), -math.inf, BOUND_ROUNDING, words)
    if symmetric and all(_is_symmetric(law) for _, law in layers):
        signs = np.where(np.abs(every) > ROUNDING, np.sign(every), 0.0)
        yield _PerSeed(f"symmetry, {orientation}", signs.mean(axis=1), 0.0)


def _is_symmetric(law: Moments) -> bool:
    """Whether the bounds are as far below the mean as above it; both may be infinite."""
    below, above = law.mean - law.low, law.high - law.mean
    return below == above or math.isclose(below, above)


def _faults(
    chosen: ChosenInitializer, network: Network, shape: Shape, law: Moments
) -> dict[str, float]:
    """Well-known mistakes, and the variance that each gives in units of the declared one."""
    variance = law.variance
    faults = {
        "as if truncated without correction": TRUNCATED_STD**2,
        "as if a gain of sqrt(2) were missing": 0.5,
        "as if a gain of sqrt(2) were applied twice": 2.0,
        "as if the standard deviation were the variance": variance,
    }
    if chosen.initializer.scope == "layer" and chosen.initializer.law and variance:
        (swapped,) = draw.laws(chosen, replace(network, sizes=shape))  # (O, I): O inputs
        assert swapped is not None
        faults = {"as if the fans were swapped": swapped.variance / variance, **faults}
    return faults
