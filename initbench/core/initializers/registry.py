"""The registry: every initializer by name, and the other names that it goes by.

A new initializer is a function beside its kind, its law, and a row here. The bounds of its
parameters stand in its signature, and only there: configs, messages and the JSON Schema
read them from it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from initbench.core.initializers import elementary, scaling, structured
from initbench.core.initializers.protocol import Initializer
from initbench.core.initializers.scaling import Distribution, Mode

HE = "He et al. 2015, arXiv:1502.01852"
LECUN = "LeCun et al. 1998, Efficient BackProp"
GLOROT = "Glorot and Bengio 2010, AISTATS"


def _member(
    scale: float, mode: Mode, distribution: Distribution, formula: str, reference: str
) -> Initializer:
    """A member of the family of variance scaling."""
    member: Any = {"scale": scale, "mode": mode, "distribution": distribution}
    draw = partial(scaling.variance_scaling, **member)
    law = partial(scaling.variance_scaling_law, **member)
    return Initializer(draw, formula, reference, law)


INITIALIZERS: dict[str, Initializer] = {
    "zeros": Initializer(elementary.zeros, "0", "-", partial(elementary.constant_law, value=0.0)),
    "ones": Initializer(elementary.ones, "1", "-", partial(elementary.constant_law, value=1.0)),
    "constant": Initializer(elementary.constant, "value", "-", elementary.constant_law),
    "normal": Initializer(elementary.normal, "N(mean, std^2)", "-", elementary.normal_law),
    "uniform": Initializer(elementary.uniform, "U(low, high)", "-", elementary.uniform_law),
    "truncated_normal": Initializer(
        elementary.truncated_normal,
        "N(mean, std^2), cut off at mean +- bound std",
        "-",
        elementary.truncated_normal_law,
    ),
    "variance_scaling": Initializer(
        scaling.variance_scaling,
        "variance scale / fan",
        "He 2015, LeCun 1998, Glorot 2010",
        scaling.variance_scaling_law,
    ),
    "he_normal": _member(2, "fan_in", "normal", "N(0, 2 / fan_in)", HE),
    "he_uniform": _member(2, "fan_in", "uniform", "U(+-sqrt(6 / fan_in))", HE),
    "he_truncated_normal": _member(
        2, "fan_in", "truncated_normal", "variance 2 / fan_in, cut off", HE
    ),
    "lecun_normal": _member(1, "fan_in", "normal", "N(0, 1 / fan_in)", LECUN),
    "lecun_uniform": _member(1, "fan_in", "uniform", "U(+-sqrt(3 / fan_in))", LECUN),
    "lecun_truncated_normal": _member(
        1, "fan_in", "truncated_normal", "variance 1 / fan_in, cut off", LECUN
    ),
    "glorot_normal": _member(1, "fan_avg", "normal", "N(0, 2 / (fan_in + fan_out))", GLOROT),
    "glorot_uniform": _member(1, "fan_avg", "uniform", "U(+-sqrt(6 / (fan_in + fan_out)))", GLOROT),
    "glorot_truncated_normal": _member(
        1, "fan_avg", "truncated_normal", "variance 2 / (fan_in + fan_out), cut off", GLOROT
    ),
    "orthogonal": Initializer(
        structured.orthogonal,
        "gain * Q, Q orthonormal",
        "Saxe et al. 2013, arXiv:1312.6120",
        structured.orthogonal_law,
    ),
    "identity": Initializer(
        structured.identity, "gain on the diagonal", "-", structured.identity_law
    ),
}

#: Other names of a registered initializer: PyTorch's.
ALIASES: dict[str, str] = {
    "kaiming_normal": "he_normal",
    "kaiming_uniform": "he_uniform",
    "xavier_normal": "glorot_normal",
    "xavier_uniform": "glorot_uniform",
    "trunc_normal": "truncated_normal",
    "eye": "identity",
}
