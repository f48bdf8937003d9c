"""Errors that a user can mend: the command line prints the message and exits with the code.

::

    InitbenchError            exit 2   base class; str(error) is the whole message
    ├── ConfigError           exit 2   configs or options with mistakes: all of them, with places
    ├── DataError             exit 2   a data set that cannot be loaded
    ├── ResultsError          exit 2   a results folder that cannot be written or read
    │   └── DamagedError      exit 2   a store whose bytes are not those that were written
    ├── PluginError           exit 2   a plugin that defines no usable initializer
    ├── BaselineError         exit 3   a baseline that is missing, damaged or edited by hand
    ├── JobsError             exit 2   more processes than memory has room for
    ├── ExecutorError         exit 3   no workers to train on: Dask or its scheduler is missing
    ├── OutputError           exit 3   standard output takes no more: a full disk, for example
    ├── FailedRunsError       exit 1   some runs failed; the tables show the others
    └── FailedChecksError     exit 1   an initializer does not draw what it declares

Any other exception that reaches the command line is a bug of initbench.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from initbench.printable import visible


class InitbenchError(Exception):
    """The base of all errors that a user can mend; ``str(error)`` is the whole message."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file, or the option that set it; line and column count from 1."""

    source: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.source, self.line, self.column]
        return ":".join(str(part) for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a config: its place, its key, and a message with the fix."""

    place: Place
    key: str
    message: str

    def __str__(self) -> str:
        # A key or a path with a line end must not begin a line of its own.
        place, key = (visible(text, lines=False) for text in (str(self.place), self.key))
        return ": ".join(part for part in (place, key, self.message) if part)


#: A ConfigError's message lists at most so many problems.
MAX_LISTED = 100


class ConfigError(InitbenchError):
    """The problems of one or more configs, in the order of their places."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = [str(problem) for problem in problems[:MAX_LISTED]]
        if len(problems) > MAX_LISTED:
            lines.append("more problems are not listed; mend these first")
        super().__init__("\n".join(lines))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class DataError(InitbenchError):
    """A data set cannot be loaded; the message names the file, its line and its column."""


class ResultsError(InitbenchError):
    """Results cannot be written or read; the message names the path and the reason."""


class DamagedError(ResultsError):
    """A store's bytes are not those that were written; the message says how to save the rest."""


class PluginError(InitbenchError):
    """A plugin defines no usable initializer; the message names file, line and function."""


class BaselineError(InitbenchError):
    """A baseline cannot be compared with; the message names the file and the way out."""

    exit_code = 3


class ExecutorError(InitbenchError):
    """Runs cannot be trained, since the workers that were asked for are missing or unfit."""

    exit_code = 3


class JobsError(InitbenchError):
    """More processes were asked for than memory has room for; the message names how many fit."""


class OutputError(InitbenchError):
    """The result is known, but standard output does not take it."""

    exit_code = 3


class FailedRunsError(InitbenchError):
    """Some runs failed, for the reasons in the message; the command showed the others."""

    exit_code = 1


class FailedChecksError(InitbenchError):
    """Some initializers failed their checks; the message names them."""

    exit_code = 1
