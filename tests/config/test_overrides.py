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
