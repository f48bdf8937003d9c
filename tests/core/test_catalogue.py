"""Every initializer, layer by layer: mean, variance and bounds by formulas written apart from it.

A new initializer adds a row to `ROWS`. The network has a layer that grows and two that shrink, so
that a fan for the other, or a first layer treated as any other, shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import DTypeLike
from scipy import stats

from initbench.core.arrays import Array
from initbench.core.initializers import ALIASES, INITIALIZERS, Network
from tests.core.conftest import DrawStart, LawsOf, MakeNetwork

INF = math.inf
SIZES = (9, 32, 11, 4)
SEEDS = 150


class Formula(NamedTuple):
    """What a layer's weights must have: mean, variance, bounds."""

    mean: float
    variance: float
    low: float = -INF
    high: float = INF


#: (fan_in, fan_out, layer) -> Formula
Expected = Callable[[int, int, int], Formula]


class Row(NamedTuple):
    name: str
    expected: Expected | None  # None: no closed form
    parameters: Mapping[str, Any] = MappingProxyType({})
    activation: str = "relu"
    biases: Expected | None = None  # None: all 0
    chance: bool = True


def uniform(bound: float) -> Formula:
    return Formula(0, bound**2 / 3, -bound, bound)


def normal(variance: float) -> Formula:
    return Formula(0, variance)


def cut(variance: float) -> Formula:
    """Truncated at two standard deviations of the normal, which are wider than its own."""
    bound = 2 * math.sqrt(variance) / float(stats.truncnorm(-2, 2).std())
    return Formula(0, variance, -bound, bound)


def fixed(value: float) -> Formula:
    return Formula(value, 0, value, value)


def ones_in(n: float, size: float = 1, noise: float = 0) -> Formula:
    """One weight in n is ``size``, the others 0, and all have noise."""
    bounds = (-INF, INF) if noise else (0, size)
    return Formula(size / n, size**2 * (1 / n - 1 / n**2) + noise, *bounds)


def hadamard(i: int, o: int) -> Formula:
    """The mean of a block of a Hadamard matrix is that of its signs."""
    if o <= i:
        return ones_in(i)
    order = math.ceil(math.log2(o))
    c = 2.0 ** (-(order - 1) / 2)
    # Sylvester's: entry (r, s) is -1 where r and s share an odd number of binary digits.
    signs = [(-1) ** (r & s).bit_count() for r in range(o) for s in range(i)]
    mean = c * sum(signs) / len(signs)
    return Formula(mean, c**2 - mean**2, -c, c)


def beta_or_normal(i: int) -> Formula:
    """One of i + 1 numbers is Beta(2, 1): mean 2/3, second moment 1/2."""
    mean = 2 / 3 / (i + 1)
    return Formula(mean, (1 / 2 + i * 0.6007473**2 / i) / (i + 1) - mean**2)


#: E[phi(z)^2] for tanh and z ~ N(0, 1): 1 / 1.5925^2 of the published gain, by SciPy below.
TANH_SECOND = float(stats.norm().expect(lambda z: np.tanh(z) ** 2))
LAST = len(SIZES) - 2

