"""`initbench diagnose`: what theory predicts, what the network shows, and a verdict in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from initbench.cli import options

if TYPE_CHECKING:
    from initbench.diagnosis.diagnose import Diagnosis


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
    from initbench.report import diagnoses as report
    from initbench.report import titles
    from initbench.runs.records import RowKey, setting_key

    experiments = config.load(configs, [*overrides, *seeds], plugins.experiment(plugin_files))
    with _progress(enabled=during and not quiet) as tell:
        found, failures, notes = diagnose(experiments, during=during, report=tell)

    groups: dict[RowKey, list[Diagnosis]] = {}
    for diagnosis in found:
        f = diagnosis.findings
        groups.setdefault(f.row, []).append(diagnosis)
    posed = {(e.name, setting_key(e.setting)): e for e in experiments}

    def title(diagnosis: Diagnosis) -> str:
        f = diagnosis.findings
        e = posed[f.config, setting_key(f.setting)]
        setting = "".join(f", {key} {value}" for key, value in f.setting.items())
        seeds = f"{f.seeds} seed{'s' * (f.seeds > 1)}"
        if f.seeds < len(e.seeds):
            seeds = f"{f.seeds} of {len(e.seeds):,} seeds"
        return (
            f"{f.config}: {f.initializer}{setting}; {titles.network(e)}, "
            f"{f.samples} samples of {e.dataset.label}, {seeds}"
        )

    if during:
        shown = [report.during_table(group, title(group[0])) for group in groups.values()]
    elif len(found) == 1:
        shown = [report.diagnosis_table(found[0], title(found[0]))]
    else:
        shown = [report.summary_table("Worst first", found)] if found else []
    show(output_format, shown, lambda: report.document(found), lambda: report.csv_rows(found))
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
