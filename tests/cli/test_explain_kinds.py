"""`initbench explain` of activations, optimizers, data sets and losses."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from scipy.integrate import quad
from scipy.stats import norm

from initbench.config import load
from initbench.core.losses import LOSSES
from initbench.spec import FileDataset
from initbench.spec.kinds import kinds
from tests.cli.conftest import invoke, lines

explain = partial(invoke, "explain")


def document(*arguments: str) -> dict[str, Any]:
    done = explain(*arguments, "--format", "json")
    assert (done.exit_code, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


NAMES = [(key, name) for key, kind in kinds().items() if key != "initializer"
         for name in kind.models]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [*NAMES, *(("loss", name) for name in LOSSES)])
def test_every_name_is_explained(kind: str, name: str) -> None:
    found = document(name, "--kind", kind)
    assert (found["kind"], found["name"]) == (kind, name)
    assert found["summary"]
    assert found["formula"]
    assert found["layers"] == []


def test_an_optimizer_whole() -> None:
    assert lines(explain("momentum")) == [
        "momentum, optimizer: Gradient descent with momentum, the heavy ball",
        "",
        " what         value",
        " ───────────────────────────────────────────────────────────────────",
        " update       v <- momentum v + g; theta <- theta - learning_rate v.",
        " in a config  optimizer: momentum",
        "",
        "theta: a parameter of the network. g: the gradient of the batch's mean loss.",
        "learning_rate is a key of the config.",
        "Source: Polyak 1964.",
        "",
        "parameters of momentum",
        "",
        " name      default  values                    meaning",
        " ──────────────────────────────────────────────────────────────────────────────",
        " momentum  0.9      number from 0 to below 1  The share of the velocity that a",
        "                                              step keeps.",
        "",
    ]


def test_an_activation_s_numbers() -> None:
    facts = document("gelu")["facts"]
    # The definition, integrated by SciPy: z^2 Phi(z)^2 under the normal density.
    square, _ = quad(lambda z: (z * norm.cdf(z)) ** 2 * norm.pdf(z), -12, 12)
    slope, _ = quad(
        lambda z: (norm.cdf(z) + z * norm.pdf(z)) ** 2 * norm.pdf(z), -12, 12
    )  # fmt: skip
    assert facts["mean of phi(z)^2"] == pytest.approx(square, rel=1e-8)
    assert facts["mean of phi'(z)^2"] == pytest.approx(slope, rel=1e-8)
    assert facts["gain: exact"] == pytest.approx(square**-0.5, rel=1e-8)
    assert document("relu")["facts"]["variance that keeps a signal"] == "2 / fan_in"
    point = document("{name: leaky_relu, negative_slope: 0.25}")["points"][1]
    assert point == {"z": -1.0, "phi(z)": -0.25, "phi'(z)": 0.25}


def test_a_data_set_s_sizes(folder: Path) -> None:
    iris = document("iris")["facts"]
    assert (iris["task"], iris["features"], iris["outputs"]) == ("3 classes", 4, 3)
    assert iris["train samples"] + iris["test samples"] == 150
    assert document("moons", "--set", "train_samples=7")["facts"]["train samples"] == 7
    rows = "\n".join(f"{i * 0.37 % 1:.3f},{'ab'[i % 2]}" for i in range(40))
    (folder / "a: b.csv").write_text(f"x,class\n{rows}\n")
    own = document("file", "--set", "path='a: b.csv'", "--set", "target=class")
    assert own["facts"]["features"] == 1
    # What the user is told to write is a config's line.
    (folder / "own.yaml").write_text(
        "initializer: zeros\nwidth: 2\ndepth: 1\niterations: 1\nlearning_rate: 1\n"
        + own["facts"]["in a config"]
    )
    (dataset,) = (experiment.dataset for experiment in load(["own.yaml"]))
    assert isinstance(dataset, FileDataset)
    assert (Path(dataset.path).name, dataset.target) == ("a: b.csv", "class")
    assert "path: PATH, target: TARGET" in document("file")["facts"]["in a config"]


def test_a_name_of_two_kinds() -> None:
    usual = explain("identity")
    assert usual.stdout.startswith("identity: gain on the diagonal\n")
    assert "`initbench explain identity --kind activation` explains the activation" in usual.stdout
    assert document("identity", "--kind", "activation")["formula"] == "z"
    assert document("identity")["kind"] == "initializer"


def test_a_rule_for_biases_and_an_initializer_that_fills_them() -> None:
    assert document("prior")["facts"] == {
        "biases": "log odds of the classes at the output, else 0", "in a config": "bias: prior"
    }  # fmt: skip
    assert "`initbench explain uniform --kind bias` explains the bias" in explain("uniform").stdout
    low, high = document("uniform", "--kind", "bias", "--set", "low=0")["parameters"][-2:]
    assert (low["name"], high["default"]) == ("low", "1")


def test_initializers_show_their_parameters() -> None:
    (dialect, gain) = document("he_normal")["parameters"]
    assert (dialect["name"], gain["name"], gain["default"]) == ("dialect", "gain", "null")
    assert "parameters of he_normal\n" in explain("he_normal").stdout


def test_csv() -> None:
    assert explain("nesterov", "--format", "csv").stdout.splitlines()[1:] == [
        "fact,update,v <- momentum v + g; theta <- theta - learning_rate (g + momentum v).,,",
        "fact,in a config,optimizer: nesterov,,",
        "parameter,momentum,0.9,number from 0 to below 1,"
        "The share of the velocity that a step keeps.",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["momentun"], "momentun: unknown name 'momentun'; did you mean 'momentum'?"),
        (["moon"], "moon: unknown name 'moon'; did you mean 'moons'?"),
        (["cross_entrpy"], "unknown name 'cross_entrpy'; did you mean 'cross_entropy'?"),
        (["adamw"], "unknown name 'adamw'; did you mean 'adam'?"),
        (["zz"], "zz: unknown name 'zz'; `initbench list` shows all names"),
        (["[relu, elu]"], "must be one name, or {name: ..., parameter: ...}; explain others one"),
        (["{nme: relu}"], "must be one name"),
        (["{name: elu, alpha: 0}"], "activation.alpha: must be above 0, got 0"),
        (["adam", "--set", "beta1=1"], "--set beta1=1: optimizer.beta1: must be below 1, got 1"),
        (
            ["relu", "--set", "x=1"],
            "activation.x: unknown key; relu takes no parameters",
        ),
        (["relu", "--layers", "3,2"], "--layers is for initializers, and relu is explained as"),
        (["relu", "--kind", "dataset"], "dataset: unknown name 'relu'; known: circles"),
        (["relu", "--kind", "loss"], "loss: unknown name 'relu'; the losses are binary_cross"),
        (["cross_entropy", "--set", "x=1"], "--set x=1: a loss has no parameters; leave it out"),
        (["file", "--set", "path=x.csv"], "dataset.target: is missing"),
        (["{name: file, path: x.csv, target: y}"], "x.csv: cannot be read: No such file"),
    ],
)
def test_mistakes(arguments: list[str], message: str) -> None:
    done = explain(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr


def test_list_shows_parameters_once_for_all_that_have_them() -> None:
    assert lines(invoke("list", "optimizers"))[-10:] == [
        "parameters of optimizers",
        "",
        " name      default  values                    parameter of",
        " ───────────────────────────────────────────────────────────────",
        " momentum  0.9      number from 0 to below 1  momentum, nesterov",
        " decay     0.99     number from 0 to below 1  rmsprop",
        " epsilon   1e-08    number above 0            rmsprop, adam",
        " beta1     0.9      number from 0 to below 1  adam",
        " beta2     0.999    number from 0 to below 1  adam",
        "",
    ]
    rows = json.loads(invoke("list", "datasets", "--format", "json").stdout)["datasets"]
    noise = {row["name"]: {each["name"]: each for each in row["parameters"]} for row in rows}
    assert noise["moons"]["noise"]["schema"] == {"minimum": 0, "type": "number"}
