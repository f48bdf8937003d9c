"""Selecting stored runs: by config, id, status, initializer and time."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from initbench import config, datasets
from initbench.config.document import parse
from initbench.config.plugins import Allowed
from initbench.core.initializers import ALIASES, INITIALIZERS
from initbench.errors import ConfigError, ResultsError
from initbench.runs import identity, plan
from initbench.runs.store import Filter, Store
from initbench.spec import INITIALIZER_MODELS, Experiment
from initbench.spec.choice import registered, registry_spelling


@dataclass(frozen=True, slots=True)
class Selection:
    """Stored runs; ``config`` is the name of the config that they are seen as the runs of, if any.

    ``is_run`` says that the user named a single run.
    """

    filter: Filter
    config: str | None = None
    is_run: bool = False


#: An id may be cut to this many digits. A shorter text is more likely a misspelt config.
FEWEST_DIGITS = 4
#: A sentence names at most so many other configs.
LISTED = 3


def chosen(
    store: Store,
    what: str | None,
    status: str | None,
    initializer: str | None,
    since: datetime | None,
    before: datetime | None,
    allowed: Allowed,
) -> Selection:
    """The runs that match all arguments.

    Args:
        store: The store to look in.
        what: A config's file, the name of a config that asked for runs, or a run's id or the
            beginning of one.
        status: How the runs ended.
        initializer: The runs' initializer, by name or alias, perhaps with parameters.
        since: The runs were stored then or later, in UTC.
        before: The runs were stored before, in UTC.
        allowed: The plugin files that may be run, whose initializers the config's file may name.

    Raises:
        ResultsError: The store has no such config and no such run.
    """
    meant = Selection(Filter()) if what is None else _meant(store, what, allowed)
    asked = None if initializer is None else _stored_name(initializer)
    if asked is not None and asked.partition("(")[0] not in INITIALIZERS:
        _refuse_unknown(store, asked)
    filtered = replace(
        meant.filter, initializer=asked, status=status, since=_utc(since), before=_utc(before)
    )
    return replace(meant, filter=filtered)


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
    if initializer.lstrip().startswith("{"):
        return _label_by_layer(initializer)
    name, bracket, parameters = initializer.partition("(")
    known = registered(name, INITIALIZER_MODELS, ALIASES)
    return f"{known}{bracket}{parameters}" if known else initializer


def _label_by_layer(text: str) -> str:
    """The label of a mapping by layer; the text itself if it is a label already, or none."""
    some = {"name": "any", "layers": [1, 1], "iterations": 1, "learning_rate": 1.0}
    try:
        config_of_it = some | {"initializer": parse(text, text).data}
        (choice,) = Experiment.model_validate(config_of_it).initializer
    except (ConfigError, ValueError):
        return text
    return choice.label


def _utc(moment: datetime | None) -> str | None:
    """A moment as the store writes it."""
    return None if moment is None else moment.replace(tzinfo=UTC).isoformat(timespec="seconds")


def others_in_words(store: Store, selection: Selection) -> str:
    """Which other configs asked for the runs, and for how many; empty where none did.

    Runs that no config is named for are everybody's: then nobody is another.
    """
    if selection.config is None:
        return ""
    counts = store.asked_by_others(selection.filter, selection.config)
    named = [f"{count:,} by {name}" for name, count in counts.items()]
    more = [f"some by {len(named) - LISTED:,} more"] if len(named) > LISTED else []
    return ", ".join([*named[:LISTED], *more]).replace(" by ", " of them also asked for by ", 1)


def _is_file(what: str) -> bool:
    return Path(what).suffix in {".yaml", ".yml"}


def _meant(store: Store, what: str, allowed: Allowed) -> Selection:
    """The runs of a config's file, of a config's name, or the one run that are meant."""
    if _is_file(what):
        # Its runs are found by their ids: other configs may have asked for them alone.
        experiments = config.load([what], (), allowed)
        ids = identity.identities(plan.runs(experiments), datasets.fingerprint)
        return Selection(Filter(tuple(ids)), experiments[0].name)
    names = store.names()
    if what in names:
        return Selection(Filter(config=what), what)
    ids = store.starting_with(what.lower()) if len(what) >= FEWEST_DIGITS else []
    if len(ids) == 1:
        (one,) = store.select(Filter(tuple(ids)))
        return Selection(Filter(tuple(ids)), one.record.config, is_run=True)
    if ids:
        raise ResultsError(
            f"{what!r} begins the ids of {len(ids)} runs, such as {ids[0]} and {ids[1]}; give more "
            "digits"
        )
    close = difflib.get_close_matches(what, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "; `initbench show` lists all runs"
    raise ResultsError(f"{store.path}: has no config and no run {what!r}{hint}")
