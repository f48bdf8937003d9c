"""A process for plugins: what a user's own code does there can end or corrupt no command.

Each process that calls a plugin has one such child, which starts with the first call. A plugin may
raise anything, exit, be killed, fork, write to descriptor 1 or never return: its call ends in a
PluginError that says so, and the next call gets a new child.

The parent sends frames, which are a length and a pickle, to the child's standard input. The child
answers on what was its standard output; before any plugin runs, descriptor 1 leads to standard
error.
"""

from __future__ import annotations

import atexit
import json
import os
import pickle
import queue
import random
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.random import RandomState
from threadpoolctl import threadpool_limits

from initbench import signals
from initbench.errors import PluginError

#: The environment variable that allows a plugin's call more seconds than SECONDS.
VARIABLE = "INITBENCH_PLUGIN_SECONDS"
SECONDS = 60.0
#: Whether this process is such a child: a plugin that calls initbench needs no further one.
_serving = False
_LENGTH = struct.Struct("<Q")
#: With -P no file of the working directory stands in for a module of Python's own.
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from initbench.interop.plugin_process import serve; serve()"
)


@dataclass(frozen=True, slots=True)
class _Raised:
    """What a call ended with in place of a result, in words."""

    words: str


class _Child:
    """The child of one process, and the calls that did not return, which are not made again."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.owner = os.getpid()
        self.hung: set[Callable[..., Any]] = set()
        self.lock = threading.Lock()

    def started(self) -> subprocess.Popen[bytes]:
        if self.owner != os.getpid():  # a fork of the process that started it
            self.process, self.owner = None, os.getpid()
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(  # noqa: S603  # this Python, and our own line
                [sys.executable, "-P", "-c", _START, json.dumps(sys.path)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                start_new_session=True,  # a terminal's Ctrl-C is for the command
            )  # fmt: skip
        return self.process

    def end(self) -> None:
        if self.process is not None and self.owner == os.getpid():
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
        self.process = None


_child = _Child()
atexit.register(_child.end)
signals.BEFORE_ENDING.append(_child.end)


def call(function: Callable[..., Any], *arguments: Any, **parameters: Any) -> Any:
    """The result of ``function(*arguments, **parameters)``, computed in the child.

    ``function`` must pickle, and equal its copies. Every ``RandomState`` among the arguments, and
    the global generators of NumPy and Python, end in the state that the call leaves them in, as if
    it had run here.

    Raises:
        PluginError: The call raised, did not return in time, or ended its process; the message says
            which, and where.
    """
    if _serving:
        return function(*arguments, **parameters)
    limit = float(os.environ.get(VARIABLE) or SECONDS)
    too_long = PluginError(
        f"did not return within {limit:g} s; set {VARIABLE} to allow more seconds"
    )
    with _child.lock:
        if function in _child.hung:
            raise too_long
        frame = pickle.dumps((function, arguments, parameters, _states(arguments)))
        process = _child.started()
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(limit, stop)
        timer.daemon = True
        timer.start()
        try:
            answer = _exchange(process, frame)
        except BaseException:  # an interrupt: the child may still be at work
            _child.end()
            raise
        finally:
            timer.cancel()
        if answer is None:
            code = process.wait()
            _child.end()
            if late.is_set():
                _child.hung.add(function)
                raise too_long
            raise PluginError(_ending(code))
    try:
        result, states = pickle.loads(answer)  # noqa: S301  # of our own child
    except Exception as error:
        raise PluginError(
            f"returned what another process cannot read ({type(error).__name__}: {error})"
        ) from None
    if isinstance(result, _Raised):
        raise PluginError(result.words)
    _restore(arguments, states)
    return result


def _exchange(process: subprocess.Popen[bytes], frame: bytes) -> bytes | None:
    """The child's answer to a frame; None if it ended without one."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        _send(process.stdin, frame)
    except OSError:  # the pipe is broken: it ended while it waited
        return None
    return _receive(process.stdout)


def _ending(code: int) -> str:
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"was killed by {name} (out of memory?)"
    return f"ended its process (exit code {code})"


def _generators(arguments: tuple[Any, ...]) -> list[RandomState]:
    own = [argument for argument in arguments if isinstance(argument, RandomState)]
    return [np.random.mtrand._rand, *own]  # the first is behind np.random.seed


def _states(arguments: tuple[Any, ...]) -> list[Any]:
    """The states of Python's and NumPy's global generators, and of those among the arguments."""
    return [random.getstate(), *(one.get_state(legacy=False) for one in _generators(arguments))]


def _restore(arguments: tuple[Any, ...], states: list[Any]) -> None:
    random.setstate(states[0])
    for generator, state in zip(_generators(arguments), states[1:], strict=True):
        generator.set_state(state)


def serve() -> None:
    """In the child: answer calls until the parent closes the pipe, or is gone."""
    global _serving
    _serving = True
    # Draws have the same bits in every process, and what overflows is found in the weights.
    threadpool_limits(1, user_api="blas")
    np.seterr(all="ignore")
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a TextIOWrapper
    frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, frames), daemon=True).start()
    while True:
        _send(answers, _answer(frames.get()))


def _listen(requests: BinaryIO, frames: queue.SimpleQueue[bytes]) -> None:
    """Take frames from the parent. When the parent is gone, end at once, even in a call."""
    while (frame := _receive(requests)) is not None:
        frames.put(frame)
    os._exit(0)


def _answer(frame: bytes) -> bytes:
    me = os.getpid()
    try:
        function, arguments, parameters, states = pickle.loads(frame)  # noqa: S301  # our parent's
        _restore(arguments, states)
        result: Any = function(*arguments, **parameters)
        answer = pickle.dumps((result, _states(arguments)))
    except BaseException as error:  # whatever a plugin raises is its answer
        answer = pickle.dumps((_Raised(words(error)), []))
    if os.getpid() != me:  # the plugin forked, and this is the copy
        os._exit(0)
    return answer


def words(error: BaseException) -> str:
    """`raised TYPE: MESSAGE (FILE:LINE)`, even of an exception that cannot be printed."""
    if isinstance(error, PluginError):
        return str(error)
    try:
        message = str(error)
    except BaseException:
        message = "(its message cannot be printed)"
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    return f"raised {type(error).__name__}: {message}{notes}"


def _send(pipe: Any, frame: bytes) -> None:
    pipe.write(_LENGTH.pack(len(frame)) + frame)
    pipe.flush()


def _receive(pipe: Any) -> bytes | None:
    """The next frame; None where the other side is gone."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    frame: bytes = pipe.read(length)
    return frame if len(frame) == length else None
