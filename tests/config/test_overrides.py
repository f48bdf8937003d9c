"""Options that set keys from outside the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from initbench.spec import Experiment
from initbench.spec.expectations import Gate
from initbench.spec.kinds import kinds
from tests.config.conftest import BASE, load, refused


def test_overrides_win_and_grow_a_name_to_a_mapping() -> None:
    text = BASE + "dataset: circles\nseeds: 3\n"
    adam = ("optimizer.name=adam", "optimizer.beta1=.5")
    (experiment,) = load(text, "seeds=[7, 8]", "dataset.noise=0", "layers=[2, 1]", *adam)
    assert (experiment.seeds, experiment.architecture.sizes) == ((7, 8), (2, 1))
    labels = [choice.label for choice in (experiment.dataset, experiment.optimizer)]
    assert labels == ["circles(noise=0)", "adam(beta1=0.5)"]


def test_items_of_lists_and_null_are_set_at_any_depth() -> None:
    text = (
        BASE.replace("initializer: he_normal", "initializer: [zeros, {name: normal, std: 3}]")
        + "expect: [{metric: train_loss, max: 3}]\ngate: {loss: 0}\n"
        "dataset: {name: circles, noise: 0}\nsweep: {learning_rate: [0.1], dtype: [float32]}\n"
    )
    (experiment,) = load(
        text, "initializer[0].name=ones", "initializer.1.std=2", "expect[0].max=2", "layers[1]=7",
        "gate.loss=null", "dataset.noise=null", "sweep.dtype=null",
    )  # fmt: skip
    assert [choice.label for choice in experiment.initializer] == ["ones", "normal(std=2)"]
    assert experiment.expect[0].max == 2
    assert experiment.architecture.sizes == (2, 7, 1)
    assert (experiment.gate.loss, experiment.dataset.label) == (Gate().loss, "circles")
    assert experiment.setting == {"learning_rate": 0.1}
    (one,) = load(BASE, "initializer[0].dialect=torch", "initializer.dialect=null")[0].initializer
    assert one.label == "he_normal"


KEYS = {
    **Experiment.model_fields,
    **{f"gate.{key}": field for key, field in Gate.model_fields.items()},
    **{
        f"{kind}.{key}": field
        for kind, name in (
            ("initializer", "variance_scaling"), ("activation", "sine"), ("optimizer", "adam"),
            ("dataset", "spirals"),
        )
        for key, field in kinds()[kind].models[name].model_fields.items()
    },
}  # fmt: skip
#: A config in which each of the keys may stand.
EVERY = BASE.replace("initializer: he_normal", "initializer: variance_scaling") + (
    "activation: sine\noptimizer: adam\ndataset: spirals\n"
)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_can_be_set_whole_and_to_null_or_is_refused_at_its_place(key: str) -> None:
    default = KEYS[key].get_default()
    required = KEYS[key].is_required() or key.endswith(".name") or key == "layers"
    if not required or key == "name":
        assert load(EVERY, f"{key}=null")
    else:
        assert refused_alone(f"{key}=null")
    if default is not None and not KEYS[key].is_required():
        plain = TypeAdapter(Any).dump_python(default, mode="json")
        assert load(EVERY, f"{key}={json.dumps(plain)}")
    assert refused_alone(f"{key}={{no: [such, thing]}}")
    assert refused_alone(f"{key}.deeper.still=1")


def refused_alone(item: str) -> bool:
    """Whether the option is refused, and each line names the option or the file as its place."""
    Path("every.yaml").write_text(EVERY)
    lines = refused(["every.yaml"], [(f"--set {item}", item)]).splitlines()
    return all(line.startswith((f"--set {item}: ", "every.yaml:")) for line in lines)


OVERRIDES = [
    ("x", "must be KEY=VALUE, as in --set x=VALUE"),
    ("=3", "must be KEY=VALUE, as in --set learning_rate=0.1"),
    ("seeds=", "seeds: must be a count from 1 to 100,000 or a list of seeds, got null"),
    ("seeds=*a", "*a is an alias; write the value out"),
    ("a.b=3", "a.b: a has no keys of its own to set"),
    ("log_every.0=3", "log_every.0: log_every has no keys of its own to set"),
    ("layers[3]=1", "layers[3]: layers is a list of 3, whose items are counted from layers[0]"),
    ("layers[=1", "layers[: unknown key; did you mean 'layers'?"),
    ("dataset.noise.0=1", "dataset.noise.0: dataset.noise has no keys of its own to set"),
    ("dataset.nose=null", "dataset.nose: unknown key; did you mean 'noise'?"),
    ("dataset.name=null", "dataset: must be a name or {name: ..., parameter: ...}, got {}"),
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
