"""Whether a model's parameters follow their laws: each parameter's statistics over some seeds.

The model is built at one seed after the other and reduced to a few numbers a parameter, so that
one copy is in memory. A parameter's entries are independent under nearly every law, so their sum
of squares is chi-squared and their mean normal; bounded entries have lighter tails than the
normal's, and entries of longer tails count as fewer. The level of each test is the rate of false
alarms of all, over their number (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scipy import stats

from initbench.audit.verify import FALSE_ALARM
from initbench.errors import InitbenchError
from initbench.models import building, room
from initbench.models.building import Builder
from initbench.models.laws import Expected, Law, expected
from initbench.models.parameters import Parameter, parameters
from initbench.runs.runner import Say, silent

SEEDS = range(5)
#: Tests of a parameter that chance can fail: mean, std, largest entry, symmetry.
TESTS = 4
#: Entries that are compared to see whether two parameters were drawn from the same stream.
PREFIX = 64
#: Entries that are reduced at a time, in float64.
CHUNK = 1 << 22
#: How far rounding may move an entry, relative to its size, in each type.
ROUNDING = {"float64": 1e-9, "float32": 1e-5, "float16": 2e-3, "bfloat16": 1e-2}
#: How far a float32 matrix's rows may be from orthogonal: QR and a few hundred products.
ORTHOGONAL = 1e-3


@dataclass(frozen=True, slots=True)
class ParameterCheck:
    """One check of one parameter: a statistic, where it must lie, and what a failure suggests."""

    parameter: str
    law: str
    check: str
    statistic: float
    low: float
    high: float
    words: str = ""

    @property
    def ok(self) -> bool:
        """Whether the statistic lies in the interval."""
        return self.low <= self.statistic <= self.high


@dataclass(frozen=True, slots=True)
class ModelChecks:
    """All checks of a model, and what else is to be said."""

    name: str
    checks: list[ParameterCheck]
    notes: list[str]
    parameters: int
    seeds: int


@dataclass(slots=True)
class Reduced:
    """What is kept of a parameter at all seeds: sums, extremes, a digest and the first entries.

    ``centre`` is the law's mean, about which ``square`` is summed. ``prefix`` holds the first
    entries at the first seed.
    """

    parameter: Parameter
    centre: float = 0.0
    count: int = 0
    total: float = 0.0
    square: float = 0.0
    above: int = 0
    below: int = 0
    low: float = math.inf
    high: float = -math.inf
    unset: str = ""
    gram: float = 0.0
    digests: tuple[Any, ...] = ()
    prefix: tuple[float, ...] = ()

    @property
    def frozen(self) -> bool:
        """Whether every seed has the same entries."""
        return len(set(self.digests)) < len(self.digests)


def reduce_model(
    builder: Builder,
    seeds: Sequence[int],
    centre: Callable[[Parameter], float] = lambda _: 0.0,
    *,
    orthogonal: Callable[[Parameter], int] = lambda _: 0,
    tell: Say = silent,
) -> tuple[dict[str, Reduced], dict[str, str]]:
    """Build the model at every seed, and reduce each parameter; tied names beside it.

    ``orthogonal`` says into how many matrices a parameter is split whose rows are to be compared.
    ``tell`` is told how much memory a large model takes. One model is held at a time.

    Raises:
        InitbenchError: The builder fails, its models differ in their parameters, or they do not
            fit in memory.
    """
    found: dict[str, Reduced] = {}
    ties: dict[str, str] = {}

    def reduce(seed: int) -> None:
        model = building.build(builder, seed)
        if not found:
            room.check(model, 1, "verifying", tell)
        listed, tied = parameters(model)
        if not listed:
            raise InitbenchError("the model has no parameters: there is nothing to verify")
        if found and {one.name for one in listed} != set(found):
            raise InitbenchError("the builder makes other parameters at other seeds")
        ties.update(tied)
        for one in listed:
            kept = found.setdefault(one.name, Reduced(one, centre(one)))
            _add(kept, one, orthogonal(one))
            kept.parameter = one

    with building.generators_kept():
        for seed in seeds:
            for one in found.values():  # the model before is let go
                if not building.is_lazy(one.parameter.value):
                    one.parameter = replace(one.parameter, value=one.parameter.value.to("meta"))
            reduce(seed)
    return found, ties


def _add(reduced: Reduced, parameter: Parameter, split: int) -> None:
    torch = building.torch()
    tensor = parameter.value
    if building.is_lazy(tensor):
        reduced.unset = "never set: a lazy module that has seen no input"
        return
    if tensor.is_meta:
        reduced.unset = "never set: it is on the meta device"
        return
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    flat = tensor.reshape(-1)
    if not bool(torch.isfinite(flat).all()):
        wrong = int((~torch.isfinite(flat)).sum())
        reduced.unset = f"{wrong:,} of {flat.numel():,} entries are not finite: never set?"
        return
    weighted = 0.0
    for start in range(0, flat.numel(), CHUNK):
        values = flat[start : start + CHUNK].double() - reduced.centre
        reduced.total += float(values.sum())
        chunk = float((values * values).sum())
        reduced.square += chunk
        weighted += chunk * (1 + start) + float(values[::7].sum()) + float(values[-1])
        reduced.above += int((values > 0).sum())
        reduced.below += int((values < 0).sum())
        reduced.low = min(reduced.low, float(values.min()) + reduced.centre)
        reduced.high = max(reduced.high, float(values.max()) + reduced.centre)
    reduced.count += flat.numel()
    reduced.digests = (*reduced.digests, (weighted, float(flat[0]) if flat.numel() else 0.0))
    if not reduced.prefix:
        reduced.prefix = tuple(flat[:PREFIX].double().tolist())
    if split and tensor.dim() >= 2:
        for part in tensor.reshape(tensor.shape[0], -1).chunk(split):
            reduced.gram = max(reduced.gram, gram_error(part))


def gram_error(weight: Any) -> float:
    """The largest error of W W^T / g^2 - I, W being the rows or columns, whichever are fewer."""
    torch = building.torch()
    matrix = weight.reshape(weight.shape[0], -1).double()
    rows = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    gram = rows @ rows.T
    scale = gram.diagonal().mean()
    return float((gram / scale - torch.eye(len(gram), dtype=gram.dtype)).abs().max())


def verify(
    builder: Builder,
    laws: Sequence[Law],
    seeds: Sequence[int] = SEEDS,
    name: str = "model",
    tell: Say = silent,
) -> ModelChecks:
    """Check every parameter against the first law whose pattern fits its name.

    Args:
        builder: Returns the model; see :func:`initbench.models.building.build`.
        laws: The laws, in order.
        seeds: The seeds to build it at, two or more.
        name: What to call the model in a title.
        tell: Is told how much memory a large model takes.

    Raises:
        InitbenchError: The builder fails, or the model has no parameters or no room in memory.
    """
    chosen: dict[str, tuple[Law | None, Expected | str]] = {}

    def told(parameter: Parameter) -> tuple[Law | None, Expected | str]:
        if parameter.name not in chosen:
            law = next((one for one in laws if one.fits(parameter.name)), None)
            what = "" if law is None or law.name in ("loaded", "any") else expected(law, parameter)
            chosen[parameter.name] = law, what
        return chosen[parameter.name]

    def centre(parameter: Parameter) -> float:
        what = told(parameter)[1]
        return what.moments.mean if isinstance(what, Expected) else 0.0

    def orthogonal(parameter: Parameter) -> int:
        law, what = told(parameter)
        declared = isinstance(what, Expected) and what.orthogonal
        return (law.split or parameter.split) if declared and law else 0

    reduced, ties = reduce_model(builder, seeds, centre, orthogonal=orthogonal, tell=tell)
    level = FALSE_ALARM / (TESTS * len(reduced))
    checks: list[ParameterCheck] = []
    notes: list[str] = []
    ignoring = _ignores_seed(reduced)
    if ignoring:
        notes.append("The builder ignores the seed: all seeds have the same parameters.")
        checks.append(
            ParameterCheck(
                "(all)", "-", "differs between seeds", 0, 1, math.inf,
                "the builder ignores the seed: does it seed a generator itself?",
            )
        )  # fmt: skip
    for key, one in reduced.items():
        law, what = chosen[key]
        if one.unset:
            checks.append(_exact(key, law, "set", 1, one.unset))
        elif law is None:
            notes.append(f"{key} is covered by no law.")
        elif law.name == "loaded":
            words = "declared loaded, and differs between seeds"
            checks.append(_exact(key, law, "loaded", 0 if one.frozen else 1, words))
        elif isinstance(what, str):
            if law.name != "any":
                notes.append(f"{key} was not tested: {what}.")
        else:
            checks += checks_of(key, law, what, one, level, ignoring=ignoring)
    checks += _clones(reduced, chosen)
    used = {id(law) for law, _ in chosen.values() if law is not None}
    for law in laws:
        if id(law) not in used:
            fits = any(law.fits(key) for key in chosen)
            words = "no parameter is left for it: put it higher" if fits else "fits no parameter"
            checks.append(ParameterCheck(f"({law.pattern})", law.text, "pattern", 1, 0, 0, words))
    notes += [f"{alias} is tied to {first}, and was tested once." for alias, first in ties.items()]
    return ModelChecks(name, checks, notes, len(reduced), len(seeds))


def _ignores_seed(reduced: Mapping[str, Reduced]) -> bool:
    """Whether nothing that varies within a parameter differs between seeds."""
    varying = [one for one in reduced.values() if not one.unset and one.low < one.high]
    return len(varying) > 1 and all(one.frozen for one in varying)


def _exact(
    name: str, law: Law | None, check: str, statistic: float, words: str, high: float = 0.0
) -> ParameterCheck:
    fails = not 0 <= statistic <= high
    text = "-" if law is None else law.text
    return ParameterCheck(name, text, check, statistic, 0.0, high, words if fails else "")


def checks_of(
    name: str, law: Law, what: Expected, one: Reduced, level: float, *, ignoring: bool
) -> list[ParameterCheck]:
    """Mean, std, bounds or tails, symmetry, orthogonality and difference between seeds."""
    moments, text = what.moments, law.text
    rounding = ROUNDING.get(str(one.parameter.value.dtype).removeprefix("torch."), 1e-2)
    frozen = one.frozen
    count = one.count // len(one.digests) if frozen else one.count
    slack = rounding * max(abs(moments.mean), moments.std, 1e-30)
    if moments.std == 0:
        largest = max(abs(one.low - moments.mean), abs(one.high - moments.mean))
        check = "all equal " + f"{moments.mean:g}"
        words = f"entries lie between {one.low:.4g} and {one.high:.4g}"
        return [_exact(name, law, check, largest, words, slack)]
    half = float(stats.norm.isf(level / 2)) / math.sqrt(count)
    mean = moments.mean + one.total / one.count
    std = math.sqrt(one.square / one.count)
    wider = max(1.0, std / moments.std)  # a wrong scale is one mistake, and not three
    tails = half * moments.std * wider + slack
    checks = [ParameterCheck(name, text, "mean", mean, moments.mean - tails, moments.mean + tails)]
    effective = max(1.0, count * 2 / (what.kurtosis - 1))
    low, high = (
        moments.std * math.sqrt(float(stats.chi2.ppf(p, effective)) / effective)
        for p in (level / 2, 1 - level / 2)
    )
    high = max(high, moments.std)
    low, high = low - slack, high + slack
    words = ""
    if not low <= std <= high:
        ratio = high / moments.std
        alike = [w for w, v in what.faults.items() if v and 1 / ratio <= std / v <= ratio]
        words = f"std {std:.4g}, and the law says {moments.std:.4g}"
        words += f": {alike[0]}" if alike else ""
    checks.append(ParameterCheck(name, text, "std", std, low, high, words))
    if math.isfinite(moments.low) or math.isfinite(moments.high):
        beyond = max(moments.low - one.low, one.high - moments.high) / moments.std
        edge = 10 * rounding + rounding * abs(moments.mean) / moments.std
        words = "" if beyond <= edge else "entries lie beyond the law's bounds; unit: std"
        checks.append(ParameterCheck(name, text, "bounds", beyond, -math.inf, edge, words))
    elif what.normal:
        most = max(abs(one.low - moments.mean), abs(one.high - moments.mean)) / moments.std
        limit = float(stats.norm.isf(level / 2 / count)) * (1 + rounding) + rounding
        limit *= wider
        words = "" if most <= limit else f"an entry lies {most:.4g} standard deviations out"
        checks.append(ParameterCheck(name, text, "largest entry", most, 0.0, limit, words))
    symmetric = abs((moments.high - moments.mean) - (moments.mean - moments.low)) <= slack or (
        math.isinf(moments.low) and math.isinf(moments.high)
    )
    if symmetric and what.symmetric and what.kurtosis == 3.0 and not what.orthogonal:
        share = (one.above - one.below) / one.count
        edge = float(stats.norm.isf(level / 2)) / math.sqrt(count) + rounding
        checks.append(ParameterCheck(name, text, "symmetry", share, -edge, edge))
    if what.orthogonal:
        words = "" if one.gram <= ORTHOGONAL else "rows or columns are not orthogonal"
        checks.append(ParameterCheck(name, text, "orthogonality", one.gram, 0, ORTHOGONAL, words))
    if frozen and what.symmetric and not ignoring and one.parameter.value.numel() > 1:
        words = "the same at several seeds: frozen, loaded from a file, or from its own generator"
        checks.append(ParameterCheck(name, text, "differs between seeds", 0, 1, 1, words))
    return checks


def _clones(
    reduced: Mapping[str, Reduced], chosen: Mapping[str, tuple[Law | None, Expected | str]]
) -> list[ParameterCheck]:
    """Parameters that begin with the same random numbers as an earlier one, up to scale."""
    first: dict[tuple[str, ...], str] = {}
    groups: dict[str, list[str]] = {}
    for name, one in reduced.items():
        law, what = chosen[name]
        random = isinstance(what, Expected) and what.symmetric
        size = min(len(one.prefix), 16)
        if not random or size < 4 or one.unset:
            continue
        values = one.prefix[:size]
        scale = math.sqrt(sum(value**2 for value in values))
        if not scale or len(set(values)) < size // 2:
            continue
        key = tuple(f"{value / scale:.3f}" for value in values)
        if key in first:
            groups.setdefault(first[key], []).append(name)
        else:
            first[key] = name
    checks = []
    for origin, others in groups.items():
        law = chosen[origin][0]
        text = "-" if law is None else law.text
        shown = ", ".join(others[:6]) + (f" and {len(others) - 6} more" if len(others) > 6 else "")
        words = f"the same random numbers as in {shown}: clones, or a shared generator"
        checks.append(ParameterCheck(origin, text, "independence", len(others), 0, 0, words))
    return checks
