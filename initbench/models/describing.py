"""A model as it is -> the laws file that its parameters follow, to be reviewed and committed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from initbench.audit.verify import FALSE_ALARM
from initbench.models.building import Builder
from initbench.models.laws import Expected, expected, parse
from initbench.models.verifying import (
    ORTHOGONAL,
    SEEDS,
    TESTS,
    Reduced,
    checks_of,
    gram_error,
    reduce_model,
)
from initbench.runs.runner import Say, silent

#: Laws of the catalogue that are tried, the most common first.
CANDIDATES = (
    "zeros", "ones", "auto", "orthogonal",
    "normal(std=0.02)", "truncated_normal(std=0.02)", "truncated_normal(std=0.02, bound=100)",
    "he_normal", "variance_scaling(scale=2, mode=fan_out, distribution=normal)",
    "he_uniform", "variance_scaling(scale=2, mode=fan_out, distribution=uniform)",
    "glorot_uniform", "glorot_normal", "lecun_normal", "lecun_uniform", "he_truncated_normal",
    "lecun_truncated_normal", "glorot_truncated_normal", "normal(std=1)",
)  # fmt: skip
HEADER = """\
# The laws that the parameters follow now, the first that fits a name counting.
# Review them: this file says what the model does, and not what it should do.
laws:
"""


def describe(
    builder: Builder,
    seeds: Sequence[int] = SEEDS,
    tell: Say = silent,
) -> str:
    """The laws file of a model: the most probable law of each parameter, blocks together.

    ``tell`` is told how much memory a large model takes.

    Raises:
        InitbenchError: The builder fails, or the model has no parameters or no room in memory.
    """
    reduced, ties = reduce_model(builder, seeds, tell=tell)
    level = FALSE_ALARM / (TESTS * len(reduced))
    blocks = _depth(reduced)
    laws = {name: _most_probable(name, one, level, blocks) for name, one in reduced.items()}
    lines = [f"  {_quoted(pattern)}: {law}" for pattern, law in _grouped(laws)]
    lines += [f"  # {alias} is tied to {first}" for alias, first in ties.items()]
    return HEADER + "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _depth(reduced: dict[str, Reduced]) -> int:
    """The number of blocks: the most indices that one place of a name has."""
    numbers = [int(n) for name in reduced for n in re.findall(r"\.(\d+)\.", f".{name}")]
    return max(numbers, default=0) + 1


def _most_probable(name: str, one: Reduced, level: float, blocks: int) -> str:
    if one.unset:
        return f"any  # {one.unset}"
    if one.low < one.high and one.frozen:
        return "loaded"
    if one.low == one.high and one.low not in (0.0, 1.0):
        return f"constant(value={one.low:.9g})"
    for text in (*CANDIDATES, *_scaled(one, blocks)):
        law = parse(name, text)
        what = expected(law, one.parameter)
        if isinstance(what, str) or (what.orthogonal and not _orthogonal(one)):
            continue
        shown = _about(one, what)
        checks = checks_of(name, law, what, shown, level, ignoring=False)
        if all(check.ok for check in checks) and _same_tails(one, what):
            return text
    mean, std = _moments(one)
    if one.parameter.value.numel() < 2:
        return "any  # one entry"
    return f"any  # mean {mean:.4g}, std {std:.4g}, from {one.low:.4g} to {one.high:.4g}"


def _moments(one: Reduced) -> tuple[float, float]:
    mean = one.total / one.count
    return mean, math.sqrt(max(0.0, one.square / one.count - mean**2))


def _scaled(one: Reduced, blocks: int) -> Iterator[str]:
    """Normals and uniforms of the measured scale, residual scaling by the blocks first."""
    mean, std = _moments(one)
    if not std:
        return
    for branches in (2 * blocks, blocks):
        yield f"normal(std=0.02/sqrt({branches}))"
    centred = "" if abs(mean) < 6 * std / math.sqrt(one.count) else f"mean={mean:.3g}, "
    for digits in (1, 2, 4):
        yield f"normal({centred}std={std:.{digits}g})"
    for digits in (1, 2, 4):
        bound = float(f"{max(abs(one.low), abs(one.high)):.{digits}g}")
        yield f"uniform(low={-bound:g}, high={bound:g})"
        yield f"uniform(low=0, high={bound:g})"


def _about(one: Reduced, what: Expected) -> Reduced:
    """The same sums, about the law's mean; signs were counted about 0."""
    centre = what.moments.mean
    if not centre:
        return one
    total = one.total - one.count * centre
    square = one.square - 2 * centre * one.total + one.count * centre**2
    return replace(one, centre=centre, total=total, square=max(0.0, square), above=0, below=0)


def _orthogonal(one: Reduced) -> bool:
    return one.parameter.value.dim() >= 2 and gram_error(one.parameter.value) <= ORTHOGONAL


def _same_tails(one: Reduced, what: Expected) -> bool:
    """Whether the largest entry comes as near to the law's bounds as so many entries would."""
    moments = what.moments
    if not math.isfinite(moments.high) or moments.std == 0 or one.count < 200:
        return True
    reach = (one.high - moments.mean) / (moments.high - moments.mean)
    uniform = math.isclose(moments.high - moments.low, moments.std * math.sqrt(12), rel_tol=1e-6)
    return reach > 1 - 30 / one.count if uniform else True


def _grouped(laws: dict[str, str]) -> list[tuple[str, str]]:
    """Patterns in which block numbers are ``*``, where all their parameters share a law."""
    patterns: dict[str, set[str]] = {}
    for name, law in laws.items():
        patterns.setdefault(_pattern(name), set()).add(law)
    lines: dict[str, str] = {}
    exact: dict[str, str] = {}
    for name, law in laws.items():
        pattern = _pattern(name)
        alone = len(patterns[pattern]) > 1
        (exact if alone else lines)[name if alone else pattern] = law
    merged = exact | lines
    for name, law in laws.items():  # a star fits dots: a name caught by another's pattern
        first = next(value for key, value in merged.items() if parse(key, "any").fits(name))
        if first != law:
            merged = {name: law, **merged}
    return list(merged.items())


def _pattern(name: str) -> str:
    *blocks, own = name.split(".")
    return ".".join(["*" if part.isdigit() else part for part in blocks] + [own])
