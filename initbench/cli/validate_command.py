"""`initbench validate`: reads configs and says what is wrong with them; it trains nothing."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options


@click.command("validate")
@click.argument("configs", nargs=-1, metavar="[CONFIG...]", type=click.Path())
@options.everything
@options.settings
@options.plugins
@options.trust_plugins
@click.option(
    "--format",
    "output_format",
    type=options.Word(["table", "json", "github"]),
    default="table",
    show_default=True,
    help="Format of standard output; with github mistakes are annotations at their lines.",
)
def command(
    configs: tuple[str, ...],
    everything: bool,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    plugin_files: tuple[Path, ...],
    trust_plugins: bool,
    output_format: str,
) -> None:
    """Check configs for mistakes, without training.

    Reads each config as `check` would: its keys, its data set, the sizes of its layers, and whether
    its promises (`expect`) can be judged. Exits with 2 if there are mistakes, and names all
    mistakes of all configs, each with its line and the fix.
    """
    paths = options.named_or_all(configs, everything=everything)
    from initbench import config
    from initbench.cli.output import annotated, show
    from initbench.cli.streams import write
    from initbench.config.plugins import Allowed
    from initbench.errors import ConfigError
    from initbench.files import json_text
    from initbench.report.views.configs import problems_document, valid_view

    allowed = Allowed(plugin_files, trust_plugins)
    try:
        with annotated(output_format):
            experiments = config.load(paths, [*overrides, *seeds], allowed, judged=True)
    except ConfigError as error:
        if output_format == "json":
            write(json_text(problems_document(error.problems)))
        raise
    if output_format != "github":
        show(output_format, valid_view(experiments))
