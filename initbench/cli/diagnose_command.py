"""`initbench diagnose`: sets measurements beside theory, and names the condition of networks."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options


@click.command("diagnose")
@click.argument("configs", nargs=-1, required=True, metavar="CONFIG...", type=click.Path())
@click.option("--during", is_flag=True, help="Also train, and diagnose at every log point.")
@options.settings
@options.plugins
@options.output_format
@options.quiet
def command(
    configs: tuple[str, ...],
    during: bool,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    plugin_files: tuple[Path, ...],
    output_format: str,
    quiet: bool,
) -> None:
    """Diagnose each initializer's networks before any training.

    Draws each config's networks at its seeds, sends its data forward and gradients back, and sets
    what is measured in each layer beside what mean-field theory predicts.

    A network is symmetric, dead, exploding, saturated, vanishing, ordered (its inputs merge),
    chaotic (its inputs part) or healthy. The table says why, in which layer it begins, and what to
    do.
    """
    from initbench import config
    from initbench.api import flows
    from initbench.cli.display import share_done
    from initbench.cli.output import show
    from initbench.config import plugins

    experiments = config.load(configs, [*overrides, *seeds], plugins.experiment(plugin_files))
    with share_done(enabled=during and not quiet) as tell:
        result = flows.diagnose(experiments, during=during, report=tell)
    show(output_format, result.view)
    if result.notes and not quiet:
        click.echo("\n".join(result.notes), err=True)
    if result.failure is not None:
        raise result.failure
