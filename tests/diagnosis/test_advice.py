from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from initbench.diagnosis.advice import advise
from initbench.diagnosis.findings import Findings, Steady
from initbench.diagnosis.rules import LOTTERY, assess
from tests.diagnosis.conftest import findings


def advice(found: Findings) -> str:
    return advise(found, assess(found))


def test_advice_where_no_scale_helps() -> None:
    changes: tuple[dict[str, Any], ...] = (
        {},
        {},
        {},
        {"contrast": 1e-9, "preactivation_variance": 1e-9},
    )
    assert "gain 1.58" in advice(findings(*changes))
    assert "No scale" in advice(findings(*changes, steady=Steady(2.5, 1e6, 0.5)))
    assert "No scale" in advice(findings(*changes, steady=Steady(2.5, 2.0, 3.0)))


@pytest.mark.parametrize(
    ("scale", "words"), [(1.0, "lecun_normal"), (2.02, "he_normal"), (2.54, "scale 2.54")]
)
def test_advice_names_what_can_be_used(scale: float, words: str) -> None:
    assert words in advice(findings({"saturated": 1.0}, steady=Steady(scale, 2.0, 0.5)))


def test_what_no_weights_mend_is_the_network_s_shape() -> None:
    assert advice(findings({}, {"dead": 1.0}, born_dead=0.6)) == (
        "Use wider or fewer layers, or leaky_relu."
    )
    theory = findings().theory
    assert theory is not None
    narrow = replace(theory, length_spread=LOTTERY + 0.01)
    assert advice(findings(theory=narrow)) == "Use wider or fewer layers."
