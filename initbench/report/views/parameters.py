"""Parameters of what a config names: a table of one thing's, or of a whole kind's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from initbench.report.views.view import Table
from initbench.spec.parameters import Parameter

REQUIRED = "required"
#: What stands for the names of a kind where all of them have a parameter.
ALL = "all"


def parameters_tables(name: str, parameters: Sequence[Parameter]) -> list[Table]:
    """One thing's parameters with what they mean; no table where it has none."""
    rows = tuple((each.name, default(each), each.values, each.meaning) for each in parameters)
    header = ("name", "default", "values", "meaning")
    return [Table(f"parameters of {name}", header, rows, frozenset())] if rows else []


def shared_tables(kind: str, known: Mapping[str, Sequence[Parameter]]) -> list[Table]:
    """A row for each different parameter of a kind, with the names that have it."""
    having: dict[tuple[str, str, str], list[str]] = {}
    for name, parameters in known.items():
        for each in parameters:
            having.setdefault((each.name, default(each), each.values), []).append(name)
    rows = tuple(
        (*cells, ALL if len(names) == len(known) else ", ".join(names))
        for cells, names in having.items()
    )
    header = ("name", "default", "values", "parameter of")
    return [Table(f"parameters of {kind}", header, rows, frozenset())] if rows else []


def default(parameter: Parameter) -> str:
    """A parameter's default as a config writes it; or that it must be given."""
    return REQUIRED if parameter.default is None else parameter.default


def parameter_fields(parameters: Sequence[Parameter]) -> list[dict[str, Any]]:
    """Parameters as plain data; a default of null is one that must be given."""
    return [each._asdict() for each in parameters]
