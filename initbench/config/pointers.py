"""Pointers: what other libraries call something, and how a config says it.

A name or key of PyTorch, Keras or JAX is no typing mistake, so that the nearest spelling would
mislead: ``momentum`` of their SGD is an optimizer of its own here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from typing import Any

from initbench.core.initializers import INITIALIZERS
from initbench.spec.choice import registry_spelling

#: Names that other libraries use, or people, for what has several names here.
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "initializer": {
        "random": ("normal", "uniform"),
        "randn": ("normal",),
        "rand": ("uniform",),
        "gaussian": ("normal",),
        "msra": ("he_normal", "he_uniform"),
        "dirac": ("identity",),
        "default": ("torch_default", "sklearn_default"),
    },
    "optimizer": {"adamw": ("adam",), "nag": ("nesterov",)},
}
#: Keys of a config that other libraries call otherwise.
KEYS = {
    "lr": "learning_rate",
    "epochs": "iterations, the number of updates",
    "steps": "iterations, the number of updates",
    "max_iter": "iterations, the number of updates",
    "hidden": "layers",
    "hidden_layer_sizes": "layers",
    "initializers": "initializer",
    "random_state": "seeds",
}
#: The same of parameters, where the chosen one has the parameter.
PARAMETERS = {
    "stddev": "std", "a": "low", "minval": "low", "b": "high", "maxval": "high", "val": "value",
    "eps": "epsilon", "rho": "decay", "alpha": "decay", "beta_1": "beta1", "beta_2": "beta2",
}  # fmt: skip
#: The scale and the mode that :func:`initbench.core.initializers.variance_scaling` has for each of
#: its families.
_FAMILIES = {"he": (2, "fan_in"), "lecun": (1, "fan_in"), "glorot": (1, "fan_avg")}


def of_name(kind: str, name: str, known: Iterable[str]) -> list[str]:
    """The names here that another library's name, or the beginning of names, may stand for."""
    spelt = registry_spelling(name)
    if named := NAMES.get(kind, {}).get(spelt):
        return list(named)
    return [each for each in known if spelt and each.startswith(f"{spelt}_")]


def of_key(kind: str, chosen: str, key: str, value: Any, known: Collection[str]) -> str:
    """What an unknown key of a chosen row, or of the config where none is, is written as here."""
    if not kind:
        return f"; write {KEYS[key]}" if key in KEYS else ""
    if (here := PARAMETERS.get(key)) and here in known:
        return f"; write {here}"
    written = _WRITTEN.get((kind, key))
    # A plugin's initializer may lack a key of this name for reasons of its own.
    if written is None or (kind == "initializer" and chosen not in INITIALIZERS):
        return ""
    return f"; {written(chosen, value)}"


def _mode(chosen: str, value: Any) -> str:
    family, _, distribution = chosen.partition("_")
    if family not in _FAMILIES:
        return "of the initializers, variance_scaling has a mode"
    scale, usual = _FAMILIES[family]
    mode = value if value in ("fan_in", "fan_out", "fan_avg") else usual
    return (
        f"write {{name: variance_scaling, scale: {scale}, mode: {mode}, "
        f"distribution: {distribution}}}"
    )


def _slope(_: str, value: Any) -> str:
    slope = float(value) if isinstance(value, int | float) and abs(value) < 1e100 else 0.0
    return f"write gain: {math.sqrt(2 / (1 + slope**2)):.6g}, which is sqrt(2 / (1 + a^2))"


def _nonlinearity(*_: Any) -> str:
    return "write gain: torch, PyTorch's gain for the activation that the config names"


def _momentum(_: str, value: Any) -> str:
    given = value if isinstance(value, int | float) and 0 <= value < 1 else 0.9
    return f"write optimizer: {{name: momentum, momentum: {given}}}"


def _nesterov(*_: Any) -> str:
    return "write optimizer: {name: nesterov, momentum: 0.9}"


_WRITTEN: dict[tuple[str, str], Callable[[str, Any], str]] = {
    ("initializer", "mode"): _mode,
    ("initializer", "a"): _slope,
    ("initializer", "negative_slope"): _slope,
    ("initializer", "nonlinearity"): _nonlinearity,
    ("optimizer", "momentum"): _momentum,
    ("optimizer", "nesterov"): _nesterov,
    ("optimizer", "betas"): lambda *_: "write beta1 and beta2",
    ("optimizer", "lr"): lambda *_: "learning_rate is a key of the config",
    ("optimizer", "learning_rate"): lambda *_: "learning_rate is a key of the config",
    ("optimizer", "weight_decay"): lambda *_: "no optimizer here decays weights; remove it",
}
