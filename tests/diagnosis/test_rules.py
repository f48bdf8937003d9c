"""The rules, as pure functions of made-up findings: each threshold from both sides."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initbench.diagnosis.advice import advise
from initbench.diagnosis.rules import CONDITIONS, EXPLODED, LOST, assess
from tests.diagnosis.conftest import findings

#: (just beyond the threshold, its condition and layer; just within it)
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
    beyond: list[dict[str, Any]],
    expected: str,
    begins: int,
    within: list[dict[str, Any]],
) -> None:
    wrong = findings(*beyond)
    found = assess(wrong)
    assert (found.condition, found.begins_at_layer) == (expected, begins)
    assert advise(wrong, found)
    assert assess(findings(*within)).condition == "healthy"


def test_healthy_has_nothing_to_mend() -> None:
    found = assess(findings())
    assert found.condition == "healthy"
    assert found.begins_at_layer is None
    assert advise(findings(), found) == ""


def test_dead_from_half_of_the_seeds() -> None:
    found = assess(findings({}, {"dead": 1.0}, born_dead=0.6))
    assert found.condition == "dead"
    assert found.begins_at_layer == 2
    assert "60 % of the networks are born dead" in found.reason
    assert "theory: 10.00 to 20.00 %" in found.reason
    assert assess(findings(born_dead=0.4)).condition == "healthy"


def test_the_lottery_of_narrow_networks() -> None:
    theory = findings().theory
    assert theory is not None
    spread = replace(theory, length_spread=1.76)
    found = assess(findings(theory=spread))
    assert found.condition == "vanishing"
    assert "too deep for its width" in found.reason
    assert assess(findings(theory=spread, iteration=10)).condition == "healthy"


@pytest.mark.parametrize(
    "learned", [{"saturated": 1.0}, {"preactivation_variance": 1e4, "contrast": 1e4}]
)
def test_what_training_brings_is_no_fault(learned: dict[str, Any]) -> None:
    changes: tuple[dict[str, Any], ...] = ({}, {}, {}, learned)
    assert assess(findings(*changes)).condition != "healthy"
    assert assess(findings(*changes, iteration=100)).condition == "healthy"


@pytest.mark.parametrize("value", [math.inf, math.nan])
@pytest.mark.parametrize("iteration", [0, 100])
def test_what_is_not_finite_explodes(value: float, iteration: int) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {},
        {},
        {"preactivation_variance": value},
        {"preactivation_variance": value},
    )
    found = assess(findings(*changes, iteration=iteration))
    assert (found.condition, found.begins_at_layer) == ("exploding", 3)


sizes = st.one_of(st.just(0.0), st.floats(1e-300, 1e300), st.just(math.inf))


@given(
    variances=st.lists(sizes, min_size=4, max_size=4),
    shares=st.lists(st.floats(0, 1), min_size=4, max_size=4),
    gradients=st.lists(sizes, min_size=3, max_size=3),
    last=st.floats(0, 1e10),
    cosine=st.one_of(st.floats(-1, 1), st.just(math.nan)),
    iteration=st.integers(0, 1),
)
def test_there_is_always_a_condition(
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
    found = assess(findings(*rows, iteration=iteration))
    assert found.condition in CONDITIONS
    assert found.reason.endswith(".")
