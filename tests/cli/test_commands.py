"""`list`, `schema`, the group itself, and that the docs know every command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from initbench.cli import COMMANDS, main
from initbench.core import activations, initializers, losses, optimizers
from initbench.interop.frameworks import FRAMEWORKS
from initbench.spec import json_schema
from tests.cli.conftest import invoke, lines

ROOT = Path(__file__).parent.parent.parent
REGISTRIES: dict[str, Mapping[str, Any]] = {
    "initializers": initializers.INITIALIZERS,
    "frameworks": FRAMEWORKS,
    "activations": activations.ACTIVATIONS,
    "optimizers": optimizers.OPTIMIZERS,
    "losses": losses.LOSSES,
}


def listed(*arguments: str) -> list[str]:
    done = invoke("list", *arguments)
    assert done.exit_code == 0, done.output
    assert max(map(len, done.stdout.splitlines())) <= 80
    return lines(done)


def document(*arguments: str) -> Any:
    done = invoke(*arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", REGISTRIES)
def test_list_names_everything_that_is_registered(kind: str) -> None:
    rows = document("list", kind, "--format", "json")[kind]
    assert [row["name"] for row in rows] == list(REGISTRIES[kind])
    assert all(row["formula"] and row["reference"] for row in rows)


def test_list_knows_aliases() -> None:
    rows = document("list", "--format", "json")["initializers"]
    assert {row["name"]: row["aliases"] for row in rows}["he_normal"] == ["kaiming_normal"]


def test_list_one_kind_whole() -> None:
    assert listed("losses") == [
        "losses",
        "",
        " name                  formula                     reference",
        " ──────────────────────────────────────────────────────────────────",
        " binary_cross_entropy  log(1 + exp(z)) - y z       binary tasks",
        " cross_entropy         log(sum exp(z)) - z[class]  multiclass tasks",
        " mean_squared_error    mean((z - y)^2)             regression tasks",
        "",
    ]


def test_list_puts_the_reference_below_where_rows_are_wide() -> None:
    assert listed("activations")[:26] == [
        "activations",
        "",
        " name        formula",
        " ─────────────────────────────────────────────────────────────",
        " identity    z",
        "             also linear",
        " relu        max(z, 0)",
        "             Nair and Hinton 2010, ICML",
        " leaky_relu  z, or negative_slope z where z < 0",
        "             Maas et al. 2013, ICML workshop",
        " elu         z or alpha (exp(z) - 1)",
        "             Clevert et al. 2015, arXiv:1511.07289",
        " selu        1.0507 elu(z), alpha 1.6733",
        "             Klambauer et al. 2017, arXiv:1706.02515",
        " gelu        z Phi(z)",
        "             Hendrycks and Gimpel 2016, arXiv:1606.08415",
        " silu        z sigmoid(z)",
        "             Elfwing et al. 2017, arXiv:1702.03118; also swish",
        " tanh        tanh(z)",
        " sigmoid     1 / (1 + exp(-z))",
        "             also logistic",
        " softplus    log(1 + exp(z))",
        "             Dugas et al. 2000, NIPS",
        " sine        sin(frequency z)",
        "             Sitzmann et al. 2020, arXiv:2006.09661",
        "",
    ]


def test_list_fits_a_terminal_of_80_columns() -> None:
    rows = listed()
    # No formula is broken: every second line of a row begins a reference or an alias.
    printed = "\n".join(rows)
    for registry in (initializers.INITIALIZERS, FRAMEWORKS, activations.ACTIVATIONS):
        for name, row in registry.items():
            assert any(line.split() == [name, *row.formula.split()] for line in rows), name
            assert row.reference == "-" or row.reference in printed


def test_list_of_what_is_not_is_bad_usage() -> None:
    assert invoke("list", "layers").exit_code == 2


def test_schema_is_the_models() -> None:
    assert document("schema") == json_schema()


def test_every_command_has_help_and_an_entry_in_the_docs() -> None:
    reference = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        for verb, inner in getattr(command, "commands", {"": command}).items():
            assert inner.help
            assert f"## initbench {name} {verb}".rstrip() + "\n" in reference
            for parameter in inner.params:
                if isinstance(parameter, click.Option):
                    assert parameter.help, f"{name} {parameter.name}"


@pytest.mark.parametrize("arguments", [["--help"], ["baseline", "--help"]])
def test_summaries_of_commands_are_never_cut(arguments: list[str]) -> None:
    text = invoke(*arguments).stdout
    summaries = text[text.index("Commands:") :].splitlines()[1:]
    assert len(summaries) == (1 if arguments[0] == "baseline" else len(COMMANDS))
    for line in summaries:
        assert line.endswith(".")
        assert not line.endswith("...")
        assert len(line) <= 80


def test_a_misspelt_command_is_met_with_the_closest() -> None:
    done = invoke("comapre")
    assert done.exit_code == 2
    assert "No such command 'comapre'. Did you mean 'compare'?" in done.stderr


def test_version() -> None:
    done = invoke("--version")
    assert done.exit_code == 0
    assert done.stdout.startswith("initbench, version ")
