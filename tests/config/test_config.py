"""Configs: every mistake's whole message, at its place; what loads, loads as it was meant."""

from __future__ import annotations

import itertools
import json
import os
import re
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import initbench
from initbench import config, spec
from initbench.config.sweep import UNSWEPT
from initbench.core.initializers import INITIALIZERS
from initbench.errors import ConfigError, Problem
from initbench.runs import cost
from initbench.spec import Experiment

BASE = "initializer: he_normal\nlayers: [2, 3, 1]\niterations: 10\nlearning_rate: 0.1\n"
NO_SIZES = BASE.replace("layers: [2, 3, 1]\n", "")
KNOWN = ", ".join(Experiment.model_fields)
CONFIGS = Path(initbench.__file__).parent.parent / "configs"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, so that messages hold short names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str, *overrides: str, name: str = "x.yaml") -> list[Experiment]:
    Path(name).write_text(text, encoding="utf-8")
    return config.load([name], [(f"--set {item}", item) for item in overrides])


def refusal(text: str, *, name: str = "x.yaml") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return refused([name])


def refused(paths: Sequence[str | Path], overrides: Sequence[tuple[str, str]] = ()) -> str:
    with pytest.raises(ConfigError) as caught:
        config.load(paths, overrides)
    return str(caught.value)


def mistakes() -> list[tuple[str, str]]:
    """(a line of a config, the whole message), of data/config_mistakes.txt."""
    models: dict[str, Iterable[str]] = {
        "<initializers>": INITIALIZERS, "<datasets>": spec.DATASET_MODELS
    }  # fmt: skip
    names = {mark: ", ".join(known) for mark, known in models.items()} | {"<keys>": KNOWN}
    table: list[tuple[str, str]] = []
    path = Path(__file__).parent / "data" / "config_mistakes.txt"
    for row in path.read_text(encoding="utf-8").splitlines():
        if row.startswith("  "):
            for mark, known in names.items():
                row = row.replace(mark, known)
            line, message = table.pop()
            table.append((line, f"{message}\nx.yaml:{row.strip()}".lstrip()))
        elif row and not row.startswith("#"):
            table.append((row, ""))
    return table


MISTAKES = [
    *mistakes(),
    *(
        (f"sweep: {{{key}: [1]}}", f"x.yaml:5:9: sweep.{key}: {key} cannot be swept; remove it")
        for key in sorted(UNSWEPT)
    ),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES, ids=[line[:40] for line, _ in MISTAKES])
def test_a_mistake_s_whole_message(line: str, message: str) -> None:
    key = line.split(":")[0]
    given = [line if own.startswith(f"{key}:") else own for own in BASE.splitlines()]
    assert refusal("\n".join(given if line in given else [*given, line])) == message


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a\\b", ".hidden", "", "x" * 101, "a:b", " a", "a\n"]
)
def test_names_that_would_leave_the_results(name: str) -> None:
    shown = repr(name) if len(name) < 50 else repr(name)[:48] + "..."
    assert refusal(BASE + f"name: {json.dumps(name)}\n") == (
        "x.yaml:5:7: name: must be a plain file name of at most 100 characters without separators, "
        f"got the text {shown}; results are written under it"
    )


@pytest.mark.parametrize("name", [*spec.RESERVED_NAMES, "Comparison"])
def test_names_of_initbench_s_own(name: str) -> None:
    message = f"name: {name!r} is the name of initbench's own results; choose another"
    assert refusal(BASE + f"name: {name}\n") == f"x.yaml:5:7: {message}"
    assert refusal(BASE, name=f"{name}.yaml") == f"{name}.yaml:1:1: {message}"


def test_a_name_is_the_file_s_stem_or_its_own() -> None:
    assert load(BASE, name="big.small.yaml")[0].name == "big.small"
    assert [load(BASE + f"name: {n}\n")[0].name for n in ("a b", "x" * 100)] == ["a b", "x" * 100]


