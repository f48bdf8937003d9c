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
    from initbench import config
    from initbench.audit import verify
    from initbench.cli.output import show
    from initbench.config import plugins
    from initbench.core.draw import network_of
    from initbench.errors import FailedChecksError
    from initbench.interop.frameworks import missing
    from initbench.report.views.verify import failures, verify_view

    model = plugins.experiment(plugin_files)
    if bool(names) and everything:
        raise click.UsageError("Name initializers, or give --all; not both.")
    own = [name for name, known in model.initializer_models.items() if known.plugin]
    if not (names or everything or own):
        raise click.UsageError("Name initializers, give --all, or your own by --plugin FILE.")
    left_out = [what for name in model.initializer_models if (what := missing(name))]
    if everything:
        names = tuple(
            verify.WITH_EXAMPLES.get(name, name)
            for name in model.initializer_models
            if not missing(name)
        )
    experiments = [
        config.from_options([(name, f"initializer={name}"), *verify.SETTINGS], model)
        for name in names or own
    ]
    chosen = {
        choice.label: choice.chosen
        for experiment in experiments
        for choice in experiment.initializer
    }
    notes = [
        f"{label} declares no law: its mean, variance, bounds and symmetry were not tested."
        for label, one in chosen.items()
        if one.initializer.law is None
    ]
    if everything and left_out:
        notes.append(f"{len(left_out)} initializers were left out; the first: {left_out[0]}.")
    network = network_of(experiments[0].architecture, verify.inputs())
    checks = verify.verify(chosen, network)
    title = f"{len(verify.SEEDS)} seeds of {'-'.join(map(str, network.sizes))} networks"
    show(output_format, verify_view(title, checks, notes))
    if failed := failures(checks):
        raise FailedChecksError(
            f"{len(failed)} of {len(checks)} checks failed:\n" + "\n".join(failed)
        )
