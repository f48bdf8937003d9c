"""A diagnosis in sentences: its condition, what theory says, and what a sweep does not change."""

from __future__ import annotations

import math
from collections.abc import Sequence

from initbench.diagnosis.diagnose import Degree, Diagnosis
from initbench.report.views.diagnosis_rows import Idle

#: What a condition is called beside its name, where networks have not been trained yet.
DEGREES: dict[Degree, str] = {
    "will not train": ", will not train",
    "slow": ", but will be slow",
    "healthy": "",
}


def condition_line(diagnosis: Diagnosis) -> str:
    """The condition, its reason and what to do, in one to three sentences."""
    begins = diagnosis.begins_at_layer
    place = "" if begins is None else f" from layer {begins}"
    before = diagnosis.findings.iteration == 0
    degree = DEGREES[diagnosis.degree] if before else ""
    advice = f" {diagnosis.advice}" if diagnosis.advice else ""
    return f"{diagnosis.condition}{place}{degree}: {diagnosis.reason}{advice}"


def theory_line(diagnosis: Diagnosis) -> str:
    """What theory says about the network as a whole, its symbols explained."""
    theory = diagnosis.findings.theory
    if theory is None:
        return (
            "Theory: none, because it needs random weights and biases of mean 0, and hidden layers "
            "to go by."
        )
    if theory.fixed_variance in (0, math.inf):
        fading = theory.fixed_variance == 0
        rate = math.exp((-1 if fading else 1) / theory.xi_q) if theory.xi_q > 0 else 0.0
        pace = f"by a factor of {rate:.4g} a layer" if rate != 1 else "slower with every layer"
        reach = f"the signal {'fades' if fading else 'grows'} {pace}"
    elif math.isinf(theory.reach):
        reach = "a signal reaches any depth"
    else:
        layers = max(1, round(theory.reach))
        reach = f"a signal reaches about {layers:,} layer{'s' * (layers > 1)}"
    dead = ""
    if theory.born_dead is not None and theory.born_dead[1] >= 0.001:
        low, high = (f"{100 * bound:.2f}" for bound in theory.born_dead)
        dead = f"; {low} to {high} % of such networks give a constant output"
    return (
        f"Theory: weights of variance {theory.sigma_w2:.4g} / fan_in, biases of variance "
        f"{theory.sigma_b2:.4g}; with depth the signal tends to {theory.fixed_variance:.3g} and "
        f"the cosine to {theory.fixed_cosine:.3g}; each layer changes the gradient's variance by a "
        f"factor chi_1 = {theory.chi_1:.4g}; {reach}{dead}."
    )


def idle_lines(idle: Sequence[Idle], what: str, *, several: bool = False) -> list[str]:
    """Which keys of a sweep change nothing, a line a config, which is named among ``several``.

    ``what`` is what the settings share: a row, or the table.
    """
    return [
        (f"{one.config}: " if several else "")
        + f"{' and '.join(one.keys)} change{'s' * (len(one.keys) == 1)} nothing at the start; "
        + f"{one.settings} settings share {what}."
        for one in idle
    ]


def caution_lines(diagnoses: Sequence[Diagnosis], *, several: bool = False) -> list[str]:
    """What to know about the data, each sentence once a config, which is named in ``several``."""
    return list(
        dict.fromkeys(
            (f"{d.findings.config}: " if several else "") + caution
            for d in diagnoses
            for caution in d.cautions
        )
    )
