"""Tests of paired replicates, against SciPy, exact laws and simulation."""

from __future__ import annotations

import itertools
import math
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import RandomState
from scipy import stats

from initbench.analysis import paired

#: A busy machine is no finding.
UNTIMED = settings(deadline=None)
FINITE = st.floats(-1e6, 1e6)
LOSSES = st.lists(st.one_of(FINITE, st.just(math.inf)), min_size=1, max_size=12)
DIFFERENCES = st.lists(
    st.one_of(FINITE, st.sampled_from([0.0, math.inf, -math.inf])), min_size=1, max_size=12
)


def test_two_infinities_do_not_differ_and_one_differs_by_its_sign() -> None:
    inf = math.inf
    found = paired.differences([1.0, inf, 2.0, inf], [3.0, 1.0, inf, inf])
    assert found.tolist() == [-2.0, inf, -inf, 0.0]


@UNTIMED
@given(DIFFERENCES, st.randoms(use_true_random=False))
def test_the_order_of_seeds_says_nothing(values: list[float], random: Random) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    # The rank sums are of halves: exact in any order.
    assert paired.signed_rank_p(np.array(shuffled)) == paired.signed_rank_p(np.array(values))


@UNTIMED
@given(st.lists(FINITE, min_size=6, max_size=12), FINITE)
def test_shifting_both_sides_changes_no_decision(values: list[float], by: float) -> None:
    a, b = np.round(values), np.round(values[::-1])
    shift = round(by)
    p = paired.signed_rank_p(paired.differences(a, b))
    assert paired.signed_rank_p(paired.differences(a + shift, b + shift)) == p


@UNTIMED
@given(st.lists(FINITE.filter(bool), min_size=6, max_size=10, unique_by=abs))
def test_p_is_that_of_all_sign_patterns(differences: list[float]) -> None:
    """Without ties: enumerated, the signed-rank test's exact p."""
    moved = np.array(differences)
    ranks = stats.rankdata(np.abs(moved))
    positive = ranks[moved > 0].sum()
    sums = np.array([
        np.dot(ranks, pattern) for pattern in itertools.product([0, 1], repeat=len(moved))
    ])  # fmt: skip
    exact = min(1.0, 2 * min((sums <= positive).mean(), (sums >= positive).mean()))
    assert paired.signed_rank_p(moved) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [8, 13])
def test_p_is_scipys_exact_one(n: int, seed: int) -> None:
    """With ties SciPy's is of all permutations, 2^13 at most; without, of its own recurrence."""
    rng = RandomState(seed)
    untied = rng.standard_normal(n) + 0.5
    exact = stats.wilcoxon(untied, method="exact").pvalue
    assert paired.signed_rank_p(untied) == pytest.approx(exact, rel=1e-12)
    tied = rng.choice([-2.0, -1, 1, 2, 3], n)
    every = stats.wilcoxon(tied, method=stats.PermutationMethod(n_resamples=2**n)).pvalue
    assert paired.signed_rank_p(tied) == pytest.approx(every, rel=1e-12)


@pytest.mark.parametrize("n", [30, 50])
def test_p_is_exact_up_to_fifty_differences(n: int) -> None:
    values = RandomState(n).standard_normal(n) + 0.3
    exact = stats.wilcoxon(values, method="exact").pvalue
    assert paired.signed_rank_p(values) == pytest.approx(exact, rel=1e-12)
    assert paired.signed_rank_p(np.ones(n)) == 2 / 2**n
    more = np.concatenate([values, np.linspace(-0.5, 1, 51 - n)])
    assert paired.signed_rank_p(more) == stats.wilcoxon(more, method="asymptotic").pvalue


def test_infinite_differences_rank_as_the_largest() -> None:
    finite = np.array([-1.0, 2, 3, 4, 5, 6, 1e9])
    endless = np.array([-1.0, 2, 3, 4, 5, 6, math.inf])
    assert paired.signed_rank_p(endless) == stats.wilcoxon(finite).pvalue


def test_zeros_are_no_evidence() -> None:
    assert paired.signed_rank_p(np.zeros(20)) == 1.0
    assert paired.signed_rank_p(np.array([1.0] * 5 + [0.0] * 15)) == 1.0
    assert paired.signed_rank_p(np.array([1.0, 2, 3, 4, 5, 6, 0])) == 2 / 2**6


def test_holm_step_by_step() -> None:
    """By hand: 5 x .001, 4 x .01, 3 x .02, then 2 x .022 raised to .06, then .5."""
    found = paired.holm([0.02, 0.001, 0.5, 0.01, 0.022])
    assert found == pytest.approx([0.06, 0.005, 0.5, 0.04, 0.06], rel=1e-12)
    assert paired.holm([]) == []
    assert paired.holm([0.9, 0.8]) == [1.0, 1.0]


@UNTIMED
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_the_raw_and_bonferroni(p_values: list[float]) -> None:
    found = paired.holm(p_values)
    n = len(p_values)
    assert all(p <= adjusted <= min(1, n * p) for p, adjusted in zip(p_values, found, strict=True))
    assert [found[i] for i in np.argsort(p_values, kind="stable")] == sorted(found)
