"""`initbench verify`: whether initializers draw what they declare."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options


@click.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--all", "everything", is_flag=True, help="Every initializer there is.")
@options.plugins
@options.output_format
def command(
    names: tuple[str, ...], everything: bool, plugin_files: tuple[Path, ...], output_format: str
) -> None:
    """Draw from initializers, and test the draws against what each declares.

    A NAME may carry parameters, as in '{name: normal, std: 0.1}'. Without one, your own
    initializers are verified: those of --plugin and of installed packages.

    Tests mean, variance, bounds and symmetry by the declared law, in tall and in wide layers, so
    that exchanged fans show; orthogonality; that layers and seeds are independent, a seed's weights
    always the same, their type the one asked for, and no global random state touched. Exits 1 if
    a check fails.
    """
    if bool(names) and everything:
        raise click.UsageError("Name initializers, or give --all; not both.")
    from initbench.api.initializers import own_names, verification, verification_of_all
    from initbench.cli.output import show
    from initbench.config import plugins

    model = plugins.experiment(plugin_files)
    chosen = list(names) or own_names(model)
    if not (chosen or everything):
        raise click.UsageError("Name initializers, give --all, or your own by --plugin FILE.")
    verified = verification_of_all(model) if everything else verification(chosen, model)
    show(output_format, verified.view)
    if verified.failure is not None:
        raise verified.failure
