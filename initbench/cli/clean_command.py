"""`initbench clean`: remove stored runs."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from initbench.cli import options


def asked() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


@click.command("clean")
@click.argument("what", required=False, metavar="[CONFIG|RUN]")
@options.stored
@click.option("--all", "everything", is_flag=True, help="Every run, whatever it is.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def command(
    what: str | None,
    status: str | None,
    initializer: str | None,
    since: datetime | None,
    before: datetime | None,
    results: Path,
    plugin_files: tuple[Path, ...],
    everything: bool,
    yes: bool,
) -> None:
    """Remove stored runs, after asking; they would be trained again.

    Which ones, say CONFIG (a config's file or name), RUN (an id, or 4 or more of its digits)
    and the options, all of them together. Tables that were written stay.
    """
    if everything == any((what, status, initializer, since, before)):
        raise click.UsageError("Say which runs, or give --all; not both.")
    from initbench.api.stored import chosen
    from initbench.runs.store import Filter, existing

    with existing(results) as store:
        filtered, _ = chosen(store, what, status, initializer, since, before, plugin_files)
        count = store.count(filtered)
        if not count:
            click.echo(f"{store.path}: holds no such run", err=True)
            return
        runs = f"{count:,} run{'' if count == 1 else 's'}"
        if not yes:
            if not asked():
                raise click.UsageError(f"Standard input cannot be asked; --yes removes {runs}.")
            if not click.confirm(f"Remove {runs} from {store.path}?", err=True):
                click.echo("nothing was removed", err=True)
                return
        removed = store.remove(filtered)
        click.echo(f"removed {removed:,} of {removed + store.count(Filter()):,} runs", err=True)
