"""Findings: what was measured in an initializer's networks, beside what theory predicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from initbench.runs.records import RowKey


@dataclass(frozen=True, slots=True)
class Pair:
    """A quantity as theory predicts it, None where theory does not apply, and as it is measured."""

    predicted: float | None
    measured: float


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's findings as medians over seeds; None is what the layer or task does not have.

    :class:`initbench.core.propagation.Measurement` defines the measured quantities. The share of
    units and samples at which phi is flat is called ``saturated`` where phi is flat on both sides
    (tanh), and ``inactive`` where it is flat on one (relu). In the last layer ``saturated`` is the
    share of samples whose outputs are all close to certain.
    """

    layer: int
    fan_in: int
    units: int
    preactivation_mean: float
    preactivation_variance: Pair
    contrast: Pair
    activation_mean: float
    activation_variance: float
    gradient_variance: Pair
    weight_gradient_variance: float
    cosine: Pair
    effective_rank: float
    saturated: float | None
    inactive: float | None
    dead: float | None
    distinct_units: float | None
    update_size: float | None


@dataclass(frozen=True, slots=True)
class Theory:
    """What theory says about the network as a whole.

    ``sigma_w2`` and ``sigma_b2`` are medians over the layers that an activation feeds. The fixed
    point, ``chi_1``, the depth scales ``xi_q`` and ``xi_c`` and the ``reach`` (in layers) belong to
    a network that goes on for ever with these: :class:`initbench.core.meanfield.Limit`.
    ``length_spread`` is the standard deviation, over draws, of the log of the last layer's mean
    square. ``born_dead`` bounds the probability that the network's output is constant, None where
    no bounds are known: :func:`initbench.core.meanfield.born_dead`.
    """

    sigma_w2: float
    sigma_b2: float
    fixed_variance: float
    fixed_cosine: float
    chi_1: float
    xi_q: float
    xi_c: float
    reach: float
    length_spread: float
    born_dead: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Steady:
    """The weights that theory recommends: :func:`initbench.core.meanfield.steady_scale`.

    Under sigma_w^2 = ``scale`` a network of this activation and depth loses least. ``change`` is
    the factor by which the variance of its signal or gradient changes even then, and ``spread`` is
    the ``length_spread`` that its widths leave it with (:class:`Theory`).
    """

    scale: float
    change: float
    spread: float


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was found about one initializer's networks, at one moment of their training.

    ``iteration`` is 0 before training. ``seeds`` and ``samples`` count what was measured, which may
    be less than the config asks for. ``input_square`` and ``input_cosine`` are the mean square of
    the inputs and the mean cosine of two of them. ``jacobian`` holds the largest, the median and
    the smallest singular value of the Jacobian of logits with respect to inputs. ``born_dead`` is
    the share of networks whose output is constant.
    """

    config: str
    initializer: str
    setting: dict[str, Any]
    activation: str
    seeds: int
    samples: int
    iteration: int
    train_loss: float | None
    input_square: float
    input_cosine: float
    layers: tuple[Layer, ...]
    theory: Theory | None
    jacobian: tuple[float, float, float]
    born_dead: float
    steady: Steady

    @property
    def row(self) -> RowKey:
        """The key of the row that was diagnosed."""
        return RowKey.of(self.config, self.initializer, self.setting)

    @property
    def jacobian_condition(self) -> float:
        """The largest singular value of the Jacobian over its smallest."""
        largest, _, smallest = self.jacobian
        return largest / smallest if smallest > 0 else math.inf
