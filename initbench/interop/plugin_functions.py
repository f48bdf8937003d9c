"""Functions of plugins, in forms that pickle and that run in the process of plugins.

A plugin's module is also run in the command's own process, for the signatures of its functions; but
only after the other process has run it and survived.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from initbench.errors import PluginError
from initbench.interop import plugin_process

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class FileFunction:
    """A function of a plugin file, which pickles as the file's text: a worker needs no file."""

    path: str
    source: bytes = field(repr=False)
    name: str

    @property
    def __wrapped__(self) -> Function:
        """The function itself, under the name that ``inspect.signature`` follows."""
        function: Function = vars(module_of(self.path, self.source))[self.name]
        return function

    def __call__(self, *args: Any, **parameters: Any) -> Any:
        """Call the function in the process of plugins; PluginError says how it failed."""
        return plugin_process.call(self.here, *args, **parameters)

    def here(self, *args: Any, **parameters: Any) -> Any:
        """Call the function in this process; an exception gets a note with the line of the file."""
        try:
            return self.__wrapped__(*args, **parameters)
        except BaseException as error:
            error.add_note(place(self.path, error))
            raise


@dataclass(frozen=True, slots=True)
class PackageFunction:
    """A function of an installed package, which pickles as its name."""

    module: str
    name: str

    @property
    def __wrapped__(self) -> Function:
        """The function itself, under the name that ``inspect.signature`` follows."""
        function: Function = vars(import_module(self.module))[self.name]
        return function

    def __call__(self, *args: Any, **parameters: Any) -> Any:
        """Call the function in the process of plugins; PluginError says how it failed."""
        return plugin_process.call(self.here, *args, **parameters)

    def here(self, *args: Any, **parameters: Any) -> Any:
        """Call the function in this process."""
        return self.__wrapped__(*args, **parameters)


def run_file(path: str, source: bytes) -> ModuleType:
    """The module of a plugin file, run in the process of plugins first.

    Raises:
        PluginError: The file cannot be run; the message says where and why.
    """
    try:
        compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        where = ":".join(str(part) for part in (path, error.lineno, error.offset) if part)
        raise PluginError(f"{where}: is not Python: {error.msg}") from None
    except ValueError as error:  # a null byte, until Python 3.12
        raise PluginError(f"{path}: is not Python: {error}") from None
    try:
        problem = plugin_process.call(_File(path, source).problem)
    except PluginError as error:  # it ended the process, or never returned
        problem = f"{path}: {error} during import"
    if problem:
        raise PluginError(problem)
    with _silence():  # what it prints was printed by the other process
        return module_of(path, source)


@cache
def module_of(path: str, source: bytes) -> ModuleType:
    """Run the file's text as a module. An import statement would write a cache beside the file."""
    checksum = hashlib.sha256(path.encode(errors="surrogateescape") + source).hexdigest()
    module = ModuleType(f"initbench_plugin_{checksum[:16]}")
    module.__file__ = path
    sys.modules[module.__name__] = module  # dataclasses look their module up here
    me = os.getpid()
    try:
        exec(compile(source, path, "exec", dont_inherit=True), vars(module))  # noqa: S102  # what --plugin asks for
    except BaseException:
        del sys.modules[module.__name__]
        raise
    finally:
        if os.getpid() != me:  # the file forked, and this is the copy
            os._exit(0)
    return module


def place(path: str, error: BaseException) -> str:
    """The innermost line of the file in the error's traceback, as ``path:line``."""
    frames = traceback.extract_tb(error.__traceback__)
    line = next((f":{frame.lineno}" for frame in reversed(frames) if frame.filename == path), "")
    return f"{path}{line}"


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    source: bytes = field(repr=False)

    def problem(self) -> str:
        """Why the file cannot be run, or an empty text."""
        try:
            module_of(self.path, self.source)
        except BaseException as error:  # a file may raise anything
            return f"{place(self.path, error)}: {plugin_process.words(error)} during import"
        return ""


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Drops what the block prints to standard output, by Python or by its descriptor."""
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # it is closed
        kept = None
    if kept is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)
