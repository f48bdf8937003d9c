"""Initializers by layer and biases, through the commands."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from initbench.spec import BIAS_MODELS
from tests.cli.conftest import invoke

HEAD = "{hidden: he_normal, output: zeros}"
CONFIG = f"""\
initializer: [he_normal, {HEAD}]
layers: [2, 4, 1]
iterations: 2
learning_rate: 0.1
seeds: 2
sweep: {{bias: [zeros, none, {{hidden: 0.1, output: prior}}]}}
"""


def document(*arguments: str) -> dict[str, Any]:
    done = invoke(*arguments, "--format", "json")
    assert (done.exit_code, done.exception) == (0, None)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_runs_are_found_by_their_label_in_any_spelling(folder: Path) -> None:
    (folder / "c.yaml").write_text(CONFIG)
    records = document("run", "c.yaml")["records"]
    assert {r["initializer"] for r in records} == {"he_normal", HEAD}
    assert records[-1]["setting"] == {"bias": {"hidden": 0.1, "output": "prior"}}
    ids = {r["id"] for r in records if r["initializer"] == HEAD}
    assert len(ids) == 6
    for spelling in (HEAD, "{output: zeros_, hidden: KaimingNormal}"):
        shown = document("show", "--initializer", spelling)["runs"]
        assert {r["id"] for r in shown} == ids
    assert len(document("show", "--initializer", "he_normal")["runs"]) == 6
    nothing = invoke("show", "--initializer", "{hidden: he_normal, output: ones}")
    assert nothing.exit_code == 2
    assert "has no run of an initializer '{hidden: he_normal, output: ones}'" in nothing.stderr


def test_each_layer_is_explained() -> None:
    found = document(
        "explain", "{hidden: he_normal, output: torch_default}", "--layers", "100,50,20,10"
    )
    assert [layer["std"] for layer in found["layers"]] == pytest.approx(
        [math.sqrt(2 / 100), math.sqrt(2 / 50), math.sqrt(1 / 60)]
    )
    assert found["formula"] == "hidden: N(0, 2 / fan_in); output: U(+-1 / sqrt(fan_in)), biases too"
    assert found["reference"] == "He et al. 2015, arXiv:1502.01852; torch.nn.Linear"
    refused = invoke("explain", "{hidden: he_normal, 9: ones}", "--layers", "3,2,1")
    assert refused.exit_code == 2
    assert refused.stderr.splitlines() == [
        "{hidden: he_normal, 9: ones}: initializer.9: there are 2 layers; write a number from 1 to "
        "2",
        "{hidden: he_normal, 9: ones}: initializer: layer 2 of 2 has no initializer; add output",
    ]


def test_what_layers_declare_is_verified() -> None:
    """The variance of layers together is that of their weights, those of a zero layer included."""
    mixed = "{first: he_uniform, hidden: orthogonal, 3: zeros, output: {name: normal, std: 0.01}}"
    found = document("verify", mixed, HEAD)
    assert found["ok"]
    assert {check["check"] for check in found["checks"]} >= {"variance, tall", "symmetry, wide"}


def test_biases_are_listed() -> None:
    rows = document("list", "biases")["biases"]
    assert [row["name"] for row in rows] == list(BIAS_MODELS)
    assert all(row["formula"] for row in rows)


def test_theory_speaks_where_hidden_biases_have_mean_0(folder: Path) -> None:
    (folder / "c.yaml").write_text(CONFIG.replace("layers: [2, 4, 1]", "layers: [2, 30, 30, 1]"))
    for bias, predicted in (("prior", True), ("0.5", False)):
        options = ("--set", "sweep=null", "--set", f"bias={bias}")
        for one in document("diagnose", "c.yaml", *options)["diagnoses"]:
            theory = [layer["preactivation_variance"]["predicted"] for layer in one["layers"]]
            assert all((value is not None) == predicted for value in theory)
