"""`initbench diagnose`: what theory predicts, what the network shows, and a verdict in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from initbench.cli import options


@click.command("diagnose")
@click.argument("configs", nargs=-1, required=True, metavar="CONFIG...", type=click.Path())
@click.option("--during", is_flag=True, help="Train, and diagnose at every log point.")
@options.settings
@options.plugins
@options.output_format
@options.quiet
def command(
    configs: tuple[str, ...],
    during: bool,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    plugin_files: tuple[Path, ...],
    output_format: str,
    quiet: bool,
) -> None:
    """Say what each initializer's networks promise, before any training.

    Draws each config's networks at its seeds, sends its data through them and gradients back, and
    sets what is measured, layer by layer, beside what mean-field theory predicts. The verdict is
    one of symmetric, dead, exploding, saturated, vanishing, ordered (inputs merge), chaotic (inputs
    part) and healthy, with its reason, the layer where it begins, and what to do.
    """
    from initbench import config
    from initbench.cli.output import show
    from initbench.config import plugins
    from initbench.diagnosis.diagnose import diagnose
    from initbench.errors import FailedRunsError
    from initbench.report.views.diagnose import diagnose_view

    experiments = config.load(configs, [*overrides, *seeds], plugins.experiment(plugin_files))
    with _progress(enabled=during and not quiet) as tell:
        found, failures, notes = diagnose(experiments, during=during, report=tell)
    show(output_format, diagnose_view(found, experiments, during=during))
    if notes and not quiet:
        click.echo("\n".join(notes), err=True)
    if failures:
        raise FailedRunsError("some networks could not be drawn:\n" + "\n".join(failures))


@contextmanager
def _progress(*, enabled: bool) -> Iterator[Callable[[float], None]]:
    """A bar on standard error while networks train; silent unless that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not (enabled and console.is_terminal):
        yield lambda _: None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share: bar.update(task, completed=share)
