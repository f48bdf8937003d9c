"""Selecting stored runs: by config, id, status, initializer and time."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime
from pathlib import Path

from initbench import config, datasets
from initbench.config.plugins import Allowed
from initbench.core.initializers import ALIASES, INITIALIZERS
from initbench.errors import ResultsError
from initbench.runs import identity, plan
from initbench.runs.store import Filter, Store
from initbench.spec.choice import registry_spelling

#: An id may be cut to this many digits. A shorter text is more likely a misspelt config.
FEWEST_DIGITS = 4


def chosen(
    store: Store,
    what: str | None,
    status: str | None,
    initializer: str | None,
    since: datetime | None,
    before: datetime | None,
    allowed: Allowed,
) -> tuple[Filter, bool]:
    """The filter that selects runs which match all arguments, and whether it names a single run.

    Args:
        store: The store to look in.
        what: A config's file, the name of a config that runs are stored under, or a run's id or the
            beginning of one.
        status: How the runs ended.
        initializer: The runs' initializer, by name or alias, perhaps with parameters.
        since: The runs were stored then or later, in UTC.
        before: The runs were stored before, in UTC.
        allowed: The plugin files that may be run, whose initializers the config's file may name.

    Raises:
        ResultsError: The store has no such config and no such run.
    """
    ids, name = (None, None) if what is None else _meant(store, what, allowed)
    is_run = what is not None and ids is not None and not _is_file(what)
    asked = None if initializer is None else _stored_name(initializer)
    if asked is not None and asked.partition("(")[0] not in INITIALIZERS:
        _refuse_unknown(store, asked)
    return Filter(ids, name, asked, status, _utc(since), _utc(before)), is_run


def _refuse_unknown(store: Store, initializer: str) -> None:
    """Raise ResultsError unless the name, which is no initializer of ours, has stored runs."""
    if store.count(Filter(initializer=initializer)):
        return
    known = [*INITIALIZERS, *ALIASES]
    close = difflib.get_close_matches(registry_spelling(initializer), known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "; `initbench show` lists all runs"
    raise ResultsError(f"{store.path}: has no run of an initializer {initializer!r}{hint}")


def _stored_name(initializer: str) -> str:
    """The name that runs are stored under, where a config may write another for it."""
    name, bracket, parameters = initializer.partition("(")
    known = ALIASES.get(registry_spelling(name), registry_spelling(name))
    return f"{known}{bracket}{parameters}" if known in INITIALIZERS else initializer


def _utc(moment: datetime | None) -> str | None:
    """A moment as the store writes it."""
    return None if moment is None else moment.replace(tzinfo=UTC).isoformat(timespec="seconds")


def _is_file(what: str) -> bool:
    return Path(what).suffix in {".yaml", ".yml"}


def _meant(store: Store, what: str, allowed: Allowed) -> tuple[tuple[str, ...] | None, str | None]:
    """The ids of the runs that are meant, or the name of the config; the other one is None."""
    if _is_file(what):
        # Its runs are found by their ids: they may be stored under another config's name.
        runs = plan.runs(config.load([what], (), allowed))
        return tuple(identity.identities(runs, datasets.fingerprint)), None
    names = store.names()
    if what in names:
        return None, what
    ids = store.starting_with(what.lower()) if len(what) >= FEWEST_DIGITS else []
    if len(ids) == 1:
        return tuple(ids), None
    if ids:
        raise ResultsError(
            f"{what!r} begins the ids of {len(ids)} runs, such as {ids[0]} and {ids[1]}; give more "
            "digits"
        )
    close = difflib.get_close_matches(what, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "; `initbench show` lists all runs"
    raise ResultsError(f"{store.path}: has no config and no run {what!r}{hint}")
