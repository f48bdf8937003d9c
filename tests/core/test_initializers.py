"""Initializers of independent weights against their whole distribution, others against values.

A new initializer adds a row to one of the tables here or in ``test_catalogue.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.random import RandomState
from numpy.typing import DTypeLike
from scipy import stats

from initbench.core import initializers
from initbench.core.arrays import Array
from initbench.core.initializers import ALIASES, INITIALIZERS, Moments, defaults, fans
from initbench.core.initializers.distributions import uniform
from initbench.core.initializers.scaling import TRUNCATED_STD

OfFans = Callable[[int, int], float]

#: The laws with mean 0 and variance 1; `CUT` and `CUT1` are N(0, 1) cut off at 2 and at 1.
NORMAL = stats.norm()
UNIFORM = stats.uniform(-np.sqrt(3), 2 * np.sqrt(3))
CUT_STD, CUT1_STD = (float(stats.truncnorm(-cut, cut).std()) for cut in (2, 1))
CUT = stats.truncnorm(-2, 2, scale=1 / CUT_STD)
CUT1 = stats.truncnorm(-1, 1, scale=1 / CUT1_STD)

#: Weights (O, I): each fan apart from the other and from their mean by a factor of 1.7 or more.
TALL, WIDE = (600, 100), (100, 600)


class Drawn(NamedTuple):
    """Independent weights: a law, its mean, and its variance of (fan_in, fan_out)."""

    name: str
    parameters: dict[str, Any]
    law: Any
    mean: float
    variance: OfFans


DRAWN = [
    Drawn("normal", {}, NORMAL, 0, lambda _i, _o: 1),
    Drawn("normal", {"mean": 3.0, "std": 0.5}, NORMAL, 3, lambda _i, _o: 0.25),
    Drawn("uniform", {}, UNIFORM, 0, lambda _i, _o: 1 / 3),
    Drawn("uniform", {"low": 1.0, "high": 5.0}, UNIFORM, 3, lambda _i, _o: 4 / 3),
    Drawn("truncated_normal", {}, CUT, 0, lambda _i, _o: CUT_STD**2),
    Drawn("truncated_normal", {"mean": 2.0, "std": 3.0}, CUT, 2, lambda _i, _o: (3 * CUT_STD) ** 2),
    Drawn("truncated_normal", {"bound": 1.0}, CUT1, 0, lambda _i, _o: CUT1_STD**2),
    Drawn("variance_scaling", {}, CUT, 0, lambda i, _o: 1 / i),
    Drawn(
        "variance_scaling",
        {"scale": 3.0, "mode": "fan_out", "distribution": "uniform"},
        UNIFORM,
        0,
        lambda _i, o: 3 / o,
    ),
    Drawn(
        "variance_scaling",
        {"scale": 0.5, "mode": "fan_avg", "distribution": "normal"},
        NORMAL,
        0,
        lambda i, o: 1 / (i + o),
    ),
    Drawn("he_normal", {}, NORMAL, 0, lambda i, _o: 2 / i),
    Drawn("he_normal", {"gain": 3.0}, NORMAL, 0, lambda i, _o: 9 / i),
    Drawn("he_uniform", {}, UNIFORM, 0, lambda i, _o: 2 / i),
    Drawn("he_truncated_normal", {}, CUT, 0, lambda i, _o: 2 / i),
    Drawn("variance_scaling", {"gain": 3.0, "scale": 2.0}, CUT, 0, lambda i, _o: 18 / i),
    Drawn("lecun_normal", {}, NORMAL, 0, lambda i, _o: 1 / i),
    Drawn("lecun_uniform", {}, UNIFORM, 0, lambda i, _o: 1 / i),
    Drawn("lecun_truncated_normal", {}, CUT, 0, lambda i, _o: 1 / i),
    Drawn("glorot_normal", {}, NORMAL, 0, lambda i, o: 2 / (i + o)),
    Drawn("glorot_normal", {"gain": 0.5}, NORMAL, 0, lambda i, o: 0.5 / (i + o)),
    Drawn("glorot_uniform", {}, UNIFORM, 0, lambda i, o: 2 / (i + o)),
    Drawn("glorot_truncated_normal", {}, CUT, 0, lambda i, o: 2 / (i + o)),
]


class Fixed(NamedTuple):
    """Weights without chance: the value at row o, column i."""

    name: str
    parameters: dict[str, Any]
    value: OfFans


FIXED = [
    Fixed("zeros", {}, lambda _i, _o: 0),
    Fixed("ones", {}, lambda _i, _o: 1),
    Fixed("constant", {"value": 0.3}, lambda _i, _o: 0.3),
    Fixed("identity", {}, lambda i, o: i == o),
    Fixed("identity", {"gain": 2.5}, lambda i, o: 2.5 * (i == o)),
]

#: Neither independent nor fixed; they have tests of their own below.
ORTHOGONAL = [("orthogonal", {}), ("orthogonal", {"gain": 2.5})]

ALL = [(row[0], row[1]) for row in (*DRAWN, *FIXED, *ORTHOGONAL)]


def title(value: Any) -> str:
    """A readable test id for a row, a name or parameters."""
    if isinstance(value, Drawn | Fixed):
        return f"{value.name}({title(value.parameters)})"
    return value if isinstance(value, str) else ", ".join(f"{k}={v}" for k, v in value.items())


def draw(
    name: str,
    parameters: dict[str, Any],
    shape: tuple[int, int],
    seed: int = 0,
    dtype: DTypeLike = np.float64,
) -> Array:
    weights: Array = INITIALIZERS[name].draw(RandomState(seed), shape, dtype, **parameters)
    return weights


def law_of(name: str, parameters: dict[str, Any], shape: tuple[int, int]) -> Moments:
    """The declared law of a layer of ``shape``, the defaults of its parameters spelled out."""
    row = INITIALIZERS[name]
    assert row.law is not None
    return row.law(shape, **{**defaults(row.draw), **parameters})


def test_the_old_name_of_moments_works_and_warns() -> None:
    with pytest.warns(DeprecationWarning, match=r"Law is now called Moments"):
        assert initializers.Law is initializers.Moments
    with pytest.raises(AttributeError, match="has no attribute 'Lav'"):
        _ = initializers.Lav  # type: ignore[attr-defined]


def test_every_alias_names_an_initializer() -> None:
    assert set(ALIASES.values()) <= set(INITIALIZERS)
    assert not set(ALIASES) & set(INITIALIZERS)


#: Three statistics of each row and shape below are tested at this level, so that correct code
#: fails on some new seed with probability 1e-6 over the whole file (Bonferroni). The seeds are
#: fixed: here the tests are deterministic.
ALPHA = 1e-6 / (3 * 2 * len(DRAWN))
Z = float(stats.norm.isf(ALPHA / 2))


@pytest.mark.parametrize("shape", [TALL, WIDE], ids=["tall", "wide"])
@pytest.mark.parametrize("row", DRAWN, ids=title)
def test_draws_follow_their_law(row: Drawn, shape: tuple[int, int]) -> None:
    outputs, inputs = shape
    variance = row.variance(inputs, outputs)
    weights = draw(row.name, row.parameters, shape, seed=7).ravel()
    standard = (weights - row.mean) / np.sqrt(variance)

    # With 60,000 draws both averages are normal. That of x has variance 1 / n; that of x^2
    # has variance (E x^4 - 1) / n, E x^4 being the law's (3, 1.8 and in between).
    assert abs(standard.mean()) < Z / np.sqrt(weights.size)
    fourth = row.law.moment(4)
    assert abs(np.mean(standard**2) - 1) < Z * np.sqrt((fourth - 1) / weights.size)
    assert stats.kstest(standard, row.law.cdf).pvalue > ALPHA

    # A draw at the very bound may land an ulp or two outside when it is scaled back.
    low, high = row.law.support()
    assert low - 1e-14 <= standard.min()
    assert standard.max() <= high + 1e-14


@pytest.mark.parametrize("shape", [TALL, WIDE], ids=["tall", "wide"])
@pytest.mark.parametrize("row", DRAWN, ids=title)
def test_declared_law(row: Drawn, shape: tuple[int, int]) -> None:
    law, std = law_of(row.name, row.parameters, shape), np.sqrt(row.variance(shape[1], shape[0]))
    low, high = row.law.support()
    # Both sides are formulas, a few roundings deep; SciPy's truncated moments lose a digit.
    expected = (row.mean, std, row.mean + std * low, row.mean + std * high)
    np.testing.assert_allclose(law, expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (1, 1)])
@pytest.mark.parametrize("row", FIXED, ids=title)
def test_declared_law_of_fixed_weights(row: Fixed, shape: tuple[int, int]) -> None:
    weights = draw(row.name, row.parameters, shape)
    expected = (weights.mean(), weights.std(), weights.min(), weights.max())
    np.testing.assert_allclose(law_of(row.name, row.parameters, shape), expected, atol=1e-15)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3)])
@pytest.mark.parametrize("row", FIXED, ids=title)
def test_fixed_weights(row: Fixed, shape: tuple[int, int]) -> None:
    expected = np.array([[row.value(i, o) for i in range(shape[1])] for o in range(shape[0])])
    np.testing.assert_array_equal(draw(row.name, row.parameters, shape), expected)


@pytest.mark.parametrize("shape", [(6, 6), (40, 6), (6, 40), (1, 8), (8, 1)])
@pytest.mark.parametrize(("name", "parameters"), ORTHOGONAL, ids=title)
def test_orthogonal_rows_or_columns(
    name: str, parameters: dict[str, Any], shape: tuple[int, int]
) -> None:
    weights = draw(name, parameters, shape)
    assert weights.shape == shape
    gram = weights @ weights.T if shape[0] <= shape[1] else weights.T @ weights
    # Householder QR is orthogonal to a few dozen ulps at these sizes; gain^2 = 6.25 scales them.
    expected = parameters.get("gain", 1.0) ** 2 * np.eye(min(shape))
    np.testing.assert_allclose(gram, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5)])
def test_orthogonal_is_uniform_over_orthogonal_matrices(shape: tuple[int, int]) -> None:
    rng = RandomState(11)
    draws = np.array([INITIALIZERS["orthogonal"].draw(rng, shape, np.float64) for _ in range(3000)])
    # A column (or row) is uniform on the sphere in n dimensions, so that each entry q has
    # (q + 1) / 2 ~ Beta((n - 1) / 2, (n - 1) / 2). Without the correction of the signs
    # q[0, 0] would never be positive.
    n = max(shape)
    law = stats.beta((n - 1) / 2, (n - 1) / 2, loc=-1, scale=2)
    alpha = 1e-6 / 15  # at most 15 entries
    for entries in draws.reshape(len(draws), -1).T:
        assert stats.kstest(entries, law.cdf).pvalue > alpha


def test_orthogonal_reflects_half_of_the_time() -> None:
    rng = RandomState(12)
    draws = np.array(
        [INITIALIZERS["orthogonal"].draw(rng, (3, 3), np.float64) for _ in range(3000)]
    )
    rotations = int(np.count_nonzero(np.linalg.det(draws) > 0))
    assert stats.binomtest(rotations, len(draws), 0.5).pvalue > 1e-6
    # Diaconis and Shahshahani 1994: the trace of a uniform orthogonal matrix has moments
    # 0, 1, 0, 3, so that the average of trace^2 has variance (3 - 1) / n.
    squares = np.trace(draws, axis1=1, axis2=2) ** 2
    assert abs(squares.mean() - 1) < stats.norm.isf(0.5e-6) * np.sqrt(2 / len(draws))


@pytest.mark.parametrize("shape", [(5, 3), (3, 5)])
@pytest.mark.parametrize(("name", "parameters"), ALL, ids=title)
def test_seed_and_dtype(name: str, parameters: dict[str, Any], shape: tuple[int, int]) -> None:
    before = np.random.get_state(legacy=False)
    first, second = (draw(name, parameters, shape, seed=5) for _ in range(2))
    np.testing.assert_equal(np.random.get_state(legacy=False), before)
    assert first.tobytes() == second.tobytes()
    assert first.dtype == np.float64
    assert first.shape == shape

    single = draw(name, parameters, shape, seed=5, dtype=np.float32)
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, first.astype(np.float32))
    if name not in {row.name for row in FIXED}:
        assert (draw(name, parameters, shape, seed=6) != first).all()


def test_draws_follow_each_other_in_one_stream() -> None:
    rng, one_by_one = RandomState(9), RandomState(9)
    he = INITIALIZERS["he_normal"].draw
    layers = [he(rng, shape, np.float64) for shape in [(3, 2), (1, 3)]]
    expected = one_by_one.standard_normal(9)
    # To two ulps: the root and the product may each round another way.
    np.testing.assert_allclose(layers[0].ravel(), expected[:6] * np.sqrt(2 / 2), rtol=4e-16)
    np.testing.assert_allclose(layers[1].ravel(), expected[6:] * np.sqrt(2 / 3), rtol=4e-16)


#: RandomState(3)'s first normals and uniforms, which NumPy has frozen (NEP 19).
NORMALS = [
    *(1.7886284734303186, 0.43650985051198943, 0.09649746807200862, -1.8634927033644908),
    *(-0.27738820251439905, -0.35475897926898675),
]
UNIFORMS = [0.5507979025745755, 0.7081478226181048, 0.2909047389129443, 0.510827605197663]


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("normal", {"std": 2.0, "mean": 1.0}, [1 + 2 * z for z in NORMALS[:4]]),
        ("uniform", {}, [2 * u - 1 for u in UNIFORMS]),
        ("uniform", {"low": 1.0, "high": 4.0}, [1 + 3 * u for u in UNIFORMS]),
        # The first and the fourth lie outside and are drawn again, in their order.
        ("truncated_normal", {"bound": 0.5}, [NORMALS[i] for i in (4, 1, 2, 5)]),
        ("he_normal", {}, NORMALS[:4]),
        ("he_uniform", {}, [np.sqrt(3) * (2 * u - 1) for u in UNIFORMS]),
        ("lecun_normal", {}, [np.sqrt(1 / 2) * z for z in NORMALS[:4]]),
        ("glorot_normal", {}, [np.sqrt(1 / 2) * z for z in NORMALS[:4]]),
    ],
)
def test_frozen_draws(name: str, parameters: dict[str, Any], expected: list[float]) -> None:
    # A few ulps of the largest: the scaling may round in another order.
    drawn = draw(name, parameters, (2, 2), seed=3).ravel()
    np.testing.assert_allclose(drawn, expected, rtol=0, atol=1e-15)


def test_published_he_weights() -> None:
    # Printed with eight digits for the layers [2, 4, 1] at seed 3 in deeplearning.ai's course
    # "Improving Deep Neural Networks", exercise "Initialization".
    rng = RandomState(3)
    first, second = (INITIALIZERS["he_normal"].draw(rng, s, np.float64) for s in [(4, 2), (1, 4)])
    assert str(first) == (
        "[[ 1.78862847  0.43650985]\n [ 0.09649747 -1.8634927 ]\n"
        " [-0.2773882  -0.35475898]\n [-0.08274148 -0.62700068]]"
    )
    assert str(second) == "[[-0.03098412 -0.33744411 -0.92904268  0.62552248]]"


def test_truncated_std() -> None:
    # Both sides are rounded: two ulps of 0.88.
    assert pytest.approx(CUT_STD, rel=3e-16, abs=0) == TRUNCATED_STD


def test_truncated_normal_keeps_its_bound() -> None:
    bound, weights = 0.5, draw("truncated_normal", {"bound": 0.5}, (100, 100))
    assert 0.999 * bound < np.abs(weights).max() <= bound


@pytest.mark.parametrize("high", [1.0, 0.5])
def test_uniform_wants_low_below_high(high: float) -> None:
    with pytest.raises(ValueError, match=f"low must be below high, got low 1 and high {high:g}"):
        uniform(RandomState(0), (2, 2), np.float64, low=1.0, high=high)


def test_fans_of_a_layer() -> None:
    assert fans((3, 7)) == (7, 3)
