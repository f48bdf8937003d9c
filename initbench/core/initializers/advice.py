"""When to use an initializer and when not: what its paper and later papers found, or arithmetic.

Each text completes a sentence: "Use it ..." and "Not ...".
"""

from __future__ import annotations

from typing import NamedTuple


class Advice(NamedTuple):
    """When to use an initializer, and when to avoid it, in words for whoever chooses one."""

    use: str
    avoid: str


_HE = Advice(
    "with relu and its kin: the factor 2 makes up for the half of the units that relu turns "
    "off, so that the signal's variance stays the same through any depth.",
    "with tanh or sigmoid, which it drives towards saturation; with normalisation layers, "
    "which set the scale themselves.",
)
_LECUN = Advice(
    "with selu, whose fixed point of mean 0 and variance 1 supposes this variance, and with "
    "tanh in networks of a few layers.",
    "with relu in deep networks: each layer halves the signal's mean square.",
)
_GLOROT = Advice(
    "with tanh and other activations of slope 1 at 0: it is a compromise between the variance "
    "that keeps the forward signal, 1 / fan_in, and the one that keeps gradients, 1 / fan_out.",
    "with relu in deep networks: each layer of equal width halves the signal's mean square.",
)


ADVICE: dict[str, Advice] = {
    "zeros": Advice(
        "for biases, and as the bad example.",
        "for hidden weights: the units of a layer get equal gradients and never become different.",
    ),
    "ones": Advice(
        "as the bad example.",
        "for any network: all units of a layer compute the same, and signals grow by a factor of "
        "fan_in at each layer.",
    ),
    "constant": Advice(
        "as the bad example, at any scale.",
        "for hidden weights: whatever the value is, the units of a layer never become different.",
    ),
    "normal": Advice(
        "to set a standard deviation by hand, or to show what a wrong one does.",
        "where layers differ in width: one standard deviation cannot suit them all.",
    ),
    "uniform": Advice(
        "to set bounds by hand, or to show what wrong ones do.",
        "where layers differ in width: one range cannot suit them all.",
    ),
    "truncated_normal": Advice(
        "to set a standard deviation by hand and have no weight far out.",
        "where the drawn weights must have the standard deviation `std`: after the cut at 2 only "
        "0.88 of it is left.",
    ),
    "variance_scaling": Advice(
        "to build a member of the family that has no name: a gain g is a scale of g^2.",
        "where a name fits: he, lecun and glorot tell readers what is meant.",
    ),
    "he_normal": _HE,
    "he_uniform": _HE,
    "he_truncated_normal": _HE,
    "lecun_normal": _LECUN,
    "lecun_uniform": _LECUN,
    "lecun_truncated_normal": _LECUN,
    "glorot_normal": _GLOROT,
    "glorot_uniform": _GLOROT,
    "glorot_truncated_normal": _GLOROT,
    "orthogonal": Advice(
        "in deep networks of tanh or linear units, with the activation's gain: a product of "
        "orthogonal matrices neither stretches nor shrinks any direction, so that learning "
        "time does not grow with depth.",
        "with relu for its isometry, which relu breaks; in layers so large that a QR "
        "decomposition of each takes too long.",
    ),
    "identity": Advice(
        "in recurrent or residual-like layers of equal width that are to start by passing their "
        "input on.",
        "where layers differ in width: units beyond the diagonal start at 0, and all alike.",
    ),
    "sparse": Advice(
        "in deep networks of sigmoid or tanh units under strong optimizers: with few inputs a "
        "unit does not saturate however wide the layer below is, and units differ.",
        "in narrow layers, where 15 connections are all or nearly all of them; the size of the "
        "weights does not follow the width.",
    ),
    "signed_constant": Advice(
        "to study signs apart from sizes, as in the search for subnetworks of untrained weights: "
        "the variance is He's, and all weights have one size.",
        "where units have few inputs: there are only 2^fan_in patterns of signs, and some units "
        "start alike.",
    ),
    "zero_hadamard": Advice(
        "where no randomness is wanted at the start: the network passes its input on, and runs "
        "differ by their data alone.",
        "where layers shrink and grow again without shortcuts: what the identity cuts off is "
        "lost. Repeating it with other seeds says nothing of its spread.",
    ),
    "idinit": Advice(
        "in deep networks whose layers keep their width: each starts as the identity.",
        "with activations that are far from the identity near 0, such as the sigmoid: they let "
        "nothing pass unchanged.",
    ),
    "tanh_fixed_point": Advice(
        "with tanh in deep or wide networks: activations neither vanish nor saturate with depth.",
        "with other activations: its argument is about the fixed points of tanh.",
    ),
    "torch_default": Advice(
        "to compare with a network of PyTorch whose weights nobody initialized.",
        "in deep networks: with a variance of 1 / (3 fan_in) the signal's mean square fades by "
        "a factor of 3 at each layer, with relu by 6, until nothing but biases is left.",
    ),
    "sklearn_default": Advice(
        "to compare with scikit-learn's MLPClassifier and MLPRegressor: the same seed draws the "
        "same weights.",
        "with relu in deep networks, for the reason that holds for glorot_uniform.",
    ),
    "mean_field": Advice(
        "to place a network on the phase diagram of mean field theory: below the critical "
        "sigma_w inputs become alike from layer to layer, above it they drift apart.",
        "at its defaults with other activations than relu, for which alone they are critical.",
    ),
    "kumar": Advice(
        "with activations that are differentiable at 0, the sigmoid above all: there its variance "
        "is 12.8 / fan_in, where Glorot's is too small.",
        "with relu, where it equals He's; with activations that are flat at 0, where its variance "
        "is infinite.",
    ),
    "random_walk": Advice(
        "in very deep networks of one width: it corrects the drift of the gradient's log length "
        "that He's variance leaves, which is large in narrow layers.",
        "with activations that are neither relu nor nearly linear at 0: the paper has no gain "
        "for them.",
    ),
    "autoinit": Advice(
        "with any activation: quadrature finds what it makes of a standard normal, and each "
        "layer's variance is brought back to 1.",
        "where the inputs are not standardised, unless their mean and variance are given.",
    ),
    "nguyen_widrow": Advice(
        "with one hidden layer of tanh units and few inputs in (-1, 1): each unit is active in "
        "its own part of the inputs' range.",
        "in deep networks or on many inputs: the lengths are made for a layer on raw inputs.",
    ),
    "rai": Advice(
        "with relu in deep and narrow networks: a unit with one positive weight or bias is less "
        "often dead for all inputs.",
        "with activations that have no dead units; where inputs may be negative, its argument, "
        "which is about layers behind a relu, does not hold for the first layer.",
    ),
    "looks_linear": Advice(
        "with relu in very deep networks: mirrored pairs make the network linear at its start, "
        "so that gradients do not shatter with depth.",
        "with other activations: it rests on relu(z) - relu(-z) = z alone.",
    ),
    "siren": Advice(
        "with the activation sine, to fit images, sounds and fields by coordinates in (-1, 1).",
        "with other activations: beyond the first layer it is then He's uniform rule.",
    ),
    "lsuv": Advice(
        "where no formula is known for the activation or the data: each layer's variance is "
        "measured and made 1.",
        "where the batch does not represent the data, or where weights must not depend on data.",
    ),
    "within_layer_normalized": Advice(
        "where each unit is to start with mean 0 and variance 1 on the data, as batch or weight "
        "normalization would have it.",
        "where a unit's variance on the batch may be 0, as it is behind dead units.",
    ),
}
