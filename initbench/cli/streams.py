"""Standard output and standard error, whatever their encoding, and whether or not they take it.

Characters that an encoding lacks are replaced by the nearest (:data:`initbench.printable.NEAREST`).
Standard output that cannot be written ends the command: quietly where its reader has gone, as
``initbench list | head -3`` does, and else with a message. Messages that cannot be written change
nothing: the exit code tells what matters.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any, NoReturn, TextIO

import click

from initbench.errors import OutputError
from initbench.printable import NEAREST, inert, visible

#: The exit code of a command whose reader has gone, as shells write the signal SIGPIPE.
CLOSED = 141


def write(text: str, *, err: bool = False) -> None:
    """Write a format's text, which has escaped all that the format obeys."""
    _put(sys.stderr if err else sys.stdout, text)


def write_text(text: str) -> None:
    """Write a text for people on standard output, in which a CI system finds no command."""
    write(inert(text))


def tell(message: str) -> None:
    """Write a message on standard error, with everything that terminals and CI obey escaped."""
    _put(sys.stderr, inert(visible(message)) + "\n")


@contextmanager
def guarded() -> Iterator[None]:
    """Within this context, standard output and error are written as the module says."""
    with ExitStack() as stack:
        # Without a console, as under pythonw, they are None.
        if sys.stdout is not None:
            stack.enter_context(redirect_stdout(_wrapped(sys.stdout, _ended)))
        if sys.stderr is not None:
            stack.enter_context(redirect_stderr(_wrapped(sys.stderr, _unheard)))
        yield


class _Guarded(io.RawIOBase):
    """The bytes of a stream: what cannot be written is told to a function, and the rest is lost."""

    def __init__(self, stream: Any, failed: Callable[[OSError], None]) -> None:
        self._stream = stream
        self._failed = failed

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return bool(self._stream.isatty())

    def fileno(self) -> int:
        return int(self._stream.fileno())

    def write(self, data: Any) -> int:
        try:
            self._stream.write(data)
            self._stream.flush()
        except OSError as error:
            # What is still buffered would fail again when Python ends.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            self._failed(error)
        return len(data)


def _wrapped(stream: TextIO, failed: Callable[[OSError], None]) -> TextIO:
    bytes_of = getattr(stream, "buffer", None)
    if bytes_of is None:  # a stream of texts alone, such as io.StringIO, takes every character
        return stream
    guard: Any = _Guarded(bytes_of, failed)
    return io.TextIOWrapper(guard, encoding=stream.encoding, errors=NEAREST, line_buffering=True)


def _ended(error: OSError) -> NoReturn:
    if isinstance(error, BrokenPipeError):
        raise click.exceptions.Exit(CLOSED) from None
    raise OutputError(f"standard output: cannot be written: {error.strerror or error}") from None


def _unheard(_: OSError) -> None:
    """Nobody can be told."""


def _put(stream: TextIO | None, text: str) -> None:
    if stream is not None:
        stream.write(text)
        stream.flush()
