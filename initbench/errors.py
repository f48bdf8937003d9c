"""What can go wrong, as exceptions that the command line turns into a message and an exit code.

::

    InitbenchError            exit 2   something the user can mend; str() is the whole message
    ├── ConfigError           exit 2   a config's problems, all of them, each with its place
    ├── DataError             exit 2   a data file that cannot be read as one
    ├── ResultsError          exit 2   results that cannot be written, or read again
    ├── PluginError           exit 2   an initializer of the user's own that is none
    ├── BaselineError         exit 3   a baseline that is missing, broken or edited
    ├── ExecutorError         exit 3   nobody to train: no Dask, no scheduler, unfit workers
    ├── FailedRunsError       exit 1   some runs failed; the others are in the tables
    └── FailedChecksError     exit 1   an initializer does not draw what it declares

Anything else that escapes is a bug of initbench.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class InitbenchError(Exception):
    """Base of all errors that a user can mend."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file (or the option that set it), line and column from 1."""

    source: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.source, self.line, self.column]
        return ":".join(str(part) for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a config: where, which key, and what, got and fix in words."""

    place: Place
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.place), self.key, self.message) if part)


class ConfigError(InitbenchError):
    """A config's problems, in the order of their places."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class DataError(InitbenchError):
    """A data set that cannot be loaded; the message names file, line and column name."""


class ResultsError(InitbenchError):
    """Results that cannot be written or read; the message names the path and the reason."""


class PluginError(InitbenchError):
    """A user's own initializer that cannot be used; the message names file, line and function."""


class BaselineError(InitbenchError):
    """A baseline that cannot be judged against; the message names the file and the way out."""

    exit_code = 3


class ExecutorError(InitbenchError):
    """Runs could not be trained where they were to be, for want of workers that can."""

    exit_code = 3


class FailedRunsError(InitbenchError):
    """Some runs failed, for the reasons in the message; what came of the others was shown."""

    exit_code = 1


class FailedChecksError(InitbenchError):
    """Some checks of initializers failed; the message names them."""

    exit_code = 1
