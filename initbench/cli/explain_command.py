"""`initbench explain`: says what an initializer draws, and when to use it."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options


@click.command("explain")
@click.argument("name")
@click.option(
    "--layers",
    default="784,512,256,10",
    show_default=True,
    metavar="SIZES",
    help="Sizes of the network's layers, from input to output.",
)
@click.option(
    "--activation",
    default="relu",
    show_default=True,
    metavar="NAME",
    help="Activation of the hidden layers.",
)
@click.option(
    "--dataset",
    metavar="NAME",
    help="Data for initializers that look at data; by default standard normal samples.",
)
@click.option(
    "--set",
    "overrides",
    metavar="PARAMETER=VALUE",
    multiple=True,
    callback=options.overrides,
    help="Set a parameter of the initializer, as in --set gain=2. Repeatable.",
)
@options.plugins
@options.output_format
def command(
    name: str,
    layers: str,
    activation: str,
    dataset: str | None,
    overrides: list[tuple[str, str]],
    plugin_files: tuple[Path, ...],
    output_format: str,
) -> None:
    """Explain an initializer: its formula, its weights and its use.

    NAME may carry parameters, as in '{name: normal, std: 0.1}'. Mean, standard deviation and bounds
    of each layer's weights are those that the initializer declares; where it declares none, they
    are measured on weights drawn at ten seeds.
    """
    from initbench.api.initializers import explanation
    from initbench.cli.output import show
    from initbench.config import plugins

    settings = [
        (name, f"initializer={name}"),
        (f"--layers {layers}", f"layers=[{layers}]"),
        (f"--activation {activation}", f"activation={activation}"),
        *((option, f"initializer.{text}") for option, text in overrides),
    ]
    if dataset is not None:
        settings.append((f"--dataset {dataset}", f"dataset={dataset}"))
    show(output_format, explanation(settings, plugins.experiment(plugin_files), dataset))
