"""`initbench verify`: tests whether initializers draw what they declare."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options


@click.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--all", "everything", is_flag=True, help="Test every initializer.")
@options.plugins
@options.output_format
def command(
    names: tuple[str, ...], everything: bool, plugin_files: tuple[Path, ...], output_format: str
) -> None:
    """Test whether initializers draw what they declare.

    A NAME may carry parameters, as in '{name: normal, std: 0.1}'. Without a NAME your own
    initializers are tested: those of --plugin and of installed packages.

    The tests compare mean, variance, bounds and symmetry with the declared ones, in tall and in
    wide layers, so that exchanged fans show. They check that matrices are orthogonal where that is
    declared, that layers and seeds are independent, that a seed always draws the same weights in
    the type that was asked for, and that no global random state changes. Exits with 1 if a test
    fails.
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
