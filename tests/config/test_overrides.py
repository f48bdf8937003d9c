"""Options that set keys from outside the file."""

from __future__ import annotations

import pytest

from tests.config.conftest import BASE, load, refused


def test_overrides_win_and_grow_a_name_to_a_mapping() -> None:
    text = BASE + "dataset: circles\nseeds: 3\n"
    adam = ("optimizer.name=adam", "optimizer.beta1=.5")
    (experiment,) = load(text, "seeds=[7, 8]", "dataset.noise=0", "layers=[2, 1]", *adam)
    assert (experiment.seeds, experiment.architecture.sizes) == ((7, 8), (2, 1))
    labels = [choice.label for choice in (experiment.dataset, experiment.optimizer)]
    assert labels == ["circles(noise=0)", "adam(beta1=0.5)"]


OVERRIDES = [
    ("x", "must be KEY=VALUE, as in --set learning_rate=0.1"),
    ("=3", "must be KEY=VALUE, as in --set learning_rate=0.1"),
    ("seeds=", "seeds: must be a count from 1 to 100,000 or a list of seeds, got null"),
    ("seeds=*a", "*a is an alias; write the value out"),
    ("a.b=3", "a.b: a has no keys of its own to set"),
    ("layers.0=3", "layers.0: layers has no keys of its own to set"),
    ("layers=[3, 1]", "layers[0]: must be 2, the number of features of circles, got 3; write 2"),
    ("activation.name=rleu", "activation: unknown name 'rleu'; did you mean 'relu'?"),
    ("dataset={name: moons, noise: 1, noise: 2}", "noise: is given twice; keep one"),
    ("initializer.std=1", "initializer.std: unknown key; known: name, dialect, gain"),
]  # fmt: skip


@pytest.mark.parametrize(("item", "message"), OVERRIDES)
def test_a_wrong_override_is_said_once_and_without_a_line(item: str, message: str) -> None:
    load(BASE, name="a.yaml")
    load(BASE, name="b.yaml")
    assert refused(["a.yaml", "b.yaml"], [(f"--set {item}", item)]) == f"--set {item}: {message}"


def test_a_key_of_the_sweep_and_of_the_gate_are_set_without_one_in_the_file() -> None:
    points = load(BASE, "sweep.learning_rate=[0.1, 0.2]", "sweep.dataset.noise=[0]", "gate.loss=0")
    assert [point.setting for point in points] == [
        {"learning_rate": rate, "dataset.noise": 0} for rate in (0.1, 0.2)
    ]
    assert (points[0].gate.loss, points[0].gate.accuracy) == (0, 0.01)


SEEDS = [
    ("0-3", (0, 1, 2, 3)),
    ("[0-3, 7]", (0, 1, 2, 3, 7)),
    ("[7, 2-2]", (7, 2)),
    ("4294967295-4294967295", (4294967295,)),
]


@pytest.mark.parametrize(("text", "seeds"), SEEDS)
def test_ranges_of_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert load(BASE, f"seeds={text}")[0].seeds == load(BASE + f"seeds: {text}\n")[0].seeds == seeds


WRONG_SEEDS = [
    ("3-1", "seeds: 3-1 has no seed; write 1-3"),
    ("0-100000", "seeds: 0-100000 has 100,001 seeds; at most 100,000 are allowed"),
    ("[0-99999, 1-2]", "seeds: lists more than 100,000 seeds; remove some"),
    ("[0-3, 2]", "seeds: lists 2 twice; keep one of each"),
    ("4294967295-4294967296", "seeds: must be at most 4,294,967,295, got 4294967296"),
    ("1-", "seeds: must be a count from 1 to 100,000 or a list of seeds, got the text '1-'"),
    ("0-9-2", "seeds: must be a count from 1 to 100,000 or a list of seeds, got the text '0-9-2'"),
]


@pytest.mark.parametrize(("text", "message"), WRONG_SEEDS)
def test_wrong_ranges_of_seeds(text: str, message: str) -> None:
    load(BASE)
    item = f"seeds={text}"
    assert refused(["x.yaml"], [(f"--set {item}", item)]) == f"--set {item}: {message}"
