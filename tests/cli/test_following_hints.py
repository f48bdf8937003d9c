"""A hint of a message, followed to the letter by a program, makes the fault go away."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import invoke

CONFIG: dict[str, Any] = {
    "initializer": "zeros", "layers": [2, 4, 1], "iterations": 2, "learning_rate": 0.1, "seeds": 1
}  # fmt: skip
ROWS = "\n".join(f"{i * 0.37 % 1:.3f},{i * 0.61 % 1:.3f},{'ab'[i % 2]}" for i in range(40))
FILES = {"x.csv": f"x,z,y\n{ROWS}\n"}

FILE = "dataset: {name: file, path: x.csv, target: y"
FAULTS = [
    "lr: 0.1", "eta: 0.1", "epochs: 3", "steps: 3", "batch: 8", "minibatch: 8",
    "hidden_layers: [2, 4, 1]", "sizes: [2, 4, 1]", "optim: adam", "solver: adam", "init: zeros",
    "kernel_initializer: zeros", "bias_init: zeros", "biases: zeros", "act: tanh",
    "nonlinearity: tanh", "data: circles", "seed: 2",
    "random_seed: 2", "runs: 2", "loss: mse", "criterion: bce", "dropout: 0.1", "device: cpu",
    "weight_decay: 0.1", "scheduler: cosine", "patience: 3", "metric: accuracy", "momentum: 0.8",
    "nesterov: true", "noise: 0.2", "train_samples: 20", "learning-rate: 0.1", "log: 1",
    "dtype: double", "dtype: flaot32", "batch_size: all", "batch_size: None", "layers: 2-4-1",
    "layers: 2,4,1", "width: none",
    "activation: silo", "activation: none", "activation: LReLU", "activation: sin",
    "activation: {name: leaky_relu, alpha: 0.2}", "activation: {name: elu, negative_slope: 2}",
    "activation: {name: sine, omega_0: 30}", "activation: {name: gelu, approximate: tanh}",
    "optimizer: {name: sgd, momentum: 0.9}", "optimizer: {name: sgd, lr: 0.1}",
    "optimizer: {name: sgd, momentum: 0.9, nesterov: true}", "optimizer: AdamW",
    "optimizer: {name: sgd, momentum: 0.9, weight_decay: 0.1}",
    "optimizer: {name: momentum, nesterov: true}",
    "optimizer: {name: adam, b1: 0.8}", "optimizer: {name: adam, amsgrad: true}",
    "optimizer: {name: rmsprop, alpha: 0.9, eps: 0.1}", "optimizer: {name: rmsprop, rho: 0.9}",
    "dataset: mooons", "dataset: load_iris", "dataset: {name: moons, n_samples: 20}",
    "dataset: {name: moons, random_state: 5}", "dataset: {name: moons, seed: 5}",
    "dataset: {name: blobs, n_classes: 2}", "dataset: {path: x.csv, target: y}",
    "dataset: {name: csv, path: x.csv, target: y}", f"{FILE}, sep: ';'}}", f"{FILE}, header: no}}",
    f"{FILE}, drop: z, test_size: 0.2}}", f"{FILE}, features: x, standardize: false}}",
    f"{FILE}, task: multiclass}}", f"{FILE}, na_values: drop}}", f"{FILE}, validation: none}}",
    "dataset: {name: file, file: x.csv, label: y}",
    "expect: {initializer: zeros, metric: train_loss, max: 9}",
    "expect: [{initializer: zeros, metric: train_loss, maximum: 9}]",
    "expect: [{initializer: zeros, metric: accuracy, min: 0}]",
    "expect: [{initializer: zeros, metric: test_acc, min: 0}]",
    "expect: [{initializer: zeroes, metric: test_loss, min: 0}]",
    "sweep: {learning_rate: 0.1}",
]  # fmt: skip
INITIALIZERS = [
    "he_norml", "xavier", "kaiming", "msra", "random", "dirac_", "HeNormall",
    "{name: he_normal, dialect: pytorch}", "{name: he_normal, dialect: tensorflow}",
    "{name: kaiming_normal_, mode: fan_out}", "{name: kaiming_normal_, a: 0.2}",
    "{name: kaiming_normal_, mode: fan_out, nonlinearity: relu}",
    "{name: kaiming_uniform_, a: 0.2, mode: fan_out, nonlinearity: leaky_relu}",
    "{name: kaiming_uniform_, a: 0.2, nonlinearity: leaky_relu}",
    "{name: kaiming_normal_, nonlinearity: tanh}", "{name: xavier_normal_, gain: tanh}",
    "{name: HeNormal, dialect: keras, seed: 3}", "{name: he_normal, scale: 3}",
    "{name: he_normal, distribution: untruncated_normal}", "{name: orthogonal, scale: 2}",
    "{name: random_normal, stddev: 0.1}", "{name: uniform_, a: -2, b: 2}",
    "{name: uniform_, from: -2, to: 2}", "{name: trunc_normal_, b: 2}",
    "{name: truncated_normal, upper: 2}", "{name: constant_, val: 0.3}",
    "{name: variance_scaling, distribution: untruncated_normal}",
    "{name: variance_scaling, mode: fan_avrg}",
    "{name: trunc_normal_, dialect: torch, std: 500}",
]  # fmt: skip


#: What stands between a message and its hint.
HINT = re.compile(r"[;,] (?=write |did you mean |remove |add |.*remove it)")


def followed(config: dict[str, Any], message: str) -> list[dict[str, Any]]:
    """The configs that a line of a message asks for: one, or one for each name it suggests."""
    line = re.fullmatch(r"own\.yaml:\d+:\d+: ([\w.\[\]-]+): (.*)", message)
    assert line, message
    keys = [int(part) if part.isdigit() else part for part in re.findall(r"[\w-]+", line[1])]
    if line[2].startswith("is missing"):
        return []  # the key is there under another name, which has a hint
    problem, hint = HINT.split(line[2], maxsplit=1)
    names = re.findall(r"'([^']+)'", hint) if hint.startswith("did you mean ") else [None]
    configs = []
    for name in names:
        again: dict[str, Any] = yaml.safe_load(yaml.safe_dump(config))
        held: Any = again
        for key in keys[:-1]:
            held = held[key]
        if name:
            renamed(held, keys[-1], name, problem)
        else:
            rewritten(again, held, keys, problem, hint)
        configs.append(again)
    return configs


def renamed(held: Any, last: Any, name: str, problem: str) -> None:
    """Give the key, the row or the value another name."""
    if problem == "unknown key":
        held[name] = held.pop(last)
    elif isinstance(held[last], dict):
        held[last]["name"] = name
    else:
        held[last] = name


def rewritten(config: dict[str, Any], held: Any, keys: list[Any], problem: str, hint: str) -> None:
    """Write, add or remove what the hint says."""
    last, unknown = keys[-1], problem == "unknown key"
    value = held.pop(last, None) if unknown else held[last]
    text = re.sub(r", (PyTorch's|which is|the cut|the number|beside|with|the gain).*", "", hint)
    text = text.removeprefix("write ").removeprefix("e.g. ").strip("`")
    pair = re.fullmatch(r"(?:add )?(\w+): ([^ ]+|\{.*\})( as a key of its own)?", text)
    if hint.endswith("remove it"):
        return
    if text == "uniform" and "low: -2 and high: 2" in hint:
        config["initializer"] = {"name": "uniform", "low": -2, "high": 2}
    elif pair and (pair[3] or pair[2].startswith("{")):  # a key of the config
        config[pair[1]] = yaml.safe_load(pair[2])
    elif pair and hint.startswith("add "):
        value[pair[1]] = yaml.safe_load(pair[2])
    elif pair and unknown:
        held[pair[1]] = yaml.safe_load(pair[2])
    elif unknown and text.startswith("{"):
        config[keys[0]] = yaml.safe_load(text)
    elif unknown:
        held[text] = value
    else:
        held[last] = [value] if text.startswith("it in brackets") else yaml.safe_load(text)


def mended(folder: Path, config: dict[str, Any], depth: int = 0) -> None:
    """Follow the first hint that there is, until the config is valid."""
    assert depth < 8, config
    (folder / "own.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    done = invoke("run", "own.yaml", "--quiet")
    assert done.exception is None or isinstance(done.exception, SystemExit)
    if done.exit_code == 0:
        assert depth, "there is no fault to mend"
        return
    assert done.exit_code == 2, done.output
    todo = next(found for line in done.stderr.splitlines() if (found := followed(config, line)))
    for one in todo:
        mended(folder, one, depth + 1)


@pytest.mark.parametrize("fault", [*FAULTS, *(f"initializer: {text}" for text in INITIALIZERS)])
def test_hints_mend_what_they_are_about(folder: Path, fault: str) -> None:
    given = yaml.safe_load(fault)
    config = {**CONFIG, **given}
    if "dataset" in given or "data" in given:
        sizes = config.pop("layers")
        config |= {"width": sizes[1], "depth": 1}
    mended(folder, config)


#: A command that fails or says something, what it must say in backticks or as an option, and what
#: the user does then with that command or option; CONFIG is own.yaml.
COMMANDS = [
    ("explain zz", "initbench list", ""),
    ("verify zz", "initbench list initializers", ""),
    ("verify tf:zz", "initbench list frameworks", ""),
    ("run zz", "initbench list configs", ""),
    ("run empty.yaml", "initbench schema", ""),
    ("explain identity", "initbench explain identity --kind activation", ""),
    ("new 'my first'", "initbench validate 'my first.yaml'", ""),
    ("show zz", "initbench show", ""),
    ("show --initializer zz", "initbench show", ""),
    ("show --results 'no where'", "initbench run", "own.yaml --results 'no where'"),
    ("check own.yaml", "initbench baseline save CONFIG...", ""),
    ("check own.yaml --baseline 'b c.json'", "initbench baseline save CONFIG... --baseline", ""),
    ("show --results 'broken store'", "initbench clean --damaged --results 'broken store'", ""),
    ("run own.yaml --seeds 1 --results more", "initbench show --results more", ""),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "said", "further"), COMMANDS, ids=[row[0] for row in COMMANDS])
def test_commands_in_messages_work(folder: Path, fault: str, said: str, further: str) -> None:
    (folder / "own.yaml").write_text(yaml.safe_dump({**CONFIG, "seeds": 3}))
    (folder / "empty.yaml").touch()
    for results in ("results", "more", "broken store"):
        assert invoke("run", "own.yaml", "--results", results, "--quiet").exit_code == 0
    store = folder / "broken store" / "runs.sqlite"
    store.write_bytes(store.read_bytes()[:9000])
    done = invoke(*shlex.split(fault))
    assert said in done.output.replace("compare", "validate")
    command = next(
        part
        for part in re.findall(r"`([^`]+)`", done.output.replace("compare", "validate"))
        if part.startswith(said)
    )
    words = shlex.split(command.replace("CONFIG...", "own.yaml"))[1:] + shlex.split(further)
    followed_up = invoke(*words)
    assert followed_up.exit_code == 0, followed_up.output
    if done.exit_code == 3 or "results" in fault:  # what was missing is there now
        assert invoke(*shlex.split(fault)).exit_code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--set", "width=3"), "--set width=null"),
        (("--set", "width=3", "--set", "depth=1"), "--set layers=null"),
        (("--set", "max_runs=1", "--seeds", "2"), "--set max_runs=2"),
        (("--set", "plugins=[own.py]"), "--trust-plugins"),
        (("--set", "plugins=['my own.py']"), "--plugin 'my own.py'"),
    ],
)
def test_options_in_messages_work(folder: Path, options: tuple[str, ...], said: str) -> None:
    (folder / "own.yaml").write_text(yaml.safe_dump(CONFIG))
    for name in ("own.py", "my own.py"):
        (folder / name).write_text(
            'def mine(rng, shape, dtype):\n    """Ones."""\n    return rng.rand(*shape) * 0 + 1\n'
        )
    done = invoke("run", "own.yaml", *options)
    assert done.exit_code == 2
    assert said in done.stderr
    assert invoke("run", "own.yaml", *options, *shlex.split(said)).exit_code == 0


@pytest.mark.parametrize(
    "given",
    [
        "{a: 0.2}", "{mode: fan_out}", "{nonlinearity: tanh}", "{nonlinearity: linear}",
        "{a: 0.2, nonlinearity: leaky_relu}", "{mode: fan_out, nonlinearity: relu}",
        "{mode: fan_in, nonlinearity: selu}", "{a: 0.3, mode: fan_out}",
        "{a: 0.3, mode: fan_out, nonlinearity: leaky_relu}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_what_stands_for_kaiming_draws_as_it_does(
    torch: Any, folder: Path, given: str, distribution: str
) -> None:
    """The hints for all keys together give the standard deviation of PyTorch's own weights."""
    options = yaml.safe_load(given)
    weights = torch.empty(300, 200, dtype=torch.float64)
    torch.manual_seed(0)
    getattr(torch.nn.init, f"kaiming_{distribution}_")(weights, **options)
    config = {**CONFIG, "initializer": {"name": f"kaiming_{distribution}_", **options}}
    (folder / "own.yaml").write_text(yaml.safe_dump(config))
    said = invoke("run", "own.yaml").stderr.splitlines()
    assert len(said) == len(options)
    for line in said:  # each by itself, as if it were the only one that is read
        (mended_config,) = followed(config, line)
        choice = {
            key: value
            for key, value in mended_config["initializer"].items()
            if key not in options or key in ("mode", "scale", "distribution")
        }
        explained = invoke(
            "explain", yaml.safe_dump(choice, default_flow_style=True), "--layers", "200,300",
            "--format", "json",
        )  # fmt: skip
        assert explained.exit_code == 0, explained.stderr
        std = json.loads(explained.stdout)["layers"][0]["std"]
        # 60,000 weights: the standard deviation of their spread is below 0.3 %.
        assert float(weights.std()) == pytest.approx(std, rel=0.015)
