"""FILE.py:FUNCTION -> what the user's function returns, and a word where it cannot be had."""

from __future__ import annotations

import contextlib
import inspect
import os
import random
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

from initbench.errors import InitbenchError

Builder = Callable[..., Any]


def torch() -> Any:
    """PyTorch, or an InitbenchError that says how to install it."""
    try:
        import torch as module
    except ImportError:
        raise InitbenchError(
            'models need PyTorch: pip install "initbench[torch]", or the build of '
            "https://pytorch.org/get-started that fits your machine"
        ) from None
    return module


def load(reference: str, option: str) -> Builder:
    """The function that ``FILE.py:FUNCTION`` names.

    The file is run in this process, with its folder on the path, as ``python FILE.py`` has it.

    Raises:
        InitbenchError: There is no such file or function, or the file raises.
    """
    name, _, function = reference.rpartition(":")
    path = Path(name)
    if not name or not function.isidentifier():
        raise InitbenchError(f"{option}: must be FILE.py:FUNCTION, got {reference!r}")
    if not os.path.isfile(path):
        raise InitbenchError(f"{option}: {path}: no such file")
    spec = spec_from_file_location(f"initbench_model_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InitbenchError(f"{option}: {path}: not a Python file")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        with in_words(f"{option}: {path}", str(path)):
            spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent.resolve()))
    found = getattr(module, function, None)
    if not callable(found):
        raise InitbenchError(f"{option}: {path} has no function {function!r}")
    return found  # type: ignore[no-any-return]


@contextlib.contextmanager
def in_words(what: str, path: str = "") -> Iterator[None]:
    """Run a user's code: what it prints goes to standard error, what it raises becomes a message.

    The message names the last line of ``path`` that ran, or the innermost line without one.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (InitbenchError, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:  # a user's code may raise anything
        raise InitbenchError(f"{what}: {described(error, path)}") from None


def described(error: BaseException, path: str = "") -> str:
    """An exception's type, first line, file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if path and frame.filename.endswith(Path(path).name)]
    frame = (own or [f for f in frames if "initbench/models" not in f.filename] or frames)[-1]
    text = (str(error).strip() or "no message").splitlines()[0]
    if isinstance(error, SyntaxError):
        return f"SyntaxError in line {error.lineno}: {error.msg}"
    return f"raised {type(error).__name__}: {text} ({frame.filename}:{frame.lineno})"


def build(builder: Builder, seed: int) -> Any:
    """The model that a builder makes at a seed.

    Every global generator is seeded; a builder with a parameter ``seed`` is given it too.

    Raises:
        InitbenchError: The builder raises, or what it returns is no module.
    """
    torch_ = torch()
    torch_.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
    code = getattr(builder, "__code__", None)
    name = getattr(builder, "__name__", "the builder")
    check_callable(builder, name, "seed")
    with in_words(name, code.co_filename if code else ""):
        given = {"seed": seed} if "seed" in _parameters(builder) else {}
        model = builder(**given)
    if not isinstance(model, torch_.nn.Module):
        raise InitbenchError(f"{name}: must return a torch.nn.Module, got {type(model).__name__}")
    return model


def check_callable(function: Callable[..., Any], name: str, *given: str) -> None:
    """Raise where a user's function has parameters without a default, beyond those given."""
    more = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    needed = [
        x.name
        for x in _parameters(function).values()
        if x.default is x.empty and x.kind not in more and x.name not in given
    ]
    if needed:
        allowed = f", or with {' and '.join(given)} alone" if given else ""
        raise InitbenchError(
            f"{name} is called without arguments{allowed}, and needs {', '.join(needed)}: "
            "wrap it in a function that gives them"
        )


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """A function's parameters by name; none where Python does not know them."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def is_lazy(tensor: Any) -> bool:
    """Whether a lazy module has seen no input yet, so that its parameter has no shape."""
    return type(tensor).__name__.startswith("Uninitialized")


@contextlib.contextmanager
def generators_kept() -> Iterator[None]:
    """Leave the global generators of torch, NumPy and Python as they were."""
    torch_ = torch()
    states = torch_.get_rng_state(), np.random.get_state(), random.getstate()
    devices = torch_.cuda.get_rng_state_all() if torch_.cuda.is_available() else []
    try:
        yield
    finally:
        torch_.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])
        if devices:
            torch_.cuda.set_rng_state_all(devices)
