"""Why weights ten times too large end worse: they are not lazy, they are steep."""

from __future__ import annotations

from typing import Any

import numpy as np

from initbench.core import propagation
from initbench.core.architecture import Architecture
from initbench.core.arrays import Array
from initbench.diagnosis.measuring import draw_stack, measurements
from initbench.runs import plan
from tests.diagnosis.networks import posed

LEARNING_RATE, ITERATIONS = 0.01, 6000


def articles(initializer: Any) -> Any:
    """The article's network and data."""
    keys = {"iterations": ITERATIONS, "log_every": ITERATIONS, "learning_rate": LEARNING_RATE}
    experiment = posed(width=1, depth=1, initializer=initializer, seeds=[3, 4, 5], **keys)
    return experiment.model_copy(update={"layers": (2, 10, 5, 1)})


def kernel_and_slopes(architecture: Architecture, theta: Array, inputs: Array) -> tuple[Array, Any]:
    """The neural tangent kernel (R, B, B) of a network with one output, and its logits (R, B)."""
    signals = propagation.forward(architecture, theta, inputs)
    ones = np.ones(signals[-1].preactivation.shape)
    deltas = propagation.backward(architecture, theta, signals, ones)
    below = np.broadcast_to(inputs, (len(theta), *inputs.shape))
    kernel: Array = np.zeros(1)
    for layer, delta in zip(signals, deltas, strict=True):
        products = [np.matmul(a.swapaxes(1, 2), a) for a in (delta, below)]
        kernel = kernel + products[0] * (products[1] + 1)
        below = layer.activation
    return kernel, signals[-1].preactivation[:, 0]


def alignment(one: Array, other: Array) -> Array:
    """The centred alignment of two kernels (Cortes et al. 2012, arXiv:1203.0550), (R,)."""
    centre = np.eye(one.shape[-1]) - 1 / one.shape[-1]
    a, b = centre @ one @ centre, centre @ other @ centre
    product: Array = (a * b).sum(axis=(1, 2))
    norms: Array = np.sqrt((a * a).sum(axis=(1, 2)) * (b * b).sum(axis=(1, 2)))
    return product / norms


def steepness(kernel: Array, logits: Array) -> Array:
    """The largest eigenvalue of the Gauss-Newton matrix of the mean cross-entropy, (R,)."""
    p = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
    weight = np.sqrt(p * (1 - p) / logits.shape[1])
    largest: Array = np.linalg.eigvalsh(kernel * weight[:, :, None] * weight[:, None, :])[:, -1]
    return largest


def trained(initializer: Any) -> tuple[float, float, float]:
    """Medians: moved the most, alignment of the kernels, learning rate times steepness."""
    (stack,) = plan.stacks(plan.runs([articles(initializer)]), 1, lambda _: 300)
    networks, _ = draw_stack(stack, 300)
    architecture, inputs = networks.work.task.architecture, networks.split.inputs
    before, _ = kernel_and_slopes(architecture, networks.theta, inputs)
    *_, (_, measured) = measurements(networks, during=True)
    after, logits = kernel_and_slopes(architecture, networks.theta, inputs)
    return (
        float(np.median(measured.moved.max(axis=1))),
        float(np.median(alignment(before, after))),
        float(np.median(LEARNING_RATE * steepness(after, logits))),
    )


def test_a_large_start_is_steep_and_not_lazy() -> None:
    """Gradient descent is stable where the learning rate times the steepness is below 2.

    Cohen et al. 2021, arXiv:2103.00065. A lazy network keeps its kernel (Chizat et al. 2019,
    arXiv:1812.07956): these do not, and the large start's turns no less than He's.
    """
    he_moved, he_kernel, he_steps = trained("he_normal")
    moved, kernel, steps = trained({"name": "normal", "std": 10})
    assert moved < 0.5 < he_moved
    assert kernel < he_kernel < 0.95
    assert he_steps < 0.2
    assert 0.5 < steps < 4
