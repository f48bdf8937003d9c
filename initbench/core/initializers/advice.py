"""When to use an initializer and when not: what its paper and those that built on it found."""

from __future__ import annotations

from typing import NamedTuple


class Advice(NamedTuple):
    """In words for whoever chooses; facts, the sources' or arithmetic's."""

    use: str
    avoid: str


_HE = Advice(
    "with relu and its kin: the factor 2 makes up for the half of the units that relu turns "
    "off, so that the signal's variance stays the same through any depth.",
    "with tanh or sigmoid, which it drives towards saturation; behind normalisation layers, "
    "which set the scale themselves.",
)
_LECUN = Advice(
    "with selu, whose fixed point of mean 0 and variance 1 supposes this variance, and with "
    "tanh in networks of a few layers.",
    "with relu in deep networks: each layer halves the signal's mean square.",
)
_GLOROT = Advice(
    "with tanh and other activations of slope 1 at 0: a compromise between the variance that "
    "keeps the forward signal, 1 / fan_in, and the one that keeps gradients, 1 / fan_out.",
    "with relu in deep networks: each layer of equal width halves the signal's mean square.",
)


ADVICE: dict[str, Advice] = {
    "zeros": Advice(
        "for biases, and as the bad example.",
        "for hidden weights: units of a layer get equal gradients and stay equal for good.",
    ),
    "ones": Advice(
        "as the bad example.",
        "for any network: a layer's units are one unit fan_out times, and signals grow by a "
        "factor fan_in a layer.",
    ),
    "constant": Advice(
        "as the bad example, at any scale.",
        "for hidden weights: whatever the value, units of a layer stay equal.",
    ),
    "normal": Advice(
        "to set a standard deviation by hand, or to show what a wrong one does.",
        "where layers differ in width: one standard deviation for all cannot suit them.",
    ),
    "uniform": Advice(
        "to set bounds by hand, or to show what wrong ones do.",
        "where layers differ in width: one range for all cannot suit them.",
    ),
    "truncated_normal": Advice(
        "to set a standard deviation by hand and have no weight start far out.",
        "where the standard deviation as drawn must be `std`: the cut at 2 leaves 0.88 of it.",
    ),
    "variance_scaling": Advice(
        "to build a member of the family that has no name: a gain g is scale g^2.",
        "where a name fits: he, lecun and glorot say to readers what is meant.",
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
        "in deep networks with tanh or linear units, with the activation's gain: a product of "
        "orthogonal matrices neither stretches nor shrinks any direction, so that learning "
        "time does not grow with depth.",
        "to gain from it with relu, which breaks the isometry; where layers are so large that "
        "a QR decomposition each takes too long.",
    ),
    "identity": Advice(
        "in recurrent or residual-like layers of equal width, as a start that passes its input on.",
        "where layers differ in width: units beyond the diagonal start at 0, and alike.",
    ),
    "sparse": Advice(
        "in deep networks of sigmoid or tanh units under strong optimizers: few inputs keep a "
        "unit from saturating however wide the layer below, and tell units apart.",
        "in narrow layers, where 15 connections are all or nearly all of them; the size of the "
        "weights does not follow the width.",
    ),
    "signed_constant": Advice(
        "to study signs apart from sizes, as in search for subnetworks of untrained weights: "
        "variance is He's, and all weights are of one size.",
        "where units have few inputs: they have only 2^fan_in ways to differ, so that some "
        "start alike.",
    ),
    "zero_hadamard": Advice(
        "where a start without chance is wanted: the network passes its input on, and runs "
        "differ by their data alone.",
        "where layers shrink and grow again without shortcuts: what the identity cuts off is "
        "lost. Seeds say nothing of its spread.",
    ),
    "idinit": Advice(
        "in deep networks whose layers keep their width: each starts as the identity.",
        "with activations that are far from the identity near 0, sigmoid say: the start passes "
        "nothing on through them unchanged.",
    ),
    "tanh_fixed_point": Advice(
        "with tanh in deep or wide networks: activations neither vanish nor saturate with depth.",
        "with other activations: the argument is of tanh's fixed points.",
    ),
    "torch_default": Advice(
        "to compare with a network as PyTorch makes it when nothing is said.",
        "in deep networks: a variance of 1 / (3 fan_in) lets the signal's mean square fade by "
        "a factor of 3 a layer, with relu of 6, until biases are all there is.",
    ),
    "sklearn_default": Advice(
        "to compare with scikit-learn's MLPClassifier and MLPRegressor: the same weights from "
        "the same seed.",
        "with relu in deep networks, as glorot_uniform.",
    ),
    "mean_field": Advice(
        "to place a network on the phase diagram of mean field theory: below the critical "
        "sigma_w inputs grow alike layer by layer, above it they drift apart.",
        "at its defaults with other activations than relu, whose critical point they are.",
    ),
    "kumar": Advice(
        "with activations that are differentiable at 0, the sigmoid above all: its variance is "
        "12.8 / fan_in there, where Glorot's is too small.",
        "with relu, where it is He's; with activations that are flat at 0, where it is infinite.",
    ),
    "random_walk": Advice(
        "in very deep networks of one width: it corrects the drift of the gradient's log length "
        "that He's variance leaves, which is large in narrow layers.",
        "with activations that are neither relu nor nearly linear at 0: the paper has no gain "
        "for them.",
    ),
    "autoinit": Advice(
        "with any activation: what it makes of a standard normal is found by quadrature, and "
        "each layer's variance made 1 again.",
        "where the inputs are not standardised, unless their mean and variance are given.",
    ),
    "nguyen_widrow": Advice(
        "with one hidden layer of tanh units and few inputs in (-1, 1): each unit is active in "
        "its own part of the inputs' range.",
        "in deep networks or on many inputs: the lengths are those of a layer on raw inputs.",
    ),
    "rai": Advice(
        "with relu in deep and narrow networks: a unit with one positive weight or bias is less "
        "often dead for all inputs.",
        "with activations that have no dead units; where inputs may be negative, the argument, "
        "which is of layers behind a relu, does not hold for the first.",
    ),
    "looks_linear": Advice(
        "with relu in very deep networks: mirrored pairs make the start linear, so that "
        "gradients do not shatter with depth.",
        "with other activations: relu(z) - relu(-z) = z is all that it rests on.",
    ),
    "siren": Advice(
        "with the activation sine, to fit images, sounds and fields by coordinates in (-1, 1).",
        "with other activations: beyond the first layer it is then He's uniform rule.",
    ),
    "lsuv": Advice(
        "where no formula is known for an activation or for the data: each layer's variance is "
        "measured and made 1.",
        "where the batch does not stand for the data; where seeds must not depend on data.",
    ),
    "within_layer_normalized": Advice(
        "where each unit is to start with mean 0 and variance 1 on the data, as batch or weight "
        "normalization would have it.",
        "where a unit's variance on the batch may be 0, as behind dead units.",
    ),
}
