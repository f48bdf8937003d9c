"""`list`, `schema`, the group itself, and that the README knows every command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from initbench.cli import COMMANDS, main
from initbench.core import activations, initializers, losses, optimizers
from initbench.spec import json_schema

ROOT = Path(__file__).parent.parent.parent
REGISTRIES: dict[str, Mapping[str, Any]] = {
    "initializers": initializers.INITIALIZERS,
    "activations": activations.ACTIVATIONS,
    "optimizers": optimizers.OPTIMIZERS,
    "losses": losses.LOSSES,
}


def invoke(*arguments: str) -> str:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("kind", REGISTRIES)
def test_list_names_everything_that_is_registered(kind: str) -> None:
    rows = json.loads(invoke("list", kind, "--format", "json"))[kind]
    assert [row["name"] for row in rows] == list(REGISTRIES[kind])
    assert all(row["formula"] and row["reference"] for row in rows)


def test_list_knows_aliases() -> None:
    rows = json.loads(invoke("list", "--format", "json"))["initializers"]
    assert {row["name"]: row["aliases"] for row in rows}["he_normal"] == ["kaiming_normal"]


def test_list_one_kind_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = [line.rstrip() for line in invoke("list", "losses").splitlines()]
    assert lines == [
        "losses",
        "",
        " name                  formula                     reference",
        " ──────────────────────────────────────────────────────────────────",
        " binary_cross_entropy  log(1 + exp(z)) - y z       binary tasks",
        " cross_entropy         log(sum exp(z)) - z[class]  multiclass tasks",
        " mean_squared_error    mean((z - y)^2)             regression tasks",
        "",
    ]


def test_list_of_what_is_not_is_bad_usage() -> None:
    assert CliRunner().invoke(main, ["list", "layers"]).exit_code == 2


def test_schema_is_the_models() -> None:
    assert json.loads(invoke("schema")) == json_schema()


def test_every_command_has_help_and_a_readme_entry() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        for verb, inner in getattr(command, "commands", {"": command}).items():
            assert inner.help
            assert f"### initbench {name} {verb}".rstrip() + "\n" in readme
            for parameter in inner.params:
                if isinstance(parameter, click.Option):
                    assert parameter.help, f"{name} {parameter.name}"


def test_a_misspelt_command_is_met_with_the_closest() -> None:
    done = CliRunner().invoke(main, ["comapre"])
    assert done.exit_code == 2
    assert "No such command 'comapre'. Did you mean 'compare'?" in done.stderr


def test_version() -> None:
    assert invoke("--version").startswith("initbench, version ")