ROWS = [
    Row("zeros", lambda _i, _o, _k: fixed(0), chance=False),
    Row("ones", lambda _i, _o, _k: fixed(1), chance=False),
    Row("constant", lambda _i, _o, _k: fixed(-0.7), {"value": -0.7}, chance=False),
    Row("normal", lambda _i, _o, _k: Formula(2, 0.25), {"mean": 2.0, "std": 0.5}),
    Row("uniform", lambda _i, _o, _k: Formula(2, 3, -1, 5), {"low": -1.0, "high": 5.0}),
    Row("truncated_normal", lambda _i, _o, _k: Formula(0, stats.truncnorm(-2, 2).var(), -2, 2)),
    Row(
        "variance_scaling",
        lambda _i, o, _k: uniform(math.sqrt(3 * 0.8 / o)),
        {"scale": 0.2, "gain": 2.0, "mode": "fan_out", "distribution": "uniform"},
    ),
    Row("he_normal", lambda i, _o, _k: normal(2 / i)),
    Row("he_normal", lambda i, _o, _k: normal(9 / i), {"gain": 3.0}),
    Row("he_normal", lambda i, _o, _k: normal(1 / TANH_SECOND / i), {"gain": "exact"}, "tanh"),
    Row("he_normal", lambda i, _o, _k: normal(25 / 9 / i), {"gain": "torch"}, "tanh"),
    Row("he_uniform", lambda i, _o, _k: uniform(math.sqrt(6 / i))),
    Row("he_truncated_normal", lambda i, _o, _k: cut(2 / i)),
    Row("lecun_normal", lambda i, _o, _k: normal(1 / i)),
    Row("lecun_uniform", lambda i, _o, _k: uniform(math.sqrt(3 / i))),
    Row("lecun_truncated_normal", lambda i, _o, _k: cut(1 / i)),
    Row("glorot_normal", lambda i, o, _k: normal(2 / (i + o))),
    Row("glorot_uniform", lambda i, o, _k: uniform(math.sqrt(6 / (i + o)))),
    Row("glorot_truncated_normal", lambda i, o, _k: cut(2 / (i + o))),
    Row("orthogonal", lambda i, o, _k: Formula(0, 1 / max(i, o), -1, 1)),
    Row(
        "orthogonal",
        lambda i, o, _k: Formula(0, 2 / max(i, o), -math.sqrt(2), math.sqrt(2)),
        {"gain": "exact"},
    ),
    Row("identity", lambda i, o, _k: ones_in(max(i, o), 1.5), {"gain": 1.5}, chance=False),
    Row("sparse", lambda i, _o, _k: normal(min(15, i) / i)),
    Row("sparse", lambda i, _o, _k: normal(4 * min(3, i) / i), {"connections": 3, "std": 2.0}),
    Row(
        "sparse",
        lambda _i, o, _k: normal(1e-4 * (o - math.ceil(0.7 * o)) / o),
        {"sparsity": 0.7, "std": 0.01},
    ),
    Row(
        "signed_constant",
        lambda i, _o, _k: Formula(0, 2 / i, -math.sqrt(2 / i), math.sqrt(2 / i)),
    ),
    Row("zero_hadamard", lambda i, o, _k: hadamard(i, o), chance=False),
    Row("idinit", lambda i, _o, _k: ones_in(i, noise=1e-12)),
    Row("idinit", lambda i, _o, _k: ones_in(i, 1.4, noise=0.01), {"tau": 1.4, "epsilon": 0.1}),
    Row("tanh_fixed_point", lambda i, _o, _k: ones_in(i, noise=0.085**2 / i), {}, "tanh"),
    Row(
        "torch_default",
        lambda i, _o, _k: uniform(1 / math.sqrt(i)),
        biases=lambda i, _o, _k: uniform(1 / math.sqrt(i)),
    ),
    Row(
        "sklearn_default",
        lambda i, o, _k: uniform(math.sqrt(6 / (i + o))),
        biases=lambda i, o, _k: uniform(math.sqrt(6 / (i + o))),
    ),
    Row(
        "sklearn_default",
        lambda i, o, _k: uniform(math.sqrt(2 / (i + o))),
        {},
        "sigmoid",
        biases=lambda i, o, _k: uniform(math.sqrt(2 / (i + o))),
    ),
    Row(
        "mean_field",
        lambda i, _o, _k: normal(1.761 / i),
        {"sigma_w": math.sqrt(1.761), "sigma_b": math.sqrt(0.05)},
        "tanh",
        biases=lambda _i, _o, _k: normal(0.05),
    ),
    Row("mean_field", lambda i, _o, _k: normal(2 / i)),
    # Kumar 2017: the sigmoid has slope 1/4 and value 1/2 at 0.
    Row("kumar", lambda i, _o, _k: normal(16 / 1.25 / i), {}, "sigmoid"),
    Row("kumar", lambda i, _o, _k: normal(1 / i), {}, "tanh"),
    Row("kumar", lambda i, _o, _k: normal(2 / i), {}, "relu"),
    Row(
        "random_walk",
        lambda i, _o, _k: normal(2 * math.exp(2.4 / (max(i, 6) - 2.4)) / i),
    ),
    Row("random_walk", lambda i, _o, _k: normal(math.exp(1 / i) / i), {}, "identity"),
    Row("autoinit", lambda i, _o, k: cut((1 if k == 0 else 1 / TANH_SECOND) / i), {}, "tanh"),
    Row(
        "autoinit",
        lambda i, _o, k: cut((1 / 25 if k == 0 else 2) / i),
        {"input_mean": 3.0, "input_variance": 16.0},
    ),
    Row(
        "nguyen_widrow",
        lambda i, o, k: (
            uniform(0.5)
            if k == LAST
            else Formula(0, 0.49 * o ** (2 / i) / i, -0.7 * o ** (1 / i), 0.7 * o ** (1 / i))
        ),
        {},
        "tanh",
        biases=lambda i, o, k: uniform(0.5 if k == LAST else 0.7 * o ** (1 / i)),
    ),
    Row(
        "rai",
        lambda i, _o, _k: beta_or_normal(i),
        biases=lambda i, _o, _k: beta_or_normal(i),
    ),
    Row("looks_linear", None),
    Row(
        "siren",
        lambda i, _o, k: uniform(1 / i if k == 0 else math.sqrt(6 / i) / 30),
        {},
        "sine",
        biases=lambda i, _o, _k: uniform(1 / math.sqrt(i)),
    ),
    Row(
        "siren",
        lambda i, _o, k: uniform(1 / i if k == 0 else math.sqrt(6 / i)),
        biases=lambda i, _o, _k: uniform(1 / math.sqrt(i)),
    ),
    Row("lsuv", None),
    Row("within_layer_normalized", None),
]
DRAWN = [row for row in ROWS if row.expected is not None]


