"""`explain --layer`: true fans by counting connections, frameworks' fans by asking them."""

from __future__ import annotations

import math
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initbench.audit.fans import fans_of_frameworks, read, true_fans
from initbench.errors import InitbenchError
from initbench.models.parameters import fans

LAYERS = (
    "linear:5,7",
    "conv1d:4,6,3",
    "conv:4,6,3",
    "conv:4,6,3x1,groups=2",
    "conv:4,8,3,groups=4",
    "conv3d:2,4,3,groups=2",
    "transposed1d:4,6,3",
    "transposed:4,6,3x2",
    "transposed:4,6,3,groups=2",
    "transposed3d:2,3,2",
    "embedding:11,5",
    "qkv:6",
    "lstm:5,7",
    "gru:5,7",
    "rnn:5,7",
)


def module_of(torch: Any, text: str) -> Any:
    layer, nn = read(text), torch.nn
    if layer.kind.startswith(("conv", "transposed")):
        transposed = "Transpose" if layer.kind.startswith("trans") else ""
        kind = getattr(nn, f"Conv{transposed}{len(layer.kernel)}d")
        return kind(layer.inputs, layer.outputs, layer.kernel, groups=layer.groups)
    made: Any = {
        "linear": lambda: nn.Linear(layer.inputs, layer.outputs),
        "qkv": lambda: nn.Linear(layer.inputs, 3 * layer.inputs),
        "embedding": lambda: nn.Embedding(layer.inputs, layer.outputs),
        "lstm": lambda: nn.LSTM(layer.inputs, layer.outputs),
        "gru": lambda: nn.GRU(layer.inputs, layer.outputs),
        "rnn": lambda: nn.RNN(layer.inputs, layer.outputs),
    }[layer.kind]()
    return made


@pytest.mark.parametrize("text", LAYERS)
def test_pytorch_counts_so(torch: Any, text: str) -> None:
    module = module_of(torch, text)
    found = [one for one in fans_of_frameworks(read(text)) if one.framework == "torch"]
    for one in found:
        weight = getattr(module, one.weight)
        assert tuple(weight.shape) == one.shape
        counted = torch.nn.init._calculate_fan_in_and_fan_out(weight)
        assert counted == (one.fan_in, one.fan_out)
        # The laws of `verify --model` rest on the same true fans.
        kind, true = type(module).__name__, true_fans(read(text))[found.index(one)]
        packed = {"LSTM": 4, "GRU": 3}.get(kind, 3 if text.startswith("qkv") else 1)
        ours = fans(kind, one.shape, getattr(module, "groups", 1), packed)
        assert ours[:2] == (true.fan_in, true.fan_out)