def test_all_mistakes_of_all_files_in_the_order_of_their_places() -> None:
    Path("b.yaml").write_text(
        "seeds: 0\ninitializer: [zeros, {name: normal, std: x}]\nseeds: 1\nx: 1\n"
    )
    Path("a.yaml").write_text(BASE + "log_every: 0\n")
    assert refused(["b.yaml", "none.yaml", "a.yaml"]).splitlines() == [
        "b.yaml:1:1: iterations: is missing; write e.g. `iterations: 15000`",
        "b.yaml:1:1: learning_rate: is missing; write e.g. `learning_rate: 0.01`",
        "b.yaml:2:42: initializer[1].std: must be a number, got the text 'x'",
        "b.yaml:3:1: seeds: is given twice, first in line 1; keep one",
        f"b.yaml:4:1: x: unknown key; known: {KNOWN}",
        "none.yaml: no such file; did you mean 'b.yaml'?",
        "a.yaml:5:12: log_every: must be at least 1, got 0",
    ]


def test_missing_sizes() -> None:
    needed = "the network's sizes are missing; add layers (as in [2, 10, 5, 1]), or width and depth"
    for text in ("", "width: 3\n", "depth: 3\n"):
        assert refusal(NO_SIZES + text) == f"x.yaml:1:1: {needed}"


def test_width_and_depth_become_layers_that_fit_the_data() -> None:
    (experiment,) = load(NO_SIZES + "width: 7\ndepth: 3\ndataset: wine\n")
    assert experiment.architecture.sizes == (13, 7, 7, 7, 3)
    assert (experiment.width, experiment.depth) == (None, None)


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


def test_two_configs_of_one_name() -> None:
    load(BASE, name="a.yaml")
    load(BASE + "name: a\n", name="b.yaml")
    why = "is also the name of a.yaml, whose results it would overwrite; give one another name"
    assert refused(["a.yaml", "b.yaml"]) == f"b.yaml: name: 'a' {why}"


def test_a_network_larger_than_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "physical_memory", lambda: 2**20)
    assert load(BASE)
    wide = NO_SIZES + "width: 9000\ndepth: 2\n"
    for text, place in (wide, "4:8: width"), (BASE.replace("3", "9000, 9000"), "2:9: layers"):
        message = refusal(text)
        assert message.startswith(f"x.yaml:{place}: one run needs 1.")
        assert " GiB (81,045,001 parameters), this machine has 0.0 GiB; use smaller" in message
    monkeypatch.setattr(cost, "physical_memory", lambda: None)
    assert load(text)


def test_files_that_cannot_be_read(folder: Path) -> None:
    load(BASE, name="glorot.yaml")
    for name in ("sub", "empty", "sub/z.yaml"):
        (folder / name).mkdir()
    paths = ["gloort.yaml", "nowhere/x.yaml", "sub", "empty", "glorot.yaml/x.yaml"]
    assert refused(paths).splitlines() == [
        "gloort.yaml: no such file; did you mean 'glorot.yaml'?",
        "nowhere/x.yaml: no such file",
        "sub: is a folder; name its configs, as in sub/z.yaml",
        "empty: is a folder; name its configs",
        "glorot.yaml/x.yaml: cannot be read: Not a directory",
    ]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all files")
def test_a_file_without_permission() -> None:
    load(BASE)
    Path("x.yaml").chmod(0)
    assert refused(["x.yaml"]) == "x.yaml: cannot be read: Permission denied"


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_config_asks_a_question_and_loads(path: Path) -> None:
    assert re.match("# .*[?]\n", path.read_text(encoding="utf-8"))
    assert config.load([path])[0].name == path.stem


@pytest.mark.parametrize(
    ("name", "loss", "accuracy"),
    [
        ("zeros", 0.6931471805599453, 0.5),
        ("random_large", 0.38278397192120406, 0.86),
        ("he", 0.07357895962677366, 0.96),
    ],
)
def test_the_article_s_numbers_are_expected(name: str, loss: float, accuracy: float) -> None:
    (experiment,) = config.load([CONFIGS / f"{name}.yaml"])
    held = {(e.metric, e.seed): e for e in experiment.expect}
    assert held["train_loss@14000", 3].value == loss
    assert held["train_loss@14000", 3].atol <= 2e-4
    assert held["test_accuracy", 3].value == accuracy
    assert (experiment.architecture.sizes, experiment.iterations) == ((2, 10, 5, 1), 15000)
    assert (experiment.learning_rate, experiment.dataset) == (0.01, spec.CirclesDataset())


