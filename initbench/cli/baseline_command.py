"""`initbench baseline`: what `check` judges against."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options

ANOTHER = "another file with --baseline"


@click.group("baseline")
def command() -> None:
    """Keep the baseline that `initbench check` judges against."""


@command.command("save")
@click.argument("configs", nargs=-1, metavar="[CONFIG...]", type=click.Path())
@click.option("--all", "everything", is_flag=True, help="Every config directly in configs/.")
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
    if bool(configs) == everything:
        raise click.UsageError("Name configs, or give --all; not both.")
    from dataclasses import replace

    from initbench import config
    from initbench.cli import gating
    from initbench.cli.training import reasons
    from initbench.config import plugins
    from initbench.errors import FailedRunsError
    from initbench.files import ensure_writable, write_file
    from initbench.gate import baseline as saved
    from initbench.gate.outcomes import TWINS, confirm_seeds
    from initbench.runs import plan

    model = plugins.experiment(plugin_files)
    experiments = config.load(configs or config.all_configs(), [*overrides, *seeds], model)
    kept = {}
    if configs and baseline.exists():
        names = {experiment.name for experiment in experiments}
        kept = {key: g for key, g in saved.load(baseline).items() if g.config not in names}
    ensure_writable(baseline.parent, ANOTHER)

    runs = plan.runs(experiments)
    twins = [replace(run, nudge=k) for run in runs for k in range(1, TWINS + 1)]
    others = plan.runs(e.model_copy(update={"seeds": confirm_seeds(e.seeds)}) for e in experiments)
    records = gating.train([*runs, *twins, *others], jobs, quiet=quiet)
    if failures := reasons(records):
        raise FailedRunsError("runs failed; no baseline was saved:\n" + "\n".join(failures))
    first = len(runs) + len(twins)
    confirm = {group.key: group.runs for group in gating.groups(others, records[first:])}
    groups = [
        replace(group, confirm=confirm[group.key])
        for group in gating.groups([*runs, *twins], records[:first])
    ]
    write_file(baseline, saved.text([*kept.values(), *groups]), ANOTHER)
    if not quiet:
        click.echo(
            f"wrote {baseline}: {len(runs)} runs with {TWINS} twins each, {len(others)} to "
            f"confirm{f'; {len(kept)} other rows kept' if kept else ''}",
            err=True,
        )
