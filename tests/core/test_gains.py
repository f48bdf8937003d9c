"""Gains against SciPy's adaptive quadrature, published figures, closed forms and PyTorch."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from initbench.core.activations import ACTIVATIONS
from initbench.core.gains import TORCH_GAINS, exact_gain, torch_gain
from initbench.core.initializers import defaults
from initbench.core.quadrature import gaussian_moments

#: To the digits of the figures: what is known of these gains.
PUBLISHED = {
    "tanh": 1.5925, "sigmoid": 1.8462, "relu": 1.4142, "selu": 1.0, "elu": 1.2452,
    "gelu": 1.5335, "silu": 1.6765, "softplus": 1.0419, "identity": 1.0,
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_gains(name: str) -> None:
    assert exact_gain(name, {}) == pytest.approx(PUBLISHED[name], abs=5e-5)


def by_scipy(name: str, power: int, mean: float, variance: float) -> float:
    """E[phi(x)^power], x ~ N(mean, variance), by adaptive quadrature to either side of 0."""
    apply, std = ACTIVATIONS[name].apply, math.sqrt(variance)

    def integrand(x: float) -> float:
        z = np.array([x])
        apply(z, np.empty(1))
        return float(z[0] ** power * stats.norm.pdf(x, mean, std))

    low, high = mean - 10 * std, mean + 10 * std
    cuts = [low, 0.0, high] if low < 0 < high else [low, high]
    # Halves, so that no peak falls between the first nodes.
    cuts = sorted({*cuts, *((a + b) / 2 for a, b in pairwise(cuts))})
    parts = pairwise(cuts)
    return float(
        sum(integrate.quad(integrand, a, b, epsabs=1e-13, epsrel=1e-12)[0] for a, b in parts)
    )


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "sine"])
@pytest.mark.parametrize(("mean", "variance"), [(0, 1), (0, 0.01), (1.5, 4), (-3, 0.25)])
def test_moments_are_scipys(name: str, mean: float, variance: float) -> None:
    first, second = gaussian_moments(ACTIVATIONS[name].apply, mean, variance)
    assert first == pytest.approx(by_scipy(name, 1, mean, variance), rel=1e-9, abs=1e-11)
    assert second == pytest.approx(by_scipy(name, 2, mean, variance), rel=1e-9, abs=1e-11)


@given(frequency=st.floats(0.01, 1000))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_sine_in_closed_form(frequency: float) -> None:
    # E[sin(w z)^2] = (1 - exp(-2 w^2)) / 2
    expected = math.sqrt(2 / -math.expm1(-2 * frequency**2))
    assert exact_gain("sine", {"frequency": frequency}) == pytest.approx(expected, rel=1e-8)


@given(slope=st.floats(0, 2))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_leaky_relu_is_he(slope: float) -> None:
    """He et al. 2015: exact and PyTorch's are one."""
    gain = exact_gain("leaky_relu", {"negative_slope": slope})
    assert gain == pytest.approx(math.sqrt(2 / (1 + slope**2)), rel=1e-12)
    assert torch_gain("leaky_relu", {"negative_slope": slope}) == pytest.approx(gain, rel=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_exact_gain_keeps_the_second_moment(name: str) -> None:
    """The law that it is for, tried out: E[(gain phi(z))^2] = 1 on a million draws."""
    z = np.random.RandomState(0).standard_normal(1_000_000)
    parameters = defaults(ACTIVATIONS[name].apply)
    partial(ACTIVATIONS[name].apply, **parameters)(z, np.empty_like(z))
    squares = (exact_gain(name, parameters) * z) ** 2
    # Five standard errors of the average.
    assert abs(squares.mean() - 1) < 5 * squares.std() / 1000


WITHOUT_TORCH_GAIN = ("gelu", "silu", "elu", "softplus", "sine")


@pytest.mark.parametrize("name", TORCH_GAINS)
def test_torch_gains_are_pytorchs(name: str, torch: Any) -> None:
    theirs = {"identity": "linear"}.get(name, name)
    parameters = defaults(ACTIVATIONS[name].apply)
    expected = torch.nn.init.calculate_gain(theirs, *parameters.values())
    assert torch_gain(name, parameters) == pytest.approx(expected, rel=1e-15)  # a rounding apart


@pytest.mark.parametrize("name", WITHOUT_TORCH_GAIN)
def test_others_have_no_torch_gain(name: str) -> None:
    with pytest.raises(ValueError, match=f"no value for {name}, only for identity, sigmoid, tanh"):
        torch_gain(name, {})


@pytest.mark.parametrize("name", WITHOUT_TORCH_GAIN)
def test_pytorch_has_no_gain_for_them(name: str, torch: Any) -> None:
    with pytest.raises(ValueError, match="Unsupported"):
        torch.nn.init.calculate_gain(name)
