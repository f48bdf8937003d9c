"""Plugins: a user's own initializers, from a Python file or from the entry points of a package.

Every public function of the file whose first parameter is ``rng`` is an initializer under its own
name. The file may also define ``spread_law`` for an initializer ``spread``: it returns the
moments of the distribution that ``spread`` draws from. ``spread_properties`` is a set of
:data:`initbench.core.initializers.Property`. A package names its functions in the entry point
group ``initbench.initializers``, and defines their laws and properties in the same way.

A config may name the files that it needs, and yet it runs no code by itself: they are loaded only
where a command names them too, or trusts its configs (:class:`Allowed`).

No registry changes: callers pass on what :func:`load` returns.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from inspect import Parameter
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

from pydantic.errors import PydanticUserError

from initbench import spec
from initbench.core.initializers import ALIASES, INITIALIZERS, Initializer, Moments, Property
from initbench.errors import PluginError
from initbench.interop.plugin_functions import FileFunction, Function, PackageFunction, run_file
from initbench.printable import hidden
from initbench.spec import Experiment

GROUP = "initbench.initializers"

#: What an initializer fills -> the parameters that it takes before its own, and those of its law.
SCOPES: dict[Literal["layer", "network"], tuple[tuple[str, ...], tuple[str, ...]]] = {
    "layer": (("rng", "shape", "dtype"), ("shape",)),
    "network": (("rng", "network"), ("network", "layer")),
}


@dataclass(frozen=True, slots=True)
class PluginLaw:
    """A plugin's law, which may return a plain tuple.

    Raises PluginError if the function raises, or returns no moments.
    """

    function: Function
    name: str

    def __call__(self, *args: Any, **parameters: Any) -> Moments:
        """The function's answer as :class:`Moments`."""
        try:
            answer = self.function(*args, **parameters)
        except PluginError as error:
            raise PluginError(f"{self.name} {error}") from None
        try:
            law = Moments(*map(float, answer))
        except (TypeError, ValueError):
            law = None
        if law is None or not (law.std >= 0 and law.low <= law.mean <= law.high):
            raise PluginError(
                f"{self.name} must return (mean, std) or (mean, std, low, high), with std at "
                f"least 0 and the mean between the bounds, got {answer!r}"
            )
        return law


@dataclass(frozen=True, slots=True)
class Allowed:
    """The plugin files that may be run: those that a command names, and perhaps the configs' own.

    Args:
        files: The files that the command names (``--plugin``), for all of its configs.
        trusted: Whether a config's own ``plugins`` are run too (``--trust-plugins``).
    """

    files: Sequence[str | Path] = ()
    trusted: bool = False

    def named(self, file: Path) -> bool:
        """Whether the command names this file, perhaps by another path."""
        return file.resolve() in {Path(known).resolve() for known in self.files}


def experiment(files: Sequence[str | Path] = ()) -> type[Experiment]:
    """The Experiment model whose ``initializer`` may also name what :func:`load` finds."""
    return spec.with_initializers(load(files))


def load(files: Sequence[str | Path] = ()) -> dict[str, Initializer]:
    """The initializers of installed packages and of ``files``, by name.

    Raises PluginError for a file or a function that cannot be used, and for a name that is taken.
    """
    points = entry_points(group=GROUP)
    sources = [(f"entry point {point.value}", _of_package(point)) for point in points]
    sources += [(str(path), _of_file(Path(path))) for path in dict.fromkeys(files)]
    rows: dict[str, Initializer] = {}
    places: dict[str, str] = {}
    for place, of_source in sources:
        for name, row in of_source.items():
            if unseen := hidden(name):
                characters = " and ".join(unseen)
                raise PluginError(f"{place}: {name!r} holds {characters}, which nobody sees")
            if name in INITIALIZERS or name in ALIASES:
                taken = "is already an initializer of initbench"
            elif name in rows:
                taken = f"is also defined in {places[name]}"
            else:
                rows[name], places[name] = row, place
                continue
            raise PluginError(f"{place}: {name} {taken}; give yours another name")
    return rows