def title(row: Row) -> str:
    given = [f"{key}={value}" for key, value in row.parameters.items()]
    return f"{row.name}({', '.join(given)})-{row.activation}"


each_row = pytest.mark.parametrize("row", ROWS, ids=title)
each_drawn = pytest.mark.parametrize("row", DRAWN, ids=title)


def test_every_initializer_has_a_row() -> None:
    assert {row.name for row in ROWS} == set(INITIALIZERS)


def test_every_alias_names_an_initializer() -> None:
    assert set(ALIASES.values()) <= set(INITIALIZERS)
    assert not set(ALIASES) & set(INITIALIZERS)


@each_row
def test_the_declared_law_is_the_formula(
    row: Row, make_network: MakeNetwork, laws_of: LawsOf
) -> None:
    network = make_network(SIZES, row.activation)
    for layer, (law, (o, i)) in enumerate(
        zip(laws_of(network, row.name, **row.parameters), network.shapes, strict=True)
    ):
        if row.expected is None:
            assert law is None
            continue
        assert law is not None
        expected = row.expected(i, o, layer)
        # Formulas on both sides; RAI's constant is given with seven digits.
        assert law.mean == pytest.approx(expected.mean, rel=1e-6, abs=1e-12)
        assert law.std == pytest.approx(math.sqrt(expected.variance), rel=1e-6, abs=1e-12)
        assert law.low == pytest.approx(expected.low, rel=1e-12)
        assert law.high == pytest.approx(expected.high, rel=1e-12)


#: Of each row and layer, two averages of weights and two of biases are tested at this level: 1e-6
#: over the whole file (Bonferroni), if a new set of seeds were drawn. The seeds are fixed.
ALPHA = 1e-6 / (len(DRAWN) * (len(SIZES) - 1) * 4)
T = float(stats.t(SEEDS - 1).isf(ALPHA / 2))


