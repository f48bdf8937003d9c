"""A model's first step -> the condition that it starts in, the module where it begins, and why.

The conditions are those of :mod:`initbench.diagnosis.rules`. Like is compared
with like: modules of one type whose names differ in a block's number alone. Gradients are compared
by their sums over a sample, which a change of width or resolution leaves alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from initbench.diagnosis.rules import Condition
from initbench.errors import InitbenchError
from initbench.models import building, room
from initbench.models.building import Builder
from initbench.models.functions import mean_square
from initbench.models.parameters import Parameter, parameters
from initbench.models.signals import Pass, Signal, measure, medians
from initbench.runs.runner import Say, silent

#: Outputs explode where their mean square is beyond this: a standard deviation of 10, at which
#: softmax is certain although nothing was learned yet.
EXPLODED = 100.0
#: A module is saturated where this share of its outputs is flat: the median one passes next to
#: nothing on.
SATURATED_SHARE = 0.5
#: Signals vanish where a variance changes by this factor between the first and the last module of
#: a kind: a factor of 18 in size.
LOST = 10**-2.5
#: Modules of one kind that are enough for a rate.
FEW = 4
#: A grouped convolution's signal below this share of its inputs' is worth a word.
SHRUNK = 0.1
#: In theory, the factor by which a ReLU layer with BatchNorm and without skip changes a gradient:
#: Yang et al. 2019, arXiv:1902.08129.
BATCHNORM_RELU = math.pi / (math.pi - 1)
#: Gradients explode where what the first layer of a kind feels is this many times what the last
#: does. ResNet-50's plan with BatchNorm comes to 1e4 and trains, 50 layers without skips to 1e8.
GRADIENT_EXPLODES = 1e6
#: A cosine beyond which the samples of a kind's last module have merged.
MERGED = 0.99


@dataclass(frozen=True, slots=True)
class ModelDiagnosis:
    """The condition of a model, the module where it begins, the reason, and what was measured."""

    model: str
    condition: Condition
    begins_at: str | None
    reason: str
    measured: Pass
    seeds: int
    optimizer: str
    notes: tuple[str, ...]


def diagnose(
    builder: Builder,
    batch: Callable[[], tuple[object, object]],
    seeds: Sequence[int],
    *,
    loss: str = "auto",
    optimizer: str = "sgd",
    name: str = "model",
    tell: Say = silent,
) -> ModelDiagnosis:
    """Diagnose the model that ``builder`` makes, by medians over seeds.

    Args:
        builder: See :func:`initbench.models.building.build`.
        batch: Returns inputs and targets; called once a seed.
        seeds: The seeds to build at.
        loss: ``cross_entropy``, ``mse`` or ``auto``.
        optimizer: ``sgd`` or ``adam``.
        name: What to call the model.
        tell: Is told how much memory a large model takes.

    Raises:
        InitbenchError: The user's code fails, nothing can be trained, or there is no room in
            memory.
    """
    passes: list[Pass] = []
    notes: list[str] = []
    drawn = []
    with building.generators_kept():
        for seed in seeds:
            model = building.build(builder, seed)
            if not passes:
                # The model, a copy to restore, and gradients.
                room.check(model, 3, "diagnosing", tell)
            passes.append(measure(model, batch(), loss, optimizer))
            listed = parameters(model)[0]
            if len(passes) == 1:
                notes += _of_parameters(listed)
            drawn.append(_first_entries(listed))
            del model, listed
    if len(seeds) > 1 and drawn[0] and all(one == drawn[0] for one in drawn):
        notes.append(
            f"The builder ignores the seed: all {len(seeds)} models have the same parameters, and "
            "the medians are those of one."
        )
    if len({tuple(one.module for one in each.signals) for each in passes}) > 1:
        raise InitbenchError("the model runs other modules at other seeds")
    found = medians(passes)
    condition, begins_at, reason = assess(found)
    notes += [_loss_words(found), *_gates(found), *found.notes]
    return ModelDiagnosis(
        name, condition, begins_at, reason, found, len(seeds), optimizer, tuple(filter(None, notes))
    )


def assess(found: Pass) -> tuple[Condition, str | None, str]:
    """Condition, module where it begins, and reason: the first rule that applies."""
    weighted = [one for one in found.signals if one.weighted]
    for rule in (_not_finite, _symmetric, _dead, _exploding, _saturated, _gradients, _merged):
        answer = rule(found, weighted)
        if answer is not None:
            return answer
    return "healthy", None, _growth(found)


Answer = tuple[Condition, str | None, str] | None


def _not_finite(found: Pass, _: Sequence[Signal]) -> Answer:
    wrong = next((one for one in found.signals if not math.isfinite(one.signal)), None)
    if wrong is None and math.isfinite(found.loss):
        return None
    return "exploding", wrong.module if wrong else None, "the signal is not finite."


def _symmetric(_: Pass, weighted: Sequence[Signal]) -> Answer:
    equal = next((one for one in weighted[:-1] if one.symmetric), None)
    if equal is None:
        return None
    return "symmetric", equal.module, "all units have the same weights, and get equal gradients."


def _dead(found: Pass, weighted: Sequence[Signal]) -> Answer:
    units = next((one for one in found.signals if one.dead == 1), None)
    closed = [one for one in weighted if one.zero and not one.opens]
    if units is None and not closed:
        return None
    if closed:
        reason = (
            f"the gradients of {len(closed)} weights are exactly 0, and still are after one step: "
            f"{', '.join(one.module for one in closed[:4])}."
        )
        return "dead", closed[0].module, reason
    assert units is not None
    return "dead", units.module, "all of its units are 0 on all samples."


def _exploding(found: Pass, _: Sequence[Signal]) -> Answer:
    if found.output <= EXPLODED:
        return None
    begins = next((one for one in found.signals if one.signal > EXPLODED), None)
    reason = (
        f"outputs have a mean square of {found.output:.3g}: the model is certain before it has "
        f"learned anything, and its first loss is {found.loss:.3g}. {_growth(found)}"
    )
    return "exploding", begins.module if begins else None, reason


def _saturated(found: Pass, _: Sequence[Signal]) -> Answer:
    flat = next((x for x in found.signals if (x.saturated or 0.0) >= SATURATED_SHARE), None)
    if flat is None or flat is found.signals[-1]:
        return None
    share = 100 * (flat.saturated or 0.0)
    return "saturated", flat.module, f"{share:.0f} % of its outputs lie where {flat.kind} is flat."


def kinds(signals: Sequence[Signal]) -> dict[tuple[str, str], list[Signal]]:
    """Modules by type and by name without block numbers, in the order of their calls."""
    found: dict[tuple[str, str], list[Signal]] = {}
    for one in signals:
        *blocks, own = one.module.split(".")
        path = [re.sub(r"\d+", "*", part) for part in blocks]
        key = ".".join([*path, "*" if own.isdigit() else own])
        found.setdefault((key, one.kind), []).append(one)
    return found


def _felt(one: Signal) -> float:
    """How much the loss feels a relative change of the output; a norm that follows leaves it."""
    return one.energy * one.signal


def _gradients(found: Pass, weighted: Sequence[Signal]) -> Answer:
    """Gradients that vanish or explode between the last and the first module of a kind."""
    worst: tuple[float, list[Signal]] | None = None
    for members in kinds([one for one in weighted if _felt(one) > 0]).values():
        if len(members) < FEW:
            continue
        change = _felt(members[0]) / _felt(members[-1])
        if worst is None or abs(math.log(change)) > abs(math.log(worst[0])):
            worst = change, members
    if worst is None or LOST <= worst[0] <= GRADIENT_EXPLODES:
        return None
    change, members = worst
    rate = change ** (1 / (len(members) - 1))
    last = _felt(members[-1])
    begins = next(one for one in reversed(members) if not LOST <= _felt(one) / last <= 1 / LOST)
    sizes = f"{members[0].gradient:.2g} in {members[0].module}, {members[-1].gradient:.2g} in "
    sizes += members[-1].module
    if change < LOST:
        reason = f"gradients vanish by a factor of {rate:.3g} a layer: E[g^2] is {sizes}; "
        return "vanishing", begins.module, reason + _growth(found)
    reason = f"gradients explode: they grow {rate:.3g} times a layer: E[g^2] is {sizes}"
    if any("BatchNorm" in one.kind for one in found.signals):
        reason += f" (theory: {BATCHNORM_RELU:.4g} a ReLU layer with BatchNorm and no skip)"
    return "exploding", begins.module, reason + "."


def _merged(found: Pass, weighted: Sequence[Signal]) -> Answer:
    """Samples that cannot be told apart at the end of a kind."""
    for members in kinds([one for one in weighted if _felt(one) > 0]).values():
        first, last = members[0], members[-1]
        if len(members) < FEW or not last.contrast < LOST * first.contrast:
            continue
        if last.cosine > MERGED:
            reason = (
                f"inputs merge: the cosine of two is {first.cosine:.2f} in {first.module} and "
                f"{last.cosine:.4g} in {last.module}."
            )
            return "ordered", last.module, reason
        if last.signal < LOST * first.signal:
            return "vanishing", last.module, f"the signal fades. {_growth(found)}"
    return None


def _growth(found: Pass) -> str:
    """The growth of the signal a block, or a layer where there are no blocks."""
    for what, signals in (
        ("block", [one for one in found.signals if one.block]),
        ("layer", [one for one in found.signals if one.weighted]),
    ):
        groups = [group for group in kinds(signals).values() if len(group) >= FEW]
        if groups:
            group = max(groups, key=len)
            first, last = group[0].signal, group[-1].signal
            if first > 0 and last > 0:
                rate = (last / first) ** (1 / (len(group) - 1))
                return (
                    f"the signal E[y^2] goes from {first:.3g} in {group[0].module} to {last:.3g} "
                    f"in {group[-1].module}, {rate:.3g} times a {what}."
                )
    return "nothing fades or explodes on the way."


def _loss_words(found: Pass) -> str:
    if not math.isfinite(found.reference):
        return ""
    best = f"ln {found.classes}" if found.classes > 1 else "the best constant's"
    return f"The first loss is {found.loss:.4g}, and {best} is {found.reference:.4g}."


def _gates(found: Pass) -> list[str]:
    gates = [one.module for one in found.signals if one.zero and one.opens]
    if not gates:
        return []
    return [
        f"Closed gates: the gradients of {len(gates)} weights are 0 by design, and there after one "
        f"step ({', '.join(gates[:3])}{', ...' if len(gates) > 3 else ''}): healthy."
    ]


def _first_entries(listed: Sequence[Parameter]) -> list[list[float]]:
    """The first entries of each parameter whose entries differ: what a seed changes."""
    firsts = [one.value.reshape(-1)[:16].tolist() for one in listed]
    return [entries for entries in firsts if len(set(entries)) > 1]


def _of_parameters(listed: Sequence[Parameter]) -> list[str]:
    """Clones, and grouped convolutions whose weights are far too small or too large."""
    notes: list[str] = []
    odd: list[str] = []
    groups: dict[tuple[tuple[int, ...], complex, complex], list[str]] = {}
    for one in listed:
        value = one.value
        if value.dim() >= 2 and value.numel() > 1 and bool((value != value.flatten()[0]).any()):
            key = tuple(value.shape), value.sum().item(), value.flatten()[0].item()
            groups.setdefault(key, []).append(one.name)
        if one.groups > 1 and one.fan_in:
            gain = one.fan_in * mean_square(value)
            if gain < SHRUNK or gain > 1 / SHRUNK:
                odd.append(one.name)
    if odd:
        notes.append(
            f"Warning: {', '.join(odd[:3])}{', ...' if len(odd) > 3 else ''} change the signal's "
            f"variance more than {1 / SHRUNK:g} times, as if their groups were ignored; a norm "
            "that follows hides it."
        )
    notes += [
        f"Clones: {', '.join(names[:6])} are equal: layers start as copies."
        for names in groups.values()
        if len(names) > 1
    ]
    return notes[:8]
