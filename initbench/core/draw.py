"""Draws: every run's first parameters, drawn from its own seed and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import RandomState

from initbench.core.architecture import Architecture
from initbench.core.arrays import Array
from initbench.core.gains import with_numbers
from initbench.core.initializers import Initializer, Moments, Network, defaults
from initbench.errors import PluginError

#: How many train samples an initializer may look at.
BATCH = 1024


@dataclass(frozen=True, slots=True)
class ChosenInitializer:
    """An initializer as a run uses it: its name for messages, its row and its parameters."""

    name: str
    initializer: Initializer
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draws:
    """The first parameters of the runs that could be drawn, and what is to be said about some runs.

    ``theta`` (R, P) has a row for each run in ``drawn``. ``drawn`` holds indices among all runs
    that were asked for, and ``failures`` and ``notes`` map such indices to words.
    """

    theta: Array
    drawn: tuple[int, ...]
    failures: dict[int, str]
    notes: dict[int, str]


class _WrongWeightsError(Exception):
    """An initializer returned something that training cannot start from; the message says what."""


def network_of(architecture: Architecture, inputs: Array) -> Network:
    """What an architecture's initializers may know, ``inputs`` (I, N) being the train split's."""
    return Network.of(architecture, inputs[:, :BATCH].astype(architecture.dtype))


def draw(network: Network, chosen: Sequence[ChosenInitializer], seeds: Sequence[int]) -> Draws:
    """Draw each run's weights and biases from its own seed, whichever runs stand beside it.

    A user's initializer may raise or return anything. Such a run fails for a reason in words, and
    the others are drawn.

    Args:
        network: The network that all runs share.
        chosen: The initializer of each run, (R,).
        seeds: The seed of each run, (R,).
    """
    theta = network.zeros(len(seeds))
    views = network.views(theta)
    failures, notes = {}, {}
    for run, (one, seed) in enumerate(zip(chosen, seeds, strict=True)):
        own = [view[run] for view in views]  # (O, I + 1) each, the bias last
        try:
            with np.errstate(all="ignore"):  # _check finds what overflowed
                note = _fill(own, one, network, RandomState(seed))
        except _WrongWeightsError as error:
            failures[run] = str(error)
        except PluginError as error:  # in words already
            failures[run] = str(error)
        except Exception as error:  # an initializer may raise anything: that is a result
            failures[run] = f"raised {type(error).__name__}: {error}"
        else:
            if note:
                notes[run] = note
    if not failures:
        return Draws(theta, tuple(range(len(theta))), failures, notes)
    drawn = tuple(run for run in range(len(theta)) if run not in failures)
    kept = network.zeros(len(drawn))
    kept[:] = theta[list(drawn)]
    return Draws(kept, drawn, failures, notes)


def _fill(
    own: Sequence[Array], chosen: ChosenInitializer, network: Network, rng: RandomState
) -> str:
    """Fill one run's layers, each (O, I + 1), and return the initializer's note."""
    function = chosen.initializer.draw
    numbers = with_numbers(chosen.parameters, network)
    if chosen.initializer.scope == "layer":
        for number, (layer, shape) in enumerate(zip(own, network.shapes, strict=True), 1):
            weights = function(rng, shape, network.dtype, **numbers)
            _check(weights, shape, network, f"the weights of layer {number}")
            layer[:, :-1] = weights
        return ""
    start = function(rng, network, **numbers)
    for number, (layer, shape, (weights, biases)) in enumerate(
        zip(own, network.shapes, start.layers, strict=True), 1
    ):
        _check(weights, shape, network, f"the weights of layer {number}")
        _check(biases, shape[:1], network, f"the biases of layer {number}")
        layer[:, :-1], layer[:, -1] = weights, biases
    return str(start.note)


def _check(values: Any, shape: tuple[int, ...], network: Network, what: str) -> None:
    """Raise _WrongWeightsError where training could not start from ``values``."""
    if not isinstance(values, np.ndarray):
        raise _WrongWeightsError(f"{what} must be a NumPy array, got {type(values).__name__}")
    if values.shape != shape:
        expected = f"{shape}, (fan_out, fan_in)" if len(shape) == 2 else f"{shape}"
        raise _WrongWeightsError(f"{what} must have shape {expected}, got {values.shape}")
    if values.dtype != network.dtype:
        raise _WrongWeightsError(f"{what} must be {network.dtype}, got {values.dtype}")
    if wrong := np.count_nonzero(~np.isfinite(values)):
        raise _WrongWeightsError(f"{what} must be finite, got {wrong:,} of {values.size:,} not")


def laws(chosen: ChosenInitializer, network: Network) -> list[Moments | None]:
    """The moments of each layer's weights, from the first to the last; None where unknown.

    Parameters that ``chosen`` leaves out are the initializer's defaults.

    Raises:
        ValueError: The parameters do not fit each other.
    """
    draw_function, law = chosen.initializer.draw, chosen.initializer.law
    if law is None:
        return [None] * len(network.shapes)
    given = {**defaults(draw_function), **with_numbers(chosen.parameters, network)}
    if chosen.initializer.scope == "layer":
        return [law(shape, **given) for shape in network.shapes]
    return [law(network, layer, **given) for layer in range(len(network.shapes))]
