"""Functions that a forward calls outside of leaf modules: ``relu(x)``, ``x + f(x)``, ``q @ k``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from initbench.models import building

#: Entries that are reduced at a time.
CHUNK = 1 << 22
#: Functions that are seen, by their names without underscores, and the kind that a row shows: the
#: module that does the same where there is one, so that the same rules apply.
FUNCTIONS = {
    "relu": "ReLU", "relu6": "ReLU6", "tanh": "Tanh", "sigmoid": "Sigmoid", "hardtanh": "Hardtanh",
    "gelu": "GELU", "silu": "SiLU", "leaky_relu": "LeakyReLU", "elu": "ELU", "selu": "SELU",
    "softplus": "Softplus", "softmax": "Softmax", "log_softmax": "LogSoftmax",
    "add": "add", "iadd": "add", "radd": "add", "matmul": "matmul", "rmatmul": "matmul",
    "bmm": "matmul", "einsum": "matmul", "scaled_dot_product_attention": "attention",
    "linear": "linear", "conv1d": "conv", "conv2d": "conv", "conv3d": "conv",
}  # fmt: skip


def watching(
    model: Any, seen: Callable[[str, str, float | None, Any], None]
) -> tuple[Any, list[Callable[[], None]]]:
    """A TorchFunctionMode under which the model's forward is to run, and what removes its hooks.

    Args:
        model: The module.
        seen: Called with a name, a kind, a prediction of E[y^2] and the output of each function.
            The name is that of the module whose forward calls it and the function's own,
            ``h.0.add_2`` for its second addition. Additions count where both sides have the
            output's shape; E[y^2] of independent branches is the sum of theirs.
    """
    torch = building.torch()
    from torch.overrides import TorchFunctionMode

    stack: list[tuple[str, bool]] = []
    counts: dict[str, int] = {}
    removals: list[Callable[[], None]] = []

    def entered(name: str, *, leaf: bool) -> Callable[..., None]:
        return lambda *_: stack.append((name, leaf))

    def left(*_: Any) -> None:
        stack.pop()

    for name, module in model.named_modules():
        leaf = not any(True for _ in module.children())
        removals.append(module.register_forward_pre_hook(entered(name, leaf=leaf)).remove)
        removals.append(module.register_forward_hook(left).remove)

    class Functions(TorchFunctionMode):
        def __torch_function__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            name = getattr(function, "__name__", "").strip("_")
            kind = FUNCTIONS.get(name)
            if kind is None or not stack or stack[-1][1]:
                return function(*args, **(kwargs or {}))
            branches = kind == "add" and _branches(args)
            # Before the call, which may write into the first of them.
            predicted = sum(map(mean_square, args[:2])) if branches else None
            output = function(*args, **(kwargs or {}))
            if kind == "add" and not branches:
                return output
            if torch.is_tensor(output) and output.is_floating_point() and output.dim() >= 2:
                path = f"{stack[-1][0]}.{name}".lstrip(".")
                counts[path] = counts.get(path, 0) + 1
                own = path if counts[path] == 1 else f"{path}_{counts[path]}"
                seen(own, kind, predicted, output)
            return output

    return Functions(), removals


def _branches(args: tuple[Any, ...]) -> bool:
    """Whether two signals of one shape are added, and no bias or position."""
    torch = building.torch()
    sides = args[:2]
    return (
        len(sides) == 2
        and all(torch.is_tensor(one) and one.is_floating_point() for one in sides)
        and sides[0].shape == sides[1].shape
    )


def mean_square(tensor: Any) -> float:
    """E[|x|^2] over a tensor's entries, in float64, some at a time."""
    values = tensor.detach()
    if not values.numel():
        return math.nan
    if values.is_complex():
        values = building.torch().view_as_real(values.resolve_conj())
    flat = values.reshape(-1)
    parts = (flat[start : start + CHUNK].double() for start in range(0, flat.numel(), CHUNK))
    total = sum(float(part @ part) for part in parts)
    return total / int(tensor.numel())
