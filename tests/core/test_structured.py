"""Matrices with a structure: the identities of their papers, and PyTorch's sparsity."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import RandomState
from scipy import stats

from initbench.core.arrays import Array
from initbench.core.initializers import INITIALIZERS

widths = st.integers(1, 40)


def draw(name: str, shape: tuple[int, int], seed: int = 0, **parameters: Any) -> Array:
    weights: Array = INITIALIZERS[name].draw(RandomState(seed), shape, np.float64, **parameters)
    return weights


@given(outputs=widths, inputs=widths, seed=st.integers(0, 9))
@settings(deadline=None, derandomize=True)
def test_sparse_units_have_their_connections(outputs: int, inputs: int, seed: int) -> None:
    weights = draw("sparse", (outputs, inputs), seed)
    assert (np.count_nonzero(weights, axis=1) == min(15, inputs)).all()
    few = draw("sparse", (outputs, inputs), seed, connections=2)
    assert (np.count_nonzero(few, axis=1) == min(2, inputs)).all()


@given(outputs=widths, inputs=widths, sparsity=st.floats(0, 0.99))
@settings(deadline=None, derandomize=True)
def test_sparsity_is_pytorchs(torch: Any, outputs: int, inputs: int, sparsity: float) -> None:
    theirs = torch.nn.init.sparse_(torch.empty(outputs, inputs), sparsity)
    ours = draw("sparse", (outputs, inputs), sparsity=sparsity)
    np.testing.assert_array_equal(
        np.count_nonzero(ours, axis=0), np.count_nonzero(theirs.numpy(), axis=0)
    )


def test_sparse_places_are_uniform() -> None:
    """Each of 12 places is taken in a quarter of 4,000 rows: a chi-squared test at 1e-6."""
    taken = np.count_nonzero(draw("sparse", (4000, 12), connections=3), axis=0)
    z = (taken - 1000) / np.sqrt(4000 * 0.25 * 0.75)
    # A row's places exclude each other, with correlation -1/11: the sum is 12/11 chi-squared.
    assert np.sum(z**2) < 12 / 11 * stats.chi2(11).isf(1e-6)


def test_connections_and_sparsity_are_two_ways_to_say_one_thing() -> None:
    with pytest.raises(ValueError, match="both say how sparse"):
        draw("sparse", (3, 3), connections=2, sparsity=0.5)


@pytest.mark.parametrize(("outputs", "inputs"), [(4, 4), (3, 7)])
def test_zero_is_the_partial_identity_where_a_layer_does_not_grow(
    outputs: int, inputs: int
) -> None:
    """Zhao et al. 2021, algorithm 1."""
    np.testing.assert_array_equal(draw("zero_hadamard", (outputs, inputs)), np.eye(outputs, inputs))


@given(inputs=st.integers(1, 30), extra=st.integers(1, 40))
@settings(deadline=None, derandomize=True)
def test_zero_is_a_hadamard_block_where_it_grows(inputs: int, extra: int) -> None:
    """Algorithm 1, line 5, by definition 2: H_0 = 1, H_m = [[H, H], [H, -H]]."""
    outputs = inputs + extra
    matrix, order = np.ones((1, 1)), 0
    while len(matrix) < outputs:
        matrix, order = np.block([[matrix, matrix], [matrix, -matrix]]), order + 1
    c = 2 ** (-(order - 1) / 2)
    expected = c * np.eye(outputs, len(matrix)) @ matrix @ np.eye(len(matrix), inputs)
    np.testing.assert_allclose(draw("zero_hadamard", (outputs, inputs)), expected, rtol=1e-15)


def test_zero_breaks_the_rank_constraint_of_the_partial_identity() -> None:
    """The point of the paper: a partial identity spans fan_in dimensions, ReLU or not."""
    x = RandomState(0).standard_normal((5, 200))
    identity, zero = np.eye(64, 5), draw("zero_hadamard", (64, 5))
    ranks = [int(np.linalg.matrix_rank(np.maximum(w @ x, 0))) for w in (identity, zero)]
    # 5 columns of a Hadamard matrix have 2^3 different rows, and ReLU tells them apart.
    assert ranks == [5, 8]


def test_stacked_identities_keep_every_input() -> None:
    """IDInit: where a layer grows, each input is passed on more than once."""
    weights = draw("idinit", (7, 3), epsilon=0.0)
    np.testing.assert_array_equal(weights, np.vstack([np.eye(3), np.eye(3), np.eye(1, 3)]))
    # Lee et al. 2024, figure 18: the same, 8 from 4 and 4 from 8.
    tall, wide = (draw("tanh_fixed_point", shape, alpha=0.0) for shape in ((8, 4), (4, 8)))
    np.testing.assert_array_equal(tall, np.vstack([np.eye(4), np.eye(4)]))
    np.testing.assert_array_equal(wide, np.eye(4, 8))


def test_tanh_fixed_point_outlives_glorot() -> None:
    """Its claim: 10,000 layers of 16 units leave activations that Glorot's has lost.

    Here 1,000 layers, 5 seeds: the spread over units at the end.
    """

    def spread(name: str, seed: int) -> float:
        rng, h = RandomState(seed), RandomState(seed + 100).standard_normal(16)
        for _ in range(1000):
            h = np.tanh(INITIALIZERS[name].draw(rng, (16, 16), np.float64) @ h)
        return float(np.ptp(h))

    ours, glorots = (
        [spread(name, seed) for seed in range(5)] for name in ("tanh_fixed_point", "glorot_normal")
    )
    assert min(ours) > 0.01
    assert max(glorots) < 1e-6


def test_signed_constant_has_two_values() -> None:
    weights = draw("signed_constant", (40, 8))
    assert set(np.unique(weights)) == {-0.5, 0.5}


def test_the_authors_code_differs_from_the_papers() -> None:
    """ZerO's code divides by 2^(m / 2), the fixed point's noise goes by fan_out there."""
    paper, code = (draw("zero_hadamard", (8, 4), variant=v) for v in (None, "code"))
    np.testing.assert_allclose(paper, code * math.sqrt(2), rtol=1e-15)
    np.testing.assert_array_equal(draw("zero_hadamard", (4, 8), variant="code"), np.eye(4, 8))
    identity = draw("tanh_fixed_point", (16, 4), alpha=0.0)
    by_fan_in, by_fan_out = (
        draw("tanh_fixed_point", (16, 4), variant=v) - identity for v in (None, "code")
    )
    np.testing.assert_allclose(by_fan_in, by_fan_out * 2, rtol=1e-12, atol=1e-15)
