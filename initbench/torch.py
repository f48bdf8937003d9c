"""Check a PyTorch model's start from a test or a notebook: :func:`verify` and :func:`diagnose`.

PyTorch is imported when one of them is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from initbench.api.models import failure_of
from initbench.models import building, diagnosing, verifying
from initbench.models import laws as declared
from initbench.models.building import Builder
from initbench.models.diagnosing import ModelDiagnosis
from initbench.models.verifying import ModelChecks

__all__ = ["assert_init", "diagnose", "verify"]


def verify(
    model: Any, laws: str | Path | Mapping[str, str], seeds: Sequence[int] = verifying.SEEDS
) -> ModelChecks:
    """Check every parameter against the first law whose pattern fits its name.

    Args:
        model: A function that builds the model, or a model, which is then the only one looked at.
        laws: A laws file, or a mapping from patterns to laws.
        seeds: Seeds to build it at.

    Raises:
        InitbenchError: The laws cannot be read, or the model cannot be built.
    """
    read = declared.of_mapping(laws) if isinstance(laws, Mapping) else declared.read(laws)
    builder, several = _builder(model)
    return verifying.verify(builder, read, seeds if several else seeds[:1])


def diagnose(
    model: Any,
    inputs: Any,
    targets: Any = None,
    *,
    loss: str = "auto",
    optimizer: str = "sgd",
    seeds: Sequence[int] = verifying.SEEDS,
) -> ModelDiagnosis:
    """Diagnose a model's first step: condition, module where it begins, reason, measurements.

    Args:
        model: A function that builds the model, or a model, which is left as it was.
        inputs: A tensor, a tuple of arguments, or a mapping of keywords.
        targets: Drawn where they are None.
        loss: ``cross_entropy``, ``mse`` or ``auto``.
        optimizer: ``sgd`` or ``adam``.
        seeds: Seeds to build it at.

    Raises:
        InitbenchError: The model's code fails, or nothing can be trained.
    """
    builder, several = _builder(model)
    return diagnosing.diagnose(
        builder,
        lambda: (inputs, targets),
        seeds if several else seeds[:1],
        loss=loss,
        optimizer=optimizer,
    )


def assert_init(
    model: Any, laws: str | Path | Mapping[str, str], seeds: Sequence[int] = verifying.SEEDS
) -> None:
    """Fail a test where :func:`verify` finds a parameter that does not follow its law.

    Raises:
        AssertionError: The message names each parameter, its law and both standard deviations.
    """
    failure = failure_of(verify(model, laws, seeds))
    if failure is not None:
        raise AssertionError(str(failure))


def _builder(model: Any) -> tuple[Builder, bool]:
    """A function that returns the model, and whether it makes another at each seed."""
    if isinstance(model, building.torch().nn.Module):
        return (lambda: model), False
    return model, True
