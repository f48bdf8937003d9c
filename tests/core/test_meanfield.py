"""Mean-field predictions: integrals against SciPy's quadrature, constants against the papers."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.random import RandomState
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import binom

from initbench.core import meanfield
from initbench.core.activations import ACTIVATIONS
from initbench.core.architecture import Architecture
from initbench.core.arrays import Array
from initbench.core.meanfield import born_dead, limit
from initbench.core.means import Phi, elementwise, means_of
from initbench.core.quadrature import gaussian_mean


def activation(name: str) -> Phi:
    return elementwise(name, {})


def architecture(sizes: tuple[int, ...], name: str = "relu") -> Architecture:
    return Architecture(sizes, np.dtype(np.float64), name, {})


def settles(name: str) -> bool:
    """Whether phi is straight in the end; what oscillates is beyond a quadrature at large q."""
    slopes = activation(name)(np.array([-41.0, -40.0, 40.0, 41.0]))[1]
    return bool(np.allclose(slopes[[0, 2]], slopes[[1, 3]]))


#: All of them but the sine, which has tests of its own below.
SETTLING = [name for name in ACTIVATIONS if settles(name)]


def by_scipy(f: Callable[[Array], Array], q: float) -> float:
    """E[f(sqrt(q) z)] by scipy.integrate.quad, told where f bends (at 0) and where it settles."""
    scale = math.sqrt(q)

    def integrand(z: float) -> float:
        value = float(f(np.array([scale * z]))[0])
        return value * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    # Pieces of their own, each smooth and of one scale: quad's error is then of its tolerance.
    bends = sorted({0.0, *(s * x / scale for x in (1, 4, 16, 40) for s in (-1, 1)), -12.0, 12.0})
    cuts = [z for z in bends if abs(z) <= 12]
    pieces = [
        quad(integrand, a, b, epsabs=0, epsrel=1e-12, limit=200)[0] for a, b in pairwise(cuts)
    ]
    return math.fsum(pieces)


@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")  # at roundoff
@pytest.mark.parametrize("q", [1e-10, 1e-2, 1.0, 30.0, 1e4, 1e8])
@pytest.mark.parametrize("name", SETTLING)
def test_quadrature(name: str, q: float) -> None:
    phi = activation(name)
    for f in (lambda x: phi(x)[0] ** 2, lambda x: phi(x)[1] ** 2, lambda x: phi(x)[0] ** 4):
        assert gaussian_mean(f, q) == pytest.approx(by_scipy(f, q), rel=1e-8)


@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")  # at roundoff
@pytest.mark.parametrize(("q", "c"), [(1.0, 0.6), (20.0, 0.95), (100.0, -0.3)])
@pytest.mark.parametrize("name", SETTLING)
def test_quadrature_of_two(name: str, q: float, c: float) -> None:
    """The inner integral split where the activation of the second input bends."""
    phi = activation(name)
    s, scale = math.sqrt(1 - c * c), math.sqrt(q)
    near = [k / scale for k in (-8, -2, 0, 2, 8)]

    def inner(z: float) -> float:
        def integrand(y: float) -> float:  # y = c z + s z2
            value = float(phi(np.array([scale * y]))[0][0])
            return value * math.exp(-(((y - c * z) / s) ** 2) / 2) / s / math.sqrt(2 * math.pi)

        low, high = c * z - 9 * s, c * z + 9 * s
        cuts = [low, *(y for y in near if low < y < high), high]
        return math.fsum(
            quad(integrand, a, b, epsabs=1e-11, epsrel=1e-10)[0] for a, b in pairwise(cuts)
        )

    def outer(z: float) -> float:
        value = float(phi(np.array([scale * z]))[0][0])
        return value * inner(z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    cuts = [-9.0, *(z for z in near if abs(z) < 9), 9.0]
    expected = math.fsum(quad(outer, a, b, epsabs=1e-10, epsrel=1e-9)[0] for a, b in pairwise(cuts))
    size = gaussian_mean(lambda x: phi(x)[0] ** 2, q)
    got = meanfield.correlation_map(phi, 1.0, 0.0, q, c) * size
    assert got == pytest.approx(expected, rel=1e-8, abs=1e-8 * size)


@pytest.mark.parametrize(("frequency", "q"), [(1.0, 0.2), (3.0, 0.5), (1.0, 4.0), (0.01, 1.0)])
@pytest.mark.parametrize("c", [-0.7, 0.0, 0.4, 1.0])
def test_a_sines_means_are_those_of_quadrature(frequency: float, q: float, c: float) -> None:
    """While it turns few times over sqrt(q), quadrature can follow it."""
    sine = elementwise("sine", {"frequency": frequency})
    exact, integrated = means_of(sine), means_of(lambda x: sine(x))
    for name in ("square", "fourth", "slope_square", "moment"):
        assert getattr(exact, name)(q) == pytest.approx(getattr(integrated, name)(q), rel=1e-8)
    for name in ("product", "slope_product"):
        expected = pytest.approx(getattr(integrated, name)(q, c), rel=1e-8, abs=1e-12)
        assert getattr(exact, name)(q, c) == expected


@pytest.mark.parametrize("frequency", [30.0, 1000.0])
@pytest.mark.parametrize("close", [0.1, 1.0, 3.0])
def test_a_fast_sines_correlation_is_that_of_many_networks(frequency: float, close: float) -> None:
    """Its correlation map, with biases, against 400,000 pairs so near that they still correlate."""
    q, sigma_w2, sigma_b2, pairs = 0.7, 1.7, 0.2, 400_000
    c = 1 - close / (frequency**2 * q)
    rng = RandomState(0)
    u = math.sqrt(q) * rng.standard_normal(pairs)
    v = c * u + math.sqrt(q * (1 - c * c)) * rng.standard_normal(pairs)
    product = np.sin(frequency * u) * np.sin(frequency * v)
    expected = (sigma_w2 * product.mean() + sigma_b2) / (sigma_w2 / 2 + sigma_b2)
    error = sigma_w2 * product.std() / math.sqrt(pairs) / (sigma_w2 / 2 + sigma_b2)
    sine = elementwise("sine", {"frequency": frequency})
    # Five standard errors.
    got = meanfield.correlation_map(sine, sigma_w2, sigma_b2, q, c)
    assert got == pytest.approx(expected, abs=5 * error)


@given(
    frequency=st.floats(1e-3, 1e3),
    log_q=st.floats(-25, 25),
    c=st.floats(-1, 1),
)
def test_a_sines_means_hold_anywhere(frequency: float, log_q: float, c: float) -> None:
    """Cauchy-Schwarz, oddness, and the ends c = 1 and c = -1, from tiny to huge arguments."""
    means, q = means_of(elementwise("sine", {"frequency": frequency})), math.exp(log_q)
    square, room = means.square(q), 1 + 1e-12
    assert abs(means.product(q, c)) <= square * room
    assert means.product(q, -c) == -means.product(q, c)
    assert means.product(q, 1.0) == pytest.approx(square, rel=1e-12)
    assert means.slope_product(q, 1.0) == pytest.approx(means.slope_square(q), rel=1e-12)
    assert square**2 <= means.fourth(q) * room <= 3 * square**2 * room**2


@given(
    name=st.sampled_from(["gelu", "silu", "elu", "tanh", "softplus", "leaky_relu", "sine"]),
    sigma_w2=st.floats(0.5, 4.0),
    sigma_b2=st.floats(0, 0.5),
    start=st.floats(0.003, 20.0),
)
@example(name="gelu", sigma_w2=3.0941, sigma_b2=0.01, start=0.0123)
@settings(deadline=None, max_examples=25, derandomize=True)
def test_the_fixed_point_is_the_one_that_iteration_finds(
    name: str, sigma_w2: float, sigma_b2: float, start: float
) -> None:
    phi, q, rate = activation(name), start, 0.0
    for _ in range(400):
        following = meanfield.variance_map(phi, sigma_w2, sigma_b2, q)
        rate, q = abs(following / q - 1), following
        if rate < 1e-11:
            break
    assume(rate < 1e-11 and 1e-9 < q < 1e9)  # else it is too slow, on its way to 0, or to inf
    found = meanfield.variance_fixed_point(phi, sigma_w2, sigma_b2, start)
    # Iteration that gains 1 / 50 of its way a step stops 5e-10 before the end.
    assert found == pytest.approx(q, rel=1e-7)


@given(c=st.floats(-1, 1), q=st.floats(1e-8, 1e8))
def test_relu_is_the_arc_cosine_kernel(c: float, q: float) -> None:
    """Cho and Saul 2009, NIPS, degrees 1 and 0."""
    relu, angle = activation("relu"), math.acos(c)
    expected = (math.sin(angle) + (math.pi - angle) * c) / math.pi
    assert meanfield.correlation_map(relu, 2.0, 0.0, q, c) == pytest.approx(expected, abs=1e-10)
    slope = (math.pi - angle) / math.pi
    assert meanfield.correlation_slope(relu, 2.0, q, c) == pytest.approx(slope, abs=1e-10)


@pytest.mark.parametrize("name", SETTLING)
def test_slopes_are_those_of_the_maps(name: str) -> None:
    phi, q, h = activation(name), 0.7, 1e-5

    def variance(q: float) -> float:
        return meanfield.variance_map(phi, 1.3, 0.1, q)

    numeric = (variance(q + h) - variance(q - h)) / (2 * h)
    # Truncation h^2 times a third derivative of order 1, rounding 1e-16 / h: both 1e-10.
    assert meanfield.variance_slope(phi, 1.3, q) == pytest.approx(numeric, rel=1e-8)

    def covariance(c: float) -> float:
        return variance(q) * meanfield.correlation_map(phi, 1.3, 0.1, q, c)

    numeric = (covariance(0.4 + h) - covariance(0.4 - h)) / (2 * h * q)
    assert meanfield.correlation_slope(phi, 1.3, q, 0.4) == pytest.approx(numeric, rel=1e-8)


#: (activation, sigma_w^2, sigma_b^2): where chi_1 is 1. He et al. 2015, arXiv:1502.01852, for relu;
#: Schoenholz et al. 2016, arXiv:1611.01232, for tanh; Saxe et al.
#: 2013, arXiv:1312.6120, for linear networks; tanh without biases is critical at 1.
CRITICAL = [
    ("relu", 2.0, 0.0),
    ("identity", 1.0, 0.0),
    ("tanh", 1.0, 0.0),
    ("tanh", 1.76095, 0.05),
]


@pytest.mark.parametrize(("name", "sigma_w2", "sigma_b2"), CRITICAL)
def test_critical_points(name: str, sigma_w2: float, sigma_b2: float) -> None:
    assert limit(activation(name), sigma_w2, sigma_b2).chi_1 == pytest.approx(1, abs=1e-3)


def test_selu_keeps_mean_0_and_variance_1() -> None:
    """Its own fixed point: Klambauer et al. 2017, arXiv:1706.02515."""
    phi = activation("selu")
    assert gaussian_mean(lambda x: phi(x)[0], 1.0) == pytest.approx(0, abs=1e-8)
    assert meanfield.variance_fixed_point(phi, 1.0, 0.0, start=3.0) == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("sigma_w2", [0.5, 1.0, 1.4, 2.5, 4.0])
def test_the_limit_is_where_the_maps_lead(sigma_w2: float) -> None:
    """Fixed points and depth scales of tanh against plain iteration of the two maps."""
    phi, ends = activation("tanh"), limit(activation("tanh"), sigma_w2, 0.05)
    q, c = 2.0, 0.3
    for _ in range(300):
        q = meanfield.variance_map(phi, sigma_w2, 0.05, q)
    assert ends.q == pytest.approx(q, rel=1e-10)
    distances = []
    for layer in range(60):
        c = meanfield.correlation_map(phi, sigma_w2, 0.05, q, c)
        if layer >= 30:
            distances.append(abs(c - ends.c))
    assert ends.c == pytest.approx(c, abs=1e-2)
    if distances[0] > 1e-6:  # while rounding does not show
        rate = math.log(distances[0] / distances[10]) / 10
        assert ends.xi_c == pytest.approx(1 / rate, rel=0.02)
    assert ends.reach == pytest.approx(6 * ends.xi_c)
    assert (ends.chi_1 > 1) == (ends.c < 1) == (sigma_w2 > 1.76)


@pytest.mark.parametrize(
    ("name", "sigma_w2", "end"),
    [("relu", 1.9, 0.0), ("relu", 2.1, math.inf), ("gelu", 2.0, 0.0), ("gelu", 4.0, math.inf)],
)
def test_a_signal_may_end_at_nothing_or_without_bound(
    name: str, sigma_w2: float, end: float
) -> None:
    assert limit(activation(name), sigma_w2, 0.0).q == end


def test_relu_with_biases_settles() -> None:
    """q = q / 2 sigma_w^2 + sigma_b^2."""
    assert limit(activation("relu"), 1.5, 0.2).q == pytest.approx(0.8, rel=1e-10)


def test_zero_weights_have_a_prediction() -> None:
    nothing = np.zeros(3)
    found = meanfield.predict(architecture((2, 10, 5, 1)), nothing, nothing, 0.5, 0.1)
    np.testing.assert_array_equal(found.variance, 0)
    np.testing.assert_array_equal(found.gradient_growth, [0, 0, 1])
    assert np.isfinite(found.cosine).all()
    assert np.isfinite(found.log_length_variance).all()


def test_finite_width_spread() -> None:
    """relu: 5 times the sum of 1 / width; against 2,000 networks of width 50."""
    depth, width, runs = 8, 50, 2000
    sizes = (width,) * (depth + 1)
    variance = np.full(depth, 2 / width)
    found = meanfield.predict(architecture(sizes), variance, np.zeros(depth), 1.0, 0.0)
    expected = found.log_length_variance[-1]
    assert expected == pytest.approx(5 * (depth - 1) / width, rel=1e-10)
    rng = RandomState(0)
    h = np.ones((runs, width, 1))
    for layer in range(depth):
        z = rng.standard_normal((runs, width, width)) @ h * math.sqrt(2 / width)
        if layer == 0:
            first = (z**2).mean(axis=(1, 2))
        h = np.maximum(z, 0)
    change = np.log((z**2).mean(axis=(1, 2)))
    # The last layer's own width is in what is measured: 2 / width for the mean of its z^2.
    measured = change.var() - 2 / width
    assert first.mean() == pytest.approx(2, rel=0.02)
    # 3 standard errors of a variance of 2,000 draws are 10 %; log(1 + x) is not x, another 10 %.
    assert measured == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("width", [2, 3, 5, 9])
@pytest.mark.parametrize("layers", [2, 10, 40])
def test_born_dead_is_the_papers_closed_form(width: int, layers: int) -> None:
    """Lu et al. 2019, arXiv:1903.06733, for layers - 1 hidden layers of one width."""
    a1 = 1 - 2.0**-width
    a2 = 1 - 2.0 ** (1 - width) - (width - 1) * 4.0**-width
    share = (1 - 2.0 ** (1 - width)) * (1 - 2.0**-width) / (1 + (width - 1) * 2.0**-width)
    k = layers - 2
    lower = 1 - a1**k - share * (a1**k - a2**k)
    low, high = born_dead(architecture((1, *[width] * (layers - 1), 1)))
    assert low == pytest.approx(lower, abs=1e-12)
    assert high == pytest.approx(1 - a1 ** (layers - 1), abs=1e-12)


def dead_networks(sizes: tuple[int, ...], inputs: Array, runs: int, seed: int) -> int:
    rng = RandomState(seed)
    h = np.broadcast_to(inputs, (runs, *inputs.shape))
    for fan_in, fan_out in pairwise(sizes[:-1]):
        h = np.maximum(rng.standard_normal((runs, fan_out, fan_in)) @ h, 0)
    return int((h == 0).all(axis=(1, 2)).sum())


@pytest.mark.parametrize("sizes", [(1, *[2] * 9, 1), (1, *[3] * 9, 1), (4, 6, 2, 3, 5, 2, 1)])
def test_born_dead_frequency(sizes: tuple[int, ...]) -> None:
    """2,000 draws: exact for inputs on one ray, within the bounds for others."""
    runs = 2000
    low, high = born_dead(architecture(sizes))
    ray = np.outer(np.ones(sizes[0]), [0.5, 1.0, 2.0])
    # The 99 % interval of a binomial with the predicted probability.
    interval = binom.interval(0.99, runs, high)
    assert interval[0] <= dead_networks(sizes, ray, runs, seed=0) <= interval[1]
    both = np.concatenate([ray, -ray], axis=1)
    dead = dead_networks(sizes, both, runs, seed=1)
    assert binom.ppf(0.005, runs, low) <= dead <= binom.ppf(0.995, runs, high)


@pytest.mark.parametrize("layers", [2, 10, 40])
@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "selu", "identity"])
def test_the_steady_scale_is_steady(name: str, layers: int) -> None:
    """No scale nearby loses less by more than it is nearer to unit variance."""
    network = architecture((100,) * (layers + 1), name)
    scale, change = meanfield.steady_scale(network)
    assert change < 10**2.5  # or the advice would lead to another bad verdict
    variance, nothing = np.full(layers, scale / 100), np.zeros(layers)
    found = meanfield.predict(network, variance, nothing, 1.0, 0.0)
    growth = abs(math.log(found.variance[-1] / found.variance[0]))
    gradient = abs(math.log(np.prod(found.gradient_growth)))
    assert math.log(change) == pytest.approx(max(growth, gradient), abs=1e-9)


def test_level_growth_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """relu's signal shrinks by one factor at every q: no step but the first looks for a least."""
    searched: list[object] = []

    def counted(*given: Any, **options: Any) -> Any:
        searched.append(given)
        return minimize_scalar(*given, **options)

    monkeypatch.setattr(meanfield, "minimize_scalar", counted)
    for sigma_w2, end in ((0.01, 0.0), (4.0, math.inf)):
        assert meanfield.variance_fixed_point(elementwise("relu", {}), sigma_w2, 0.0) == end
    assert len(searched) <= 2
