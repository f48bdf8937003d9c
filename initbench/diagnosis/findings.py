"""Findings: what was measured in an initializer's networks, beside what theory predicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from initbench.diagnosis.growth import Growth, fit
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
    activation_contrast: float
    weight_square: float
    gradient_variance: Pair
    weight_gradient_variance: float
    cosine: Pair
    effective_rank: float
    saturated: float | None
    inactive: float | None
    dead: float | None
    distinct_units: float | None
    update_size: float | None
    moved: float | None

    @property
    def gradient_energy(self) -> float:
        """The sum of the squares of the gradient's entries, over the layer's units.

        Weights of variance proportional to 1 / fan_in pass it on whatever the widths are, while a
        unit's share of it falls with the width.
        """
        return self.units * self.gradient_variance.measured


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
class Findings:
    """Everything that was found about one initializer's networks, at one moment of their training.

    ``optimizer`` is its name. ``iteration`` is 0 before training. ``seeds`` and ``samples`` count
    what was measured, which may be less than the config asks for. ``constant_loss`` is the train
    loss of the best predictor that ignores its inputs. ``input_square`` and ``input_cosine`` are
    the mean square of the inputs and the mean cosine of two of them. ``input_spread`` is the
    largest variance of a feature over the median one, constant features left out. ``jacobian``
    holds the largest, the median and the smallest singular value of the Jacobian of logits with
    respect to inputs. ``born_dead`` is the share of networks whose output is constant.
    """

    config: str
    initializer: str
    setting: dict[str, Any]
    activation: str
    optimizer: str
    seeds: int
    samples: int
    iteration: int
    train_loss: float | None
    constant_loss: float
    input_square: float
    input_cosine: float
    input_spread: float
    layers: tuple[Layer, ...]
    theory: Theory | None
    jacobian: tuple[float, float, float]
    born_dead: float

    @property
    def row(self) -> RowKey:
        """The key of the row that was diagnosed."""
        return RowKey.of(self.config, self.initializer, self.setting)

    @property
    def growth(self) -> dict[str, Growth | None]:
        """What signal, contrast and gradient grow by a layer, over the hidden layers.

        Signal and contrast go from the inputs on, the gradient from the output back.
        """
        hidden = self.layers[:-1]
        return {
            "signal": fit([layer.preactivation_variance.measured for layer in hidden]),
            "contrast": fit([layer.contrast.measured for layer in hidden]),
            "gradient": fit([layer.gradient_energy for layer in reversed(hidden)]),
        }

    @property
    def first_loss_ratio(self) -> float | None:
        """The loss over the best constant predictor's; None where that is 0."""
        if self.train_loss is None or not self.constant_loss > 0:
            return None
        return self.train_loss / self.constant_loss

    @property
    def jacobian_condition(self) -> float:
        """The largest singular value of the Jacobian over its smallest."""
        largest, _, smallest = self.jacobian
        return largest / smallest if smallest > 0 else math.inf
