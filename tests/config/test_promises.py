"""Expectations that nothing can fulfil are refused before training, where they are judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from initbench import config
from initbench.errors import ConfigError

BASE = """\
initializer: [he_normal, zeros]
layers: [2, 3, 1]
iterations: 100
learning_rate: 0.1
log_every: 30
seeds: 3
"""
REGRESSION = BASE.replace("[2, 3, 1]", "[10, 3, 1]") + "dataset: diabetes\n"


def messages(path: Path, text: str, *, judged: bool = True) -> list[str]:
    path.write_text(text)
    try:
        config.load([path], judged=judged)
    except ConfigError as error:
        return [str(problem).replace(str(path), "x.yaml") for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        (
            "{metric: train_loss@50, max: 1}",
            "x.yaml:8:14: expect[0].metric: nothing is logged at iteration 50: log_every is 30 and "
            "there are 100 iterations; write train_loss@60, or change log_every",
        ),
        (
            "{metric: train_loss@14000, max: 1}",
            "x.yaml:8:14: expect[0].metric: nothing is logged at iteration 14000: log_every is 30 "
            "and there are 100 iterations; write train_loss@100, or change log_every",
        ),
        (
            "{metric: train_loss, seed: 3, max: 1}",
            "x.yaml:8:32: expect[0].seed: seed 3 is not trained; add it to seeds, or write another "
            "one",
        ),
        (
            "{metric: test_accuracy, min: 80}",
            "x.yaml:8:34: expect[0].min: test accuracy is from 0 to 1, got 80; write 0.8 for 80 %",
        ),
        (
            "{metric: train_loss, max: -1}",
            "x.yaml:8:31: expect[0].max: train loss is at least 0, got -1",
        ),
        (
            "{metric: test_accuracy, initializer: he_normal, faster_than: zeros, target: 1.5}",
            "x.yaml:8:81: expect[0].target: test accuracy is from 0 to 1, got 1.5; write 0.015 for "
            "1.5 %",
        ),
        (
            "{metric: train_loss, max: 1, at_least: 4}",
            "x.yaml:8:44: expect[0].at_least: must be at most 3, the number of seeds, got 4",
        ),
        (
            "{metric: train_loss, max: 1, where: {learning_rate: 0.1}}",
            "x.yaml:8:41: expect[0].where: learning_rate is not swept; the config has no sweep",
        ),
    ],
)
def test_a_promise_that_cannot_be_judged(tmp_path: Path, expectation: str, message: str) -> None:
    text = f"{BASE}expect:\n  - {expectation}\n"
    assert messages(tmp_path / "x.yaml", text) == [message]
    assert messages(tmp_path / "x.yaml", text, judged=False) == []


def test_a_regression_has_no_accuracy(tmp_path: Path) -> None:
    text = REGRESSION + "expect:\n  - {metric: test_accuracy, min: 0.8}\n"
    assert messages(tmp_path / "x.yaml", text) == [
        "x.yaml:9:14: expect[0].metric: diabetes is a regression task, which has no test_accuracy; "
        "write one of train_loss, test_loss"
    ]


def test_a_point_that_the_sweep_lacks(tmp_path: Path) -> None:
    text = (
        f"{BASE}sweep: {{learning_rate: [0.1, 0.2]}}\nexpect:\n"
        "  - {metric: train_loss, max: 1, where: {learning_rate: 0.3}}\n"
    )
    assert messages(tmp_path / "x.yaml", text) == [
        "x.yaml:9:41: expect[0].where: the sweep has no point with learning_rate: 0.3; write "
        "values that are in sweep"
    ]


def test_promises_that_can_be_judged(tmp_path: Path) -> None:
    text = (
        f"{BASE}sweep: {{learning_rate: [0.1, 0.2]}}\nexpect:\n"
        "  - {metric: train_loss@60, max: 1}\n"
        "  - {metric: train_loss@100, seed: 2, max: 1}\n"
        "  - {metric: test_accuracy, min: 0.5, at_least: 2, where: {learning_rate: 0.2}}\n"
        "  - {metric: test_accuracy, initializer: he_normal, above: zeros, margin: -0.02}\n"
    )
    assert messages(tmp_path / "x.yaml", text) == []


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    text = (
        f"{BASE}batch_size: 5000\nexpect:\n  - {{metric: test_accuracy, min: 80}}\n"
        "  - {metric: train_loss@1, seed: 9, max: 1}\n"
    )
    assert len(messages(tmp_path / "x.yaml", text)) == 4
