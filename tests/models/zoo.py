"""Models with sound and with planted starts, whose plans are those of well-known networks."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn


class Block(nn.Module):
    """A block of GPT-2 with its pre-LN branches."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.c_attn, self.attn_c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.c_fc, self.mlp_c_proj = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.heads = heads

    def forward(self, x: Any) -> Any:
        B, T, D = x.shape
        q, k, v = (
            part.reshape(B, T, self.heads, -1).transpose(1, 2)
            for part in self.c_attn(self.ln_1(x)).chunk(3, -1)
        )
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_c_proj(mixed.transpose(1, 2).reshape(B, T, D))
        return x + self.mlp_c_proj(nn.functional.gelu(self.c_fc(self.ln_2(x))))


class Gpt2(nn.Module):
    """GPT-2's plan; its head is tied to the embedding."""

    def __init__(self, *, scaled: bool, layers: int = 12, width: int = 192) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(5000, width), nn.Embedding(64, width)
        self.h = nn.ModuleList(Block(width, 4) for _ in range(layers))
        self.ln_f, self.head = nn.LayerNorm(width), nn.Linear(width, 5000, bias=False)
        self.head.weight = self.wte.weight
        for name, parameter in self.named_parameters():
            if name.endswith("c_proj.weight") and scaled:
                nn.init.normal_(parameter, 0.0, 0.02 / math.sqrt(2 * layers))
            elif parameter.dim() > 1:
                nn.init.normal_(parameter, 0.0, 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, ids: Any) -> Any:
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
        for block in self.h:
            x = block(x)
        return self.head(self.ln_f(x))


def gpt2() -> nn.Module:
    return Gpt2(scaled=True)


def gpt2_unscaled() -> nn.Module:
    return Gpt2(scaled=False)


def encoder() -> nn.Module:
    layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
    return nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)


def small() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, groups=4),
        nn.ConvTranspose2d(32, 8, 3), nn.Flatten(), nn.Linear(8, 10),
        nn.LSTM(10, 12), nn.MultiheadAttention(16, 4), nn.Embedding(50, 16),
    )  # fmt: skip


def depthwise_fan_out() -> nn.Module:
    model = nn.Sequential(
        nn.Conv2d(3, 64, 3, bias=False), nn.Conv2d(64, 64, 3, groups=64, bias=False)
    )
    for weight in model.parameters():
        nn.init.kaiming_normal_(weight, mode="fan_out")
    return model


def on_meta() -> nn.Module:
    return nn.Linear(4, 4, device="meta")


def raising() -> nn.Module:
    raise ValueError("no checkpoint")
