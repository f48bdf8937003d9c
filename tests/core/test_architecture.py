"""The object that answers which layers, which fans and which parameters a network has."""

from __future__ import annotations

import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike

from initbench.core.activations import ACTIVATIONS
from initbench.core.architecture import ALIGNMENT, Architecture, fans
from initbench.core.initializers import Network


def architecture(sizes: tuple[int, ...], dtype: DTypeLike = np.float64) -> Architecture:
    return Architecture(sizes, np.dtype(dtype), "relu", {})


@pytest.mark.parametrize("runs", [1, 2, 5])
@pytest.mark.parametrize("sizes", [(2, 10, 5, 1), (3, 1), (1, 1, 1), (4, 3, 2)])
def test_views(runs: int, sizes: tuple[int, ...]) -> None:
    network = architecture(sizes)
    theta = np.zeros((runs, network.parameter_count))
    views = network.views(theta)
    shapes = [(runs, o, i + 1) for i, o in pairwise(sizes)]
    assert [view.shape for view in views] == shapes
    # Numbers written through the views arrive in theta, and fill it without a gap.
    for number, view in enumerate(views, start=1):
        assert np.shares_memory(view, theta)
        view[:] = number
    expected = np.repeat(range(1, len(sizes)), [o * i for _, o, i in shapes])
    np.testing.assert_array_equal(theta, [expected] * runs)


@pytest.mark.parametrize(
    ("sizes", "count"), [((2, 10, 5, 1), 30 + 55 + 6), ((3, 1), 4), ((4, 3, 2), 15 + 8)]
)
def test_parameter_count(sizes: tuple[int, ...], count: int) -> None:
    assert architecture(sizes).parameter_count == count


@pytest.mark.parametrize("sizes", [(2, 10, 5, 1), (1, 1, 1), (4, 3, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_of_zeros_are_aligned_alike(sizes: tuple[int, ...], dtype: DTypeLike) -> None:
    network = architecture(sizes, dtype)
    theta = network.zeros(3)
    assert theta.shape == (3, network.parameter_count)
    assert theta.dtype == dtype
    assert theta.strides[0] % ALIGNMENT == 0
    assert network.zeros(3, np.float64).dtype == np.float64


#: Dense weights, and those of convolutions in one, two and three dimensions.
SHAPES = [(10, 2), (1, 1), (8, 3, 5), (16, 3, 5, 5), (6, 4, 1, 3, 2)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_fans_are_pytorchs(shape: tuple[int, ...], torch: Any) -> None:
    expected = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    assert fans(shape) == expected


@pytest.mark.parametrize("shape", [(), (4,)], ids=str)
def test_a_vector_has_no_fans(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="two axes or more, got the shape"):
        fans(shape)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_slope_has_the_type_that_the_registry_says(name: str) -> None:
    network = Architecture((2, 3, 1), np.dtype(np.float32), name, {})
    expected = np.bool_ if ACTIVATIONS[name].binary_slope else np.float32
    assert network.slope_dtype == expected


def test_the_activation_has_its_parameters() -> None:
    network = Architecture((2, 3, 1), np.dtype(float), "leaky_relu", {"negative_slope": 0.5})
    z, slope = np.array([-2.0, 2.0]), np.empty(2)
    network.apply(z, slope)
    assert (z.tolist(), slope.tolist()) == ([-1.0, 2.0], [0.5, 1.0])


def test_it_pickles_as_data() -> None:
    network = Architecture((2, 3, 1), np.dtype(np.float32), "elu", {"alpha": 0.5})
    assert pickle.loads(pickle.dumps(network)) == network


def test_a_network_is_an_architecture_with_samples() -> None:
    plain = Architecture((2, 3, 1), np.dtype(np.float32), "elu", {"alpha": 0.5})
    samples = np.ones((2, 7), np.float32)
    network = Network.of(plain, samples)
    assert isinstance(network, Architecture)
    assert network.inputs is samples
    assert (network.sizes, network.dtype, network.shapes) == (
        plain.sizes,
        plain.dtype,
        plain.shapes,
    )
    assert (network.activation, network.activation_parameters) == ("elu", {"alpha": 0.5})
