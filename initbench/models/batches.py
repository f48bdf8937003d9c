"""What a model is shown: ``randn(32,3,64,64)``, or what a user's function returns."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from initbench.errors import InitbenchError
from initbench.models import building

Batch = Callable[[], tuple[Any, Any]]


def of_text(text: str) -> Batch:
    """A batch without targets from ``randn(...)``, ``rand(...)``, ``randint(high, ...)``, commas.

    Raises:
        InitbenchError: The text says something else.
    """
    torch = building.torch()
    problem = f"--input: must be as in 'randn(32,3,64,64)' or 'randint(5000,4,64)', got {text!r}"
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise InitbenchError(problem) from None
    calls = tree.elts if isinstance(tree, ast.Tuple) else [tree]
    made: list[tuple[str, list[int]]] = []
    for call in calls:
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.keywords:
            raise InitbenchError(problem)
        numbers = [
            arg.value
            for arg in call.args
            if isinstance(arg, ast.Constant) and isinstance(arg.value, int) and arg.value > 0
        ]
        least = 2 if call.func.id == "randint" else 1
        known = call.func.id in ("randn", "rand", "randint")
        if not known or len(numbers) != len(call.args) or len(numbers) < least:
            raise InitbenchError(problem)
        made.append((call.func.id, numbers))

    def batch() -> tuple[Any, Any]:
        inputs = [
            torch.randint(0, sizes[0], sizes[1:])
            if name == "randint"
            else getattr(torch, name)(*sizes)
            for name, sizes in made
        ]
        return (inputs[0] if len(inputs) == 1 else tuple(inputs)), None

    return batch


def of_function(reference: str) -> Batch:
    """The batch of ``FILE.py:FUNCTION``: inputs (a mapping is keywords), or inputs and targets."""
    function = building.load(reference, "--batch")
    building.check_callable(function, f"--batch: {reference}")

    def batch() -> tuple[Any, Any]:
        with building.in_words(reference.rpartition(":")[2], reference.rpartition(":")[0]):
            answer = function()
        if isinstance(answer, tuple) and len(answer) == 2:
            return answer
        if isinstance(answer, Mapping) or building.torch().is_tensor(answer):
            return answer, None
        raise InitbenchError(f"--batch: {reference} must return inputs, or (inputs, targets)")

    return batch
