"""`initbench compare`: ranks the initializers of configs that pose the same problem."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from initbench.cli import options
from initbench.metrics import METRICS

if TYPE_CHECKING:
    from initbench.runs.runner import Execution


@click.command("compare")
@click.argument("configs", nargs=-1, metavar="[CONFIG...]", type=click.Path())
@options.everything
@click.option(
    "--metric",
    type=options.Word(list(METRICS)),
    default="train_loss",
    show_default=True,
    help="Metric to rank by.",
)
@click.option(
    "--target",
    metavar="METRIC=VALUE",
    callback=options.target,
    help="Also count the iterations until METRIC is as good as VALUE, as in test_accuracy=0.9.",
)
@click.option(
    "--until-decided",
    is_flag=True,
    help="Add seeds to the rows that are undecided, until all are worse or as good as the best.",
)
@click.option(
    "--max-seeds",
    type=click.IntRange(min=1),
    metavar="N",
    help="Seeds at most, with --until-decided. Default: eight times the config's.",
)
@options.training
@options.execution
def command(
    configs: tuple[str, ...],
    everything: bool,
    metric: str,
    target: tuple[str, float] | None,
    until_decided: bool,
    max_seeds: int | None,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    results: Path,
    plugin_files: tuple[Path, ...],
    trust_plugins: bool,
    output_format: str,
    quiet: bool,
    execution: Execution,
) -> None:
    """Train configs and rank their initializers.

    Configs that pose the same problem compete with each other, and each problem has a table. It
    ranks by the median of a metric, shows the median's interval and the paired difference to the
    best, and marks the initializers that cannot be told from the best. Under a sweep each
    initializer stands at its own best setting.

    Writes DIR/comparison.md, DIR/comparison.csv (a row for each initializer) and
    DIR/comparison.json. Where there is no configs folder, --all takes the configs that initbench
    ships.
    """
    paths = options.named_or_all(configs, everything=everything)
    if max_seeds is not None and not until_decided:
        raise click.UsageError("--max-seeds goes with --until-decided.")
    from initbench import config
    from initbench.api import flows
    from initbench.cli.display import say, watch
    from initbench.cli.output import finish, show
    from initbench.config.plugins import Allowed

    experiments = config.load(paths, [*overrides, *seeds], Allowed(plugin_files, trust_plugins))
    result = flows.compare(
        experiments,
        metric,
        target,
        execution,
        results,
        until_decided=until_decided,
        max_seeds=max_seeds,
        watch=watch(quiet=quiet),
        say=say(quiet=quiet),
    )
    show(output_format, result.view)
    finish(result, quiet=quiet)
