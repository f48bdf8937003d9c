"""A sweep is a grid of experiments, with limits."""

from __future__ import annotations

import itertools
import time

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
