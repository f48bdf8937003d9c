"""The registry: every initializer by name, and the other names that it goes by.

A new initializer is a function beside its kin, a law beside it, and a row here. The bounds of its
parameters stand in its signature, and only there: configs, messages and the JSON Schema read them
from it.
"""

from __future__ import annotations

from initbench.core.initializers import (
    data_dependent,
    distributions,
    network_wide,
    scaling,
    structured,
    uniform_biases,
)
from initbench.core.initializers.protocol import Initializer, Property

HE = "He et al. 2015, arXiv:1502.01852"
LECUN = "LeCun et al. 1998, Efficient BackProp"
GLOROT = "Glorot and Bengio 2010, AISTATS"

FIXED: frozenset[Property] = frozenset({"fixed"})
ORTHOGONAL: frozenset[Property] = frozenset({"orthogonal"})
SKEWED: frozenset[Property] = frozenset({"skewed"})

#: Name -> what draws, its formula and source in words, its law (None: no closed form), whether it
#: fills a layer or a network, and what else it promises of its weights.
INITIALIZERS: dict[str, Initializer] = {
    "zeros": Initializer(
        distributions.zeros,
        "0",
        "-",
        distributions.zeros_law,
        properties=FIXED,
    ),
    "ones": Initializer(
        distributions.ones,
        "1",
        "-",
        distributions.ones_law,
        properties=FIXED,
    ),
    "constant": Initializer(
        distributions.constant,
        "value",
        "-",
        distributions.constant_law,
        properties=FIXED,
    ),
    "normal": Initializer(
        distributions.normal,
        "N(mean, std^2)",
        "-",
        distributions.normal_law,
    ),
    "uniform": Initializer(
        distributions.uniform,
        "U(low, high)",
        "-",
        distributions.uniform_law,
    ),
    "truncated_normal": Initializer(
        distributions.truncated_normal,
        "N(mean, std^2), cut off at mean +- bound std",
        "-",
        distributions.truncated_normal_law,
    ),
    "variance_scaling": Initializer(
        scaling.variance_scaling,
        "variance gain^2 scale / fan",
        "He 2015, LeCun 1998, Glorot 2010",
        scaling.variance_scaling_law,
    ),
    "he_normal": Initializer(
        scaling.he_normal,
        "N(0, 2 / fan_in)",
        HE,
        scaling.he_normal_law,
    ),
    "he_uniform": Initializer(
        scaling.he_uniform,
        "U(+-sqrt(6 / fan_in))",
        HE,
        scaling.he_uniform_law,
    ),
    "he_truncated_normal": Initializer(
        scaling.he_truncated_normal,
        "variance 2 / fan_in, cut off",
        HE,
        scaling.he_truncated_normal_law,
    ),
    "lecun_normal": Initializer(
        scaling.lecun_normal,
        "N(0, 1 / fan_in)",
        LECUN,
        scaling.lecun_normal_law,
    ),
    "lecun_uniform": Initializer(
        scaling.lecun_uniform,
        "U(+-sqrt(3 / fan_in))",
        LECUN,
        scaling.lecun_uniform_law,
    ),
    "lecun_truncated_normal": Initializer(
        scaling.lecun_truncated_normal,
        "variance 1 / fan_in, cut off",
        LECUN,
        scaling.lecun_truncated_normal_law,
    ),
    "glorot_normal": Initializer(
        scaling.glorot_normal,
        "N(0, 2 / (fan_in + fan_out))",
        GLOROT,
        scaling.glorot_normal_law,
    ),
    "glorot_uniform": Initializer(
        scaling.glorot_uniform,
        "U(+-sqrt(6 / (fan_in + fan_out)))",
        GLOROT,
        scaling.glorot_uniform_law,
    ),
    "glorot_truncated_normal": Initializer(
        scaling.glorot_truncated_normal,
        "variance 2 / (fan_in + fan_out), cut off",
        GLOROT,
        scaling.glorot_truncated_normal_law,
    ),
    "orthogonal": Initializer(
        structured.orthogonal,
        "gain * Q, Q orthonormal",
        "Saxe et al. 2013, arXiv:1312.6120",
        structured.orthogonal_law,
        properties=ORTHOGONAL,
    ),
    "identity": Initializer(
        structured.identity,
        "gain on the diagonal",
        "-",
        structured.identity_law,
        properties=FIXED | ORTHOGONAL,
    ),
    "sparse": Initializer(
        structured.sparse,
        "N(0, std^2) on 15 weights of each unit",
        "Martens 2010, ICML",
        structured.sparse_law,
    ),
    "signed_constant": Initializer(
        scaling.signed_constant,
        "+-sqrt(2 / fan_in)",
        "Ramanujan et al. 2020, arXiv:1911.13299",
        scaling.signed_constant_law,
    ),
    "zero_hadamard": Initializer(
        structured.zero_hadamard,
        "identity, or Hadamard where a layer grows",
        "Zhao et al. 2021, arXiv:2110.12661",
        structured.zero_hadamard_law,
        properties=FIXED,
    ),
    "idinit": Initializer(
        structured.idinit,
        "stacked identities + N(0, 1e-12)",
        "Pan et al. 2025, arXiv:2503.04626",
        structured.idinit_law,
        properties=SKEWED,
    ),
    "tanh_fixed_point": Initializer(
        structured.tanh_fixed_point,
        "stacked identities + N(0, 0.085^2 / fan_in)",
        "Lee et al. 2024, arXiv:2410.02242",
        structured.tanh_fixed_point_law,
        properties=SKEWED,
    ),
    "torch_default": Initializer(
        uniform_biases.torch_default,
        "U(+-1 / sqrt(fan_in)), biases too",
        "torch.nn.Linear",
        uniform_biases.torch_default_law,
        "network",
    ),
    "sklearn_default": Initializer(
        uniform_biases.sklearn_default,
        "U(+-sqrt(6 / (fan_in + fan_out))), biases too",
        "sklearn.neural_network",
        uniform_biases.sklearn_default_law,
        "network",
    ),
    "mean_field": Initializer(
        network_wide.mean_field,
        "N(0, sigma_w^2 / fan_in), biases N(0, sigma_b^2)",
        "Poole et al. 2016, arXiv:1606.05340",
        network_wide.mean_field_law,
        "network",
    ),
    "kumar": Initializer(
        network_wide.kumar,
        "variance 1 / (fan_in phi'(0)^2 (1 + phi(0)^2))",
        "Kumar 2017, arXiv:1704.08863",
        network_wide.kumar_law,
        "network",
    ),
    "random_walk": Initializer(
        network_wide.random_walk,
        "N(0, g^2 / fan_in), g larger for narrow layers",
        "Sussillo and Abbott 2014, arXiv:1412.6558",
        network_wide.random_walk_law,
        "network",
    ),
    "autoinit": Initializer(
        network_wide.autoinit,
        "variance 1 / (fan_in E[phi(z)^2])",
        "Bingham et al. 2021, arXiv:2109.08958",
        network_wide.autoinit_law,
        "network",
    ),
    "nguyen_widrow": Initializer(
        uniform_biases.nguyen_widrow,
        "rows of length 0.7 fan_out^(1 / fan_in)",
        "Nguyen and Widrow 1990, IJCNN",
        uniform_biases.nguyen_widrow_law,
        "network",
    ),
    "rai": Initializer(
        network_wide.rai,
        "normal, one weight of each unit Beta(2, 1)",
        "Lu et al. 2019, arXiv:1903.06733",
        network_wide.rai_law,
        "network",
        SKEWED,
    ),
    "looks_linear": Initializer(
        network_wide.looks_linear,
        "[[B, -B], [-B, B]], B orthogonal",
        "Balduzzi et al. 2017, arXiv:1702.08591",
        None,
        "network",
    ),
    "siren": Initializer(
        uniform_biases.siren,
        "U(+-1 / fan_in), then U(+-sqrt(6 / fan_in) / w)",
        "Sitzmann et al. 2020, arXiv:2006.09661",
        uniform_biases.siren_law,
        "network",
    ),
    "lsuv": Initializer(
        data_dependent.lsuv,
        "orthogonal, each layer scaled to variance 1",
        "Mishkin and Matas 2015, arXiv:1511.06422",
        None,
        "network",
        ORTHOGONAL,
    ),
    "within_layer_normalized": Initializer(
        data_dependent.within_layer_normalized,
        "each unit scaled to mean 0, variance 1",
        "Krähenbühl et al. 2015, arXiv:1511.06856",
        None,
        "network",
    ),
}

#: Other names of a registered initializer, from PyTorch and Keras.
ALIASES: dict[str, str] = {
    "kaiming_normal": "he_normal",
    "kaiming_uniform": "he_uniform",
    "xavier_normal": "glorot_normal",
    "xavier_uniform": "glorot_uniform",
    "trunc_normal": "truncated_normal",
    "eye": "identity",
    "random_normal": "normal",
    "random_uniform": "uniform",
}
