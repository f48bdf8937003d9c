"""Problems of a data file, collected until all of them can be said at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class FileProblem(NamedTuple):
    """One mistake in a file: its line, or None for the file as a whole, and a message.

    ``of_test`` says that it is the file of the test samples.
    """

    line: int | None
    message: str
    of_test: bool = False


class Refused(Exception):  # noqa: N818  # an outcome that read_file turns into a DataError
    """A file cannot be used, for these problems."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)
