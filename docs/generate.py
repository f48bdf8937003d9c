"""The generated parts of the docs: `make docs` puts what these functions return into the pages.

Each returns Markdown. The pages call them in comments that cog reads.
"""

from __future__ import annotations

import inspect
import re
import runpy
import textwrap
from collections.abc import Iterable, Mapping
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import initbench
from initbench.api.results import (
    CheckResult,
    Comparison,
    DiagnosisResult,
    RunResult,
    TrainingResult,
)
from initbench.cli import COMMANDS, main
from initbench.core.initializers.dialects import DIALECTS
from initbench.report.render.markdown import markdown_view
from initbench.report.views.listing import catalogue, list_view
from initbench.spec import (
    ACTIVATION_MODELS,
    BIAS_MODELS,
    DATASET_MODELS,
    INITIALIZER_MODELS,
    OPTIMIZER_MODELS,
    Experiment,
)
from initbench.spec.expectations import Expectation, Gate
from initbench.spec.parameters import parameters_of

#: Columns of the help texts.
WIDTH = 88
#: What a config may write for the rows of a registry.
MODELS: dict[str, Mapping[str, type[BaseModel]]] = {
    "initializers": INITIALIZER_MODELS,
    "biases": BIAS_MODELS,
    "activations": ACTIVATION_MODELS,
    "optimizers": OPTIMIZER_MODELS,
}
#: What the Python API consists of.
FUNCTIONS = ("run", "compare", "diagnose", "check", "draw")
RESULTS = (TrainingResult, RunResult, Comparison, DiagnosisResult, CheckResult)
#: Defaults that a table says in a word.
LONG_DEFAULTS = {"seeds": "10"}
ROOT = Path(__file__).parent.parent


def commands() -> str:
    """Every command's help, as `initbench COMMAND --help` prints it."""
    group = click.Context(
        main, info_name="initbench", terminal_width=WIDTH, **main.context_settings
    )
    parts = []
    for name in COMMANDS:
        command = main.get_command(group, name)
        assert command is not None
        parts += _entries(command, group, name)
    return "\n" + "\n".join(parts)


def _entries(command: click.Command, parent: click.Context, name: str) -> list[str]:
    context = click.Context(command, parent=parent, info_name=name)
    if isinstance(command, click.Group):
        return [
            part
            for verb, inner in command.commands.items()
            for part in _entries(inner, context, verb)
        ]
    return [f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"]


def registry(kind: str) -> str:
    """What `initbench list KIND` prints, and the parameters of each row with their defaults."""
    rows = catalogue()[kind]
    models = MODELS.get(kind)
    if models is None:
        return "\n" + markdown_view(list_view({"": rows}))
    header = ("name", "aliases", "formula", "parameters, with their defaults", "reference")
    return _table(
        header,
        (
            (
                f"`{row['name']}`",
                ", ".join(row["aliases"]),
                row["formula"],
                _parameters(models[row["name"]]),
                row["reference"],
            )
            for row in rows
        ),
    )


def datasets() -> str:
    """The data sets: what they are, and their parameters with their defaults."""
    return _table(
        ("name", "what it is", "parameters, with their defaults"),
        (
            (f"`{name}`", _summary(model), _parameters(model))
            for name, model in DATASET_MODELS.items()
        ),
    )


def config_keys() -> str:
    """The keys of a config."""
    return _keys(Experiment)


def expectation_keys() -> str:
    """The keys of an entry of ``expect``."""
    return _keys(Expectation)


def gate_keys() -> str:
    """The keys of ``gate``."""
    return _keys(Gate)


def dialects() -> str:
    """What each framework draws under a name that means something else elsewhere."""
    names = sorted({name for table in DIALECTS.values() for name in table})
    rows = []
    for name in names:
        cells = [_drawn(table, name) for table in DIALECTS.values()]
        if len({cell for cell in cells if cell}) > 1 or any(cell != f"`{name}`" for cell in cells):
            rows.append((f"`{name}`", *cells))
    return _table(("name", *DIALECTS), rows)


def _drawn(table: Mapping[str, Any], name: str) -> str:
    if name not in table:
        return ""
    meaning, defaults = table[name]
    words = ", ".join(f"{key} {value:g}" for key, value in defaults.items())
    return f"`{meaning}`" + (f", {words}" if words else "")


def wings() -> str:
    """The wings from the roof to the ground, each with what its docstring says it is."""
    rows = []
    for names in _architecture()["WINGS"]:
        for name in names:
            doc = getdoc(import_module(f"initbench.{name}")) or ""
            first = " ".join(doc.split("\n\n")[0].split()).replace("``", "`")
            rows.append((f"`{name}`", first))
    return _table(("wing", "what it is"), rows)


def ladder() -> str:
    """The ladder of imports, from the test that holds it."""
    return f"\n```text\n{_architecture()['ladder']().rstrip()}\n```\n"


def api() -> str:
    """The public functions and what they return: signatures and docstrings."""
    parts = [
        f"### {name}\n\n{_described(f'initbench.{name}', getattr(initbench, name))}"
        for name in FUNCTIONS
    ]
    parts += [f"### {result.__name__}\n\n{_described('', result)}" for result in RESULTS]
    return "\n" + "\n".join(parts)


def _described(name: str, thing: object) -> str:
    text = f"{getdoc(thing)}\n"
    if name:
        assert callable(thing)
        parameters = inspect.signature(thing).parameters.values()
        # Annotations are long, and the words below say what a parameter may be.
        plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
        call = re.sub(r"<function (\w+) at \w+>", r"\1", f"{name}{inspect.Signature(plain)}")
        text = textwrap.fill(call, WIDTH, subsequent_indent="    ") + f"\n\n{text}"
    return f"```text\n{text}```\n"


def _architecture() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "tests" / "test_architecture.py"))


def _keys(model: type[BaseModel]) -> str:
    properties = model.model_json_schema()["properties"]
    rows = [
        (f"`{key}`", _default(key, field), _meaning(properties[key]))
        for key, field in model.model_fields.items()
    ]
    return _table(("key", "default", "meaning"), rows)


def _meaning(schema: Mapping[str, Any]) -> str:
    """A key's description, its own or that of one of the forms that it may have."""
    said = [schema, *schema.get("anyOf", [])]
    return next(str(form["description"]) for form in said if "description" in form)


def _default(key: str, field: Any) -> str:
    if key == "name":
        return "the file's"
    if field.default is PydanticUndefined:
        return "required"
    if key in LONG_DEFAULTS:
        return LONG_DEFAULTS[key]
    return _shown(field.default)


def _shown(value: Any) -> str:
    if isinstance(value, BaseModel):
        return f"`{value.label}`" if hasattr(value, "label") else "see below"
    if value is None or value in ("", (), {}):
        return ""
    return f"`{value}`"


def _parameters(model: type[BaseModel]) -> str:
    return ", ".join(
        f"`{each.name}` {'' if each.default in (None, 'null') else each.default}".rstrip()
        for each in parameters_of(model)
        if each.name != "dialect"
    )


def _summary(model: type[BaseModel]) -> str:
    return (getdoc(model) or "").split("\n")[0].rstrip(".").replace("``", "`")


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
