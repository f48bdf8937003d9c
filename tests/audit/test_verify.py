"""The statistics of `verify`: the rate of false alarms, power, and what needs no law."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import RandomState
from numpy.typing import DTypeLike
from scipy import stats

from initbench.audit import verify
from initbench.audit.verify import Check
from initbench.core.arrays import Array
from initbench.core.draw import ChosenInitializer
from initbench.core.initializers import INITIALIZERS, Initializer, Moments, Network


def network(sizes: tuple[int, ...] = verify.SIZES) -> Network:
    return Network(
        sizes=sizes,
        dtype=np.dtype(np.float64),
        activation="identity",
        activation_parameters={},
        inputs=np.empty((sizes[0], 0)),
    )


def sparse(rng: RandomState, shape: tuple[int, int], dtype: DTypeLike) -> Array:
    """A tenth of the weights N(0, 10 / fan_in), the others 0: a kurtosis of 30."""
    kept = rng.random_sample(shape) < 0.1
    return (kept * rng.standard_normal(shape) * math.sqrt(10 / shape[1])).astype(dtype)


def sparse_law(shape: tuple[int, int]) -> Moments:
    return Moments(0.0, 1 / math.sqrt(shape[1]))


def unit_law(_shape: tuple[int, int]) -> Moments:
    return Moments(0.0, 1.0)


SPARSE = Initializer(sparse, "-", "-", sparse_law)
HONEST = {
    "he_normal": INITIALIZERS["he_normal"],
    "lecun_uniform": INITIALIZERS["lecun_uniform"],
    "orthogonal": INITIALIZERS["orthogonal"],
    "sparse": SPARSE,
}


def p_values(checks: list[Check], level: float, seeds: int) -> Iterator[tuple[str, float]]:
    """Two-sided, of the t tests among the checks, read back from their intervals."""
    for check in checks:
        half = (check.high - check.low) / 2 - verify.ROUNDING
        if math.isfinite(half) and half > 1e-6:
            freedom = (seeds // 2 if check.check == "independence, seeds" else seeds) - 1
            error = half / stats.t.isf(level / 2, freedom)
            distance = abs(check.statistic - (check.high + check.low) / 2)
            yield check.check, 2 * float(stats.t.sf(distance / error, freedom))


@pytest.mark.parametrize("name", HONEST)
def test_p_values_of_honest_initializers_are_uniform(name: str) -> None:
    """On small layers, where the averages are less normal than on those of the command."""
    small, count = network((12, 25, 12, 25)), 24
    found: dict[str, list[float]] = {}
    for repeat in range(100):
        seeds = range(count * repeat, count * (repeat + 1))
        checks = verify.verify({name: ChosenInitializer(name, HONEST[name], {})}, small, seeds)
        tests = sum(math.isfinite(c.low) and c.low < c.high and c.high > 1e-6 for c in checks)
        for check, p in p_values(checks, verify.FALSE_ALARM / tests, count):
            found.setdefault(check, []).append(p)
    assert len(found) >= 6
    for check, values in found.items():
        assert len(values) == 100, check
        # 4 initializers, 8 checks: a level of 1e-6 over all. The seeds are fixed.
        assert stats.kstest(values, "uniform").pvalue > 1e-6 / 32, check


@pytest.mark.parametrize("name", [*INITIALIZERS, "sparse"])
def test_honest_initializers_pass(name: str) -> None:
    row = {**INITIALIZERS, **HONEST}[name]
    chosen = ChosenInitializer(name, row, {"value": 0.5} if name == "constant" else {})
    checks = verify.verify({name: chosen}, replace(network(), inputs=verify.inputs()))
    assert [check for check in checks if not check.ok] == []
    assert {check.initializer for check in checks} == {name}


@pytest.mark.parametrize("error", [0.02, -0.02])
def test_two_percent_of_the_standard_deviation_are_found(error: float) -> None:
    def off(rng: RandomState, shape: tuple[int, int], dtype: DTypeLike) -> Array:
        return (rng.standard_normal(shape) * (1 + error)).astype(dtype)

    row = Initializer(off, "-", "-", unit_law)
    checks = verify.verify({"off": ChosenInitializer("off", row, {})}, network())
    assert [check.check for check in checks if not check.ok] == ["variance, tall", "variance, wide"]


def test_a_mean_of_two_hundredths_of_the_standard_deviation_is_found() -> None:
    def off(rng: RandomState, shape: tuple[int, int], dtype: DTypeLike) -> Array:
        return (rng.standard_normal(shape) + 0.02).astype(dtype)

    checks = verify.verify(
        {"off": ChosenInitializer("off", Initializer(off, "-", "-", unit_law), {})}, network()
    )
    failed = {check.check for check in checks if not check.ok}
    assert failed == {"mean, tall", "mean, wide", "symmetry, tall", "symmetry, wide"}


def test_a_skewed_law_says_so() -> None:
    """Exponential weights have the moments of a normal, but not its symmetry."""

    def draw(rng: RandomState, shape: tuple[int, int], dtype: DTypeLike) -> Array:
        return (rng.standard_exponential(shape) - 1).astype(dtype)

    row = Initializer(draw, "-", "-", unit_law)
    silent = verify.verify({"own": ChosenInitializer("own", row, {})}, network())
    assert {c.check for c in silent if not c.ok} == {"symmetry, tall", "symmetry, wide"}
    said = row._replace(properties=frozenset({"skewed"}))
    checks = verify.verify({"own": ChosenInitializer("own", said, {})}, network())
    assert all(check.ok for check in checks)
    assert not any(check.check.startswith("symmetry") for check in checks)


def test_bounds_that_are_passed_by_one_weight() -> None:
    bound = math.sqrt(3)

    def draw(rng: RandomState, shape: tuple[int, int], dtype: DTypeLike) -> Array:
        weights = rng.uniform(-bound, bound, shape)
        weights[0, 0] = -1.001 * bound if shape[0] > shape[1] else 1.001 * bound
        return weights.astype(dtype)

    row = Initializer(draw, "-", "-", lambda _shape: Moments(0.0, 1.0, -bound, bound))
    checks = verify.verify({"own": ChosenInitializer("own", row, {})}, network())
    failed = {check.check: check for check in checks if not check.ok}
    assert failed.keys() == {"bounds, tall", "bounds, wide"}
    assert failed["bounds, tall"].statistic == pytest.approx(0.001 * bound, rel=1e-9)
    assert failed["bounds, tall"].words == "in std, beyond the lower bound"
    assert failed["bounds, wide"].words == "in std, beyond the upper bound"


def test_a_diagonal_is_no_dependence() -> None:
    """Weights that differ in their own mean are independent all the same."""

    def draw(rng: RandomState, shape: tuple[int, int], dtype: DTypeLike) -> Array:
        return (np.eye(*shape) + 0.1 * rng.standard_normal(shape)).astype(dtype)

    checks = verify.verify(
        {"own": ChosenInitializer("own", Initializer(draw, "-", "-", None), {})}, network()
    )
    assert [check.check for check in checks] == [
        "shape, dtype, finite",
        "global random state",
        "determinism",
        "independence, seeds",
        "independence, layers",
    ]
    assert all(check.ok for check in checks)


def test_neighbouring_seeds_that_share_their_weights() -> None:
    def draw(rng: RandomState, shape: tuple[int, int], dtype: DTypeLike) -> Array:
        seed = int(rng.get_state(legacy=False)["state"]["key"][0]) // 2
        return np.asarray(RandomState(seed + shape[0]).standard_normal(shape), dtype)

    checks = verify.verify(
        {"own": ChosenInitializer("own", Initializer(draw, "-", "-", None), {})}, network()
    )
    assert [c.check for c in checks if not c.ok] == ["independence, seeds", "independence, layers"]


def test_rows_that_are_not_orthogonal() -> None:
    row = INITIALIZERS["lecun_normal"]._replace(properties=frozenset({"orthogonal"}))
    checks = verify.verify({"own": ChosenInitializer("own", row, {})}, network())
    assert [check.check for check in checks if not check.ok] == ["orthogonality"]


def test_more_initializers_make_wider_intervals() -> None:
    he = ChosenInitializer("he", INITIALIZERS["he_normal"], {})
    (one, *_), (many, *_) = (
        [c for c in verify.verify(named, network()) if c.check == "variance, tall"]
        for named in ({"he": he}, {"he": he, "same": he})
    )
    assert one.statistic == many.statistic
    assert many.low < one.low < one.high < many.high