@pytest.mark.parametrize("text", [one for one in LAYERS if one.startswith(("conv", "trans"))])
def test_true_fans_are_connections(torch: Any, text: str) -> None:
    """The output in the middle feels fan_in inputs, and fan_out outputs feel the input there."""
    layer, module = read(text), module_of(torch, text)
    (true,) = true_fans(layer)
    inputs = torch.ones(1, layer.inputs, *[9] * len(layer.kernel), requires_grad=True)

    def middle(tensor: Any) -> Any:
        return tensor[(0, 0, *(size // 2 for size in tensor.shape[2:]))]

    (felt,) = torch.autograd.grad(middle(module(inputs)), inputs)
    assert int((felt != 0).sum()) == true.fan_in
    bumped = torch.zeros_like(inputs)
    bumped[(0, 0, *(size // 2 for size in inputs.shape[2:]))] = 1.0
    moved = module(inputs.detach() + bumped) - module(inputs.detach())
    assert int((moved.abs() > 1e-6).sum()) == true.fan_out


def keras_layer(keras: Any, text: str) -> Any:
    layer, layers = read(text), keras.layers
    size = len(layer.kernel)
    if layer.kind.startswith("transposed"):
        return getattr(layers, f"Conv{size}DTranspose")(layer.outputs, layer.kernel)
    if layer.kind.startswith("conv"):
        return getattr(layers, f"Conv{size}D")(layer.outputs, layer.kernel, groups=layer.groups)
    return {
        "linear": lambda: layers.Dense(layer.outputs),
        "qkv": lambda: layers.Dense(3 * layer.outputs),
        "embedding": lambda: layers.Embedding(layer.inputs, layer.outputs),
        "lstm": lambda: layers.LSTM(layer.outputs),
        "gru": lambda: layers.GRU(layer.outputs),
        "rnn": lambda: layers.SimpleRNN(layer.outputs),
    }[layer.kind]()


@pytest.mark.frameworks
@pytest.mark.parametrize("text", [one for one in LAYERS if one != "transposed:4,6,3,groups=2"])
def test_keras_counts_so(text: str) -> None:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    layer, module = read(text), keras_layer(keras, text)
    recurrent = layer.kind in ("lstm", "gru", "rnn")
    field = [9] * len(layer.kernel) + [3] * recurrent
    module.build((1, *field, layer.inputs))
    known = {weight.name: tuple(weight.shape) for weight in module.weights}
    for one in fans_of_frameworks(layer):
        if one.framework != "keras":
            continue
        if one.weight.startswith("kernel of Depthwise"):
            if len(layer.kernel) != 2:
                continue  # Keras has none of three dimensions
            multiplier = layer.outputs // layer.inputs
            depthwise = keras.layers.DepthwiseConv2D(layer.kernel, depth_multiplier=multiplier)
            depthwise.build((1, 9, 9, layer.inputs))
            assert tuple(depthwise.weights[0].shape) == one.shape
        else:
            assert known[one.weight] == one.shape
        for mode, fan in (("fan_in", one.fan_in), ("fan_out", one.fan_out)):
            kind, unit = keras.initializers.VarianceScaling, 1 / 3
            # Both draw from one seed; at scale 1/3 and fan 1 the bound is 1.
            drawn = kind(unit, mode, "uniform", seed=1)(one.shape)
            plain = keras.initializers.RandomUniform(-1.0, 1.0, seed=1)(one.shape)
            ratio = float(abs(drawn / plain).mean())
            assert 1 / ratio**2 == pytest.approx(fan, rel=1e-4)


@pytest.mark.frameworks
@pytest.mark.parametrize("text", LAYERS)
def test_jax_counts_so(text: str) -> None:
    jax = pytest.importorskip("jax")
    for one in fans_of_frameworks(read(text)):
        if one.framework != "jax":
            continue
        for mode, fan in (("fan_in", one.fan_in), ("fan_out", one.fan_out)):
            draw = jax.nn.initializers.variance_scaling(1.0, mode, "normal")
            # The same stream at unit variance: what is left is the factor.
            key = jax.random.key(0)
            ratio = float(abs(draw(key, one.shape) / jax.random.normal(key, one.shape)).mean())
            assert 1 / ratio**2 == pytest.approx(fan, rel=1e-4)


@given(st.text(max_size=30))
def test_any_text_is_a_layer_or_a_message(text: str) -> None:
    for whole in (text, f"conv:{text}", f"linear:{text}"):
        said = ""
        try:
            read(whole)
        except InitbenchError as error:
            said = str(error)
        assert not said or said.startswith("--layer ")


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(1, 4))
def test_mistakes_are_marked_where_fans_differ(i: int, o: int, k: int, groups: int) -> None:
    for kind in ("conv", "transposed"):
        layer = read(f"{kind}:{i * groups},{o * groups},{k},groups={groups}")
        (true,) = true_fans(layer)
        assert (true.fan_in, true.fan_out) == (i * k * k, o * k * k)
        for one in fans_of_frameworks(layer):
            assert bool(one.mistake) == ((one.fan_in, one.fan_out) != (true.fan_in, true.fan_out))
        assert math.prod(true.shape) == i * o * k * k
