"""The parameters of a model as its forward uses them: effective weights, fans, ties, defaults."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from initbench.models.building import is_lazy, torch

#: Rows of gates that a recurrent layer packs into one matrix.
GATES = {"LSTM": 4, "LSTMCell": 4, "GRU": 3, "GRUCell": 3, "RNN": 1, "RNNCell": 1}
NORMS = ("BatchNorm", "InstanceNorm", "GroupNorm", "LayerNorm", "RMSNorm")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: what the forward uses, and what its module makes of it.

    ``fan_in`` and ``fan_out`` are the connections of an output and of an input, with groups
    counted; they are 0 where a parameter has none (biases, scales). ``torch_fans`` are those that
    ``torch.nn.init`` reads from the shape. ``value`` is a tensor without a graph.
    """

    name: str
    module: str
    kind: str
    value: Any
    fan_in: int
    fan_out: int
    torch_fans: tuple[int, int]
    groups: int
    split: int
    default: str


def parameters(model: Any) -> tuple[list[Parameter], dict[str, str]]:
    """Every parameter once, in the model's order, and tied names with the name they stand for.

    Parametrizations and weight norm are resolved: the name ``conv.weight`` is the weight that
    conv's forward uses, and what it is computed from is not listed.
    """
    found: list[Parameter] = []
    seen: dict[int, str] = {}
    ties: dict[str, str] = {}
    for path, module in model.named_modules():
        if type(module).__name__ == "ParametrizationList" or ".parametrizations." in f".{path}.":
            continue
        for own, tensor, key in _own(module):
            name = f"{path}.{own}" if path else own
            if key in seen:
                ties[name] = seen[key]
                continue
            seen[key] = name
            found.append(_parameter(name, own, module, tensor))
    # The same module under a second name: named_modules lists it once.
    for name, tensor in model.named_parameters(remove_duplicate=False):
        first = seen.get(id(tensor))
        if first is not None and first != name:
            ties[name] = first
    return found, ties


def _own(module: Any) -> Iterator[tuple[str, Any, int]]:
    """Name, effective value and identity of each of a module's own parameters."""
    torch_ = torch()
    replaced: set[str] = set()
    with torch_.no_grad():
        for name in getattr(module, "parametrizations", {}):
            # Evaluated, since spectral norm takes a step of its power iteration in training.
            modes = [(m, m.training) for m in module.modules()]
            module.eval()
            try:
                yield name, getattr(module, name).detach(), id(module.parametrizations[name])
            finally:
                for one, mode in modes:
                    one.training = mode
        for hook in module._forward_pre_hooks.values():
            name = getattr(hook, "name", None)
            if not name or not hasattr(hook, "compute_weight"):
                continue
            replaced |= {f"{name}_g", f"{name}_v", f"{name}_orig"}
            if type(hook).__name__ == "SpectralNorm":
                value = hook.compute_weight(module, do_power_iteration=False)
            else:
                value = hook.compute_weight(module)
            yield name, value.detach(), id(hook)
    for name, tensor in module._parameters.items():
        if tensor is not None and name not in replaced:
            yield name, tensor.detach() if not is_lazy(tensor) else tensor, id(tensor)


def _parameter(name: str, own: str, module: Any, tensor: Any) -> Parameter:
    kind = type(module).__name__
    shape = () if is_lazy(tensor) else tuple(tensor.shape)
    groups, split = int(getattr(module, "groups", 1) or 1), 1
    if own == "in_proj_weight":
        split = 3
    elif kind in GATES and own.startswith("weight"):
        split = GATES[kind]
    fan_in, fan_out, as_torch = fans(kind, shape, groups, split)
    path = name[: -len(own)].rstrip(".")
    default = default_law(own, module, shape)
    return Parameter(name, path, kind, tensor, fan_in, fan_out, as_torch, groups, split, default)


def fans(
    kind: str, shape: tuple[int, ...], groups: int = 1, split: int = 1
) -> tuple[int, int, tuple[int, int]]:
    """fan_in and fan_out of a weight, and those that torch.nn.init reads from its shape.

    Examples:
        >>> fans("Conv2d", (64, 1, 3, 3), groups=64)
        (9, 9, (9, 576))
        >>> fans("ConvTranspose2d", (8, 4, 3, 3))
        (72, 36, (36, 72))
        >>> fans("Linear", (30, 10), split=3)
        (10, 10, (10, 30))
    """
    if len(shape) < 2:
        return 0, 0, (0, 0)
    first, second, *field = shape
    positions = math.prod(field)
    as_torch = second * positions, first * positions
    if kind.startswith("ConvTranspose"):
        return first // groups * positions, second * positions, as_torch
    if kind in ("Conv1D", "Embedding", "EmbeddingBag"):  # (in, out): transformers' Conv1D
        return first, second // split, as_torch
    return second * positions, first // groups // split * positions, as_torch


def default_law(own: str, module: Any, shape: tuple[int, ...]) -> str:
    """The law that PyTorch's own ``reset_parameters`` gives this parameter; empty if unknown."""
    kind = type(module).__name__
    weight = getattr(module, "weight", None)
    if not shape:
        return ""
    if kind in GATES:
        return _within(module.hidden_size)
    if kind.endswith("MultiheadAttention"):
        if own == "in_proj_weight":
            bound = math.sqrt(6 / (shape[0] + shape[1]))
            return f"uniform(low={-bound!r}, high={bound!r})"
        return "zeros" if own == "in_proj_bias" else ""
    if kind == "NonDynamicallyQuantizableLinear" and own == "bias":
        return "zeros"
    if kind.startswith(("Conv", "Linear", "NonDynamically", "Bilinear")) and kind != "Conv1D":
        if weight is None or weight.dim() < 2:
            return ""
        if kind == "Bilinear":
            return _within(weight.shape[1])
        return _within(math.prod(weight.shape[1:]))
    if kind in ("Embedding", "EmbeddingBag"):
        return "normal(std=1)"
    if any(norm in kind for norm in NORMS):
        return "ones" if own == "weight" else "zeros"
    return "constant(value=0.25)" if kind == "PReLU" else ""


def _within(fan: int) -> str:
    bound = 1 / math.sqrt(fan) if fan else 0.0
    return f"uniform(low={-bound!r}, high={bound!r})" if bound else ""
