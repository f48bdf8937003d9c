"""Where stacks train side by side: processes of this machine, or the workers of a Dask cluster.

Both are ``concurrent.futures.Executor``s. This module adds what that interface lacks: messages
from a task before its result, and which task is to blame when a worker dies.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import queue
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from tempfile import TemporaryDirectory
from time import monotonic
from types import ModuleType
from typing import Any, Protocol, TypeVar

from initbench import signals
from initbench.errors import ExecutorError
from initbench.runs.provenance import version

Result = TypeVar("Result")
#: A task's first argument: the task calls it with its iteration and the losses of its runs.
Tell = Callable[[int, tuple[float, ...]], None]
#: A task's ticket, its iteration, and the losses of its runs.
News = tuple[int, int, tuple[float, ...]]
#: Seconds between two messages of a task, so that a task never waits for their reader.
INTERVAL = 0.1
#: Seconds that a Dask scheduler has to answer.
PATIENCE = 10
#: The environment's variable that keeps the working directory off a new Python's path (3.11).
SAFE_PATH = "PYTHONSAFEPATH"
#: The process that removes what a killed driver leaves, its semaphores, does so without a word.
_NO_TRACKER_WARNINGS = "ignore:resource_tracker"


class Workers(Protocol):
    """What :func:`initbench.runs.execute.execute` trains stacks on."""

    #: Whether each worker has one task, so that no other task is suspected when the worker dies.
    apart: bool

    @property
    def room(self) -> int:
        """How many tasks to have started at a time."""

    def submit(
        self, ticket: int, task: Callable[..., Result], *arguments: object
    ) -> Future[Result]:
        """Start ``task(tell, *arguments)``."""

    def news(self) -> Iterator[News]:
        """The messages of tasks since the last call."""

    def deaths(self, error: BaseException) -> int:
        """How many workers died under the task that ended with ``error``; 0 if none did.

        Raises ExecutorError where the error says that no task can train on these workers.
        """

    def close(self) -> None:
        """End all tasks at once."""


@dataclass(frozen=True, slots=True)
class _Lane:
    """An executor of one process, the pipe of its messages, and the pipe that keeps it alive."""

    pool: ProcessPoolExecutor
    news: Connection
    life: Connection


class Processes:
    """Processes of this machine, each an executor of its own.

    A ``ProcessPoolExecutor`` of several processes ends all of them when one dies, and breaks every
    future: the work of the others would be lost, and nobody would know which task killed its
    process.
    """

    apart = True

    def __init__(self, count: int) -> None:
        self.room = count
        self._idle: list[_Lane] = []
        self._busy: dict[Future[Any], _Lane] = {}

    def submit(
        self, ticket: int, task: Callable[..., Result], *arguments: object
    ) -> Future[Result]:
        """Start ``task(tell, *arguments)`` in an idle process, or in a new one."""
        for future in [future for future in self._busy if future.done()]:
            lane = self._busy.pop(future)
            if isinstance(future.exception(), BrokenProcessPool):
                _end(lane)
            else:
                self._idle.append(lane)
        while self._idle:
            lane = self._idle.pop()
            try:
                future = lane.pool.submit(_in_process, ticket, task, *arguments)
                break
            except BrokenProcessPool:  # its process was killed while it was idle
                _end(lane)
        else:
            with signals.deferred(), _safe_path(), _no_interrupts(), _no_main_module():
                lane = _lane()
                future = lane.pool.submit(_in_process, ticket, task, *arguments)
        self._busy[future] = lane
        return future

    def news(self) -> Iterator[News]:
        """The messages of tasks since the last call."""
        for lane in (*self._busy.values(), *self._idle):
            # A message is far smaller than PIPE_BUF: a killed worker sends all or none of it.
            while lane.news.poll():
                yield lane.news.recv()

    def deaths(self, error: BaseException) -> int:
        """1 for a broken executor, which had one process."""
        return int(isinstance(error, BrokenProcessPool))

    def close(self) -> None:
        """End all processes, even in the middle of a stack."""
        for lane in (*self._busy.values(), *self._idle):
            _end(lane)


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Processes that are started in the block never receive Ctrl-C, and outlive a terminal.

    A terminal sends both to all processes, and a worker that is still importing would print a
    traceback. The driver receives them, and ends the workers.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        with _environment(PYTHONWARNINGS=_NO_TRACKER_WARNINGS):
            resource_tracker.ensure_running()  # which unblocks SIGINT when it starts
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _safe_path() -> AbstractContextManager[None]:
    """Processes that are started in the block do not look for modules in the working directory.

    A new Python does, before it takes over this process's path: a file ``types.py`` there would run
    in each worker. PYTHONPATH counts as ever.
    """
    return _environment(**{SAFE_PATH: "1"})


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Processes that are started in the block have these variables in their environment."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Processes that are started in the block do not import the caller's main module.

    They would run it once more: a script that calls initbench at its top level would call it again
    in each worker. Tasks need nothing of it.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _lane() -> _Lane:
    context = multiprocessing.get_context("spawn")
    news, telling = context.Pipe(duplex=False)
    living, life = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(1, context, initializer=_start, initargs=(telling, living))
    return _Lane(pool, news, life)


def _end(lane: _Lane) -> None:
    lane.life.close()
    lane.pool.shutdown(wait=False, cancel_futures=True)


_telling: Connection | None = None


def _start(telling: Connection, living: Connection) -> None:
    """In a new process: keep the pipe for messages, and end when the driver ends."""
    global _telling
    _telling = telling
    threading.Thread(target=_die_with, args=(living,), daemon=True).start()


def _die_with(living: Connection) -> None:
    living.poll(None)  # nothing is ever sent: this returns when the driver's side is closed
    os._exit(0)


def _in_process(ticket: int, task: Callable[..., Result], *arguments: object) -> Result:
    assert _telling is not None
    pipe = _telling
    return task(_seldom(lambda *told: pipe.send((ticket, *told))), *arguments)


def _seldom(tell: Tell) -> Tell:
    """A ``tell`` that passes on at most one message in each INTERVAL."""
    due = 0.0

    def told(iteration: int, losses: tuple[float, ...]) -> None:
        nonlocal due
        if monotonic() >= due:
            tell(iteration, losses)
            due = monotonic() + INTERVAL

    return told


class Dask:
    """The workers of a Dask cluster: the one at ``address``, or ``count`` processes here.

    Raises:
        ExecutorError: Dask is not installed, or the scheduler does not answer.
    """

    apart = False

    def __init__(self, address: str | None, count: int) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise ExecutorError(
                "Dask is not installed; try: pip install 'initbench[dask]'"
            ) from None
        # When a scheduler goes, Dask would log a traceback beside our message.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        self._cluster = None if address else _LocalCluster(count)
        try:
            where = self._cluster.cluster if self._cluster else address
            self._client = Client(where, timeout=PATIENCE)
        except BaseException as error:
            if self._cluster is not None:
                self._cluster.close()
            if not isinstance(error, Exception):  # an interrupt
                raise
            if address is None:
                message = f"the local Dask cluster does not answer ({error}); try again"
            else:
                message = (
                    f"the Dask scheduler at {address} does not answer ({error}); start one with "
                    "`dask scheduler`, and name the address that it prints"
                )
            raise ExecutorError(message) from None
        self._executor = self._client.get_executor(pure=False)
        self._news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._topic = f"initbench-{uuid.uuid4().hex}"
        self._client.subscribe_topic(self._topic, lambda event: self._news.put(event[1]["told"]))

    @property
    def threads(self) -> int:
        """The tasks that the cluster's workers can train at a time, as of now."""
        return sum(self._client.nthreads().values())

    @property
    def room(self) -> int:
        """Two tasks for every thread, so that the next is there when one is done."""
        return max(1, 2 * self.threads)

    def submit(
        self, ticket: int, task: Callable[..., Result], *arguments: object
    ) -> Future[Result]:
        """Start ``task(tell, *arguments)`` on some worker."""
        started: Future[Result] = self._executor.submit(
            _on_dask, version("initbench"), self._topic, ticket, task, *arguments
        )
        return started

    def news(self) -> Iterator[News]:
        """The messages of tasks since the last call."""
        while not self._news.empty():
            ticket, iteration, losses = self._news.get()
            yield ticket, iteration, tuple(losses)

    def deaths(self, error: BaseException) -> int:
        """As many as the scheduler lets a task kill before it gives the task up."""
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            return int(error.allowed_failures) + 1
        if isinstance(error, ImportError | AttributeError | ExecutorError):
            raise ExecutorError(
                f"a Dask worker cannot train ({type(error).__name__}: {error}); install initbench "
                f"{version('initbench')} on every worker, and the packages that it uses here"
            ) from None
        return 0

    def close(self) -> None:
        """Cancel all tasks. A cluster that was there before goes on."""
        self._executor.shutdown(wait=False)
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