def test_the_catalogue_has_every_initializer() -> None:
    (experiment,) = config.load([CONFIGS / "catalogue" / "catalogue.yaml"])
    assert {choice.name for choice in experiment.initializer} == set(INITIALIZERS)


def test_all_configs_are_those_of_the_folder(folder: Path) -> None:
    assert config.all_configs() == sorted(CONFIGS.glob("*.yaml"))
    (folder / "configs").mkdir()
    with pytest.raises(
        ConfigError, match=r"^configs: holds no config \(\*\.yaml\); name configs, or add some$"
    ):
        config.all_configs()
    for name in ("b.yml", "a.yaml", "c.yxml"):
        (folder / "configs" / name).touch()
    assert config.all_configs() == [Path("configs/a.yaml"), Path("configs/b.yml")]


def test_a_path_is_relative_to_its_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "data.csv").write_text("a,b,y\n" + "1,2,u\n3,4,v\n" * 9)
    path = tmp_path / "deep" / "own.yaml"
    text = "initializer: zeros\nwidth: 3\ndepth: 1\niterations: 1\nlearning_rate: 1\n"
    path.write_text(text + "dataset: {name: file, path: ../data.csv, target: y}\n")
    monkeypatch.chdir(tmp_path / "deep")
    for spelling in ("own.yaml", path, "../deep/own.yaml"):
        (experiment,) = config.load([spelling])
        assert experiment.architecture.sizes == (2, 3, 1)
        assert isinstance(experiment.dataset, spec.FileDataset)
        assert experiment.dataset.path == str(tmp_path / "data.csv")


def loads_or_says_where(content: bytes) -> None:
    problems: tuple[Problem, ...] = ()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "fuzz.yaml"
        path.write_bytes(content)
        try:
            loaded = config.load([path])
        except ConfigError as error:
            loaded, problems = [], error.problems
    assert bool(loaded) != bool(problems)
    for problem in problems:
        assert problem.place.source == str(path)
        assert all((problem.place.line, problem.place.column, problem.message))


NAMES = [
    "name", "std", "mean", "low", "high", "noise", "value", "metric", "min", "max", "path", "a.csv",
    "target", "test_loss", "turns", "dataset.noise", "optimizer.beta1", "kaiming_normal_", ".",
]  # fmt: skip
MODELS = spec.INITIALIZER_MODELS | spec.ACTIVATION_MODELS | spec.OPTIMIZER_MODELS
WORDS = st.sampled_from([*NAMES, *Experiment.model_fields, *MODELS, *spec.DATASET_MODELS])
KEYS = WORDS | st.text(max_size=3)
EXTREMES = st.sampled_from([10**9, 2**64, 10**200, 1e308, -1e308, "9" * 5000])
SCALARS = st.none() | st.booleans() | st.floats() | st.dates() | st.integers(-3, 300) | EXTREMES
VALUES = st.recursive(
    SCALARS | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
REAL = {"initializer": "zeros", "width": 2, "depth": 2, "iterations": 3, "learning_rate": 0.1}
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@given(
    changes=st.dictionaries(KEYS, VALUES, max_size=4),
    whole=st.booleans(),
    cut=st.sampled_from([*REAL, "none"]),
)
@FUZZ
def test_any_mapping_loads_or_is_refused_with_its_place(
    changes: dict[str, Any], whole: bool, cut: str
) -> None:
    kept = {key: value for key, value in REAL.items() if key != cut} if whole else {}
    text = yaml.safe_dump(kept | changes, allow_unicode=True)
    loads_or_says_where(text.encode("utf-8", "replace"))


@given(
    st.lists(
        st.sampled_from(
            [*"abe019 \n\t[]{},:-#&*!|>'\"%@`?\\_.~é\u2028\x00", ": ", "\n- ", "\\U", "seeds"]
        )
    )
)
@FUZZ
def test_any_text(tokens: list[str]) -> None:
    loads_or_says_where("".join(tokens).encode())


@given(st.binary(max_size=60), st.booleans())
@FUZZ
def test_any_bytes(content: bytes, after: bool) -> None:
    loads_or_says_where((BASE.encode() if after else b"") + content)
