"""Draws: every run's first parameters, drawn from its own seed and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.random import RandomState

from initbench.core.architecture import Architecture
from initbench.core.arrays import Array
from initbench.core.gains import with_numbers
from initbench.core.initializers import Initializer, Moments, Network, defaults
from initbench.errors import PluginError

#: How many train samples an initializer may look at.
BATCH = 1024
#: Sets the stream of a seed's biases apart from that of its weights, which are the same whatever
#: the biases are.
BIAS_STREAM = 3


@dataclass(frozen=True, slots=True)
class ChosenInitializer:
    """An initializer as a run uses it: its name for messages, its row and its parameters."""

    name: str
    initializer: Initializer
    parameters: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        """Name and parameters as words: equal for initializers that draw the same."""
        return self.name, repr(sorted(self.parameters.items()))


#: What fills the biases of each of a run's layers; None for those that the initializer of the
#: weights gives.
ChosenBiases: TypeAlias = Sequence[ChosenInitializer | None]


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


def network_of(architecture: Architecture, inputs: Array, prior: Array | None = None) -> Network:
    """What an architecture's initializers may know.

    ``inputs`` (I, N) are the train split's, and ``prior`` (O,) is that of its targets.
    """
    return Network.of(architecture, inputs[:, :BATCH].astype(architecture.dtype), prior)


def draw(
    network: Network,
    chosen: Sequence[ChosenInitializer],
    seeds: Sequence[int],
    biases: Sequence[ChosenBiases] | None = None,
) -> Draws:
    """Draw each run's weights and biases from its own seed, whichever runs stand beside it.

    A user's initializer may raise or return anything. Such a run fails for a reason in words, and
    the others are drawn.

    Args:
        network: The network that all runs share.
        chosen: The initializer of each run, (R,).
        seeds: The seed of each run, (R,).
        biases: What fills the biases of each run, (R,), where the initializer shall not.
    """
    theta = network.zeros(len(seeds))
    views = network.views(theta)
    failures, notes = {}, {}
    fillings = biases or [()] * len(seeds)
    for run, (one, filling, seed) in enumerate(zip(chosen, fillings, seeds, strict=True)):
        own = [view[run] for view in views]  # (O, I + 1) each, the bias last
        try:
            with np.errstate(all="ignore"):  # _check finds what overflowed
                note = _fill(own, one, network, RandomState(seed))
                if any(filling):
                    rng = RandomState([BIAS_STREAM, seed])
                    moved = _fill_biases(own, filling, network, rng)
                    note = _with_a_word_on_fits(note, one, moved)
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


def _fill_biases(
    own: Sequence[Array], filling: ChosenBiases, network: Network, rng: RandomState
) -> bool:
    """Fill one run's biases; whether those of a layer that others follow are no longer the same."""
    starts: dict[Any, Sequence[tuple[Array, Array]]] = {}
    moved = False
    for number, (layer, chosen) in enumerate(zip(own, filling, strict=True), 1):
        if chosen is None:
            continue
        shape = network.shapes[number - 1]
        function, numbers = chosen.initializer.draw, chosen.parameters
        if chosen.initializer.scope == "layer":
            biases = function(rng, shape[:1], network.dtype, **numbers)
        else:
            if chosen.key not in starts:
                starts[chosen.key] = function(rng, network, **numbers).layers
            biases = starts[chosen.key][number - 1][1]
        _check(biases, shape[:1], network, f"the biases of layer {number}")
        moved |= number < len(own) and not np.array_equal(layer[:, -1], biases)
        layer[:, -1] = biases
    return moved


def _with_a_word_on_fits(note: str, chosen: ChosenInitializer, moved: bool) -> str:
    """The note of an initializer that fits a layer to those before it, whose biases have moved."""
    parts = chosen.parameters.get("parts", {"": chosen}).values()
    fitting = [one.name for one in parts if one.initializer.fits] if moved else []
    words = [f"{name} fitted its layers before bias gave them other biases" for name in fitting]
    return "; ".join(filter(None, [note, *words]))


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
    given = _given(chosen, network)
    return [_law(chosen, network, layer, given) for layer in range(len(network.shapes))]


def law(chosen: ChosenInitializer, network: Network, layer: int) -> Moments | None:
    """The moments of one layer's weights, by its index, as :func:`laws` gives them."""
    return _law(chosen, network, layer, _given(chosen, network))


def _given(chosen: ChosenInitializer, network: Network) -> dict[str, Any]:
    return {**defaults(chosen.initializer.draw), **with_numbers(chosen.parameters, network)}


def _law(
    chosen: ChosenInitializer, network: Network, layer: int, given: Mapping[str, Any]
) -> Moments | None:
    law = chosen.initializer.law
    if law is None:
        return None
    if chosen.initializer.scope == "layer":
        return law(network.shapes[layer], **given)
    return law(network, layer, **given)
