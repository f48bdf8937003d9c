"""`initbench run`: trains configs, and shows loss and accuracy."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from initbench.cli import options

if TYPE_CHECKING:
    from initbench.runs.runner import Execution


@click.command("run")
@click.argument("configs", nargs=-1, required=True, metavar="CONFIG...", type=click.Path())
@click.option(
    "--weights",
    is_flag=True,
    help="Also write each run's first and last weights to DIR/weights/ID.npz; trains again.",
)
@options.training
@options.execution
def command(
    configs: tuple[str, ...],
    weights: bool,
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

    With --weights each run trains a second time, because no store holds weights. In a NPZ file,
    layer1.weights has the axes (first or last, outputs, inputs).
    """
    from initbench import config
    from initbench.api import flows
    from initbench.cli.display import say, share_done, watch
    from initbench.cli.output import finish, show
    from initbench.config import plugins

    experiments = config.load(configs, [*overrides, *seeds], plugins.experiment(plugin_files))
    result = flows.run(
        experiments,
        execution,
        results,
        keep="ends" if weights else None,
        watch=watch(quiet=quiet),
        say=say(quiet=quiet),
        share=partial(share_done, enabled=not quiet),
    )
    show(output_format, result.view)
    finish(result, quiet=quiet)
