"""Options that commands share, each declared once."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def _together(*decorators: Callable[[Any], Any]) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def _overrides(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, str]]:
    return [(f"--set {value}", value) for value in values]


def _seeds(ctx: click.Context, param: click.Parameter, value: str | None) -> list[tuple[str, str]]:
    """N stays a count; a list of seeds, also of one (``3,``), becomes a YAML list."""
    if value is None:
        return []
    seeds = f"[{value.rstrip(',')}]" if "," in value else value
    return [(f"--seeds {value}", f"seeds={seeds}")]


output_format = click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json", "csv", "markdown"]),
    default="table",
    show_default=True,
    help="What standard output holds; progress and messages go to standard error.",
)

#: Those of records.METRICS, spelled here so that `--help` need not import it; a test compares.
METRICS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")


def target(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, float] | None:
    """``METRIC=VALUE`` as the two, or a usage error."""
    if value is None:
        return None
    metric, _, figure = value.partition("=")
    try:
        number = float(figure)
    except ValueError:
        number = math.nan
    if metric not in METRICS or not math.isfinite(number):
        raise click.BadParameter(
            f"must be METRIC=VALUE, as in test_accuracy=0.9, got {value!r}; "
            f"METRIC is one of {', '.join(METRICS)}"
        )
    return metric, number


_set = click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True, callback=_overrides,
    help="Set a config's key, as in --set dataset.noise=0.1. Repeatable.",
)  # fmt: skip
_seeds_option = click.option(
    "--seeds", metavar="N|LIST", callback=_seeds,
    help="A count of seeds (0 to N-1), or a list: 3,5,8 (one seed: 3,).",
)  # fmt: skip
_jobs = click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N",
    help="Worker processes, one BLAS thread each. Default: as many cores as the work fills.",
)  # fmt: skip
_quiet = click.option("--quiet", "-q", is_flag=True, help="No progress and no messages.")

training = _together(
    _set,
    _seeds_option,
    _jobs,
    click.option(
        "--results", type=click.Path(file_okay=False, path_type=Path), default=Path("results"),
        metavar="DIR", show_default=True, help="Where tables are written.",
    ),
    output_format,
    _quiet,
)  # fmt: skip

#: What trains without leaving tables: the gate.
gating = _together(
    click.option(
        "--baseline", type=click.Path(dir_okay=False, path_type=Path),
        default=Path("results/baseline.json"), metavar="FILE", show_default=True,
        help="The baseline file, to be committed.",
    ),
    _set,
    _seeds_option,
    _jobs,
    _quiet,
)  # fmt: skip
