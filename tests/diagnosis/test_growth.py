from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import linregress

from initbench.diagnosis.growth import fit


def test_the_fit_is_the_regression_of_logs() -> None:
    values = np.exp(np.random.RandomState(0).standard_normal(9))
    found, oracle = fit(values.tolist()), linregress(np.arange(9), np.log(values))
    assert found is not None
    assert found.factor == pytest.approx(math.exp(oracle.slope))
    assert found.error == pytest.approx(math.exp(oracle.slope) * oracle.stderr)
    assert found.depth_scale == pytest.approx(1 / abs(oracle.slope))


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, 0.0, 1.0], [1.0, math.inf, 1.0]])
def test_what_has_no_line(values: list[float]) -> None:
    assert fit(values) is None


def test_a_constant_has_no_depth_scale() -> None:
    found = fit([1.0] * 4)
    assert found is not None
    assert found.depth_scale == math.inf
