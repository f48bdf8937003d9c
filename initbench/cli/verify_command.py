"""`initbench verify`: tests whether initializers draw what they declare."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options, streams


@click.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--all", "everything", is_flag=True, help="Test every initializer.")
@options.model("Test the parameters of")
@click.option(
    "--laws",
    "laws_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="YAML file with the laws that the model's parameters are to follow.",
)
@click.option(
    "--describe",
    is_flag=True,
    help="Print the laws that the model's parameters follow now, as a file for --laws.",
)
@options.model_seeds(2)
@options.plugins
@options.output_format
def command(
    names: tuple[str, ...],
    everything: bool,
    model: str | None,
    laws_file: Path | None,
    describe: bool,
    model_seeds: int,
    plugin_files: tuple[Path, ...],
    output_format: str,
) -> None:
    """Test whether initializers draw what they declare.

    A NAME may carry parameters, as in '{name: normal, std: 0.1}'. Without a NAME your own
    initializers are tested: those of --plugin and of installed packages.

    The tests compare mean, variance, bounds and symmetry with the declared ones, in tall and in
    wide layers, so that exchanged fans show. They check that matrices are orthogonal where that is
    declared, that layers and seeds are independent, that a seed always draws the same weights in
    the type that was asked for, and that no global random state changes. Exits with 1 if a test
    fails.

    With --model the parameters of your own PyTorch model are tested instead, against the laws of
    --laws: the first pattern that fits a parameter's name counts.
    """
    if model is not None:
        if names or everything or plugin_files or describe == (laws_file is not None):
            raise click.UsageError("--model goes with --laws FILE or with --describe alone.")
        _model(model, laws_file, model_seeds, output_format)
        return
    if stray := options.given("laws_file", "describe", "model_seeds"):
        raise click.UsageError(
            f"{' and '.join(stray)} {'needs' if len(stray) == 1 else 'need'} --model "
            "FILE.py:FUNCTION."
        )
    if bool(names) and everything:
        raise click.UsageError("Name initializers, or give --all; not both.")
    from initbench.api.initializers import own_names, verification, verification_of_all
    from initbench.cli.output import show
    from initbench.config import plugins

    known = plugins.experiment(plugin_files)
    chosen = list(names) or own_names(known)
    if not (chosen or everything):
        raise click.UsageError("Name initializers, give --all, or your own by --plugin FILE.")
    verified = verification_of_all(known) if everything else verification(chosen, known)
    show(output_format, verified.view)
    if verified.failure is not None:
        raise verified.failure


def _model(model: str, laws_file: Path | None, seeds: int, output_format: str) -> None:
    from initbench.api import models
    from initbench.cli.output import show

    if laws_file is None:
        streams.write_text(models.describe_model(model, seeds, streams.tell))
        return
    verified = models.verify_model(model, laws_file, seeds, streams.tell)
    show(output_format, verified.view)
    if verified.failure is not None:
        raise verified.failure
