"""`initbench show`: lists stored runs, or shows one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from initbench.cli import options


@click.command("show")
@click.argument("what", required=False, metavar="[CONFIG|RUN]")
@options.stored
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N",
    help="Show at most N runs; by default 30 in a table, and all in other formats.",
)  # fmt: skip
@options.output_format
def command(
    what: str | None,
    status: str | None,
    initializer: str | None,
    since: datetime | None,
    before: datetime | None,
    results: Path,
    plugin_files: tuple[Path, ...],
    trust_plugins: bool,
    limit: int | None,
    output_format: str,
) -> None:
    """List the stored runs, the newest first, or show one run.

    CONFIG is a config's file or name; the runs that it asked for are listed, whichever config they
    were first trained for. RUN is the id of a run, or at least 4 of its first digits:
    the run is shown with all that determined it, where it was made, and its curve. CSV and JSON
    hold everything with all digits.
    """
    from initbench.api.stored import chosen
    from initbench.cli.output import show
    from initbench.config.plugins import Allowed
    from initbench.report.views.show import show_run_view, show_view
    from initbench.runs.store import existing

    with existing(results) as store:
        selection = chosen(
            store, what, status, initializer, since, before, Allowed(plugin_files, trust_plugins)
        )
        if limit is None:
            limit = 30 if output_format == "table" else -1
        stored = store.select(selection.filter, limit)
        found = [one.asked_by(selection.config) for one in stored]
        total = store.count(selection.filter)
    one = selection.is_run and found
    show(
        output_format, show_run_view(found[0]) if one else show_view(str(store.path), found, total)
    )
