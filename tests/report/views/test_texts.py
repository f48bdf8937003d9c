"""Numbers as texts: rounding never contradicts what is rounded."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initbench.analysis.intervals import Interval
from initbench.report.views.texts import difference_cell, interval_cell

ORDERED = st.lists(st.floats(1e-6, 10), min_size=3, max_size=3).map(sorted)


@pytest.mark.parametrize(
    ("median", "low", "high", "cell"),
    [
        (1.554, 1.5521, 1.5563, "1.554\n1.55–1.56"),  # not "1.6 to 1.6"
        (0.24, 0.2401, 0.2404, "0.24"),
        (0.5, -math.inf, math.inf, "0.5"),  # one seed
        (math.inf, 0.3, math.inf, "inf\n0.3–inf"),
    ],
)
def test_the_median_lies_in_its_printed_interval(
    median: float, low: float, high: float, cell: str
) -> None:
    assert interval_cell("train_loss", Interval(median, low, high)) == cell


@given(ORDERED)
def test_rounded_ends_hold_the_rounded_median(values: list[float]) -> None:
    low, median, high = values
    numbers = re.split("[\n–]", interval_cell("train_loss", Interval(median, low, high)))
    if len(numbers) == 3:
        assert float(numbers[1]) <= float(numbers[0]) <= float(numbers[2])


@given(ORDERED, st.sampled_from(["train_loss", "test_accuracy"]), st.floats(-3, 3))
def test_printed_intervals_exclude_zero_exactly_if_they_do(
    values: list[float], metric: str, shift: float
) -> None:
    low, estimate, high = (value - shift for value in values)
    cell = difference_cell(metric, Interval(estimate, low, high))
    numbers = [float(text) for text in re.split("[\n…]", cell)]
    if len(numbers) == 3:
        shown, begin, end = numbers
        assert begin <= shown <= end
        assert (begin <= 0 <= end) == (low <= 0 <= high)


def test_zero_has_no_sign() -> None:
    assert difference_cell("test_accuracy", Interval(-0.0, -0.01, 0.02)) == "0.0\n-1.0…+2.0"
    assert difference_cell("train_loss", Interval(0.0, 0.0, 0.0)) == "0"
