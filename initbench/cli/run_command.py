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
@click.argument("configs", nargs=-1, metavar="[CONFIG...]", type=click.Path())
@options.everything
@click.option(
    "--weights",
    is_flag=True,
    help="Also write each run's first and last weights to DIR/weights/ID.npz; trains again.",
)
@options.training
@options.execution
def command(
    configs: tuple[str, ...],
    everything: bool,
    weights: bool,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    results: Path,
    plugin_files: tuple[Path, ...],
    trust_plugins: bool,
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
    paths = options.named_or_all(configs, everything=everything)
    from initbench import config
    from initbench.api import flows
    from initbench.cli.display import say, share_done, watch
    from initbench.cli.output import finish, show
    from initbench.config.plugins import Allowed

    experiments = config.load(paths, [*overrides, *seeds], Allowed(plugin_files, trust_plugins))
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
