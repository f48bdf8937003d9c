"""A results folder that takes no files: what it holds is shown all the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from initbench.errors import ResultsError
from initbench.files import ensure_writable
from initbench.runs.execute import Progress
from initbench.runs.plan import Stack
from initbench.runs.runner import Say, Watch
from initbench.runs.store import FILE


def refusal(results: Path) -> ResultsError | None:
    """Why no files can be written to a folder that holds runs, or None where they can.

    Raises:
        ResultsError: No files can be written, and there are no runs to show.
    """
    try:
        ensure_writable(results)
    except ResultsError as error:
        if not os.path.exists(results / FILE):  # Path.exists raises where it may not look
            raise
        return error
    return None


def writable(results: Path | None, say: Say) -> Path | None:
    """The folder, if tables can be written to it; if not, why is said."""
    if results is not None and (why := refusal(results)):
        say(f"nothing was written: {why}")
        return None
    return results


def refusing(why: ResultsError) -> Watch:
    """A Watch that lets nothing train, since no run could be stored."""

    @contextmanager
    def refuse(_: Sequence[Stack]) -> Iterator[Callable[[Progress], None]]:
        raise why
        yield  # a generator is a function that yields

    return refuse
