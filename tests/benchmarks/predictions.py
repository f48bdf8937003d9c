"""Theory beside measurement: the variance of every layer's pre-activations, at width 1,000.

    python tests/benchmarks/predictions.py [WIDTH] [DRAWS]

Ten layers, every registered activation, Gaussian weights of the scale that the activation holds
best and Gaussian inputs. Prints by how much the mean over draws deviates from the prediction,
at the layer where it does most. A single draw deviates more: its log varies by several times
depth / width (see initbench.core.meanfield.predict), and the standard error printed is what is
left of that.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.random import RandomState

from initbench.core.activations import ACTIVATIONS
from initbench.core.architecture import Architecture
from initbench.core.arrays import Array
from initbench.core.meanfield import predict, steady_scale
from initbench.core.propagation import forward

LAYERS = 10
SAMPLES = 64


def main() -> None:
    """One line an activation, the worst last."""
    width = int(sys.argv[1]) if sys.argv[1:] else 1000
    draws = int(sys.argv[2]) if sys.argv[2:] else 100
    sizes = (width,) * (LAYERS + 1)
    inputs = RandomState(0).standard_normal((width, SAMPLES))
    networks, scales, predicted = {}, {}, {}
    for name in ACTIVATIONS:
        networks[name] = Architecture(sizes, np.dtype(np.float64), name, {})
        scales[name], _ = steady_scale(networks[name])
        per_weight = np.full(LAYERS, scales[name] / width)
        square = float((inputs**2).mean())
        found = predict(networks[name], per_weight, np.zeros(LAYERS), square, 0.0)
        predicted[name] = found.variance
    ratios: dict[str, list[Array]] = {name: [] for name in ACTIVATIONS}
    linear = networks["identity"]
    theta = linear.zeros(1)
    for seed in range(draws):
        rng = RandomState(seed)
        for view in linear.views(theta):
            view[0, :, :-1] = rng.standard_normal((width, width))
        for name, network in networks.items():
            layers = forward(network, theta * np.sqrt(scales[name] / width), inputs)
            variance = np.array([(layer.preactivation**2).mean() for layer in layers])
            ratios[name].append(variance / predicted[name])
    worst = (0.0, "")
    for name, of_draws in ratios.items():
        ratio = np.array(of_draws)
        deviation = np.abs(ratio.mean(axis=0) - 1)
        layer = int(deviation.argmax())
        error = ratio[:, layer].std(ddof=1) / np.sqrt(draws)
        print(
            f"{name:12} scale {scales[name]:5.2f}: layer {layer + 1:2} deviates by "
            f"{100 * deviation[layer]:.2f} % (standard error {100 * error:.2f} %)"
        )
        worst = max(worst, (float(deviation[layer]), name))
    print(f"worst: {worst[1]}, {100 * worst[0]:.2f} %")


if __name__ == "__main__":
    main()
