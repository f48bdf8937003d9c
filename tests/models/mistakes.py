"""Silent mistakes of initialization, planted: builder, laws, and the check that fails."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

from tests.models import zoo

GPT2 = {
    "*c_proj.weight": "normal(std=0.02/sqrt(2*12))",
    "*ln_*": "auto",
    "*.bias": "zeros",
    "*": "normal(std=0.02)",
}


def filled(fill: Callable[[Any], Any], *shape: int) -> Callable[[], Any]:
    def build() -> Any:
        model = nn.Linear(shape[1], shape[0])
        with torch.no_grad():
            fill(model.weight)
        return model

    return build


def orthogonal_then_outlier(weight: Any) -> None:
    weight.normal_(0, 0.02)
    weight[0, 0] = 40.0


def after_weight_norm() -> Any:
    model = nn.utils.parametrizations.weight_norm(nn.Linear(64, 64))
    nn.init.zeros_(model.bias)
    nn.init.normal_(model.parametrizations.weight.original1, 0, 0.02)
    return model


def twins() -> Any:
    model = nn.Sequential(nn.Linear(32, 32), nn.Linear(32, 48))
    for one in model.children():
        weight: Any = one.weight
        weight.data.normal_(0, 0.1, generator=torch.Generator().manual_seed(3))
    return model


def half_frozen() -> Any:
    model = nn.Sequential(nn.Linear(32, 32), nn.Linear(32, 32))
    first: Any = model[0]
    with torch.no_grad():
        first.weight.copy_(
            torch.randn(32, 32, generator=torch.Generator().manual_seed(1)) / 32**0.5
        )
    return model


def seeds_itself() -> Any:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(32, 32), nn.Linear(32, 32))


def unset() -> Any:
    model = nn.Linear(8, 8)
    model.weight.data.fill_(float("nan"))
    return model


def transposed() -> Any:
    model = nn.ConvTranspose2d(64, 16, 3)
    nn.init.kaiming_normal_(model.weight)
    return model


def packed() -> Any:
    model = nn.Linear(64, 192)
    nn.init.xavier_uniform_(model.weight)
    return model


BIAS = {"*bias": "any"}
NORMAL = {**BIAS, "*": "normal(std=0.02)"}
#: A mistake -> its builder, the laws, the check that fails, and its words.
MISTAKES: dict[str, tuple[Callable[..., Any], dict[str, str], str, str]] = {
    "residual scaling skipped": (
        partial(zoo.Gpt2, scaled=False, layers=2, width=32),
        {**GPT2, "*c_proj.weight": "normal(std=0.02/sqrt(2*2))"},
        "std",
        "the law says 0.01",
    ),
    "fans exchanged": (
        filled(partial(nn.init.kaiming_normal_, mode="fan_out"), 48, 96),
        {**BIAS, "*": "he_normal"},
        "std",
        "as if fan_in were fan_out",
    ),
    "groups ignored": (
        zoo.depthwise_fan_out,
        {"1.*": "variance_scaling(scale=2, mode=fan_out, distribution=normal)", "*": "any"},
        "std",
        "as if groups were ignored",
    ),
    "transposed fans": (
        transposed, {**BIAS, "*": "he_normal"}, "std", "as if fan_in were fan_out",
    ),
    "packed matrices as one": (
        packed,
        {**BIAS, "*": "glorot_uniform(split=3)"},
        "std",
        "as if the packed matrices were one",
    ),
    "absolute bounds": (
        filled(partial(nn.init.trunc_normal_, std=0.02), 96, 96),
        {**BIAS, "*": "truncated_normal(std=0.02)"},
        "std",
        "trunc_normal_ are absolute",
    ),
    "outlier": (filled(orthogonal_then_outlier, 96, 96), NORMAL, "largest entry", "deviations out"),
    "skewed": (filled(lambda w: w.normal_(0, 0.02).abs_(), 96, 96), NORMAL, "symmetry", ""),
    "not orthogonal": (
        filled(lambda w: nn.init.normal_(w, 0, 64**-0.5), 64, 64),
        {**BIAS, "*": "orthogonal"},
        "orthogonality",
        "not orthogonal",
    ),
    "init under weight norm": (after_weight_norm, NORMAL, "std", "std 0.0"),
    "clones": (zoo.encoder, {"*": "auto"}, "independence", "clones, or a shared generator"),
    "shared generator": (twins, {**BIAS, "*": "normal(std=0.1)"}, "independence", "1.weight"),
    "half frozen": (
        half_frozen, {**BIAS, "*0.weight": "lecun_normal", "*": "auto"},
        "differs between seeds", "frozen",
    ),
    "seeds itself": (seeds_itself, {"*": "auto"}, "differs between seeds", "ignores the seed"),
    "meta": (zoo.on_meta, {"*": "auto"}, "set", "meta device"),
    "never set": (unset, {"*": "auto"}, "set", "not finite"),
    "loaded and is not": (zoo.small, {"*": "loaded"}, "loaded", "differs between seeds"),
    "a pattern that fits nothing": (
        zoo.small, {"*.c_porj": "zeros", "*": "any"}, "pattern", "fits no parameter",
    ),
}  # fmt: skip
