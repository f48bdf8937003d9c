"""A user's own PyTorch model: its parameters against declared laws, and its first step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from initbench.errors import FailedChecksError
from initbench.models import batches, building, describing, diagnosing, laws, verifying
from initbench.report.views.model import model_checks_view, parameter_failures
from initbench.report.views.model_diagnosis import model_diagnosis_view
from initbench.report.views.view import View
from initbench.runs.runner import Say

#: Failures that an error lists.
LISTED = 20


@dataclass(frozen=True, slots=True)
class ModelVerification:
    """The checks of a model as a view, and the error that names those that failed, if any."""

    view: View
    failure: FailedChecksError | None


def verify_model(model: str, laws_file: str | Path, seeds: int, tell: Say) -> ModelVerification:
    """Check the parameters of the model that ``FILE.py:FUNCTION`` builds."""
    building.torch()
    declared = laws.read(laws_file)
    builder = building.load(model, "--model")
    result = verifying.verify(builder, declared, range(seeds), model, tell)
    return ModelVerification(model_checks_view(result), failure_of(result))


def failure_of(result: verifying.ModelChecks) -> FailedChecksError | None:
    """The error that names the checks that failed, or None."""
    failed = parameter_failures(result.checks)
    if not failed:
        return None
    more = f"\nand {len(failed) - LISTED} more" if len(failed) > LISTED else ""
    return FailedChecksError(
        f"{len(failed)} of {len(result.checks)} checks failed:\n"
        + "\n".join(failed[:LISTED])
        + more
    )


def describe_model(model: str, seeds: int, tell: Say) -> str:
    """The laws file that the model of ``FILE.py:FUNCTION`` follows as it is."""
    building.torch()
    return describing.describe(building.load(model, "--model"), range(seeds), tell)


def diagnose_model(
    model: str,
    text: str | None,
    batch: str | None,
    *,
    seeds: int,
    loss: str,
    optimizer: str,
    depth: int | None,
    tell: Say,
) -> View:
    """Diagnose the first step of the model that ``FILE.py:FUNCTION`` builds."""
    building.torch()
    shown = batches.of_text(text) if text is not None else batches.of_function(batch or "")
    diagnosis = diagnosing.diagnose(
        building.load(model, "--model"),
        shown,
        range(seeds),
        loss=loss,
        optimizer=optimizer,
        name=model,
        tell=tell,
    )
    return model_diagnosis_view(diagnosis, depth)
