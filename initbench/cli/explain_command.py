"""`initbench explain`: says what a name of a config stands for."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options

#: Sizes of the layers of a network for MNIST.
SIZES = "784,512,256,10"
KINDS = ("initializer", "activation", "dataset", "optimizer", "bias", "loss")
#: Options that describe the network or the data that an initializer is explained on.
OF_INITIALIZERS = ("layers", "layer", "activation", "dataset")


@click.command("explain")
@click.argument("name")
@click.option(
    "--kind",
    type=options.Word(KINDS),
    help="What NAME is; needed for a name of two kinds, such as identity, where the initializer is "
    "not meant.",
)
@click.option(
    "--layers",
    metavar="SIZES",
    help=f"Sizes of the network's layers, from input to output. Default: {SIZES}, and with "
    "--dataset from its features to its outputs.",
)
@click.option(
    "--layer",
    metavar="LAYER",
    help="One layer in place of a network: conv:64,64,3,groups=64, linear:768,3072, qkv:768, "
    "transposed:64,32,4, embedding:5000,768, lstm:64,128.",
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
    help="Set a parameter of what is explained, as in --set gain=2. Repeatable.",
)
@options.plugins
@options.output_format
def command(
    name: str,
    kind: str | None,
    layers: str | None,
    layer: str | None,
    activation: str,
    dataset: str | None,
    overrides: list[tuple[str, str]],
    plugin_files: tuple[Path, ...],
    output_format: str,
) -> None:
    """Explain what a name of a config stands for, and its parameters.

    NAME is that of an initializer, activation, data set, optimizer, bias or loss. It may carry
    parameters, as in '{name: normal, std: 0.1}'.

    Of an initializer the mean, standard deviation and bounds of each layer's weights are shown.
    They are those that it declares; where it declares none, they are measured on weights drawn at
    ten seeds.

    With --layer it is one layer that is explained: its fans, and those that each framework counts,
    with their mistakes.
    """
    if layer is not None and (options.given("layers") or dataset is not None):
        raise click.UsageError("--layer is one layer: give no --layers and no --dataset with it.")
    from initbench.api.explaining import facts, kinds_named
    from initbench.api.initializers import explanation, explanation_of_layer
    from initbench.cli.output import show
    from initbench.config import plugins

    known = plugins.experiment(plugin_files)
    found = [kind] if kind else kinds_named(name, known)
    if found[0] != "initializer":
        if of_initializers := options.given(*OF_INITIALIZERS):
            raise click.UsageError(
                f"{of_initializers[0]} is for initializers, and {name} is explained as another "
                f"kind, {found[0]}: leave it out."
            )
        show(output_format, facts(found[0], name, overrides, known))
        return
    settings = [
        (name, f"initializer={name}"),
        (f"--activation {activation}", f"activation={activation}"),
        *((option, f"initializer.{text}") for option, text in overrides),
    ]
    if layer is not None:
        show(output_format, explanation_of_layer(settings, known, layer))
        return
    settings.append((f"--layers {layers or SIZES}", f"layers=[{layers or SIZES}]"))
    if dataset is not None:
        settings.append((f"--dataset {dataset}", f"dataset={dataset}"))
    fitted = dataset is not None and layers is None
    show(output_format, explanation(settings, known, dataset, fitted=fitted, also=found[1:]))
