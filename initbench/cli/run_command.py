"""`initbench run`: trains configs, and shows loss and accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from initbench.cli import options

if TYPE_CHECKING:
    from initbench.runs.runner import Execution


@click.command("run")
@click.argument("configs", nargs=-1, required=True, metavar="CONFIG...", type=click.Path())
@options.training
@options.execution
def command(
    configs: tuple[str, ...],
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    results: Path,
    plugin_files: tuple[Path, ...],
    output_format: str,
    quiet: bool,
    execution: Execution,
) -> None:
    """Train each config's initializers at each of its seeds.

    Prints a table for each config: the median of loss and accuracy over the seeds, and their range.
    Writes the runs to DIR/NAME.csv, a row for each, and everything with the curves to
    DIR/NAME.json.
    """
    from initbench import config
    from initbench.api import flows
    from initbench.cli.display import say, watch
    from initbench.cli.output import finish, show
    from initbench.config import plugins

    experiments = config.load(configs, [*overrides, *seeds], plugins.experiment(plugin_files))
    result = flows.run(
        experiments, execution, results, watch=watch(quiet=quiet), say=say(quiet=quiet)
    )
    show(output_format, result.view)
    finish(result, quiet=quiet)
