"""Known starts: a model, a batch, and the verdict that must come out at every seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from tests.models import zoo


@dataclass(frozen=True)
class Start:
    """The condition of a model's start, and words of the reason or of the notes.

    ``small`` builds the same plan at a size that a test can afford at many seeds.
    """

    builder: Callable[..., Any]
    batch: Callable[[], Any]
    condition: str
    words: str
    small: Callable[..., Any] | None = None


def images(pixels: int) -> Callable[[], Any]:
    return lambda: (torch.randn(8, 3, pixels, pixels), None)


def tokens(vocabulary: int = 5000) -> Callable[[], Any]:
    return lambda: (torch.randint(0, vocabulary, (4, 32)), None)


def vectors(*shape: int) -> Callable[[], Any]:
    return lambda: (torch.randn(*shape), None)


def of_t5() -> Any:
    ids = torch.randint(0, 5000, (4, 16))
    return {"input_ids": ids, "decoder_input_ids": ids}, None


LONG = (3, 4, 23, 3)
resnet = zoo.ResNet
narrow = partial(zoo.ResNet, width=16)
STARTS = {
    "34 convs, torch's default": Start(
        partial(zoo.deep_convs, he=False), images(12), "vanishing", "gradients vanish"
    ),
    "34 convs, He": Start(partial(zoo.deep_convs, he=True), images(12), "healthy", "a layer"),
    "50 x BatchNorm": Start(zoo.batchnorm_chain, vectors(64, 128), "exploding", "1.467"),
    "ResNet-50": Start(
        partial(resnet, norm=True, zero=False), images(64), "healthy", "a block",
        partial(narrow, norm=True, zero=False),
    ),
    "ResNet-50, last scale 0": Start(
        partial(resnet, norm=True, zero=True), images(64), "healthy", "Closed gates",
        partial(narrow, norm=True, zero=True),
    ),
    "33 blocks without norm": Start(
        partial(resnet, norm=False, zero=False, blocks=LONG), images(64), "exploding", "a block",
        partial(narrow, norm=False, zero=False, blocks=LONG),
    ),
    "33 blocks without norm, scale 0": Start(
        partial(resnet, norm=False, zero=True, blocks=LONG), images(64), "healthy", "Closed gates",
        partial(narrow, norm=False, zero=True, blocks=LONG),
    ),
    "ViT-B/16, zero head": Start(
        zoo.ViT, images(64), "healthy", "Closed gates", partial(zoo.ViT, width=96, heads=4),
    ),
    "GPT-2": Start(zoo.gpt2_of_transformers, tokens(), "healthy", "a block", zoo.gpt2),
    "GPT-2 at .02": Start(
        partial(zoo.gpt2_of_transformers, scaled=False), tokens(), "healthy", "a block",
        zoo.gpt2_unscaled,
    ),
    "TransformerEncoder": Start(
        zoo.encoder, vectors(4, 9, 64), "healthy", "layers.5.linear1.weight"
    ),
    "T5, untied head": Start(zoo.t5, of_t5, "exploding", "certain"),
    "T5's head alone": Start(
        zoo.t5_head, tokens(500), "exploding", "certain", partial(zoo.t5_head, 500)
    ),
    "MobileNetV2": Start(zoo.mobile, images(64), "healthy", "groups were ignored"),
    "LoRA, A and B 0": Start(
        partial(zoo.Lora, both=True), vectors(16, 32), "dead", "still are"
    ),
    "LoRA, B 0": Start(
        partial(zoo.Lora, both=False), vectors(16, 32), "healthy", "Closed gates"
    ),
}  # fmt: skip
