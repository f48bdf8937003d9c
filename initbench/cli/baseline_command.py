"""`initbench baseline`: saves the outcomes that `initbench check` judges against."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options, streams


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
    trust_plugins: bool,
    jobs: int | None,
    quiet: bool,
) -> None:
    """Train configs and save their outcomes to the baseline file.

    Each run is trained with eight twins, whose first weights differ from its own by one unit in the
    last place. How far the twins end from the run is how far another machine may end from it. As
    many runs again, at other seeds, are saved to confirm a regression.

    A config that is named replaces its own rows in the file, and the rows of other configs stay;
    --all writes the file anew.
    """
    paths = options.named_or_all(configs, everything=everything)
    from initbench import config
    from initbench.api import gating
    from initbench.cli.display import say, watch
    from initbench.config.plugins import Allowed
    from initbench.runs.runner import Execution
    from initbench.wording import counted

    saved = gating.save_baseline(
        config.load(paths, [*overrides, *seeds], Allowed(plugin_files, trust_plugins), judged=True),
        baseline,
        Execution(jobs),
        anew=everything,
        watch=watch(quiet=quiet),
        say=say(quiet=quiet),
    )
    if not quiet:
        for warning in saved.warnings:
            streams.tell(warning)
        runs = counted(saved.runs, "run")
        kept = f"; {counted(saved.kept, 'other row')} kept" if saved.kept else ""
        streams.tell(
            f"wrote {baseline}: {runs} with {saved.twins} twins each, {saved.to_confirm:,} to "
            f"confirm{kept}"
        )