def _of_file(path: Path) -> dict[str, Initializer]:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise PluginError(
            f"{path}: cannot be read: {error.strerror}; a plugin is a Python file"
        ) from None
    module = run_file(str(path), source)
    public = {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }
    rows = {
        name: _row(
            f"{path}:{inspect.unwrap(function).__code__.co_firstlineno}",
            module,
            name,
            lambda name: FileFunction(str(path), source, name),
            _sha256(source),
        )
        for name, function in public.items()
        if next(iter(inspect.signature(function).parameters), None) == "rng"
    }
    if not rows:
        others = ", ".join(f"{name}{inspect.signature(f)}" for name, f in public.items())
        raise PluginError(
            f"{path}: defines no initializer; write one as `def NAME(rng, shape, dtype, *, ...)`"
            + (f"; it defines {others}" if others else "")
        )
    return rows


def _of_package(point: EntryPoint) -> dict[str, Initializer]:
    place = f"entry point {point.value} of {point.dist.name if point.dist else 'a package'}"
    try:
        function = point.load()
        module = sys.modules[function.__module__]
        source = Path(str(module.__file__)).read_bytes()
    except Exception as error:
        raise PluginError(
            f"{place}: cannot be loaded: {type(error).__name__}: {error}; "
            "repair or uninstall that package"
        ) from None
    row = _row(
        place,
        module,
        function.__name__,
        lambda name: PackageFunction(module.__name__, name),
        _sha256(source),
    )
    return {point.name: row}


def _row(
    place: str, module: ModuleType, name: str, picklable: Callable[[str], Function], sha256: str
) -> Initializer:
    """The module's function ``name`` as a row of a registry; PluginError if it cannot be one.

    ``picklable`` gives the function of a name in a form that can be sent to a worker.
    """
    beside = vars(module)
    function, law = beside[name], beside.get(f"{name}_law")
    leading, own = _parameters(function)
    scope = next((scope for scope, (first, _) in SCOPES.items() if first == leading), None)
    if scope is None:
        raise PluginError(
            f"{place}: {name} must take (rng, shape, dtype, *, ...) or (rng, network, *, ...), "
            f"with its own parameters after the *, got {name}{inspect.signature(function)}"
        )
    if law is not None and _parameters(law) != (SCOPES[scope][1], own):
        expected = ", ".join([*SCOPES[scope][1], *(["*", *own] if own else [])])
        raise PluginError(
            f"{place}: {name}_law must take ({expected}), with the same parameters as {name}, "
            f"got {name}_law{inspect.signature(law)}"
        )
    properties = frozenset(beside.get(f"{name}_properties", ()))
    if unknown := properties - set(get_args(Property)):
        known, got = ", ".join(get_args(Property)), ", ".join(sorted(map(str, unknown)))
        raise PluginError(f"{place}: {name}_properties may hold {known}, got {got}")
    row = Initializer(
        draw=picklable(name),
        formula=(inspect.getdoc(function) or "-").split("\n")[0].rstrip("."),
        reference=Path(str(module.__file__)).name,
        law=None if law is None else PluginLaw(picklable(f"{name}_law"), f"{place}: {name}_law"),
        scope=scope,
        properties=properties,
        sha256=sha256,
    )
    _check_parameters(place, name, function, row)
    return row


def _parameters(function: Function) -> tuple[tuple[str, ...], list[str]]:
    """The names of the parameters before and after the star; ``*args`` stands before it."""
    parameters = inspect.signature(function).parameters.values()
    after = [p.name for p in parameters if p.kind is Parameter.KEYWORD_ONLY]
    return tuple(p.name for p in parameters if p.name not in after), after


def _check_parameters(place: str, name: str, function: Function, row: Initializer) -> None:
    """Raise PluginError unless a config can give all of the function's own parameters."""
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not Parameter.KEYWORD_ONLY:
            continue
        if parameter.annotation is Parameter.empty:
            raise PluginError(
                f"{place}: {name}: {parameter.name} needs a type, as in `{parameter.name}: float`"
            )
        if parameter.name in {"name", *dir(spec.InitializerChoice)} or parameter.name[0] == "_":
            raise PluginError(
                f"{place}: {name}: a parameter cannot be called {parameter.name}; rename it"
            )
    try:
        spec.with_initializers({name: row})
    except (NameError, TypeError, PydanticUserError) as error:
        first = str(error).split("\n")[0]
        raise PluginError(
            f"{place}: {name}: a parameter has a type that a config cannot give: {first}"
        ) from None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
