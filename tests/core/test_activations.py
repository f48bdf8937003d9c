"""Every activation against formulas written apart from it, PyTorch and numeric slopes.

A new activation adds a row to `ROWS`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import DTypeLike
from scipy import special, stats

from initbench.core.activations import ACTIVATIONS, ALIASES, SELU_ALPHA, SELU_SCALE
from initbench.core.arrays import Array

Function = Callable[[Array], Array]


class Row(NamedTuple):
    """An activation: value and slope by formula, then what they are at 0 and far out."""

    name: str
    parameters: dict[str, float]
    value: Function
    slope: Function
    at_zero: tuple[float, float]
    at_minus_1000: tuple[float, float]
    at_plus_1000: tuple[float, float]
    torch: Callable[[Any, Any], Any]  # (torch.nn.functional, tensor) -> tensor
    kink: bool = False


def elu_row(name: str, parameters: dict[str, float], alpha: float, scale: float, torch: Any) -> Row:
    return Row(
        name,
        parameters,
        lambda z: scale * np.where(z > 0, z, alpha * (np.exp(np.minimum(z, 0)) - 1)),
        lambda z: scale * np.where(z > 0, 1, alpha * np.exp(np.minimum(z, 0))),
        at_zero=(0, scale * alpha),
        at_minus_1000=(-scale * alpha, 0),
        at_plus_1000=(scale * 1000, scale),
        torch=torch,
        kink=alpha != 1,
    )


def leaky_row(parameters: dict[str, float], slope: float) -> Row:
    return Row(
        "leaky_relu",
        parameters,
        lambda z: np.maximum(z, 0) + slope * np.minimum(z, 0),
        lambda z: np.heaviside(z, 0) * (1 - slope) + slope,
        at_zero=(0, slope),
        at_minus_1000=(-1000 * slope, slope),
        at_plus_1000=(1000, 1),
        torch=lambda f, z: f.leaky_relu(z, slope),
        kink=True,
    )


def sine_row(frequency: float) -> Row:
    def value(z: Array) -> Array:
        return np.asarray(np.sin(frequency * z))

    def slope(z: Array) -> Array:
        return np.asarray(frequency * np.cos(frequency * z))

    far = np.array(1000.0)
    return Row(
        "sine",
        {"frequency": frequency},
        value,
        slope,
        at_zero=(0, frequency),
        at_minus_1000=(float(value(-far)), float(slope(-far))),
        at_plus_1000=(float(value(far)), float(slope(far))),
        torch=lambda _f, z: (frequency * z).sin(),
    )


ROWS = [
    Row(
        "identity",
        {},
        lambda z: z,
        np.ones_like,
        at_zero=(0, 1),
        at_minus_1000=(-1000, 1),
        at_plus_1000=(1000, 1),
        torch=lambda _f, z: z * 1,
    ),
    Row(
        "relu",
        {},
        lambda z: (z + abs(z)) / 2,
        lambda z: np.heaviside(z, 0),
        at_zero=(0, 0),
        at_minus_1000=(0, 0),
        at_plus_1000=(1000, 1),
        torch=lambda f, z: f.relu(z),
        kink=True,
    ),
    leaky_row({}, 0.01),
    leaky_row({"negative_slope": 0.3}, 0.3),
    elu_row("elu", {}, 1.0, 1.0, lambda f, z: f.elu(z)),
    elu_row("elu", {"alpha": 0.5}, 0.5, 1.0, lambda f, z: f.elu(z, 0.5)),
    elu_row("selu", {}, SELU_ALPHA, SELU_SCALE, lambda f, z: f.selu(z)),
    Row(
        "gelu",
        {},
        lambda z: z * special.erfc(-z / np.sqrt(2)) / 2,
        lambda z: stats.norm.cdf(z) + z * stats.norm.pdf(z),
        at_zero=(0, 0.5),
        at_minus_1000=(0, 0),
        at_plus_1000=(1000, 1),
        torch=lambda f, z: f.gelu(z),
    ),
    Row(
        "silu",
        {},
        lambda z: z / (1 + np.exp(-z)),
        lambda z: (1 + np.exp(-z) + z * np.exp(-z)) / (1 + np.exp(-z)) ** 2,
        at_zero=(0, 0.5),
        at_minus_1000=(0, 0),
        at_plus_1000=(1000, 1),
        torch=lambda f, z: f.silu(z),
    ),
    Row(
        "tanh",
        {},
        lambda z: 1 - 2 / (np.exp(2 * z) + 1),
        lambda z: np.cosh(z) ** -2.0,
        at_zero=(0, 1),
        at_minus_1000=(-1, 0),
        at_plus_1000=(1, 0),
        torch=lambda f, z: f.tanh(z),
    ),
    Row(
        "sigmoid",
        {},
        lambda z: 1 / (1 + np.exp(-z)),
        lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
        at_zero=(0.5, 0.25),
        at_minus_1000=(0, 0),
        at_plus_1000=(1, 0),
        torch=lambda f, z: f.sigmoid(z),
    ),
    Row(
        "softplus",
        {},
        lambda z: np.log1p(np.exp(z)),
        lambda z: 1 / (1 + np.exp(-z)),
        at_zero=(np.log(2), 0.5),
        at_minus_1000=(0, 0),
        at_plus_1000=(1000, 1),
        # PyTorch returns z itself above its threshold of 20: 2e-9 too little.
        torch=lambda f, z: f.softplus(z, threshold=100),
    ),
]

#: Frequencies that are powers of 2, so that frequency times z is exact in single precision, too.
ROWS += [sine_row(frequency) for frequency in (0.5, 1.0, 2.0)]

#: From -12 to 12, 0 left out: there the slopes of kinks are a choice, tested apart.
GRID = np.delete(np.linspace(-12, 12, 241), 120)

each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.name}{row.parameters}")
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def evaluate(row: Row, z: Array) -> tuple[Array, Array]:
    """(value, slope) at ``z``, which stays as it was."""
    activation = ACTIVATIONS[row.name]
    value, slope = z.copy(), np.empty_like(z, bool if activation.binary_slope else z.dtype)
    partial(activation.apply, **row.parameters)(value, slope)
    assert value.dtype == z.dtype
    return value, slope


def test_every_activation_has_a_row() -> None:
    assert {row.name for row in ROWS} == set(ACTIVATIONS)


def test_every_alias_names_an_activation() -> None:
    assert set(ALIASES.values()) <= set(ACTIVATIONS)
    assert not set(ALIASES) & set(ACTIVATIONS)


@each_row
def test_formula(row: Row) -> None:
    value, slope = evaluate(row, GRID)
    # Values up to 12 are right to a few ulps on either side, 1e-14 absolute.
    np.testing.assert_allclose(value, row.value(GRID), rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(slope, row.slope(GRID), rtol=1e-14, atol=1e-14)


@each_row
def test_single_precision(row: Row) -> None:
    exact = GRID.astype(np.float32).astype(float)
    value, slope = evaluate(row, exact.astype(np.float32))
    # An ulp is 6e-8 relative; the products here are up to five roundings deep.
    np.testing.assert_allclose(value, row.value(exact), rtol=6e-7, atol=6e-7)
    np.testing.assert_allclose(slope, row.slope(exact), rtol=6e-7, atol=6e-7)


@each_row
def test_pytorch(row: Row, torch: Any) -> None:
    # 0 belongs to this grid: the slope at a kink is PyTorch's.
    z = torch.linspace(-12, 12, 241, dtype=torch.float64, requires_grad=True)
    expected = row.torch(torch.nn.functional, z)
    (gradient,) = torch.autograd.grad(expected.sum(), z)
    value, slope = evaluate(row, z.detach().numpy())
    # As above, a few ulps of numbers up to 12, with room for PyTorch's own vector functions.
    np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(slope, gradient.numpy(), rtol=1e-12, atol=1e-12)


@each_row
def test_slope_is_the_derivative(row: Row) -> None:
    h = 1e-5
    above, below = evaluate(row, GRID + h)[0], evaluate(row, GRID - h)[0]
    # Truncation: h^2 / 6 times a third derivative below 2, 4e-11. Rounding: an ulp of 12,
    # 2e-15, over 2 h, 1e-10. The grid's nearest point to a kink is 0.1 away.
    numeric = (above - below) / (2 * h)
    np.testing.assert_allclose(evaluate(row, GRID)[1], numeric, rtol=0, atol=4e-10)


@each_row
@each_dtype
def test_extremes(row: Row, dtype: DTypeLike) -> None:
    tiny = np.finfo(dtype).smallest_subnormal
    z = np.array([-1000, -tiny, 0, 1000], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, slope = evaluate(row, z)
    limits = [row.at_minus_1000, row.at_zero, row.at_zero, row.at_plus_1000]
    # Two ulps: the constants (alpha, scale) round once, the product once more.
    ulps = 2 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(value, [v for v, _ in limits], rtol=ulps, atol=ulps)
    np.testing.assert_allclose(slope, [s for _, s in limits], rtol=ulps, atol=ulps)


@each_row
@each_dtype
def test_slope_just_above_zero(row: Row, dtype: DTypeLike) -> None:
    value, slope = evaluate(row, np.full(1, np.finfo(dtype).smallest_subnormal))
    right = {"relu": 1, "leaky_relu": 1, "elu": 1, "selu": SELU_SCALE}
    assert value[0] == pytest.approx(row.at_zero[0])
    # As in the test above.
    ulps = 2 * float(np.finfo(dtype).eps)
    assert slope[0] == pytest.approx(right.get(row.name, row.at_zero[1]), rel=ulps, abs=0)


@each_row
@each_dtype
def test_an_element_does_not_know_its_neighbours(row: Row, dtype: DTypeLike) -> None:
    """The record of a run rests on it: neither length nor position may move a bit."""
    rng = np.random.RandomState(17)
    z = (rng.standard_normal(97) * rng.choice([1e-3, 1, 30], 97)).astype(dtype)
    alone = [evaluate(row, z[i : i + 1]) for i in range(len(z))]
    values, slopes = (np.concatenate(parts) for parts in zip(*alone, strict=True))
    # Lengths through several vector widths, starting at every alignment of a vector.
    for length in range(1, 41):
        for offset in range(17):
            part = slice(offset, offset + length)
            buffer = np.empty(len(z) + 1, dtype)[part]
            buffer[:] = z[part]
            slope = np.empty(length, slopes.dtype)
            ACTIVATIONS[row.name].apply(buffer, slope, **row.parameters)
            assert buffer.tobytes() == values[part].tobytes()
            assert slope.tobytes() == slopes[part].tobytes()

    # The engine's layout: a block of rows of a larger buffer for each run.
    stack = np.empty((2, 6, 9), dtype)[:, :-1]
    stack[:] = z[: stack.size].reshape(stack.shape)
    slope = np.empty(stack.shape, slopes.dtype)
    ACTIVATIONS[row.name].apply(stack, slope, **row.parameters)
    assert stack.tobytes() == values[: stack.size].tobytes()
    assert slope.tobytes() == slopes[: stack.size].tobytes()


def test_sine_has_the_frequency_of_siren() -> None:
    """Sitzmann et al. 2020, supplement 1.5: 30."""
    z, slope = np.array([0.01, -0.2]), np.empty(2)
    ACTIVATIONS["sine"].apply(z, slope)
    np.testing.assert_allclose(z, np.sin([0.3, -6.0]), rtol=1e-15)
    np.testing.assert_allclose(slope, 30 * np.cos([0.3, -6.0]), rtol=1e-15)


def test_selu_constants() -> None:
    """Klambauer et al. 2017, equation 14: what keeps mean 0 and variance 1."""
    tail, e = special.erfc(np.sqrt(1 / 2)), np.e
    alpha = -np.sqrt(2 / np.pi) / (tail * np.sqrt(e) - 1)
    spread = 2 * special.erfc(np.sqrt(2)) * e**2 + np.pi * tail**2 * e
    spread += -2 * (2 + np.pi) * tail * np.sqrt(e) + np.pi + 2
    scale = (1 - tail * np.sqrt(e)) * np.sqrt(2 * np.pi / spread)
    # The differences above lose a digit of 2e-16.
    assert pytest.approx(alpha, rel=1e-14) == SELU_ALPHA
    assert pytest.approx(scale, rel=1e-14) == SELU_SCALE


@pytest.mark.parametrize("name", ["elu", "selu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_slope_far_left_is_pytorchs(name: str, dtype: str, torch: Any) -> None:
    """alpha exp(z): where exp(z) is far below an ulp of 1, it must not be rounded away."""
    z = torch.linspace(-80, -1, 80, dtype=getattr(torch, dtype), requires_grad=True)
    (expected,) = torch.autograd.grad(getattr(torch.nn.functional, name)(z).sum(), z)
    value = z.detach().numpy().copy()
    slope = np.empty_like(value)
    ACTIVATIONS[name].apply(value, slope)
    # A few ulps, relative: exp is good to one, and PyTorch's vector functions to two.
    np.testing.assert_allclose(slope, expected.numpy(), rtol=8 * float(np.finfo(dtype).eps))
