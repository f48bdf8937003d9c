"""`initbench clean`: removes stored runs."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from initbench.cli import options, streams


def asked() -> bool:
    """Whether a question on standard input can be answered."""
    return sys.stdin.isatty()


@click.command("clean")
@click.argument("what", required=False, metavar="[CONFIG|RUN]")
@options.stored
@click.option("--all", "everything", is_flag=True, help="Remove every run.")
@click.option(
    "--damaged", is_flag=True, help="Keep the runs of a damaged store that are whole, no others."
)
@click.option("--yes", "-y", is_flag=True, help="Remove without asking.")
def command(
    what: str | None,
    status: str | None,
    initializer: str | None,
    since: datetime | None,
    before: datetime | None,
    results: Path,
    plugin_files: tuple[Path, ...],
    trust_plugins: bool,
    everything: bool,
    damaged: bool,
    yes: bool,
) -> None:
    """Remove stored runs, after asking.

    CONFIG (a config's file or name) or RUN (an id, or at least 4 of its first digits) and the
    options select runs; a run must match all of them. Runs that other configs asked for too are
    removed with the others: the question says how many. Tables that were written stay. A run that
    was removed is trained again when it is next asked for.

    --damaged asks nothing: it checks every run against its checksum, and where the store is damaged
    it writes a new one with the runs that are whole. The damaged file is kept beside it.
    """
    selected = any((what, status, initializer, since, before))
    if damaged and (selected or everything):
        raise click.UsageError("--damaged takes all runs: select none, and leave out --all.")
    if damaged:
        _save_what_is_whole(results)
        return
    if everything == selected:
        both = "; not both" if everything else ""
        raise click.UsageError(f"Select runs, or give --all{both}.")
    from initbench.api.stored import chosen, others_in_words
    from initbench.config.plugins import Allowed
    from initbench.runs.store import Filter, existing
    from initbench.wording import counted

    with existing(results) as store:
        selection = chosen(
            store, what, status, initializer, since, before, Allowed(plugin_files, trust_plugins)
        )
        count = store.count(selection.filter)
        if not count:
            streams.tell(f"{store.path}: holds no such run")
            return
        runs = counted(count, "run")
        others = others_in_words(store, selection)
        also = f", {others}" if others else ""
        if not yes:
            if not asked():
                raise click.UsageError(
                    f"Nobody can answer on standard input; give --yes to remove {runs}{also}."
                )
            if not click.confirm(f"Remove {runs} from {store.path}{also}?", err=True):
                streams.tell("nothing was removed")
                return
        removed = store.remove(selection.filter)
        of = counted(removed + store.count(Filter()), "run")
        streams.tell(f"removed {removed:,} of {of}{also}")


def _save_what_is_whole(results: Path) -> None:
    from initbench.runs.salvage import salvage
    from initbench.runs.store import FILE
    from initbench.wording import counted

    saved = salvage(results)
    runs = counted(saved.runs, "run")
    if saved.copy is None:
        streams.tell(f"{results / FILE}: is whole: {runs}")
    else:
        streams.tell(
            f"{results / FILE}: kept {runs} that could be read and are whole; the damaged file is "
            f"now {saved.copy}"
        )