class _LocalCluster:
    """A Dask cluster of ``count`` processes of this machine, which only this process can use.

    Its parts talk by TLS with certificates that live in memory, and serve no web pages. Its files
    stand in a folder of its own, which is removed with it.

    Raises:
        ExecutorError: It cannot start.
    """

    def __init__(self, count: int) -> None:
        import dask
        from distributed import LocalCluster
        from distributed.security import Security

        try:
            security = Security.temporary()
        except ImportError:
            raise ExecutorError(
                "the package cryptography is not installed, without which other users could run "
                "code in the workers; try: pip install 'initbench[dask]'"
            ) from None
        self.cluster: Any = None
        self._folder = TemporaryDirectory(prefix="initbench-dask-", ignore_cleanup_errors=True)
        signals.BEFORE_ENDING.append(self._folder.cleanup)
        environ = "distributed.nanny.pre-spawn-environ."
        settings = {
            # Every death is reported, because tries are counted here. The scheduler of another
            # cluster has a limit of its own.
            "distributed.scheduler.allowed-failures": 0,
            "temporary-directory": self._folder.name,
            "distributed.scheduler.http.routes": [],
            "distributed.worker.http.routes": [],
            # A worker would log a death, which the table says.
            f"{environ}DASK_LOGGING__DISTRIBUTED": "critical",
            # A worker that died is started anew, later.
            f"{environ}{SAFE_PATH}": "1",
        }

        def start() -> Any:
            with _no_interrupts():
                return LocalCluster(
                    n_workers=count,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    security=security,
                    dashboard_address="127.0.0.1:0",  # a free port: two clusters may run at once
                    silence_logs=logging.CRITICAL,  # the cluster would log a death too
                )

        try:
            # In a thread, which starts the cluster's threads: they hear no signal, and this one
            # hears a second Ctrl-C.
            with (
                signals.deferred(),
                dask.config.set(settings),
                _safe_path(),
                _no_main_module(),
                ThreadPoolExecutor(1) as starting,
            ):
                self.cluster = starting.submit(start).result()
        except BaseException as error:
            self.close()
            if not isinstance(error, Exception):  # a signal, heard now
                raise
            # Whatever part of Dask met the trouble first, an error of its own says so.
            raise ExecutorError(
                f"the local Dask cluster did not start ({type(error).__name__}: {error}); try "
                "again, or train with --executor processes"
            ) from None

    def close(self) -> None:
        """End the workers, and remove what they left."""
        try:
            if self.cluster is not None:
                self.cluster.close()
        finally:
            self._folder.cleanup()
            signals.BEFORE_ENDING.remove(self._folder.cleanup)


def _on_dask(
    driver: str, topic: str, ticket: int, task: Callable[..., Result], *arguments: object
) -> Result:
    from distributed import get_worker

    if version("initbench") != driver:
        raise ExecutorError(f"it has initbench {version('initbench')}")
    worker = get_worker()
    tell = _seldom(lambda *told: worker.log_event(topic, {"told": (ticket, *told)}))
    return task(tell, *arguments)
