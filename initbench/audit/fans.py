"""What a layer's fans are, and what each framework makes of the shape of its weights.

``fan_in`` counts the inputs that one output sums, ``fan_out`` the outputs that one input feeds,
both inside one group and one packed matrix. Frameworks see the shape of the weights alone, and
where it hides groups, packed matrices or an exchanged order their fans are wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from initbench.core.initializers.dialects import Dialect
from initbench.errors import InitbenchError

#: Matrices that a layer packs into one: queries, keys and values; the gates of recurrent layers.
PACKED = {"qkv": 3, "lstm": 4, "gru": 3, "rnn": 1}
#: The dimensions of each kind of convolution.
CONVOLUTIONS = {"conv": 2, "conv1d": 1, "conv2d": 2, "conv3d": 3}
TRANSPOSED = {"transposed": 2, "transposed1d": 1, "transposed2d": 2, "transposed3d": 3}
#: What follows the colon, by kind.
SIZES = {
    "linear": "IN,OUT",
    "embedding": "ROWS,WIDTH",
    "qkv": "WIDTH",
    **dict.fromkeys(("lstm", "gru", "rnn"), "IN,HIDDEN"),
    **dict.fromkeys((*CONVOLUTIONS, *TRANSPOSED), "IN,OUT,KERNEL"),
}
#: What an embedding's fans are worth.
EMBEDDING = (
    "An embedding picks one row and sums none, so that no fan says how large its output is: "
    "give it a standard deviation, as in normal(std=0.02)."
)

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as text and as read; ``outputs`` are those of one packed matrix."""

    text: str
    kind: str
    inputs: int
    outputs: int
    kernel: Shape
    groups: int


@dataclass(frozen=True, slots=True)
class WeightFans:
    """The fans of one of a layer's weights, true ones or as a framework counts them.

    ``framework`` is None for the true ones, whose ``shape`` is one group's (out, in, *kernel).
    ``mistake`` says how the framework's differ from the true ones, and is empty where they do not.
    """

    framework: Dialect | None
    weight: str
    shape: Shape
    fan_in: int
    fan_out: int
    mistake: str = ""


def read(text: str) -> Layer:
    """The layer of a text such as ``conv:64,64,3,groups=64``.

    Raises:
        InitbenchError: The text is no layer; the message says what would be one.

    Examples:
        >>> read("conv1d:8,16,5").kernel
        (5,)
        >>> read("conv:64,64,3x1,groups=64").groups
        64
    """
    kind, _, rest = text.partition(":")
    kind = kind.strip()
    where = f"--layer {text}"
    if kind not in SIZES:
        raise InitbenchError(f"{where}: unknown kind {kind!r}; known are {', '.join(SIZES)}")
    words = [word.strip() for word in rest.split(",")]
    groups = 1
    grouped = "KERNEL" in SIZES[kind]
    form = f"{kind}:{SIZES[kind]}{'[,groups=N]' if grouped else ''}"
    if grouped and words[-1].startswith("groups="):
        groups = _whole(words.pop().removeprefix("groups="), where, form)
    if len(words) != len(SIZES[kind].split(",")):
        raise InitbenchError(f"{where}: must be {form}")
    kernel: Shape = ()
    if grouped:
        dimensions = (CONVOLUTIONS | TRANSPOSED)[kind]
        sides = [_whole(side, where, form) for side in words.pop().split("x")]
        if len(sides) not in (1, dimensions):
            raise InitbenchError(
                f"{where}: KERNEL must be one size, or {dimensions} with x between, got "
                f"{len(sides)} sizes"
            )
        kernel = tuple(sides * dimensions if len(sides) == 1 else sides)
    inputs, *more = (_whole(word, where, form) for word in words)
    outputs = more[0] if more else inputs
    if inputs % groups or outputs % groups:
        raise InitbenchError(f"{where}: groups must divide IN and OUT, got {groups}")
    return Layer(text, kind, inputs, outputs, kernel, groups)


