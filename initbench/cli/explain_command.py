"""`initbench explain`: what an initializer draws, and when to use it."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options

#: Seeds and samples where an initializer has no law and its weights must be drawn.
SEEDS, SAMPLES = 10, 1024


@click.command("explain")
@click.argument("name")
@click.option(
    "--layers",
    default="784,512,256,10",
    show_default=True,
    metavar="SIZES",
    help="The network's sizes, input to output.",
)
@click.option(
    "--activation",
    default="relu",
    show_default=True,
    metavar="NAME",
    help="Of its hidden layers.",
)
@click.option(
    "--dataset",
    metavar="NAME",
    help="What initializers see that look at data; without it, standard normal samples.",
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
    """Explain an initializer: its formula, what it draws for these layers, when to use it.

    NAME may carry parameters, as in '{name: normal, std: 0.1}'. Mean, standard deviation and bounds
    are the declared law's; where there is no closed form, those of weights drawn at ten seeds.
    """
    from numpy.random import RandomState

    from initbench import config, datasets
    from initbench.audit.explain import draws_of_frameworks, explain
    from initbench.cli.output import show
    from initbench.config import plugins
    from initbench.core.draw import network_of
    from initbench.errors import ConfigError, Place, Problem
    from initbench.report.views.explain import Explanation, explain_view

    settings = [
        (name, f"initializer={name}"),
        (f"--layers {layers}", f"layers=[{layers}]"),
        (f"--activation {activation}", f"activation={activation}"),
        *((option, f"initializer.{text}") for option, text in overrides),
    ]
    if dataset is not None:
        settings.append((f"--dataset {dataset}", f"dataset={dataset}"))
    experiment = config.from_options(settings, plugins.experiment(plugin_files))
    if len(experiment.initializer) > 1:
        raise click.UsageError("NAME is one initializer; explain others one by one.")
    features = experiment.architecture.sizes[0]
    if dataset is None:
        inputs = RandomState(0).standard_normal((features, SAMPLES))
    else:
        inputs = datasets.load(experiment.dataset, Path()).train.inputs
        if len(inputs) != features:
            message = f"must begin with {len(inputs)}, the features of {dataset}, got {features}"
            raise ConfigError([Problem(Place(f"--layers {layers}"), "", message)])
    (choice,) = experiment.initializer
    chosen, network = choice.chosen, network_of(experiment.architecture, inputs)
    given = choice.model_dump(include=choice.model_fields_set - {"name"})
    frameworks = (
        [] if "dialect" in given else draws_of_frameworks(choice.name, given, network, range(SEEDS))
    )
    explained = Explanation(
        choice.name,
        choice.label,
        chosen.initializer,
        explain(chosen, network, range(SEEDS)),
        f"{SEEDS} seeds, {network.inputs.shape[1]:,} {dataset or 'standard normal'} samples",
        frameworks,
    )
    show(output_format, explain_view(explained))
