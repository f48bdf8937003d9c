"""Mean-field theory of random networks, from the weights' variances and the activation alone.

In a wide network with weights of mean 0 and variance sigma_w^2 / fan_in, and biases of
variance sigma_b^2, a layer's pre-activations are Gaussian. Their variance q follows a map
from layer to layer (:func:`variance_map`), and so does the correlation c of two inputs'
pre-activations (:func:`correlation_map`). The slope of the latter at c = 1, chi_1, is also
the factor by which the variance of a back-propagated gradient grows in one layer.

Where chi_1 < 1, in the ordered phase, inputs merge and gradients vanish. Where chi_1 > 1, in the
chaotic phase, neighbouring inputs part and gradients explode. A signal reaches about six
correlation lengths xi_c deep; on the line chi_1 = 1 that length is infinite.

The means are those of :mod:`initbench.core.means`: by quadrature, which holds to 1e-8, or in
closed form.

References:
    Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2016, arXiv:1611.01232. For finite
    width: Hanin and Rolnick 2018, arXiv:1803.01719; Lu et al. 2019, arXiv:1903.06733.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from initbench.core.architecture import Architecture, fans
from initbench.core.arrays import Array
from initbench.core.means import Phi, elementwise, means_of

#: How many correlation lengths deep a signal reaches, about (Schoenholz et al. 2016).
DEPTH_SCALES = 6.0
#: Variances beyond these count as 0 and as infinite: float32 cannot tell them from that.
SMALLEST, LARGEST = 1e-30, 1e30
#: The steps of a search for a fixed point, in log q: the growth of no activation has two minima
#: within two of them. A minimum is found to so much of log q.
STEP = 0.25
MINIMUM = {"xatol": 1e-9}
#: Rates that differ by no more than this share are equal: quadrature leaves so much.
LEVEL = 1e-9


def variance_map(phi: Phi, sigma_w2: float, sigma_b2: float, q: float) -> float:
    """The next layer's q: sigma_w^2 E[phi(sqrt(q) z)^2] + sigma_b^2, z ~ N(0, 1).

    >>> relu = lambda x: (np.maximum(x, 0), (x > 0) * 1.0)
    >>> round(variance_map(relu, 2.0, 0.0, 0.3), 12)
    0.3
    """
    q = _representable(q)
    return sigma_w2 * means_of(phi).square(q) + sigma_b2


def chi(phi: Phi, sigma_w2: float, q: float) -> float:
    """The slope of the correlation map at c = 1: sigma_w^2 E[phi'(sqrt(q) z)^2].

    At q = q* this is chi_1. A gradient's variance grows by this factor in a layer of equal width.
    """
    q = _representable(q)
    return sigma_w2 * means_of(phi).slope_square(q)


def variance_slope(phi: Phi, sigma_w2: float, q: float) -> float:
    """The slope of the variance map, sigma_w^2 E[phi phi' z] / sqrt(q).

    By Stein's lemma it equals chi + sigma_w^2 E[phi phi''], the form in Schoenholz et al. The form
    used here needs no second derivative.
    """
    q = _representable(q)
    return sigma_w2 * means_of(phi).moment(q) / q


def variance_fixed_point(phi: Phi, sigma_w2: float, sigma_b2: float, start: float = 1.0) -> float:
    """q*, the fixed point to which the variance map leads from ``start``; it may be 0 or inf.

    The map grows with q for all usual activations. The way from ``start`` is therefore monotone and
    ends at the first fixed point in its direction. Where every q is a fixed point (relu at
    sigma_w^2 = 2) that is ``start`` itself. Two fixed points may lie close together; the way from
    ``start`` is walked in steps, and between steps where q grows (or shrinks) least it is searched
    for the place where it does not grow at all.

    >>> round(variance_fixed_point(elementwise("gelu", {}), 3.0941, 0.01, start=0.0123), 5)
    0.09219
    """

    def growth(log_q: float) -> float:
        q = math.exp(log_q)
        return variance_map(phi, sigma_w2, sigma_b2, q) / q - 1

    here = math.log(_representable(start))
    first = growth(here)
    if abs(first) < 1e-9:  # quadrature leaves so much of an exact 0
        return math.exp(here)
    direction = math.copysign(1.0, first)
    end = math.log(LARGEST if first > 0 else SMALLEST)

    def left(log_q: float) -> float:
        """How fast q still moves in its direction; 0 at the fixed point, below 0 beyond it."""
        return direction * growth(log_q)

    def crossing(near: float, far: float) -> float:
        found = math.exp(brentq(left, *sorted((near, far)), xtol=1e-13))
        # Rounding turns a fixed point at 0 (tanh at sigma_w^2 = 1) into a tiny one.
        return found if found > 1e-12 else 0.0

    before, rates = here, [math.inf, abs(first)]  # two steps back; left() there and at ``here``
    while abs(end - here) > STEP:
        there = here + direction * STEP
        rate = left(there)
        # The least is on one side of ``here`` or the other. Level rates, as relu's are but for
        # rounding, have none.
        level = max(rate, rates[0]) <= rates[1] * (1 + LEVEL)
        if rate >= rates[1] <= rates[0] and not level:
            bounds = tuple(sorted((before, there)))
            least = minimize_scalar(left, bounds=bounds, method="bounded", options=MINIMUM)
            if least.fun <= 0:
                return crossing(before, float(least.x))
        if rate <= 0:
            return crossing(here, there)
        before, here, rates = here, there, [rates[1], rate]
    return math.inf if first > 0 else 0.0


def correlation_map(phi: Phi, sigma_w2: float, sigma_b2: float, q: float, c: float) -> float:
    """The correlation in the next layer of two inputs of variance q and correlation c.

    (sigma_w^2 E[phi(u) phi(v)] + sigma_b^2) / q', with u, v Gaussian of variance q and
    correlation c, and q' the variance map's.
    """
    following = variance_map(phi, sigma_w2, sigma_b2, q)
    if following == 0:
        return 1.0
    product = means_of(phi).product(_representable(q), c)
    return float(np.clip((sigma_w2 * product + sigma_b2) / following, -1.0, 1.0))


def correlation_slope(phi: Phi, sigma_w2: float, q: float, c: float) -> float:
    """The slope of the correlation map at c and q = q*: sigma_w^2 E[phi'(u) phi'(v)]."""
    if c >= 1:
        return chi(phi, sigma_w2, q)
    return sigma_w2 * means_of(phi).slope_product(_representable(q), c)


def correlation_fixed_point(phi: Phi, sigma_w2: float, sigma_b2: float, q: float) -> float:
    """c*, to which the correlation of two inputs leads at q = q*: 1 unless chi_1 > 1."""
    near_one = 1 - 1e-6

    def growth(c: float) -> float:
        return correlation_map(phi, sigma_w2, sigma_b2, q, c) - c

    if chi(phi, sigma_w2, q) <= 1 or growth(near_one) >= 0:
        return 1.0
    if growth(0.0) <= 1e-12:
        return 0.0
    return float(brentq(growth, 0.0, near_one, xtol=1e-12))


def depth_scale(slope: float) -> float:
    """The depth scale of a deviation that shrinks by ``slope`` a layer: 1 / abs(log(slope)).

    It is inf where the slope is 1.

    >>> depth_scale(1.0), round(depth_scale(math.exp(-0.1)), 12)
    (inf, 10.0)
    """
    if slope <= 0:
        return 0.0
    # Nearer to 1 than quadrature can tell, a scale would be noise.
    return math.inf if abs(slope - 1) < 1e-9 else 1 / abs(math.log(slope))


@dataclass(frozen=True, slots=True)
class Limit:
    """Where an infinitely deep network of one sigma_w^2 and sigma_b^2 ends, and how fast.

    ``q`` and ``c`` are the fixed points, and ``xi_q`` and ``xi_c`` the depth scales, in layers, on
    which the two maps approach them.
    """

    q: float
    c: float
    chi_1: float
    xi_q: float
    xi_c: float

    @property
    def reach(self) -> float:
        """How many layers a signal survives: about six correlation lengths."""
        return DEPTH_SCALES * self.xi_c


def limit(phi: Phi, sigma_w2: float, sigma_b2: float, start: float = 1.0) -> Limit:
    """The fixed points and depth scales of the two maps.

    >>> critical = limit(elementwise("tanh", {}), 1.76095, 0.05)
    >>> round(critical.chi_1, 4), round(critical.q, 3)
    (1.0, 0.57)
    """
    q = variance_fixed_point(phi, sigma_w2, sigma_b2, start)
    at = _representable(q)
    # Outside float32's reach there is no correlation left to speak of.
    c = correlation_fixed_point(phi, sigma_w2, sigma_b2, at) if 0 < q < math.inf else 1.0
    chi_1 = chi(phi, sigma_w2, at)
    return Limit(
        q,
        c,
        chi_1,
        depth_scale(variance_slope(phi, sigma_w2, at)),
        depth_scale(correlation_slope(phi, sigma_w2, at, c)),
    )


@dataclass(frozen=True, slots=True)
class Prediction:
    """Theory's predictions for each layer of a network of given depth and widths, each (L,).

    ``variance`` is that of pre-activations. ``gradient_growth`` is the factor by which the variance
    of a back-propagated gradient grows from layer l + 1 down to layer l, and 1 for the last layer.
    ``cosine`` is that of two inputs' pre-activations. ``log_length_variance`` is the variance of
    log q over draws of the weights, which finite width leaves to chance.
    """

    variance: Array
    gradient_growth: Array
    cosine: Array
    log_length_variance: Array


def predict(
    architecture: Architecture,
    weight_variance: Array,
    bias_variance: Array,
    input_square: float,
    input_cosine: float,
) -> Prediction:
    """Follow the maps through a network's own layers, from its own data.

    The log of a layer's mean square varies by (E[phi^4] / E[phi^2]^2 - 1) / width from one draw to
    another. The variation of the layer below is passed on by the factor d log q' / d log q, which
    is 1 for relu. For relu the variances add up to 5 times the sum of 1 / width. This is the first
    order in depth / width. It is too low where chance is large: for relu at a depth / width of
    10 / 50 by 8 to 18 %.

    Args:
        architecture: The network.
        weight_variance: Each layer's variance of weights, (L,).
        bias_variance: Each layer's variance of biases, (L,).
        input_square: The mean square of the inputs.
        input_cosine: The mean cosine of two inputs.

    Examples:
        >>> network = Architecture((50, 50, 50), np.dtype(np.float64), "relu", {})
        >>> found = predict(network, np.full(2, 2 / 50), np.zeros(2), 1.0, 0.0)
        >>> found.variance.round(6), found.log_length_variance.round(6)
        (array([2., 2.]), array([0. , 0.1]))

    References:
        Hanin and Rolnick 2018, arXiv:1803.01719.
    """
    phi = elementwise(architecture.activation, architecture.activation_parameters)
    means = means_of(phi)
    fan_ins, fan_outs = zip(*map(fans, architecture.shapes), strict=True)
    q = fan_ins[0] * weight_variance[0] * input_square + bias_variance[0]
    c = input_cosine
    if q > 0:
        c = (fan_ins[0] * weight_variance[0] * input_square * c + bias_variance[0]) / q
    variance, cosine, spread = [q], [c], [0.0]
    growth = [1.0] * len(fan_ins)
    for layer in range(1, len(fan_ins)):
        fan_in = fan_ins[layer]
        sigma_w2, sigma_b2 = fan_in * weight_variance[layer], bias_variance[layer]
        at = _representable(q)
        growth[layer - 1] = chi(phi, fan_outs[layer] * weight_variance[layer], at)
        following = (
            variance_map(phi, sigma_w2, sigma_b2, at)
            if q > 0
            else _at_zero(phi, sigma_w2, sigma_b2)
        )
        square = means.square(at)
        if square > 0 and following > 0:
            fourth = means.fourth(at) / square / square
            passed_on = variance_slope(phi, sigma_w2, at) * at / following
            weights_part = sigma_w2 * square / following
            spread.append(passed_on**2 * spread[-1] + weights_part**2 * (fourth - 1) / fan_in)
        else:
            spread.append(0.0)
        c = correlation_map(phi, sigma_w2, sigma_b2, at, c)
        q = following
        variance.append(q)
        cosine.append(c)
    return Prediction(np.array(variance), np.array(growth), np.array(cosine), np.array(spread))


def _at_zero(phi: Phi, sigma_w2: float, sigma_b2: float) -> float:
    """The variance map at q = 0: all units stand at phi(0)."""
    return sigma_w2 * float(phi(np.zeros(1))[0][0]) ** 2 + sigma_b2


def steady_scale(architecture: Architecture, input_square: float = 1.0) -> tuple[float, float]:
    """The sigma_w^2 at which signals change least over the layers, and the factor of that change.

    The change is the larger of two, as abs(log): that of the signal's variance from the first layer
    to the last, and that of the gradient's from the last layer to the first, with biases 0. Among
    scales alike in that, a scale near 1 / E[phi(z)^2] is preferred, which holds a variance of 1.
    Tanh would otherwise be driven into saturation, where it holds its variance as well.

    >>> deep = Architecture((10,) * 31, np.dtype(np.float64), "relu", {})
    >>> scale, factor = steady_scale(deep)
    >>> round(scale, 2), round(factor, 2)
    (2.0, 1.0)
    """
    phi = elementwise(architecture.activation, architecture.activation_parameters)
    unit = 1 / means_of(phi).square(1.0)

    def change(log_scale: float) -> float:
        scale = math.exp(log_scale)
        q = first = scale * input_square
        gradient = 0.0
        for _ in architecture.shapes[1:]:
            gradient += math.log(max(chi(phi, scale, q), SMALLEST))
            q = variance_map(phi, scale, 0.0, q)
        return max(abs(math.log(max(q, SMALLEST) / max(first, SMALLEST))), abs(gradient))

    def badness(log_scale: float) -> float:
        return change(log_scale) + abs(log_scale - math.log(unit))

    grid = np.linspace(math.log(0.25), math.log(32.0), 15)
    best = int(np.argmin([badness(point) for point in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(badness, bounds=(low, high), method="bounded", options={"xatol": 1e-4})
    return math.exp(float(found.x)), math.exp(change(float(found.x)))


def born_dead(architecture: Architecture) -> tuple[float, float]:
    """Bounds of the probability that a relu network is constant before training.

    The weights have a symmetric law, and biases are 0. A single input other than 0 dies in a layer
    of width n with probability 2^-n, and passes all hidden layers with probability
    prod(1 - 2^-n). A network is dead for all inputs at most as often as for one, which gives the
    upper bound. It is exact where all inputs lie on one ray.

    With one input feature there are two rays, x > 0 and x < 0. They start orthogonal (no unit is
    active for both) and stay within a right angle. The network is in state A where both rays are
    alive and distinct, in state B where one is left or both run through one unit, and else dead. A
    layer of width n keeps at most 1 - 2^(1-n) - (n-1) 4^-n of A in A, and passes
    2^(1-n) + (n-2) 4^-n of it to B; it keeps 1 - 2^-n of B in B. Two rays at less than a right
    angle have worse chances, which makes this a lower bound. The paper has it in closed form for
    equal widths.

    With more features only a layer without one positive weight is sure to die for all inputs, with
    probability 2^-(n fan_in) each, which gives the lower bound.

    Examples:
        >>> narrow = Architecture((1, *[2] * 9, 1), np.dtype(np.float64), "relu", {})
        >>> [round(bound, 3) for bound in born_dead(narrow)]
        [0.87, 0.925]

    References:
        Lu et al. 2019, arXiv:1903.06733.
    """
    first, *_ = shapes = architecture.shapes
    hidden = [units for units, _ in shapes[:-1]]
    upper = 1 - math.prod(1 - 2.0**-n for n in hidden)
    if not hidden:
        return 0.0, 0.0
    if first[1] > 1:
        return 1 - math.prod(1 - 2.0 ** -(n * below) for below, n in pairwise(hidden)), upper
    pair = 1 - 2.0 ** (1 - hidden[0])
    single = 1 - pair
    for n in hidden[1:]:
        single = single * (1 - 2.0**-n) + pair * (2.0 ** (1 - n) + (n - 2) * 4.0**-n)
        pair *= 1 - 2.0 ** (1 - n) - (n - 1) * 4.0**-n
    return 1 - pair - single, upper


def _representable(q: float) -> float:
    """A variance within SMALLEST and LARGEST."""
    return float(np.clip(q, SMALLEST, LARGEST))
