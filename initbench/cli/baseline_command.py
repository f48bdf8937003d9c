"""`initbench baseline`: what `check` judges against."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options


@click.group("baseline")
def command() -> None:
    """Keep the baseline that `initbench check` judges against."""


@command.command("save")
@click.argument("configs", nargs=-1, metavar="[CONFIG...]", type=click.Path())
@options.everything
@options.gating
def save(
    configs: tuple[str, ...],
    everything: bool,
    baseline: Path,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    plugin_files: tuple[Path, ...],
    jobs: int | None,
    quiet: bool,
) -> None:
    """Train configs, and write what came out to the baseline file, for `check`.

    Each run is trained with eight twins, whose weights start one unit in the last place away:
    how far they end apart is what machines may differ by. As many runs again, at other seeds,
    are kept to confirm a regression. Named configs replace theirs in the file and leave the
    others; --all writes it anew.
    """
    paths = options.named_or_all(configs, everything=everything)
    from initbench import config
    from initbench.api import flows
    from initbench.cli.display import say, watch
    from initbench.config import plugins
    from initbench.runs.runner import Execution

    saved = flows.save_baseline(
        config.load(paths, [*overrides, *seeds], plugins.experiment(plugin_files)),
        baseline,
        Execution(jobs),
        anew=everything,
        watch=watch(quiet=quiet),
        say=say(quiet=quiet),
    )
    if not quiet:
        click.echo(
            f"wrote {baseline}: {saved.runs} runs with {saved.twins} twins each, "
            f"{saved.to_confirm} to confirm"
            f"{f'; {saved.kept} other rows kept' if saved.kept else ''}",
            err=True,
        )
