"""Dialects: what each framework draws under a name.

Names are ours (``normal`` for Keras' RandomNormal, ``he_normal`` for PyTorch's kaiming_normal_).
The table has every name that a framework knows, and says which of our initializers draws from the
same distribution, with the parameters that the framework's defaults amount to. The differences:

- ``he_normal``, ``glorot_normal`` and ``lecun_normal`` are normal in PyTorch, and in Keras and
  JAX truncated at two standard deviations, widened by 1 / 0.87962566103423978 so that their
  variance is that of the name.
- ``truncated_normal``: nobody widens it. Keras and JAX cut at two standard deviations, PyTorch's
  ``trunc_normal_`` at -2 and 2, whatever the standard deviation.
- ``normal`` and ``uniform``: PyTorch N(0, 1) and U(0, 1); Keras N(0, 0.05^2) and U(-0.05, 0.05);
  JAX N(0, 0.01^2) and U(0, 0.01).
- ``sparse``: PyTorch's has a standard deviation of 0.01, and a ``sparsity`` of its columns.
- ``glorot_uniform`` is what scikit-learn's ``MLPClassifier`` starts from: with biases from the same
  law, and 2 in place of 6 for the logistic activation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Dialect = Literal["torch", "keras", "jax", "sklearn"]


class Spoken(NamedTuple):
    """What a name means in a dialect: one of our initializers, and its parameters' defaults."""

    name: str
    defaults: Mapping[str, Any]


def _same(*names: str) -> dict[str, Spoken]:
    return {name: Spoken(name, {}) for name in names}


_TRUNCATED = {
    f"{family}_normal": Spoken(f"{family}_truncated_normal", {})
    for family in ("he", "glorot", "lecun")
}
_UNIFORM = _same("he_uniform", "glorot_uniform", "lecun_uniform")

DIALECTS: dict[Dialect, dict[str, Spoken]] = {
    "torch": {
        **_same("zeros", "ones", "constant", "he_normal", "he_uniform"),
        **_same("glorot_normal", "glorot_uniform", "orthogonal", "identity", "torch_default"),
        "normal": Spoken("normal", {"mean": 0.0, "std": 1.0}),
        "uniform": Spoken("uniform", {"low": 0.0, "high": 1.0}),
        "truncated_normal": Spoken("truncated_normal", {"mean": 0.0, "std": 1.0}),
        "sparse": Spoken("sparse", {"std": 0.01}),
    },
    "keras": {
        **_same("zeros", "ones", "orthogonal", "identity", "variance_scaling"),
        **_TRUNCATED,
        **_UNIFORM,
        "constant": Spoken("constant", {"value": 0.0}),
        "normal": Spoken("normal", {"mean": 0.0, "std": 0.05}),
        "uniform": Spoken("uniform", {"low": -0.05, "high": 0.05}),
        "truncated_normal": Spoken("truncated_normal", {"mean": 0.0, "std": 0.05, "bound": 2.0}),
    },
    "jax": {
        **_same("zeros", "ones", "constant", "orthogonal", "variance_scaling"),
        **_TRUNCATED,
        **_UNIFORM,
        "normal": Spoken("normal", {"mean": 0.0, "std": 0.01}),
        "uniform": Spoken("uniform", {"low": 0.0, "high": 0.01}),
        "truncated_normal": Spoken("truncated_normal", {"mean": 0.0, "std": 0.01, "bound": 2.0}),
    },
    "sklearn": {"glorot_uniform": Spoken("sklearn_default", {}), **_same("sklearn_default")},
}

#: PyTorch's trunc_normal_ cuts here, in weights and not in standard deviations.
TORCH_CUT = 2.0
#: As many standard deviations away as :func:`truncated_normal` knows: no draw is cut there.
FARTHEST = 100.0


def filled(dialect: Dialect, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the dialect's defaults where none are ``given``.

    >>> filled("keras", "normal", {"mean": 1.0})
    {'mean': 1.0, 'std': 0.05}
    >>> filled("torch", "truncated_normal", {"std": 0.5})
    {'mean': 0.0, 'std': 0.5, 'bound': 4.0}
    """
    parameters = {**DIALECTS[dialect][name].defaults, **given}
    if (dialect, name) == ("torch", "truncated_normal") and "bound" not in given:
        std = parameters["std"]
        if isinstance(std, int | float) and std > 0:
            parameters["bound"] = min(TORCH_CUT / std, FARTHEST)
    return parameters


def spoken(name: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The initializer that draws, and its parameters, of a choice that may have a ``dialect``.

    >>> spoken("he_normal", {"gain": None, "dialect": "jax"})
    ('he_truncated_normal', {'gain': None})
    """
    rest = {key: value for key, value in parameters.items() if key != "dialect"}
    dialect = parameters.get("dialect")
    if dialect is None:
        return name, rest
    drawn = DIALECTS[dialect][name].name
    if drawn == "sklearn_default":  # which has no parameters; glorot_uniform's gain is not given
        rest = {}
    return drawn, rest


def complaint(name: str, parameters: Mapping[str, Any]) -> str | None:
    """What is wrong with a choice of a dialect, in words, or None."""
    dialect = parameters.get("dialect")
    if dialect is None:
        return None
    known = DIALECTS[dialect]
    if name not in known:
        return f"{dialect} has no {name}; with dialect: {dialect} there are {', '.join(known)}"
    if known[name].name == "sklearn_default" and parameters.get("gain") is not None:
        return "scikit-learn's start has no gain; remove gain, or the dialect"
    if (dialect, name) == ("torch", "truncated_normal") and parameters["mean"] != 0:
        return "PyTorch's cut at -2 and 2 is drawn for mean 0 alone; remove mean, or the dialect"
    if (dialect, name) == ("torch", "sparse") and parameters["sparsity"] is None:
        return "PyTorch's sparse_ needs sparsity; add it, as in sparsity: 0.9"
    return None
