"""The verdict as a pure function: made-up findings, each threshold from both sides."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initbench.diagnosis import rules as judgement
from initbench.diagnosis.rules import VERDICTS, Findings, Layer, Pair, Steady, Theory, judge

THEORY = Theory(
    sigma_w2=2.0, sigma_b2=0.0, fixed_variance=1.0, fixed_cosine=1.0, chi_1=1.0, xi_q=math.inf,
    xi_c=math.inf, reach=math.inf, length_spread=0.5, born_dead=(0.1, 0.2),
)  # fmt: skip

STEADY = Steady(scale=2.5, change=2.0, spread=0.5)


def layer(number: int, last: bool, **changed: Any) -> Layer:
    plain = Layer(
        layer=number, fan_in=8, units=8, preactivation_mean=0.0,
        preactivation_variance=Pair(1.0, 1.0), contrast=Pair(0.5, 0.5), activation_mean=0.4,
        activation_variance=0.3, gradient_variance=Pair(0.1, 0.1), weight_gradient_variance=0.01,
        cosine=Pair(0.5, 0.5), effective_rank=3.0, saturated=0.0, inactive=None,
        dead=None if last else 0.0, distinct_units=None if last else 8.0, update_size=0.01,
    )  # fmt: skip
    measured: dict[str, Any] = {
        key: Pair(1.0, value) if isinstance(getattr(plain, key), Pair) else value
        for key, value in changed.items()
    }
    return replace(plain, **measured)


def findings(*changes: dict[str, Any], **changed: Any) -> Findings:
    """Four healthy layers, each with its ``changes``; and of the network what has ``changed``."""
    each = [*changes, *[{}] * (4 - len(changes))]
    plain = Findings(
        config="made up", initializer="he_normal", setting={}, activation="tanh", seeds=5,
        samples=100, iteration=0, train_loss=0.7, input_square=1.0, input_cosine=0.0,
        layers=tuple(layer(i + 1, i == 3, **each[i]) for i in range(4)), theory=THEORY,
        jacobian=(1.0, 0.5, 0.1), born_dead=0.0, steady=STEADY,
    )  # fmt: skip
    return replace(plain, **changed)


LOST = judgement.LOST
EXPLODED = judgement.EXPLODED

#: (just beyond the threshold, its verdict and layer; just within it)
EDGES = [
    ([{}, {"distinct_units": 4.0}], "symmetric", 2, [{}, {"distinct_units": 5.0}]),
    ([{}, {}, {"saturated": 0.5}], "saturated", 3, [{}, {}, {"saturated": 0.49}]),
    (
        [{}, {}, {"preactivation_variance": EXPLODED * 1.1},
         {"preactivation_variance": EXPLODED * 1.2}],
        "exploding", 3,
        [{}, {}, {"preactivation_variance": EXPLODED * 1.1},
         {"preactivation_variance": EXPLODED}],
    ),
    ([{}, {}, {}, {"saturated": 0.5}], "saturated", 4, [{}, {}, {}, {"saturated": 0.49}]),
    (
        [{}, {"contrast": 0.9 * 0.5 * LOST}, {"contrast": 1e-9},
         {"contrast": 1e-9, "preactivation_variance": 1e-9}],
        "vanishing", 2,
        [{}, {"contrast": 0.9 * 0.5 * LOST}, {"contrast": 1e-9},
         {"contrast": 0.5 * LOST, "preactivation_variance": 1e-9}],
    ),
    (
        [{}, {"contrast": 0.01}, {"contrast": 0.001, "cosine": 0.999}, {"contrast": 0.0005}],
        "ordered", 3,
        [{}, {"contrast": 0.01}, {"contrast": 0.001, "cosine": 0.999},
         {"contrast": 1.001 * 0.5 * LOST}],
    ),
    (
        [{"gradient_variance": 0.09 * LOST}, {"gradient_variance": 0.09 * LOST}],
        "vanishing", 2,
        [{"gradient_variance": 0.1 * LOST}, {"gradient_variance": 0.09 * LOST}],
    ),
    (
        [{"gradient_variance": 0.11 / LOST}, {"gradient_variance": 0.11 / LOST}],
        "chaotic", 2,
        [{"gradient_variance": 0.09 / LOST}, {"gradient_variance": 0.11 / LOST}],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("beyond", "expected", "begins", "within"), EDGES)
def test_edges(
    beyond: list[dict[str, Any]], expected: str, begins: int, within: list[dict[str, Any]]
) -> None:
    judged = judge(findings(*beyond))
    assert (judged.verdict, judged.begins_at_layer) == (expected, begins)
    assert judged.advice
    assert judge(findings(*within)).verdict == "healthy"


def test_healthy_has_nothing_to_mend() -> None:
    judged = judge(findings())
    assert judged.verdict == "healthy"
    assert judged.begins_at_layer is None
    assert judged.advice == ""


def test_dead_from_half_of_the_seeds() -> None:
    judged = judge(findings({}, {"dead": 1.0}, born_dead=0.6))
    assert judged.verdict == "dead"
    assert judged.begins_at_layer == 2
    assert "60 % of the networks are born dead" in judged.reason
    assert "theory: 10.00 to 20.00 %" in judged.reason
    assert judge(findings(born_dead=0.4)).verdict == "healthy"


def test_the_lottery_of_narrow_networks() -> None:
    spread = replace(THEORY, length_spread=1.76)
    judged = judge(findings(theory=spread))
    assert judged.verdict == "vanishing"
    assert "too deep for its width" in judged.reason
    assert judge(findings(theory=spread, iteration=10)).verdict == "healthy"


@pytest.mark.parametrize(
    "learned", [{"saturated": 1.0}, {"preactivation_variance": 1e4, "contrast": 1e4}]
)
def test_what_training_brings_is_no_fault(learned: dict[str, Any]) -> None:
    changes: tuple[dict[str, Any], ...] = ({}, {}, {}, learned)
    assert judge(findings(*changes)).verdict != "healthy"
    assert judge(findings(*changes, iteration=100)).verdict == "healthy"


@pytest.mark.parametrize("value", [math.inf, math.nan])
@pytest.mark.parametrize("iteration", [0, 100])
def test_what_is_not_finite_explodes(value: float, iteration: int) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {},
        {},
        {"preactivation_variance": value},
        {"preactivation_variance": value},
    )
    judged = judge(findings(*changes, iteration=iteration))
    assert (judged.verdict, judged.begins_at_layer) == ("exploding", 3)


def test_advice_where_no_scale_helps() -> None:
    changes: tuple[dict[str, Any], ...] = (
        {},
        {},
        {},
        {"contrast": 1e-9, "preactivation_variance": 1e-9},
    )
    assert "gain 1.58" in judge(findings(*changes)).advice
    assert "No scale" in judge(findings(*changes, steady=Steady(2.5, 1e6, 0.5))).advice
    assert "No scale" in judge(findings(*changes, steady=Steady(2.5, 2.0, 3.0))).advice


@pytest.mark.parametrize(
    ("scale", "words"), [(1.0, "lecun_normal"), (2.02, "he_normal"), (2.54, "scale 2.54")]
)
def test_advice_names_what_can_be_used(scale: float, words: str) -> None:
    assert words in judge(findings({"saturated": 1.0}, steady=Steady(scale, 2.0, 0.5))).advice


sizes = st.one_of(st.just(0.0), st.floats(1e-300, 1e300), st.just(math.inf))


@given(
    variances=st.lists(sizes, min_size=4, max_size=4),
    shares=st.lists(st.floats(0, 1), min_size=4, max_size=4),
    gradients=st.lists(sizes, min_size=3, max_size=3),
    last=st.floats(0, 1e10),
    cosine=st.one_of(st.floats(-1, 1), st.just(math.nan)),
    iteration=st.integers(0, 1),
)
def test_there_is_always_a_verdict(
    variances: list[float],
    shares: list[float],
    gradients: list[float],
    last: float,
    cosine: float,
    iteration: int,
) -> None:
    """Whatever is measured: a contrast is a share of its variance, and 0 times inf is NaN."""
    rows = [
        {
            "preactivation_variance": variance,
            "contrast": share * variance,
            "gradient_variance": gradient,
            "cosine": cosine,
        }
        for variance, share, gradient in zip(variances, shares, [*gradients, last], strict=True)
    ]
    judged = judge(findings(*rows, iteration=iteration))
    assert judged.verdict in VERDICTS
    assert judged.reason.endswith(".")
