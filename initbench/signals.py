"""Signals that ask a command to end: Ctrl-C, ``kill``, and a terminal that is closed.

The first one raises :class:`Stopped`, so that what is finished can be kept and shown. A second one
ends the process at once. The exit code is 128 plus the signal's number, as shells have it: 130, 143
and 129. Signals that were ignored when the process began (``nohup``) stay ignored.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

#: SIGHUP is POSIX only.
SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
#: What is called before the process ends at once; it must be quick.
BEFORE_ENDING: list[Callable[[], object]] = []

_SHOW_CURSOR = b"\x1b[?25h"
_Handler = Callable[[int, FrameType | None], Any]


class Stopped(KeyboardInterrupt):
    """A signal asks the process to end; ``exit_code`` is what the shell is told."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


def end_at_once(number: int, _: FrameType | None = None) -> NoReturn:
    """End the process, with one word instead of a traceback."""
    for action in BEFORE_ENDING:
        action()
    cursor = _SHOW_CURSOR if os.isatty(2) else b""  # which a progress bar had hidden
    with contextlib.suppress(OSError):  # the terminal may be gone
        os.write(2, cursor + b"interrupted\n")
    os._exit(128 + number)


@contextlib.contextmanager
def handled_by(handler: _Handler) -> Iterator[None]:
    """Give the block's signals to ``handler``, except where it may not: in another thread."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            # None: a handler that was not set by Python.
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextlib.contextmanager
def stopping() -> Iterator[list[int]]:
    """The first signal in the block raises Stopped; another ends the process at once.

    The list that the block is given holds the number of the signal, once it has come.
    """
    heard: list[int] = []

    def stop(number: int, _: FrameType | None) -> NoReturn:
        heard.append(number)
        for each in SIGNALS:
            if signal.getsignal(each) is stop:
                signal.signal(each, end_at_once)
        raise Stopped(number)

    plain = sys.unraisablehook

    def unraisable(what: sys.UnraisableHookArgs) -> None:
        """Python drops what is raised while it frees an object: the signal would be lost."""
        if isinstance(what.exc_value, Stopped):
            end_at_once(what.exc_value.exit_code - 128)
        plain(what)

    sys.unraisablehook = unraisable
    try:
        with handled_by(stop):
            yield heard
    finally:
        sys.unraisablehook = plain


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """A signal in the block is heard at its end, and a second one ends the process at once.

    For what may not be left half done: a process that is being started.
    """
    noted: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if noted:
            end_at_once(number)
        noted.append(number)

    try:
        with handled_by(note):
            yield
    finally:
        if noted:
            signal.raise_signal(noted[0])
