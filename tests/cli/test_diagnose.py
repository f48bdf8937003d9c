from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from initbench import config
from initbench.core.initializers import INITIALIZERS, Weights
from tests.cli.conftest import invoke, lines

CONFIG = """
initializer: {initializer}
layers: [2, 6, 4, 1]
iterations: 20
log_every: 10
learning_rate: 0.1
seeds: 3
"""


FILES = {
    "he.yaml": CONFIG.format(initializer="he_normal"),
    "three.yaml": CONFIG.format(initializer="[he_normal, zeros, {name: normal, std: 10}]"),
}
diagnose = partial(invoke, "diagnose")


def test_one_initializer_layer_by_layer() -> None:
    done = diagnose("he.yaml")
    assert done.exit_code == 0
    assert done.stderr == ""
    title, _, names, moments, _, *rows = lines(done)
    assert title == "he: he_normal; 2-6-4-1 relu, 300 samples of circles, 3 seeds"
    assert names.split() == ["signal,", "signal,", "grad.,", "grad.,", "flat", "dead", "unique"]
    assert moments.split() == [
        "layer", "theory", "measured", "theory", "measured", "cos", "%", "%", "units",
    ]  # fmt: skip
    assert [row.split()[0] for row in rows[:3]] == ["1", "2", "3"]
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    words = " ".join(rows[4:])
    assert "Theory: weights of variance" in words
    assert "healthy: from layer 1 to layer 2 the variance of the differences" in words


def test_several_are_summed_up_worst_first() -> None:
    done = diagnose("three.yaml")
    text = "\n".join(lines(done))
    assert done.exit_code == 0
    assert text.startswith("Worst first\n")
    order = [text.index(f"\n {name}") for name in ("zeros", "normal(std=10)", "he_normal")]
    assert order == sorted(order)
    assert "zeros: symmetric from layer 1, will not train: all 6 units of layer 1 are equal" in text


def test_several_configs_are_named() -> None:
    done = diagnose("he.yaml", "three.yaml", "--format", "markdown")
    assert "| config | initializer | condition |" in done.stdout
    assert "| three | zeros | symmetric | 1 |" in done.stdout


def test_json_is_one_document() -> None:
    done = diagnose("three.yaml", "--format", "json")
    document = json.loads(done.stdout)
    assert document.keys() == {"initbench", "diagnoses"}
    first = document["diagnoses"][0]
    assert (first["config"], first["initializer"], first["verdict"]) == (
        "three",
        "he_normal",
        "healthy",
    )
    assert first["begins_at_layer"] is None
    assert first["chi_1"] == pytest.approx(1)
    assert [layer["layer"] for layer in first["layers"]] == [1, 2, 3]
    for layer in first["layers"]:
        assert layer["preactivation_variance"].keys() == {"predicted", "measured"}
        assert layer["gradient_variance"].keys() == {"predicted", "measured"}
        assert {"saturated", "dead", "distinct_units"} <= layer.keys()
    # An exploding start has finite numbers here, zeros has a cosine that is not defined.
    assert document["diagnoses"][1]["layers"][0]["cosine"]["measured"] is None


def test_csv_has_a_row_a_layer() -> None:
    header, *rows = diagnose("three.yaml", "--format", "csv").stdout.splitlines()
    assert header.startswith("config,initializer,iteration,verdict,begins_at_layer,layer,fan_in,")
    assert len(rows) == 9


def test_during_has_a_row_a_log_point() -> None:
    done = diagnose("three.yaml", "--during", "--set", "initializer=zeros")
    text = "\n".join(lines(done))
    assert done.exit_code == 0
    assert text.startswith("three: zeros; 2-6-4-1 relu, 300 samples of circles, 3 seeds\n")
    rows = [line.split()[:3] for line in text.splitlines() if "symmetric  " in line]
    assert rows == [[k, "0.6931", "symmetric"] for k in ("0", "10", "20")]
    assert "At the end: symmetric from layer 1" in text
    document = json.loads(diagnose("he.yaml", "--during", "--format", "json").stdout)
    assert [d["iteration"] for d in document["diagnoses"]] == [0, 10, 20]


def test_nothing_is_written(folder: Path) -> None:
    before = sorted(folder.iterdir())
    diagnose("three.yaml", "--during")
    assert sorted(folder.iterdir()) == before


def test_mistakes() -> None:
    done = diagnose("hee.yaml")
    assert done.exit_code == 2
    assert done.stderr == "hee.yaml: no such file; did you mean 'he.yaml'?\n"
    done = diagnose("he.yaml", "--set", "activation=rely")
    assert done.exit_code == 2
    assert "did you mean 'relu'?" in done.stderr
    assert done.stdout == ""


def test_what_cannot_be_drawn_fails_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Weights:
        raise RuntimeError("no weights today")

    # Reading a config draws, too: the initializer breaks after that.
    experiments = config.load(["he.yaml"], [("--set", "initializer=orthogonal")])
    monkeypatch.setattr(config, "load", lambda *_: experiments)
    row = INITIALIZERS["orthogonal"]._replace(draw=broken)
    monkeypatch.setitem(INITIALIZERS, "orthogonal", row)
    done = diagnose("he.yaml", "--format", "json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["diagnoses"] == []
    assert done.stderr == (
        "some networks could not be drawn:\nhe, orthogonal: raised RuntimeError: no weights today\n"
    )
