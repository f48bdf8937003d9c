"""Dialects: what each framework draws under a name.

The names are initbench's (``normal`` for Keras' RandomNormal, ``he_normal`` for PyTorch's
kaiming_normal_). The table holds every name that a framework knows, and says which of initbench's
initializers draws from the same distribution, with the parameters that the framework's defaults
amount to. The frameworks differ in these names:

- ``he_normal``, ``glorot_normal`` and ``lecun_normal`` are normal in PyTorch. Keras and JAX cut
  them off at two standard deviations and widen them by 1 / 0.87962566103423978, so that their
  variance is the one that the name promises.
- ``truncated_normal`` is widened by nobody. Keras and JAX cut at two standard deviations, PyTorch's
  ``trunc_normal_`` at -2 and 2, whatever the standard deviation.
- ``normal`` and ``uniform`` are N(0, 1) and U(0, 1) in PyTorch, N(0, 0.05^2) and U(-0.05, 0.05) in
  Keras, N(0, 0.01^2) and U(0, 0.01) in JAX.
- ``sparse`` has in PyTorch a standard deviation of 0.01, and a ``sparsity`` of its columns.
- ``glorot_uniform`` is what scikit-learn's ``MLPClassifier`` draws, biases included, with 2 in
  place of 6 for the logistic activation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Dialect = Literal["torch", "keras", "jax", "sklearn"]


class Equivalent(NamedTuple):
    """The initializer of initbench that draws what a framework draws under a name.

    ``defaults`` are the parameters that the framework's own defaults amount to, where they differ
    from those of the initializer.
    """

    name: str
    defaults: Mapping[str, Any]


def _same(*names: str) -> dict[str, Equivalent]:
    """Names under which the framework draws what initbench draws."""
    return {name: Equivalent(name, {}) for name in names}


_TRUNCATED = {
    f"{family}_normal": Equivalent(f"{family}_truncated_normal", {})
    for family in ("he", "glorot", "lecun")
}
_UNIFORM = _same("he_uniform", "glorot_uniform", "lecun_uniform")

DIALECTS: dict[Dialect, dict[str, Equivalent]] = {
    "torch": {
        **_same("zeros", "ones", "constant", "he_normal", "he_uniform"),
        **_same("glorot_normal", "glorot_uniform", "orthogonal", "identity", "torch_default"),
        "normal": Equivalent("normal", {"mean": 0.0, "std": 1.0}),
        "uniform": Equivalent("uniform", {"low": 0.0, "high": 1.0}),
        "truncated_normal": Equivalent("truncated_normal", {"mean": 0.0, "std": 1.0}),
        "sparse": Equivalent("sparse", {"std": 0.01}),
    },
    "keras": {
        **_same("zeros", "ones", "orthogonal", "identity", "variance_scaling"),
        **_TRUNCATED,
        **_UNIFORM,
        "constant": Equivalent("constant", {"value": 0.0}),
        "normal": Equivalent("normal", {"mean": 0.0, "std": 0.05}),
        "uniform": Equivalent("uniform", {"low": -0.05, "high": 0.05}),
        "truncated_normal": Equivalent(
            "truncated_normal", {"mean": 0.0, "std": 0.05, "bound": 2.0}
        ),
    },
    "jax": {
        **_same("zeros", "ones", "constant", "orthogonal", "variance_scaling"),
        **_TRUNCATED,
        **_UNIFORM,
        "normal": Equivalent("normal", {"mean": 0.0, "std": 0.01}),
        "uniform": Equivalent("uniform", {"low": 0.0, "high": 0.01}),
        "truncated_normal": Equivalent(
            "truncated_normal", {"mean": 0.0, "std": 0.01, "bound": 2.0}
        ),
    },
    "sklearn": {"glorot_uniform": Equivalent("sklearn_default", {}), **_same("sklearn_default")},
}

#: PyTorch's trunc_normal_ cuts here, in weights and not in standard deviations.
TORCH_CUT = 2.0
#: The largest ``bound`` that :func:`.distributions.truncated_normal` takes: so far out, no draw is
#: ever cut.
FARTHEST = 100.0
#: The smallest one: nearer, almost all draws would be drawn again.
NEAREST = 0.01


def with_dialect_defaults(dialect: Dialect, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Add the dialect's defaults to the parameters ``given`` for an initializer.

    Args:
        dialect: The framework; it must know ``name``.
        name: The initializer's name.
        given: The parameters that the user gave; they win.

    Returns:
        The parameters by name.

    Examples:
        >>> with_dialect_defaults("keras", "normal", {"mean": 1.0})
        {'mean': 1.0, 'std': 0.05}
        >>> with_dialect_defaults("torch", "truncated_normal", {"std": 0.5})
        {'mean': 0.0, 'std': 0.5, 'bound': 4.0}
    """
    parameters = {**DIALECTS[dialect][name].defaults, **given}
    if (dialect, name) == ("torch", "truncated_normal") and "bound" not in given:
        std = parameters["std"]
        if isinstance(std, int | float) and std > 0:
            parameters["bound"] = min(max(TORCH_CUT / std, NEAREST), FARTHEST)
    return parameters


def equivalent_of(name: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Find the initializer that draws, where ``parameters`` may name a ``dialect``.

    Args:
        name: The initializer's name.
        parameters: All of its parameters, the dialect's defaults included.

    Returns:
        The name of the initializer that draws, and the parameters that it is called with. Without
        a dialect both are those given.

    Examples:
        >>> equivalent_of("he_normal", {"gain": None, "dialect": "jax"})
        ('he_truncated_normal', {'gain': None})
    """
    rest = {key: value for key, value in parameters.items() if key != "dialect"}
    dialect = parameters.get("dialect")
    if dialect is None:
        return name, rest
    drawn = DIALECTS[dialect][name].name
    if drawn == "sklearn_default":  # it has no parameters, and glorot_uniform's gain is None
        rest = {}
    return drawn, rest


def incompatibility(name: str, parameters: Mapping[str, Any]) -> str | None:
    """Say why the ``dialect`` among ``parameters`` cannot draw ``name``; None where it can.

    Examples:
        >>> incompatibility("sparse", {"dialect": "torch", "sparsity": None})
        "PyTorch's sparse_ needs sparsity; add it, as in sparsity: 0.9"
    """
    dialect = parameters.get("dialect")
    if dialect is None:
        return None
    known = DIALECTS[dialect]
    if name not in known:
        return f"{dialect} has no {name}; with dialect: {dialect} there are {', '.join(known)}"
    if known[name].name == "sklearn_default" and parameters.get("gain") is not None:
        return "scikit-learn's initialization has no gain; remove gain, or the dialect"
    if (dialect, name) == ("torch", "truncated_normal") and parameters["mean"] != 0:
        return (
            "PyTorch's cut at -2 and 2 is drawn only for a mean of 0; remove mean, or the dialect"
        )
    widest = TORCH_CUT / NEAREST
    cut = (dialect, name, parameters.get("bound")) == ("torch", "truncated_normal", NEAREST)
    if cut and parameters["std"] > widest:
        return (
            f"std must be at most {widest:g} with dialect: torch, which cuts at -2 and 2, got "
            f"{parameters['std']:g}; write uniform, with low: -2 and high: 2"
        )
    if (dialect, name) == ("torch", "sparse") and parameters["sparsity"] is None:
        return "PyTorch's sparse_ needs sparsity; add it, as in sparsity: 0.9"
    return None
