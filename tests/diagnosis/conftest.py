from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from initbench.diagnosis.findings import Findings, Layer, Pair, Theory

THEORY = Theory(
    sigma_w2=2.0, sigma_b2=0.0, fixed_variance=1.0, fixed_cosine=1.0, chi_1=1.0, xi_q=math.inf,
    xi_c=math.inf, reach=math.inf, length_spread=0.5, born_dead=(0.1, 0.2),
)  # fmt: skip


def layer(number: int, last: bool, **changed: Any) -> Layer:
    plain = Layer(
        layer=number, fan_in=8, units=8, preactivation_mean=0.0,
        preactivation_variance=Pair(1.0, 1.0), contrast=Pair(0.5, 0.5), activation_mean=0.4,
        activation_variance=0.3, activation_contrast=0.2, weight_square=0.1,
        gradient_variance=Pair(0.1, 0.1), weight_gradient_variance=0.01,
        cosine=Pair(0.5, 0.5), effective_rank=3.0, saturated=0.0, inactive=None,
        dead=None if last else 0.0, distinct_units=None if last else 8.0, update_size=0.01,
        moved=0.0,
    )  # fmt: skip
    measured: dict[str, Any] = {
        key: Pair(1.0, value) if isinstance(getattr(plain, key), Pair) else value
        for key, value in changed.items()
    }
    return replace(plain, **measured)


def findings(*changes: dict[str, Any], **changed: Any) -> Findings:
    """Four healthy layers, each with its ``changes``, and what else has ``changed``."""
    each = [*changes, *[{}] * (4 - len(changes))]
    plain = Findings(
        config="made up", initializer="he_normal", setting={}, activation="tanh",
        optimizer="gd", seeds=5, samples=100, iteration=0, train_loss=0.7, constant_loss=0.7,
        input_square=1.0, input_cosine=0.0, input_spread=1.0,
        layers=tuple(layer(i + 1, i == 3, **each[i]) for i in range(4)), theory=THEORY,
        jacobian=(1.0, 0.5, 0.1), born_dead=0.0,
    )  # fmt: skip
    return replace(plain, **changed)
