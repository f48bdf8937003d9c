"""Laws of parameters: a YAML file of patterns, each with an initializer of the catalogue.

Arithmetic is read by a parser of its own: no text of a laws file is evaluated as code.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from initbench.core.initializers import (
    ALIASES,
    GAIN_WORDS,
    INITIALIZERS,
    Initializer,
    Moments,
    defaults,
)
from initbench.errors import InitbenchError
from initbench.models.parameters import Parameter

#: Laws that are not initializers: PyTorch's default, the same at every seed, and not tested.
WORDS = ("auto", "loaded", "any")
_BINARY: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
}
_FUNCTIONS = {"sqrt": math.sqrt, "exp": math.exp, "log": math.log}
#: Entries that a law's shape is drawn with to see its tails.
_SIDE = 200
NORMAL_KURTOSIS = 3.0


@dataclass(frozen=True, slots=True)
class Law:
    """One line of a laws file: the pattern, and the law as written and as read.

    ``name`` is an initializer of the catalogue, or one of :data:`WORDS`.
    """

    pattern: str
    text: str
    name: str
    options: Mapping[str, Any]
    split: int | None = None

    def fits(self, name: str) -> bool:
        """Whether the pattern fits a parameter's name; ``*`` fits dots too."""
        return fnmatchcase(name, self.pattern)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a law says of one parameter: moments, tails (kurtosis) and what mistakes would give.

    ``faults`` map words to the standard deviations that well-known mistakes give.
    """

    moments: Moments
    kurtosis: float
    orthogonal: bool
    symmetric: bool
    normal: bool
    faults: Mapping[str, float]


def read(source: str | Path) -> list[Law]:
    """The laws of a file, in its order.

    Raises:
        InitbenchError: The file cannot be read, or a law cannot: the message names file and key.
    """
    try:
        content = yaml.safe_load(Path(source).read_text(encoding="utf-8"))
    except OSError as error:
        raise InitbenchError(f"{source}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InitbenchError(f"{source}: no YAML: {' '.join(str(error).split())}") from None
    laws = content.get("laws") if isinstance(content, dict) else None
    if not isinstance(laws, dict) or not laws:
        raise InitbenchError(
            f"{source}: must be a mapping 'laws:' of patterns to laws, as in "
            "'*.bias': zeros; write one by initbench verify --model FILE.py:FUNCTION --describe"
        )
    return of_mapping(laws, str(source))


def of_mapping(laws: Mapping[Any, Any], source: str = "laws") -> list[Law]:
    """The laws of a mapping from patterns to texts."""
    return [parse(str(pattern), str(text), source) for pattern, text in laws.items()]


def parse(pattern: str, text: str, source: str = "laws") -> Law:
    """Read one law.

    Raises:
        InitbenchError: The text is no law; the message says what would be one.

    Examples:
        >>> parse("*.c_proj.weight", "normal(std=0.02/sqrt(2*2))").options
        {'std': 0.01}
        >>> parse("*", "auto").name
        'auto'
    """
    where = f"{source}: {pattern!r}: {text!r}"
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        if isinstance(tree, ast.Name):
            name, keywords = tree.id, []
        elif isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.args:
            name, keywords = tree.func.id, tree.keywords
        else:
            raise ValueError("must be NAME or NAME(key=value, ...)")
        options = {str(word.arg): _value(word.value) for word in keywords}
    except SyntaxError:
        raise InitbenchError(f"{where}: must be NAME or NAME(key=value, ...)") from None
    except (ValueError, ArithmeticError) as error:
        raise InitbenchError(f"{where}: {error}") from None
    split = options.pop("split", None)
    if split is not None and (not isinstance(split, float) or split < 1 or split % 1):
        raise InitbenchError(f"{where}: split must be a whole number from 1 on")
    name = ALIASES.get(name, name)
    if name not in WORDS:
        _check(where, name, options)
    elif options:
        raise InitbenchError(f"{where}: {name} takes no parameters")
    return Law(pattern, text.strip(), name, options, None if split is None else int(split))


def _check(where: str, name: str, options: Mapping[str, Any]) -> None:
    row = INITIALIZERS.get(name)
    if row is None:
        raise InitbenchError(
            f"{where}: no initializer is called {name}; see initbench list, or auto, loaded, any"
        )
    if row.scope != "layer" or row.law is None:
        raise InitbenchError(f"{where}: {name} has no law for a single parameter")
    try:
        row.law((2, 2), **{**defaults(row.draw), **options})
    except (TypeError, ValueError) as error:
        raise InitbenchError(f"{where}: {error}") from None
    if options.get("std", 0.0) is None or float(options.get("std", 0.0)) < 0:
        raise InitbenchError(f"{where}: std must be 0 or more")


def _value(node: ast.expr) -> Any:
    """A word, None, or the number that arithmetic gives."""
    if isinstance(node, ast.Name) and node.id not in ("pi", "e"):
        return None if node.id == "null" else node.id
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str)):
        return node.value
    return _number(node)


def _number(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Name) and node.id in ("pi", "e"):
        return math.pi if node.id == "pi" else math.e
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return math.copysign(1, -isinstance(node.op, ast.USub)) * _number(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_number(node.left), _number(node.right))
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _FUNCTIONS
        and len(node.args) == 1
        and not node.keywords
    ):
        return _FUNCTIONS[node.func.id](_number(node.args[0]))
    raise ValueError("only numbers, + - * / **, sqrt, exp, log, pi and e are read")


def expected(law: Law, parameter: Parameter) -> Expected | str:
    """What the law says of a parameter, or a word where it says nothing."""
    if law.name == "auto":
        if not parameter.default:
            return f"auto knows no default of {parameter.kind}: name a law"
        law = parse(law.pattern, parameter.default)
    row, options = INITIALIZERS[law.name], {**defaults(INITIALIZERS[law.name].draw), **law.options}
    split = law.split or parameter.split
    outputs = parameter.fan_out * parameter.split // split
    orthogonal = "orthogonal" in row.properties
    shape = tuple(parameter.value.shape)
    needs_fans = _moments(row, (7, 3), options) != _moments(row, (3, 7), options) or orthogonal
    if not parameter.fan_in:
        if needs_fans:
            return f"{law.name} needs fans, and a parameter of shape {shape} has none"
        return _expected(law.name, (1, 1), options, {})
    sizes = outputs, parameter.fan_in
    if orthogonal:
        sizes = shape[0] // split, math.prod(shape[1:])
    as_torch = parameter.torch_fans[1] // max(1, split), parameter.torch_fans[0]
    mistakes = {
        "as if fan_in were fan_out": (sizes[1], sizes[0]),
        "as if groups were ignored": (as_torch if parameter.groups > 1 else sizes),
        "as if the packed matrices were one": parameter.torch_fans[::-1],
    }
    return _expected(law.name, sizes, options, mistakes)


def _moments(row: Initializer, shape: tuple[int, int], options: Mapping[str, Any]) -> Moments:
    assert row.law is not None
    numbers = {k: 1.0 if v in GAIN_WORDS else v for k, v in options.items()}
    return row.law(shape, **numbers)


def _expected(
    name: str,
    shape: tuple[int, int],
    options: Mapping[str, Any],
    mistakes: Mapping[str, tuple[int, int]],
) -> Expected:
    row = INITIALIZERS[name]
    moments = _moments(row, shape, options)
    std = moments.std
    faults = {
        words: other
        for words, sizes in mistakes.items()
        if sizes != shape and (other := _moments(row, sizes, options).std) != std
    }
    faults |= {
        "as if a gain of sqrt(2) were missing": std / math.sqrt(2),
        "as if a gain of sqrt(2) were applied twice": std * math.sqrt(2),
        "as if the standard deviation were the variance": moments.variance,
    }
    if name == "truncated_normal":
        words = "as if nothing were cut off (the bounds of trunc_normal_ are absolute)"
        faults[words] = float(options["std"])
    kurtosis = _kurtosis(name, tuple(sorted(options.items())), shape) if std > 0 else 3.0
    return Expected(
        moments,
        kurtosis,
        "orthogonal" in row.properties,
        "skewed" not in row.properties and std > 0 and "fixed" not in row.properties,
        kurtosis == NORMAL_KURTOSIS and not math.isfinite(moments.high),
        faults,
    )


@cache
def _kurtosis(name: str, options: tuple[tuple[str, Any], ...], shape: tuple[int, int]) -> float:
    """The fourth moment of a law's draws in units of the variance; 3 for what has no longer tails.

    It is measured, since a law gives two moments only. Uniform and truncated draws have less, and
    count as normal: the interval is then wider than it need be.
    """
    small = min(shape[0], _SIDE), min(shape[1], _SIDE)
    numbers = {k: 1.0 if v in GAIN_WORDS else v for k, v in options}
    draws = [
        INITIALIZERS[name].draw(np.random.RandomState(seed), small, np.float64, **numbers).ravel()
        for seed in range(max(1, 10_000 // math.prod(small)))
    ]
    centred = np.concatenate(draws) - np.mean(np.concatenate(draws))
    found = float(np.mean(centred**4) / max(np.mean(centred**2) ** 2, 1e-300))
    return found if found > NORMAL_KURTOSIS + 0.5 else NORMAL_KURTOSIS
