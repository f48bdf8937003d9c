"""Messages speak of what was written, and each hint, followed literally, works."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from initbench.api import folder as results_folder
from initbench.errors import ResultsError
from tests.cli.conftest import invoke, lines

CONFIG = "initializer: zeros\nlayers: [2, 4, 1]\niterations: 4\nlearning_rate: 0.1\nseeds: 2\n"
FILES = {"small.yaml": CONFIG}


def refused(*settings: str) -> str:
    """What `run` says of wrong settings, without the option that its lines begin with."""
    options = [part for setting in settings for part in ("--set", setting)]
    done = invoke("run", "small.yaml", *options)
    assert done.exit_code == 2
    said = done.stderr
    for setting in settings:
        said = said.replace(f"--set {setting}: ", "")
    return said


@pytest.mark.parametrize(
    ("setting", "message", "followed"),
    [
        ("initializer={name: kaiming_normal_, mode: fan_out}",
         "initializer.mode: unknown key; write {name: variance_scaling, scale: 2, mode: fan_out, "
         "distribution: normal}\n",
         "initializer={name: variance_scaling, scale: 2, mode: fan_out, distribution: normal}"),
        ("initializer={name: xavier_uniform_, mode: x}",
         "initializer.mode: unknown key; write {name: variance_scaling, scale: 1, mode: fan_avg, "
         "distribution: uniform}\n",
         "initializer={name: variance_scaling, scale: 1, mode: fan_avg, distribution: uniform}"),
        ("initializer={name: kaiming_uniform_, a: 2}",
         "initializer.a: unknown key; write gain: 0.632456, which is sqrt(2 / (1 + a^2))\n",
         "initializer={name: kaiming_uniform_, gain: 0.632456}"),
        ("initializer={name: kaiming_normal_, nonlinearity: relu}",
         "initializer.nonlinearity: unknown key; write gain: 1.41421, PyTorch's gain for relu\n",
         "initializer={name: kaiming_normal_, gain: 1.41421}"),
        ("initializer={name: uniform_, a: -1}", "initializer.a: unknown key; write low\n",
         "initializer={name: uniform_, low: -1}"),
        ("initializer={name: normal, stddev: 1}", "initializer.stddev: unknown key; write std\n",
         "initializer={name: normal, std: 1}"),
        ("optimizer={name: sgd, momentum: 0.8}",
         "optimizer.momentum: unknown key; write optimizer: {name: momentum, momentum: 0.8}\n",
         "optimizer={name: momentum, momentum: 0.8}"),
        ("optimizer={name: adam, eps: 0.1}", "optimizer.eps: unknown key; write epsilon\n",
         "optimizer={name: adam, epsilon: 0.1}"),
        ("lr=0.1", "lr: unknown key; write learning_rate\n", "learning_rate=0.1"),
        ("width=3",
         "small.yaml:1:1: layers and width or depth both give the network's sizes; remove one of "
         "the forms, as with --set width=null\n",
         "layers=[2, 3, 1]"),
        ("initializer={name: trunc_normal_, dialect: torch, std: 500}",
         "initializer: std must be at most 200 with dialect: torch, which cuts at -2 and 2, got "
         "500; write uniform, with low: -2 and high: 2\n",
         "initializer={name: uniform, low: -2, high: 2}"),
    ],
)  # fmt: skip
def test_what_other_libraries_call_it(setting: str, message: str, followed: str) -> None:
    assert refused(setting) == message
    assert invoke("run", "small.yaml", "--set", followed).exit_code == 0


@pytest.mark.parametrize("std", [0.001, 1, 5, 60, 200])
def test_what_pytorch_accepts_is_drawn(std: float) -> None:
    setting = f"initializer={{name: trunc_normal_, dialect: torch, std: {std}}}"
    assert invoke("run", "small.yaml", "--set", setting).exit_code == 0


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("learning_rate=1e39", "learning_rate: 1e+39 is infinite in float32"),
        ("learning_rate=1e-50", "learning_rate: 1e-50 is 0 in float32"),
        ("initializer={name: normal, std: 1e39}",
         "initializer.std: 1e+39 is infinite in float32"),
        ("optimizer={name: adam, epsilon: 1e-60}", "optimizer.epsilon: 1e-60 is 0 in float32"),
        ("activation={name: elu, alpha: 1e40}", "activation.alpha: 1e+40 is infinite in float32"),
        ("optimizer={name: momentum, momentum: 0.9999999999}",
         "optimizer.momentum: 0.9999999999 is 1 in float32"),
        ("optimizer={name: adam, beta2: 0.9999999999}",
         "optimizer.beta2: 0.9999999999 is 1 in float32"),
    ],
)  # fmt: skip
def test_numbers_that_the_dtype_does_not_hold(setting: str, message: str) -> None:
    ending = "; write another number, or dtype: float64\n"
    assert refused(setting, "dtype=float32") == message + ending


@pytest.mark.parametrize("dataset", ["moons, noise: 1e60", "blobs, centers: 2, cluster_std: 1e60"])
def test_data_that_the_dtype_does_not_hold(dataset: str) -> None:
    setting = f"dataset={{name: {dataset}}}"
    assert re.fullmatch(
        r"dataset: \w+ holds numbers up to [\d.]+e\+60, which are infinite in float32; scale them "
        r"down, or write dtype: float64\n",
        refused(setting, "dtype=float32"),
    )
    assert invoke("run", "small.yaml", "--set", setting).exit_code == 0


def test_a_swept_number_that_the_dtype_does_not_hold() -> None:
    message = refused("sweep={learning_rate: [0.1, 1e-50]}", "dtype=float32")
    assert message == (
        "learning_rate: 1e-50 is 0 in float32; write another number, or dtype: float64\n"
    )


def test_null_takes_a_key_away() -> None:
    sizes = ("--set", "layers=null", "--set", "width=3", "--set", "depth=1")
    assert invoke("run", "small.yaml", *sizes).exit_code == 0
    for key in ("sweep", "expect", "gate", "dataset", "activation", "seeds", "log_every"):
        done = invoke("run", "small.yaml", "--set", f"{key}=null", "--seeds", "1")
        assert done.exit_code == 0, done.stderr
    assert refused("learning_rate=null") == (
        "learning_rate: is missing; write e.g. `learning_rate: 0.01`\n"
    )
    assert refused("lerning_rate=null") == (
        "lerning_rate: unknown key; did you mean 'learning_rate'?\n"
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("xavier", ["xavier_normal", "xavier_uniform"]),
        ("kaiming", ["kaiming_normal", "kaiming_uniform"]),
        ("random", ["normal", "uniform"]),
        ("he", ["he_normal", "he_uniform", "he_truncated_normal"]),
        ("MSRA", ["he_normal", "he_uniform"]),
        ("xavier_norml", ["xavier_normal"]),
    ],
)
def test_names_that_are_meant(name: str, meant: list[str]) -> None:
    done = invoke("explain", name)
    assert done.exit_code == 2
    names = re.findall(r"'([^']+)'", done.stderr.partition("did you mean ")[2])
    assert names == meant
    for each in names:
        assert invoke("explain", each).exit_code == 0


def test_show_and_clean_know_a_misspelt_initializer() -> None:
    invoke("run", "small.yaml")
    for command in ("show", "clean"):
        done = invoke(command, "--initializer", "zeroes")
        assert done.exit_code == 2
        assert done.stderr == (
            "results/runs.sqlite: has no run of an initializer 'zeroes'; did you mean 'zeros'?\n"
        )
    assert "0 runs" in invoke("show", "--initializer", "ones").stdout


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("list", "dataset"), "Did you mean 'datasets'?"),
        (("show", "--status", "fail"), "Did you mean 'failed'?"),
        (("compare", "small.yaml", "--metric", "accuracy"), "Did you mean 'test_accuracy'?"),
        (("plot", "curvs", "small.yaml"), "Did you mean 'curves'?"),
        (("explain", "relu", "--kind", "activations"), "Did you mean 'activation'?"),
        (("explain", "normal", "--format", "yaml"), "'latex'."),
        (("run", "smal"), "smal: no such file, and no config of this name; did you mean 'small"),
        (("run", "small.yaml", "small.yaml"), "small.yaml: is named twice; name it once"),
        (("explain", "normal", "--set", "std"), "must be KEY=VALUE, as in --set std=VALUE"),
        (("explain", "normal", "--layers", "7-3-2"), "got the text '7-3-2'; write 7, 3, 2"),
    ],
)
def test_misspelt_words_of_the_command_line(arguments: tuple[str, ...], hint: str) -> None:
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert hint in done.stderr.splitlines()[-1]


def test_names_that_some_file_systems_do_not_tell_apart_are_refused(folder: Path) -> None:
    for name in ("Small", "caf\u00e9", "cafe\u0301"):
        (folder / f"{name}.yaml").write_text(CONFIG)
    done = invoke("run", "small.yaml", "Small.yaml")
    assert done.exit_code == 2
    assert done.stderr == (
        "Small.yaml: name: 'Small' is also the name of small.yaml, whose results it would "
        "overwrite; give one another name\n"
    )
    assert invoke("run", "caf\u00e9.yaml", "cafe\u0301.yaml").exit_code == 2


def test_explain_fits_its_network_to_the_data() -> None:
    done = invoke("explain", "lsuv", "--dataset", "iris", "--format", "json")
    layers = json.loads(done.stdout)["layers"]
    assert [(layer["fan_in"], layer["fan_out"]) for layer in layers] == [
        (4, 512), (512, 256), (256, 3)
    ]  # fmt: skip
    given = invoke("explain", "lsuv", "--dataset", "iris", "--layers", "5,3")
    assert given.stderr == "--layers 5,3: must begin with 4, the features of iris, got 5\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare",), "Name configs, or give --all."),
        (("compare", "small.yaml", "--all"), "Name configs, or give --all; not both."),
        (("clean",), "Select runs, or give --all."),
        (("clean", "--all", "--status", "ok"), "Select runs, or give --all; not both."),
    ],
)
def test_what_was_given_is_what_is_blamed(arguments: tuple[str, ...], message: str) -> None:
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == f"Error: {message}"


def test_an_interrupt_at_a_question_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    invoke("run", "small.yaml")
    monkeypatch.setattr("initbench.cli.clean_command.asked", lambda: True)
    done = invoke("clean", "--all", answer="")
    assert done.exit_code == 130
    assert "Aborted" not in done.stderr
    assert done.stderr.endswith("interrupted\n")


def test_titles_name_files_as_seen_from_here(folder: Path) -> None:
    rows = "\n".join(f"{i * 0.37 % 1:.3f},{i * 0.61 % 1:.3f},{'ab'[i % 2]}" for i in range(40))
    (folder / "data.csv").write_text(f"x,y,class\n{rows}\n")
    (folder / "own.yaml").write_text(
        CONFIG + "dataset: {name: file, path: data.csv, target: class}\n"
    )
    done = invoke("run", "own.yaml")
    assert done.exit_code == 0
    assert "file(path=data.csv, target=class)" in " ".join(lines(done)[:3])
    (folder / "sub").mkdir()
    os.chdir(folder / "sub")
    done = invoke("run", "../own.yaml")
    assert f"file(path={Path('..', 'data.csv')}, target=class)" in " ".join(lines(done)[:3])


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The results folder takes no files: root, whom tests may run as, could write to any."""

    def refuse(path: Path, *_: str) -> None:
        raise ResultsError(f"{path}: cannot be written: Read-only file system; choose another")

    monkeypatch.setattr(results_folder, "ensure_writable", refuse)


