"""Expectations against records whose numbers are made to meet or miss them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from initbench import config
from initbench.errors import ConfigError
from initbench.gate.expectations import judge_expectations
from initbench.runs.records import NO_CURVE, Curve, Record
from initbench.spec import Experiment


def record(initializer: str, seed: int, losses: list[float], accuracy: float = 0.5) -> Record:
    iterations = tuple(range(0, 10 * len(losses), 10))
    accuracies = (accuracy,) * len(losses)
    curve = Curve(iterations, tuple(losses), accuracies, tuple(losses), accuracies)
    status: Any = "ok" if math.isfinite(losses[-1]) else "diverged"
    return Record("", "c", initializer, {}, seed, status, curve, 0.0)


#: Medians of the final loss: he_normal 0.2, zeros 0.7. He's is smaller at every seed by 0.4 to 0.6.
RECORDS = [
    record("he_normal", 0, [0.7, 0.4, 0.1], 0.9),
    record("he_normal", 1, [0.7, 0.5, 0.2], 0.95),
    record("he_normal", 2, [0.7, 0.6, 0.3], 0.99),
    record("zeros", 0, [0.7, 0.7, 0.7]),
    record("zeros", 1, [0.7, 0.7, 0.7]),
    record("zeros", 2, [0.7, 0.7, 0.7]),
]


def experiment(expectation: str, initializer: str = "[he_normal, zeros]") -> Experiment:
    path = Path("c.yaml")
    path.write_text(
        f"initializer: {initializer}\nlayers: [2, 2, 1]\niterations: 20\nlearning_rate: 0.1\n"
        f"log_every: 10\nseeds: 3\nexpect:\n  - {expectation}\n"
    )
    (loaded,) = config.load([path])
    return loaded


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("expectation", "verdict", "reason"),
    [
        ("{metric: train_loss, max: 0.2}", "ok", "the median is 0.2"),
        ("{metric: train_loss, max: 0.19}", "expected_failed",
         "the median is 0.2, and must be at most 0.19"),
        ("{metric: train_loss, seed: 2, min: 0.31}", "expected_failed",
         "seed 2 is 0.3, and must be at least 0.31"),
        ("{metric: train_loss@10, value: 0.5}", "ok",
         "the median is 0.5, and must be 0.5 within 0"),
        ("{metric: train_loss@10, seed: 0, value: 0.5, atol: 0.11}", "ok",
         "seed 0 is 0.4, and must be 0.5 within 0.11"),
        ("{metric: train_loss@10, seed: 0, value: 0.5, rtol: 0.1}", "expected_failed",
         "seed 0 is 0.4, and must be 0.5 within 0.05"),
        ("{metric: train_loss@15, max: 1}", "missing",
         "train_loss@15 cannot be judged: nothing was logged at iteration 15"),
        ("{metric: train_loss, seed: 7, max: 1}", "missing", "seed 7 was not trained"),
        ("{metric: test_accuracy, above: zeros, margin: 0.4}", "ok",
         "it must be at least 40 points above zeros, and is 45 points above"),
        ("{metric: test_accuracy, above: zeros, margin: 0.46}", "expected_failed",
         "it must be at least 46 points above zeros, and is 45 points above"),
        ("{metric: train_loss, below: zeros, margin: 0.49}", "ok",
         "it must be at least 0.49 below zeros, and is 0.5 below"),
        ("{metric: train_loss, below: zeros, margin: -0.1}", "ok",
         "it may be at most 0.1 above zeros, and is 0.5 below"),
        ("{metric: train_loss, above: zeros, margin: -0.4}", "expected_failed",
         "it may be at most 0.4 below zeros, and is 0.5 below"),
        ("{metric: train_loss, max: 0.25, at_least: 2}", "ok",
         "it holds at 2 of 3 seeds, and must hold at 2"),
        ("{metric: train_loss, max: 0.25, at_least: 3}", "expected_failed",
         "it holds at 2 of 3 seeds, and must hold at 3"),
        ("{metric: train_loss, above: zeros}", "expected_failed",
         "it must be above zeros, and is 0.5 below"),
        ("{metric: train_loss@0, below: zeros}", "expected_failed",
         "it must be below zeros, and is equal"),
        ("{metric: train_loss, seed: 2, below: zeros, margin: 0.41}", "expected_failed",
         "it must be at least 0.41 below zeros, and is 0.4 below"),
        ("{metric: train_loss, faster_than: zeros, target: 0.5}", "ok",
         "it must reach 0.5 at least 0 iterations before zeros; it needed 10, zeros never "
         "got there"),
        ("{metric: train_loss, faster_than: zeros, target: 0.7}", "expected_failed",
         "it must reach 0.7 at least 0 iterations before zeros; it needed 0, zeros needed 0"),
        ("{metric: train_loss, faster_than: zeros, target: 0.01}", "expected_failed",
         "it must reach 0.01 at least 0 iterations before zeros; it never got there, zeros never "
         "got there"),
    ],
)  # fmt: skip
def test_forms(expectation: str, verdict: str, reason: str) -> None:
    if "initializer" not in expectation:
        expectation = expectation.replace("{", "{initializer: he_normal, ", 1)
    (found,) = judge_expectations(experiment(expectation), RECORDS)
    assert (found.verdict, found.reason) == (verdict, reason)
    assert (found.config, found.initializer, found.expectation) == ("c", "he_normal", 0)


def test_nothing_trained_is_missing() -> None:
    (found,) = judge_expectations(
        experiment("{metric: train_loss, initializer: zeros, max: 1}"), RECORDS[:3]
    )
    assert (found.verdict, found.reason) == ("missing", "no seed was trained")


def test_without_a_name_an_expectation_is_of_every_initializer() -> None:
    verdicts = judge_expectations(experiment("{metric: train_loss, max: 0.5}"), RECORDS)
    assert [(v.initializer, v.verdict) for v in verdicts] == [
        ("he_normal", "ok"),
        ("zeros", "expected_failed"),
    ]


def test_a_diverged_run_counts_as_infinite_also_after_its_end() -> None:
    records = [record("zeros", 0, [0.7, math.inf])]
    for moment in ("", "@20"):
        one = experiment(f"{{metric: train_loss{moment}, max: 1000}}", "zeros")
        (found,) = judge_expectations(one, records)
        assert (found.verdict, found.candidate) == ("expected_failed", math.inf)


def test_a_failed_run_cannot_be_judged() -> None:
    records = [Record("", "c", "zeros", {}, 0, "failed", NO_CURVE, 0.0, "it raised")]
    one = experiment("{metric: train_loss, max: 1}", "zeros")
    (found,) = judge_expectations(one, records)
    assert found.verdict == "missing"


def test_nobody_is_faster_than_a_failed_run() -> None:
    failed = Record("", "c", "zeros", {}, 2, "failed", NO_CURVE, 0.0, "it raised")
    one = experiment(
        "{initializer: he_normal, metric: train_loss, faster_than: zeros, target: 0.5}"
    )
    (found,) = judge_expectations(one, [*RECORDS[:5], failed])
    assert (found.verdict, found.reason) == ("missing", "zeros has no train_loss at some seeds")


@pytest.mark.parametrize("name", ["normal", "normal(std=10)", "Normal"])
def test_an_initializer_is_found_by_label_or_by_its_name(name: str) -> None:
    one = experiment(
        f"{{metric: train_loss, initializer: '{name}', below: kaiming_normal}}",
        "[{name: normal, std: 10}, he_normal]",
    )
    records = [record("normal(std=10)", 0, [1.0]), record("he_normal", 0, [2.0])]
    (found,) = judge_expectations(one, records)
    assert (found.initializer, found.verdict) == ("normal(std=10)", "ok")


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        ("{metric: train_loss, initializer: he_norml, max: 1}",
         "c.yaml:8:39: expect[0].initializer: names no initializer of this config, got the "
         "text 'he_norml'; did you mean 'he_normal'?"),
        ("{metric: train_loss, initializer: zeros, below: ones}",
         "c.yaml:8:53: expect[0].below: names no initializer of this config, got the text "
         "'ones'; it has he_normal, zeros"),
        ("{metric: train_loss, initializer: zeros, faster_than: xyz, target: 1}",
         "c.yaml:8:59: expect[0].faster_than: names no initializer of this config, got the "
         "text 'xyz'; it has he_normal, zeros"),
    ],
)  # fmt: skip
def test_a_stranger_is_refused_at_its_place(expectation: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        experiment(expectation)
    assert str(caught.value) == message