def _whole(text: str, where: str, form: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 10**9:
        raise InitbenchError(f"{where}: must be {form} with whole numbers from 1 on, got {text!r}")
    return int(text)


def true_fans(layer: Layer) -> list[WeightFans]:
    """The fans of each of a layer's weights: two of them in a recurrent layer.

    Examples:
        >>> [(one.fan_in, one.fan_out) for one in true_fans(read("conv:64,128,3,groups=64"))]
        [(9, 18)]
    """
    inputs, outputs = layer.inputs // layer.groups, layer.outputs // layer.groups
    positions = math.prod(layer.kernel)
    weights = {"weight": inputs}
    if layer.kind in ("lstm", "gru", "rnn"):
        weights = {"of the input": inputs, "of the state": outputs}
    return [
        WeightFans(None, name, (outputs, size, *layer.kernel), size * positions,
                   outputs * positions)
        for name, size in weights.items()
    ]  # fmt: skip


def fans_of_frameworks(layer: Layer) -> list[WeightFans]:
    """The fans that each framework counts from the shape of its weights.

    PyTorch's ``torch.nn.init`` takes (out, in, *kernel) for granted; Keras and ``jax.nn``, whose
    shapes here are those of Flax' layers, take (*kernel, in, out).

    Examples:
        >>> for one in fans_of_frameworks(read("transposed:8,4,3")):
        ...     print(one.framework, one.shape, one.fan_in, one.fan_out, one.mistake or "right")
        torch (8, 4, 3, 3) 36 72 the fans are exchanged
        keras (3, 3, 4, 8) 36 72 the fans are exchanged
        jax (3, 3, 8, 4) 72 36 right
    """
    true = true_fans(layer)
    found = []
    for framework, shapes in SHAPES.items():
        for index, (name, shape) in enumerate(shapes(layer)):
            first, second, *_ = shape
            kernel = shape[2:] if framework == "torch" else shape[:-2]
            positions = math.prod(kernel)
            fan_in, fan_out = (
                (second, first) if framework == "torch" else (shape[-2], shape[-1])
            )  # fmt: skip
            fans = fan_in * positions, fan_out * positions
            right = true[index % len(true)]
            words = _mistake(fans, (right.fan_in, right.fan_out), layer)
            found.append(WeightFans(framework, name, shape, *fans, words))
    return found


def _mistake(found: tuple[int, int], true: tuple[int, int], layer: Layer) -> str:
    """How the fans that were found differ from the true ones, in words."""
    if found == true:
        return ""
    if layer.kind in TRANSPOSED:
        return "the fans are exchanged" + (", and fan_out ignores the groups" * (layer.groups > 1))
    if layer.kind == "embedding":
        return "the fans are exchanged"
    fan = "fan_in" if found[0] != true[0] else "fan_out"
    if layer.groups > 1:
        return f"{fan} ignores the groups"
    return f"{fan} counts {PACKED[layer.kind]} packed matrices as one"


def _torch(layer: Layer) -> list[tuple[str, Shape]]:
    inputs, outputs, packed = layer.inputs, layer.outputs, PACKED.get(layer.kind, 1)
    if layer.kind == "embedding":
        return [("weight", (inputs, outputs))]
    if layer.kind in TRANSPOSED:
        return [("weight", (inputs, outputs // layer.groups, *layer.kernel))]
    rows = packed * outputs
    if layer.kind in ("lstm", "gru", "rnn"):
        return [("weight_ih_l0", (rows, inputs)), ("weight_hh_l0", (rows, outputs))]
    return [("weight", (rows, inputs // layer.groups, *layer.kernel))]


def _keras(layer: Layer) -> list[tuple[str, Shape]]:
    inputs, outputs, packed = layer.inputs, layer.outputs, PACKED.get(layer.kind, 1)
    if layer.kind in TRANSPOSED:  # which has no groups in Keras
        kernel = (*layer.kernel, outputs, inputs)
        return [("kernel", kernel)] if layer.groups == 1 else []
    if layer.kind in ("lstm", "gru", "rnn"):
        columns = packed * outputs
        return [("kernel", (inputs, columns)), ("recurrent_kernel", (outputs, columns))]
    name = "embeddings" if layer.kind == "embedding" else "kernel"
    found: list[tuple[str, Shape]] = [
        (name, (*layer.kernel, inputs // layer.groups, packed * outputs))
    ]
    if layer.groups == inputs > 1:
        found.append(("kernel of DepthwiseConv", (*layer.kernel, inputs, outputs // inputs)))
    return found


def _jax(layer: Layer) -> list[tuple[str, Shape]]:
    inputs, outputs = layer.inputs, layer.outputs
    if layer.kind in TRANSPOSED and layer.groups > 1:  # which Flax does not have
        return []
    if layer.kind in ("lstm", "gru", "rnn"):  # a kernel for each gate
        return [("kernel of a gate, input", (inputs, outputs)),
                ("kernel of a gate, state", (outputs, outputs))]  # fmt: skip
    columns = PACKED.get(layer.kind, 1) * outputs
    name = "embedding" if layer.kind == "embedding" else "kernel"
    return [(name, (*layer.kernel, inputs // layer.groups, columns))]


#: The names and shapes of a layer's weights in each framework.
SHAPES: Mapping[Dialect, Callable[[Layer], list[tuple[str, Shape]]]] = {
    "torch": _torch,
    "keras": _keras,
    "jax": _jax,
}