NOT_WRITTEN = "results: cannot be written: Read-only file system; choose another\n"


@pytest.fixture
def trained() -> list[list[str]]:
    """The tables that `run` and `compare` show, whose runs are stored."""
    return [lines(invoke(command, "small.yaml")) for command in ("run", "compare")]


@pytest.mark.usefixtures("trained", "read_only")  # in this order
def test_a_read_only_folder_shows_what_it_holds(trained: list[list[str]], folder: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "results").iterdir()}
    for command, table in zip(("run", "compare"), trained, strict=True):
        done = invoke(command, "small.yaml")
        assert (done.exit_code, lines(done)) == (0, table)
        assert done.stderr == (
            f"nothing was written: {NOT_WRITTEN}2 runs: 2 from results, 0 trained\n"
        )
    after = {path.name: path.stat().st_mtime_ns for path in (folder / "results").iterdir()}
    tables = [name for name in before if not name.startswith("runs.sqlite")]
    assert {name: after[name] for name in tables} == {name: before[name] for name in tables}


@pytest.mark.usefixtures("trained", "read_only")
def test_a_report_only_reads_what_is_stored(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("initbench.api.flows.ensure_writable", lambda *_: None)
    monkeypatch.setattr("initbench.api.flows.opened", None)  # which writes
    done = invoke("report", "small.yaml", "-o", "page.html")
    assert done.exit_code == 0, done.stderr
    assert (folder / "page.html").exists()


@pytest.mark.usefixtures("trained", "read_only")
def test_a_read_only_folder_takes_no_new_run() -> None:
    for arguments in (("--seeds", "3"), ("--force",), ("--results", "elsewhere")):
        done = invoke("run", "small.yaml", *arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.endswith("Read-only file system; choose another\n")


def test_a_partial_comparison_says_so(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    from initbench.runs import runner

    train_runs = runner.train_runs

    def interrupted(*arguments, **options):  # type: ignore[no-untyped-def]  # as it is
        yield from train_runs(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "train_runs", interrupted)
    done = invoke("compare", "small.yaml")
    assert done.exit_code == 130
    text = (folder / "results/comparison.partial.md").read_text(encoding="utf-8")
    assert text.startswith("**Partial: 2 of 2 runs finished.**\n\n**circles")
