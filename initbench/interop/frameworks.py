"""Frameworks' own initializers as rows: ``torch:nn.init.kaiming_normal_`` and the like.

The names form a fixed list, since a config names code and never imports any. A framework is
imported when one of its rows first draws. Each draw is seeded from the run's own generator: it
depends on the run's seed alone and leaves the framework's global generator untouched. JAX and
Keras draw in float32; where the run is in float64 their weights are widened to it.
"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import DTypeLike

from initbench.core import initializers
from initbench.core.initializers import Initializer, Moments, Shape, Weights
from initbench.core.initializers.dialects import Dialect, equivalent_of, with_dialect_defaults

#: A framework's name in words, by the name of its package.
PACKAGES: dict[str, str] = {"torch": "PyTorch", "jax": "JAX", "keras": "Keras"}
#: Each framework's functions and classes, with initbench's name for each.
NAMES: dict[Dialect, dict[str, str]] = {
    "torch": {
        "nn.init.normal_": "normal",
        "nn.init.uniform_": "uniform",
        "nn.init.trunc_normal_": "truncated_normal",
        "nn.init.kaiming_normal_": "he_normal",
        "nn.init.kaiming_uniform_": "he_uniform",
        "nn.init.xavier_normal_": "glorot_normal",
        "nn.init.xavier_uniform_": "glorot_uniform",
        "nn.init.orthogonal_": "orthogonal",
    },
    "jax": {
        f"nn.initializers.{name}": name
        for name in (
            "normal", "uniform", "truncated_normal", "he_normal", "he_uniform", "lecun_normal",
            "lecun_uniform", "glorot_normal", "glorot_uniform", "orthogonal",
        )
    },
    "keras": {
        "initializers.RandomNormal": "normal",
        "initializers.RandomUniform": "uniform",
        "initializers.TruncatedNormal": "truncated_normal",
        "initializers.HeNormal": "he_normal",
        "initializers.HeUniform": "he_uniform",
        "initializers.LecunNormal": "lecun_normal",
        "initializers.LecunUniform": "lecun_uniform",
        "initializers.GlorotNormal": "glorot_normal",
        "initializers.GlorotUniform": "glorot_uniform",
        "initializers.Orthogonal": "orthogonal",
    },
}  # fmt: skip


def missing(name: str) -> str | None:
    """Say what must be installed for a row to draw; None where nothing is missing."""
    packages = _packages(name)
    if all(map(find_spec, packages)):
        return None
    return f"{name} needs {PACKAGES[packages[0]]}; pip install 'initbench[frameworks]'"


def versions(name: str) -> dict[str, str]:
    """The versions of the packages that draw a row, which a run's numbers depend on.

    Examples:
        >>> versions("he_normal")  # drawn by initbench itself
        {}
    """
    return {package: version(package) for package in _packages(name)}


def _packages(name: str) -> list[str]:
    """The packages that a row needs; Keras needs its backend, too."""
    package, colon, _ = name.partition(":")
    if not colon:
        return []
    return [package, *([_keras_backend()] if package == "keras" else [])]


def _keras_backend() -> str:
    """The backend that Keras draws with: JAX, unless the environment names another."""
    return os.environ.get("KERAS_BACKEND", "jax")


def _torch(rng: RandomState, shape: Shape, dtype: DTypeLike, *, function: str) -> Weights:
    import torch

    generator = torch.Generator().manual_seed(_seed(rng))
    tensor = torch.empty(shape, dtype=getattr(torch, np.dtype(dtype).name))
    weights: Weights = _found(torch, function)(tensor, generator=generator).numpy()
    return weights


def _jax(rng: RandomState, shape: Shape, dtype: DTypeLike, *, function: str) -> Weights:
    import jax

    draw = _found(jax, function)()
    return np.asarray(draw(jax.random.key(_seed(rng)), shape[::-1], np.float32)).T.astype(dtype)


def _keras(rng: RandomState, shape: Shape, dtype: DTypeLike, *, function: str) -> Weights:
    os.environ.setdefault("KERAS_BACKEND", _keras_backend())  # Keras' own default is TensorFlow
    import keras

    draw = _found(keras, function)(seed=_seed(rng))
    return np.asarray(draw(shape[::-1], dtype="float32")).T.astype(dtype)


def _found(package: Any, dotted: str) -> Any:
    """The function or class of a framework under a dotted name of NAMES."""
    for part in dotted.split("."):
        package = getattr(package, part)
    return package


def _seed(rng: RandomState) -> int:
    """A seed for a framework's generator; each layer of a run gets another."""
    return int(rng.randint(2**31))


def _rows() -> dict[str, Initializer]:
    draws = {"torch": _torch, "jax": _jax, "keras": _keras}
    rows = {}
    for package, names in NAMES.items():
        for function, ours in names.items():
            written = {**with_dialect_defaults(package, ours, {}), "dialect": package}
            name, given = equivalent_of(ours, written)
            rows[f"{package}:{function}"] = Initializer(
                partial(draws[package], function=function),
                f"as {ours}, dialect: {package}",
                "-",
                partial(_law, name, given),
            )
    return rows


def _law(name: str, given: Mapping[str, Any], shape: Shape) -> Moments:
    """The moments of the initializer of initbench that draws from the same distribution."""
    row = initializers.INITIALIZERS[name]
    assert row.law is not None
    return row.law(shape, **{**initializers.defaults(row.draw), **given})


FRAMEWORKS: dict[str, Initializer] = _rows()

#: Every row that a config may name, initbench's own and the frameworks'.
ROWS: Mapping[str, Initializer] = ChainMap(initializers.INITIALIZERS, FRAMEWORKS)