@each_drawn
def test_draws_have_the_moments_of_the_formula(
    row: Row, make_network: MakeNetwork, draw_start: DrawStart
) -> None:
    assert row.expected is not None
    network = make_network(SIZES, row.activation)
    starts = [draw_start(network, row.name, seed, **row.parameters) for seed in range(SEEDS)]
    for layer, (o, i) in enumerate(network.shapes):
        weights = np.array([start[layer][0] for start in starts])
        check(weights, row.expected(i, o, layer))
        biases = np.array([start[layer][1] for start in starts])
        if row.biases is None:
            np.testing.assert_array_equal(biases, 0)
        else:
            check(biases, row.biases(i, o, layer))


def check(draws: Array, expected: Formula) -> None:
    """Draws (SEEDS, ...): each seed's averages are independent, whatever is in them."""
    each = draws.reshape(len(draws), -1)
    scale = math.sqrt(expected.variance) + abs(expected.mean)
    for values, mean in (
        (each.mean(axis=1), expected.mean),
        ((each**2).mean(axis=1), expected.variance + expected.mean**2),
    ):
        # A seed's average without chance (of squares of orthogonal rows, say) varies by rounding.
        error = T * values.std(ddof=1) / math.sqrt(SEEDS) + 1e-13 * (scale + scale**2)
        assert abs(values.mean() - mean) <= error
    # A draw at the very bound may land an ulp or two outside when it is scaled.
    slack = 1e-14 * scale
    assert expected.low - slack <= draws.min()
    assert draws.max() <= expected.high + slack


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_row
def test_seed_dtype_and_the_global_generator(
    row: Row, dtype: DTypeLike, make_network: MakeNetwork, draw_start: DrawStart
) -> None:
    network = make_network(SIZES, row.activation, dtype=dtype)
    before = np.random.get_state(legacy=False)
    first, again, other = (
        draw_start(network, row.name, seed, **row.parameters) for seed in (5, 5, 6)
    )
    np.testing.assert_equal(np.random.get_state(legacy=False), before)
    for (w, b), (w_again, b_again) in zip(first, again, strict=True):
        assert w.tobytes() == w_again.tobytes()
        assert b.tobytes() == b_again.tobytes()
    # Chance is in every layer, and in each another.
    assert all((w != v).any() == row.chance for (w, _), (v, _) in zip(first, other, strict=True))


@each_drawn
def test_single_precision_is_double_rounded(
    row: Row, make_network: MakeNetwork, draw_start: DrawStart
) -> None:
    double, single = (
        draw_start(make_network(SIZES, row.activation, dtype=dtype), row.name, 3, **row.parameters)
        for dtype in (np.float64, np.float32)
    )
    for (w, b), (w_single, b_single) in zip(double, single, strict=True):
        np.testing.assert_array_equal(w_single, w.astype(np.float32))
        np.testing.assert_array_equal(b_single, b.astype(np.float32))


@each_row
@pytest.mark.parametrize("sizes", [(1, 1), (1, 1, 1), (3, 1, 2), (2, 5, 5, 1), (17, 16, 33)])
def test_odd_shapes(
    row: Row, sizes: tuple[int, ...], make_network: MakeNetwork, draw_start: DrawStart
) -> None:
    """The door of the engine refuses a wrong shape or dtype, and what is not finite."""
    draw_start(make_network(sizes, row.activation, samples=7), row.name, 1, **row.parameters)


def test_one_seed_draws_every_layer_anew(make_network: MakeNetwork, draw_start: DrawStart) -> None:
    network: Network = make_network((8, 8, 8, 8))
    for name in {row.name for row in ROWS if row.chance}:
        layers = [w for w, _ in draw_start(network, name)]
        assert all((a != b).any() for a, b in pairwise(layers)), name
