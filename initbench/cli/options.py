"""Options that several commands have, each declared once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, Literal, TypeVar

import click
from click.core import ParameterSource

from initbench.files import BASELINE
from initbench.metrics import parse_target

Function = TypeVar("Function", bound=Callable[..., Any])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The question after the known word that is most like this one; "" where none is like it.

    >>> did_you_mean("tabel", ["table", "json"]), did_you_mean("x", ["table", "json"])
    (" Did you mean 'table'?", '')
    """
    import difflib

    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


class Word(click.Choice[str]):
    """One of some words; a misspelt one is answered with the closest."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word; BadParameter where it is none of them."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            message = error.message + did_you_mean(value, self.choices)
            raise click.BadParameter(message, ctx, param) from error


def _together(*decorators: Callable[[Any], Any]) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def overrides(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, str]]:
    """Each value of --set, after the option as it was written, which messages name."""
    return [(f"--set {value}", value) for value in values]


def _seeds(ctx: click.Context, param: click.Parameter, value: str | None) -> list[tuple[str, str]]:
    """A count or a range stays one; a list becomes a YAML list, even of a single seed (``3,``)."""
    if value is None:
        return []
    seeds = f"[{value.rstrip(',')}]" if "," in value else value
    return [(f"--seeds {value}", f"seeds={seeds}")]


output_format = click.option(
    "--format",
    "output_format",
    type=Word(["table", "json", "csv", "markdown", "latex"]),
    default="table",
    show_default=True,
    help="Format of standard output; progress and messages go to standard error.",
)


def target(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, float] | None:
    """The metric and the value of ``METRIC=VALUE``, or a usage error."""
    if value is None:
        return None
    try:
        return parse_target(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


plugins = click.option(
    "--plugin", "plugin_files", metavar="FILE", multiple=True, type=click.Path(path_type=Path),
    help="A Python file with your own initializers. Repeatable.",
)  # fmt: skip

trust_plugins = click.option(
    "--trust-plugins", is_flag=True, help="Run the Python files that configs name as `plugins`."
)

results = click.option(
    "--results", type=click.Path(file_okay=False, path_type=Path), default=Path("results"),
    metavar="DIR", show_default=True, help="Folder that results are kept in.",
)  # fmt: skip


def model(what: str) -> Callable[[Function], Function]:
    """The option --model; ``what`` says what the command does to the model."""
    return click.option(
        "--model", metavar="FILE.py:FUNCTION",
        help=f"{what} the torch.nn.Module that this function returns. It runs the file.",
    )  # fmt: skip


def model_seeds(least: int) -> Callable[[Function], Function]:
    """The option --model-seeds; a command needs at ``least`` so many."""
    return click.option(
        "--model-seeds", type=click.IntRange(min=least), metavar="N", default=5, show_default=True,
        help="Number of seeds to build the model at.",
    )  # fmt: skip


def given(*names: str) -> list[str]:
    """Those of a command's parameters that were given, as the user writes them: ``--layers``."""
    context = click.get_current_context()
    return [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in names
        and context.get_parameter_source(parameter.name) is not ParameterSource.DEFAULT
    ]


_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])

stored = _together(
    click.option(
        "--status", type=Word(["ok", "diverged", "failed"]),
        help="Only runs with this status.",
    ),
    click.option(
        "--initializer", metavar="NAME",
        help="Only runs of this initializer, with any parameters or with these: 'normal(std=10)'.",
    ),
    click.option(
        "--since", type=_MOMENT, metavar="DATE", help="Only runs stored on this UTC date or later: "
        "2026-01-31, or 2026-01-31T12:00:00.",
    ),
    click.option(
        "--before", type=_MOMENT, metavar="DATE", help="Only runs stored before this UTC date.",
    ),
    results,
    plugins,
    trust_plugins,
)  # fmt: skip

settings = _together(
    click.option(
        "--set", "overrides", metavar="KEY=VALUE", multiple=True, callback=overrides,
        help="Set a key of every config, as in --set dataset.noise=0.1. Repeatable.",
    ),
    click.option(
        "--seeds", metavar="N|LIST", callback=_seeds,
        help="A count of seeds, which are 0 to N-1, or a list of seeds and ranges: 0-3,7 (a single "
        "seed: 3,).",
    ),
)  # fmt: skip

quiet = click.option("--quiet", "-q", is_flag=True, help="Print no progress and no messages.")

_jobs = click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N",
    help="Worker processes, with one BLAS thread each; by default as many cores as the work fills.",
)  # fmt: skip

#: The options of commands that draw pictures: of what is stored, and of what they train.
drawing = _together(
    click.option(
        "--seed", type=int, metavar="SEED",
        help="Seed of the networks that are looked at; by default the one that is most typical of "
        "the best row.",
    ),
    settings,
    results,
    plugins,
    trust_plugins,
    quiet,
    _jobs,
)  # fmt: skip

training = _together(
    settings,
    _jobs,
    results,
    plugins,
    trust_plugins,
    output_format,
    quiet,
)  # fmt: skip

everything = click.option(
    "--all", "everything", is_flag=True, help="Take every config directly in configs/."
)


def named_or_all(configs: tuple[str, ...], *, everything: bool) -> list[str | Path]:
    """The configs that a command is to work on: those that are named, or with --all every one."""
    if bool(configs) == everything:
        both = "; not both" if everything else ""
        raise click.UsageError(f"Name configs, or give --all{both}.")
    from initbench import config

    return list(configs) or list(config.all_configs())


#: The options of the gate's commands, which train and write no tables.
gating = _together(
    click.option(
        "--baseline", type=click.Path(dir_okay=False, path_type=Path),
        default=Path(BASELINE), metavar="FILE", show_default=True,
        help="The baseline file, which belongs in version control.",
    ),
    settings,
    plugins,
    trust_plugins,
    _jobs,
    quiet,
)  # fmt: skip

_execution = _together(
    click.option("--force", is_flag=True, help="Train runs again that the results hold already."),
    click.option("--fail-fast", is_flag=True, help="Stop at the first run that fails."),
    click.option(
        "--executor", type=Word(["processes", "dask"]), default="processes",
        show_default=True,
        help="Train in processes of this machine, or on the workers of a Dask cluster.",
    ),
    click.option(
        "--scheduler", metavar="ADDRESS",
        help="Train on all workers of this Dask cluster: tcp://HOST:8786.",
    ),
)  # fmt: skip


def execution(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options that are handed to the command as one argument, ``execution``."""

    @wraps(function)
    def command(
        *,
        jobs: int | None,
        force: bool,
        fail_fast: bool,
        executor: Literal["processes", "dask"],
        scheduler: str | None,
        **others: Any,
    ) -> Any:
        if scheduler is not None and executor != "dask":
            raise click.UsageError("--scheduler needs --executor dask.")
        if scheduler is not None and jobs is not None:
            raise click.UsageError("--scheduler has workers of its own: give no --jobs with it.")
        from initbench.runs.runner import Execution  # which imports NumPy

        chosen = Execution(jobs, force, fail_fast, executor, scheduler)
        return function(execution=chosen, **others)

    return _execution(command)
