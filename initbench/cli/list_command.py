"""`initbench list`: lists the names that a config may use."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options

KINDS = (
    "initializers", "frameworks", "biases", "activations", "datasets", "optimizers", "losses",
    "configs",
)  # fmt: skip
#: Columns of the terminal that every row fits into.
NARROW = 80


@click.command("list")
@click.argument("kind", required=False, type=options.Word(KINDS))
@options.plugins
@options.output_format
def command(kind: str | None, plugin_files: tuple[Path, ...], output_format: str) -> None:
    """List the names that a config may use.

    Each has a line with its formula, its aliases and its source; below stand the parameters of a
    kind, with their defaults and the values that they take. `initbench explain NAME` says more of
    one. `initbench list configs` lists the configs that commands find by name, as in `initbench run
    he`: those of the folder configs/, and those that initbench ships.
    """
    from initbench.cli.output import show

    if kind == "configs":
        from initbench import config
        from initbench.report.views.configs import named_view

        show(output_format, named_view(config.named_configs()))
        return
    from initbench.config import plugins
    from initbench.report.views.listing import catalogue, list_view

    everything = catalogue(plugins.experiment(plugin_files))
    chosen = {name: rows for name, rows in everything.items() if kind in (None, name)}
    show(output_format, list_view(chosen, NARROW if output_format == "table" else None))
