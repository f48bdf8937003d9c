"""`initbench diagnose`: sets measurements beside theory, and names the condition of networks."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options, streams


@click.command("diagnose")
@click.argument("configs", nargs=-1, metavar="[CONFIG...]", type=click.Path())
@options.everything
@click.option("--during", is_flag=True, help="Also train, and diagnose at every log point.")
@options.model("Diagnose")
@click.option(
    "--input",
    "text",
    metavar="TEXT",
    help="Inputs of the model: 'randn(32,3,64,64)', 'randint(5000,4,64)', or several with commas.",
)
@click.option(
    "--batch",
    metavar="FILE.py:FUNCTION",
    help="A function that returns the model's inputs, or inputs and targets.",
)
@click.option(
    "--loss",
    type=options.Word(["auto", "cross_entropy", "mse"]),
    default="auto",
    show_default=True,
    help="Loss of the model.",
)
@click.option(
    "--optimizer",
    type=options.Word(["sgd", "adam"]),
    default="sgd",
    show_default=True,
    help="Optimizer whose first update of the model is meant.",
)
@click.option(
    "--depth",
    type=click.IntRange(min=1),
    metavar="N",
    help="Show the model's modules down to this depth.",
)
@options.model_seeds(1)
@options.settings
@options.plugins
@options.trust_plugins
@options.output_format
@options.quiet
def command(
    configs: tuple[str, ...],
    everything: bool,
    during: bool,
    model: str | None,
    text: str | None,
    batch: str | None,
    loss: str,
    optimizer: str,
    depth: int | None,
    model_seeds: int,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    plugin_files: tuple[Path, ...],
    trust_plugins: bool,
    output_format: str,
    quiet: bool,
) -> None:
    """Diagnose each initializer's networks before any training.

    Draws each config's networks at its seeds, sends its data forward and gradients back, and sets
    what is measured in each layer beside what mean-field theory predicts.

    A network is symmetric, dead, exploding, saturated, vanishing, ordered (its inputs merge),
    chaotic (its inputs part) or healthy. The table says why, in which layer it begins, and what to
    do.

    With --model your own PyTorch model is diagnosed instead, module by module, by one forward and
    backward at each seed.
    """
    if model is not None:
        if configs or everything or during or overrides or seeds or plugin_files or trust_plugins:
            raise click.UsageError(
                "--model goes without configs and their options; --model-seeds counts its seeds."
            )
        if (text is None) == (batch is None):
            raise click.UsageError("--model needs --input or --batch, and not both.")
        from initbench.api import models
        from initbench.cli.output import show as show_view

        show_view(
            output_format,
            models.diagnose_model(
                model,
                text,
                batch,
                seeds=model_seeds,
                loss=loss,
                optimizer=optimizer,
                depth=depth,
                tell=streams.tell,
            ),
        )
        return
    if stray := options.given("text", "batch", "loss", "optimizer", "depth", "model_seeds"):
        raise click.UsageError(
            f"{' and '.join(stray)} {'needs' if len(stray) == 1 else 'need'} --model "
            "FILE.py:FUNCTION. A config names its loss and optimizer itself: --set optimizer=adam; "
            "--seeds counts its seeds."
        )
    if not configs and not everything:
        raise click.UsageError("Name a CONFIG, or give --all or --model FILE.py:FUNCTION.")
    paths = options.named_or_all(configs, everything=everything)
    from initbench import config
    from initbench.api import flows
    from initbench.cli.display import share_done
    from initbench.cli.output import show
    from initbench.config.plugins import Allowed

    experiments = config.load(paths, [*overrides, *seeds], Allowed(plugin_files, trust_plugins))
    with share_done(enabled=during and not quiet) as tell:
        result = flows.diagnose(experiments, during=during, report=tell)
    show(output_format, result.view)
    if result.notes and not quiet:
        streams.tell("\n".join(result.notes))
    if result.failure is not None:
        raise result.failure
