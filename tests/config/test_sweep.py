"""A sweep is a grid of experiments, with limits."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from initbench import config
from initbench.errors import ConfigError
from tests.config.conftest import BASE, load, refusal


def test_a_sweep_is_a_grid() -> None:
    sweep = "{learning_rate: [0.1, 1], dataset: [{name: circles}, moons], dataset.noise: [0, 1]}"
    points = load(BASE + f"sweep: {sweep}\n")
    assert [
        (p.learning_rate, p.dataset.name, p.dataset.parameters["noise"]) for p in points
    ] == list(itertools.product((0.1, 1), ("circles", "moons"), (0, 1)))
    assert points[3].setting == {"learning_rate": 0.1, "dataset": "moons", "dataset.noise": 1}
    assert points[0].setting["dataset"] == {"name": "circles"}
    noises = load(BASE + "dataset: {name: moons}\nsweep: {dataset.noise: [0, 1]}\n")
    assert [point.dataset.label for point in noises] == ["moons(noise=0)", "moons(noise=1)"]
    assert load(BASE)[0].setting == load(BASE + "sweep: {}\n")[0].setting == {}


def test_a_mistake_outside_the_sweep_is_said_once() -> None:
    text = BASE + "log_every: 0\nsweep: {learning_rate: [1, 2, 3]}\n"
    assert refusal(text) == "x.yaml:5:12: log_every: must be at least 1, got 0"


def test_a_sweep_has_a_limit() -> None:
    text = BASE + f"sweep: {{learning_rate: {[1] * 101}, log_every: {[1] * 100}}}\n"
    assert refusal(text).endswith(
        ":5:1: sweep: has 10,100 combinations, at most 10,000 are allowed; remove values"
    )


def test_a_large_sweep_loads_in_time_linear_in_its_points() -> None:
    start = time.process_time()
    assert len(load(BASE + f"sweep: {{learning_rate: {[*range(1, 1501)]}}}\n")) == 1500
    assert time.process_time() - start < 20  # 1.4 s; it was a minute with a copy of all for each


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        (
            "{learning_rate: [0.1, 0.2, 0.1, 0.10]}",
            "x.yaml:5:35: sweep.learning_rate: 0.1 (x.yaml:5:25), 0.1 (x.yaml:5:35), 0.1 "
            "(x.yaml:5:40) give the same runs; keep one of them",
        ),
        (
            "{learning_rate: [1, 1.0]}",
            "x.yaml:5:28: sweep.learning_rate: 1 (x.yaml:5:25), 1.0 (x.yaml:5:28) give the same "
            "runs; keep one of them",
        ),
        (
            "{activation: [relu, tanh, ReLU, {name: relu}]}",
            "x.yaml:5:34: sweep.activation: the text 'relu' (x.yaml:5:22), the text 'ReLU' "
            "(x.yaml:5:34), {'name': 'relu'} (x.yaml:5:40) give the same runs; keep one of them",
        ),
        (  # what a later key replaces tells nothing apart
            "{dataset: [circles, {name: circles, noise: 0.2}], dataset.noise: [0, 0.1]}",
            "x.yaml:5:28: sweep.dataset: the text 'circles' (x.yaml:5:19), {'name': 'circles', "
            "'noise': 0.2} (x.yaml:5:28) give the same runs; keep one of them",
        ),
    ],
)  # fmt: skip
def test_values_that_settle_to_the_same_are_refused_with_their_places(
    sweep: str, said: str
) -> None:
    assert refusal(BASE + f"sweep: {sweep}\n") == said


def test_equal_values_of_two_keys_are_each_said_once() -> None:
    said = refusal(BASE + "sweep: {learning_rate: [1, 1, 2], optimizer: [gd, {name: gd}]}\n")
    assert [line.split(": ")[1] for line in said.splitlines()] == [
        "sweep.learning_rate", "sweep.optimizer",
    ]  # fmt: skip


def test_very_many_equal_values_are_counted() -> None:
    said = refusal(BASE + f"sweep: {{log_every: {[5] * 12}}}\n")
    assert said.endswith(" and 7 more give the same runs; keep one of them")
    assert said.count("x.yaml") == 6


#: For each key that a sweep can vary: spellings of one value, some of them of Hypothesis' choice.
SPELLINGS = {
    "learning_rate": ["1", "1.0", "1e0", "1_0e-1", "+1.", ".1e1"],
    "iterations": ["10", "1e1", "+10", "1_0"],
    "batch_size": ["null", "~", "Null", ""],
    "dtype": ["float64", "'float64'"],
    "activation": ["relu", "ReLU", "{name: relu}", '"relu"'],
    "optimizer": ["gd", "{name: gd}", "GD", "sgd"],
    "dataset": ["circles", "{name: circles}", "{noise: 0.05, name: circles}"],
    "dataset.noise": ["0", "0.0", "-0.0", "0e5"],
    "layers": ["[2, 3, 1]", "[2,3.0e0,1]", "[ 2, 3, 1 ]"],
    "log_every": ["10", "1_0", "1e1"],
}


@given(st.data(), st.sampled_from(sorted(SPELLINGS)))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_spelling_of_one_value_makes_two_settings(data: st.DataObject, key: str) -> None:
    def loads(values: str) -> bool:
        Path("x.yaml").write_text(BASE + f"sweep: {{{key}: {values}}}\n")
        try:
            config.load(["x.yaml"])
        except ConfigError as error:
            said.append(str(error))
            return False
        return True

    said: list[str] = []
    first, second = (data.draw(st.sampled_from(SPELLINGS[key])) for _ in range(2))
    if loads(f"[{first}]") and loads(f"[{second}]"):
        assert not loads(f"[{first}, {second}]")
        assert "give the same runs" in said[-1]


def test_a_value_that_a_sweep_replaces_is_judged_too() -> None:
    text = BASE.replace("0.1", "banana") + "sweep: {learning_rate: [0.1, 0.2]}\n"
    assert refusal(text) == (
        "x.yaml:4:16: learning_rate: must be a number, got the text 'banana'; write e.g. "
        "`learning_rate: 0.01`"
    )
    noise = "dataset: {name: circles, noise: -1}\nsweep: {dataset.noise: [0, 1]}\n"
    assert refusal(BASE + noise) == "x.yaml:5:33: dataset.noise: must be at least 0, got -1"
    whole = "dataset: {name: circles, nois: 1}\nsweep: {dataset: [circles, moons]}\n"
    assert refusal(BASE + whole).startswith("x.yaml:5:26: dataset.nois: unknown key")


def test_a_swept_key_needs_no_value_of_its_own() -> None:
    swept = BASE.replace("learning_rate: 0.1\n", "").replace("layers: [2, 3, 1]\n", "")
    text = swept + "dataset: {noise: 0.2}\nsweep: {learning_rate: [1], width: [3], depth: [1, 2], "
    assert len(load(text + "dataset.name: [circles, moons]}\n")) == 4


def test_a_replaced_value_need_not_go_with_the_others() -> None:
    """A gain that the replaced activation has not: no point asks for it."""
    text = "initializer: {name: he_normal, gain: torch}\nactivation: gelu\n"
    text += BASE.replace("initializer: he_normal\n", "") + "sweep: {activation: [relu, tanh]}\n"
    assert len(load(text)) == 2
