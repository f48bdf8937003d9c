"""Metrics: their rows, and the parser of `name@k`."""

from __future__ import annotations

import math
import re
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initbench.metrics import METRICS, PATTERN, Metric, MetricAt, parse_metric
from initbench.runs.records import Curve, RowKey

NUMBERS = st.floats(0, 1)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_found_by_its_name_and_is_a_column_of_a_curve(name: str) -> None:
    assert METRICS[name].name == name
    assert name in {field.name for field in fields(Curve)}
    low, high = METRICS[name].valid_range
    assert low < high


@given(st.sampled_from(list(METRICS)), st.none() | st.integers(0, 10**12 - 1))
def test_what_is_written_is_what_is_parsed(name: str, iteration: int | None) -> None:
    at = MetricAt(METRICS[name], iteration)
    assert parse_metric(str(at)) == at
    assert re.fullmatch(PATTERN, str(at))


@pytest.mark.parametrize(
    "text",
    ["", "loss", "train_loss@", "train_loss@-1", "train_loss@1.5", "train_loss@1@2", "train_loss ",
     "train_loss\n", "TRAIN_LOSS", "@5", "train_loss@1234567890123"],
)  # fmt: skip
def test_what_is_no_metric(text: str) -> None:
    with pytest.raises(ValueError, match="must be train_loss, train_accuracy, test_loss or"):
        parse_metric(text)


@given(st.sampled_from(list(METRICS)), NUMBERS, NUMBERS)
def test_what_is_as_good_is_not_worse_by_its_sign(name: str, value: float, target: float) -> None:
    metric = METRICS[name]
    assert metric.reaches(value, target) == (metric.sign * (value - target) <= 0)


def test_valid_values() -> None:
    def valid(name: str, *values: float) -> list[bool]:
        return [METRICS[name].is_valid(value) for value in values]

    assert valid("test_accuracy", 0, 1, 1.01, -0.1, math.nan, math.inf) == [
        True, True, False, False, False, False,
    ]  # fmt: skip
    assert valid("train_loss", 0, 17, math.inf, -1e-9, math.nan) == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert [metric.can_be_infinite for metric in METRICS.values()] == [True, False, True, False]


def test_a_later_metric_is_a_row() -> None:
    """A quantity of another kind, without a change of the module's functions."""
    rank = Metric(
        "effective_rank",
        "effective rank",
        "",
        False,
        "rounding",
        (0.0, math.inf),
        3,
        "loss",
        "train",
    )
    assert rank.text(12.3456) == "12.3"
    assert rank.difference_text(-1.5, 2) == "-1.5"
    assert rank.reaches(13, 12)
    assert not rank.reaches(11, 12)


@given(st.permutations(["a", "b", "c"]))
def test_a_row_is_found_in_whatever_order_its_sweep_names_keys(keys: list[str]) -> None:
    setting = dict.fromkeys(keys, 1)
    assert RowKey.of("x", "y", setting) == RowKey.of("x", "y", {"a": 1, "b": 1, "c": 1})
