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


def gpt2_of_transformers(*, scaled: bool = True) -> nn.Module:
    """transformers' GPT-2 of 12 layers, c_proj scaled or at .02, as one release had it."""
    from transformers import GPT2Config, GPT2LMHeadModel

    model: nn.Module = GPT2LMHeadModel(GPT2Config(vocab_size=5000, bos_token_id=0, eos_token_id=0))
    for name, parameter in model.named_parameters():
        if name.endswith("c_proj.weight") and not scaled:
            nn.init.normal_(parameter, 0.0, 0.02)
    return model


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


def deep_convs(*, he: bool) -> nn.Module:
    layers: list[nn.Module] = []
    for number in range(34):
        layers += [nn.Conv2d(3 if not number else 64, 64, 3, padding=1), nn.ReLU(inplace=True)]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    for one in layers:
        if he and isinstance(one, nn.Conv2d):
            nn.init.kaiming_normal_(one.weight, nonlinearity="relu")
            nn.init.zeros_(one.bias)  # type: ignore[arg-type]
    return model


def batchnorm_chain() -> nn.Module:
    layers: list[nn.Module] = []
    for _ in range(50):
        layers += [nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(128, 10))


class Residual(nn.Module):
    """A bottleneck of ResNet-50's plan; without a norm, a scale of the branch takes its place."""

    def __init__(self, inputs: int, width: int, stride: int, *, norm: bool, zero: bool) -> None:
        super().__init__()
        outputs = 4 * width
        one = (lambda n: nn.BatchNorm2d(n)) if norm else (lambda _: nn.Identity())
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), one(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), one(width)
        self.conv3, self.bn3 = nn.Conv2d(width, outputs, 1, bias=False), one(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.scale = nn.Parameter(torch.zeros(1) if zero and not norm else torch.ones(1))
        self.down: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.down = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), one(outputs)
            )
        if zero and norm:
            nn.init.zeros_(self.bn3.weight)  # type: ignore[arg-type]

    def forward(self, x: Any) -> Any:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        return self.relu(self.down(x) + self.scale * y)


class ResNet(nn.Module):
    """ResNet-50's plan (He et al. 2015, arXiv:1512.03385), its convolutions under fan_out."""

    def __init__(
        self, *, norm: bool, zero: bool, blocks: tuple[int, ...] = (3, 4, 6, 3), width: int = 64
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 7, 2, 3, bias=False),
            nn.BatchNorm2d(width) if norm else nn.Identity(),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        channels = width
        stages = []
        for stage, count in enumerate(blocks):
            made = []
            for number in range(count):
                inner, stride = width * 2**stage, 2 if stage and not number else 1
                made.append(Residual(channels, inner, stride, norm=norm, zero=zero))
                channels = 4 * inner
            stages.append(nn.Sequential(*made))
        self.stages = nn.Sequential(*stages)
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(channels, 1000)
        kaiming_fan_out(self)

    def forward(self, x: Any) -> Any:
        return self.fc(self.pool(self.stages(self.stem(x))).flatten(1))


def kaiming_fan_out(model: nn.Module) -> None:
    for one in model.modules():
        if isinstance(one, nn.Conv2d):
            nn.init.kaiming_normal_(one.weight, mode="fan_out", nonlinearity="relu")


class ViT(nn.Module):
    """ViT-B/16's plan (Dosovitskiy et al. 2020, arXiv:2010.11929) with its head of zeros."""

    def __init__(
        self, *, layers: int = 12, width: int = 768, heads: int = 12, patch: int = 16,
        pixels: int = 64,
    ) -> None:  # fmt: skip
        super().__init__()
        self.patch = nn.Conv2d(3, width, patch, patch)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, 4 * width, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.randn(1, (pixels // patch) ** 2 + 1, width) * 0.02)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 1000)
        for name, parameter in self.layers.named_parameters():
            if name.endswith(("linear1.weight", "linear2.weight")):
                nn.init.xavier_uniform_(parameter)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Any) -> Any:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.position
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x)[:, 0])


class Lora(nn.Module):
    """Three frozen layers with low-rank branches."""

    def __init__(self, *, both: bool) -> None:
        super().__init__()
        self.base = nn.ModuleList(nn.Linear(32, 32) for _ in range(3))
        self.a = nn.ModuleList(nn.Linear(32, 4, bias=False) for _ in range(3))
        self.b = nn.ModuleList(nn.Linear(4, 32, bias=False) for _ in range(3))
        self.base.requires_grad_(False)
        for one in (*self.b, *(self.a if both else [])):
            nn.init.zeros_(one.weight)

    def forward(self, x: Any) -> Any:
        for base, a, b in zip(self.base, self.a, self.b, strict=True):
            x = torch.relu(base(x) + b(a(x)))
        return x


def t5_head(vocabulary: int = 5000) -> nn.Module:
    """T5's end with an untied head: a norm, and weights of N(0, 1)."""
    model = nn.Sequential(
        nn.Embedding(vocabulary, 768), nn.LayerNorm(768), nn.Linear(768, vocabulary, bias=False)
    )
    nn.init.normal_(model[2].weight, 0, 1)  # type: ignore[arg-type]
    return model


def t5() -> nn.Module:
    """transformers' T5 of base width and two layers, its head untied."""
    from transformers import T5Config, T5ForConditionalGeneration

    untied: dict[str, Any] = {"tie_word_embeddings": False}
    config = T5Config(d_model=768, d_ff=3072, num_heads=12, num_layers=2, vocab_size=5000, **untied)
    return T5ForConditionalGeneration(config)  # type: ignore[no-any-return]


class Inverted(nn.Module):
    """MobileNetV2's block: expand, depthwise, project, each behind BatchNorm, and a skip."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        expand = [nn.Conv2d(inputs, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU6()]
        self.body = nn.Sequential(
            *(expand if expansion > 1 else []),
            nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False),
            nn.BatchNorm2d(inner), nn.ReLU6(),
            nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs),
        )  # fmt: skip
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Any) -> Any:
        return x + self.body(x) if self.skip else self.body(x)


#: Expansion, outputs, number and stride of MobileNetV2's blocks: arXiv:1801.04381, table 2.
MOBILE = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)  # fmt: skip


def mobile() -> nn.Module:
    """MobileNetV2's plan under fan_out, as it is published."""
    blocks, channels = [], 32
    for expansion, outputs, count, stride in MOBILE:
        for number in range(count):
            blocks.append(Inverted(channels, outputs, 1 if number else stride, expansion))
            channels = outputs
    head = nn.Linear(1280, 1000)
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6(),
        *blocks,
        nn.Conv2d(channels, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), head,
    )  # fmt: skip
    for one in model.modules():
        if isinstance(one, nn.Conv2d):
            nn.init.kaiming_normal_(one.weight, mode="fan_out")
    nn.init.normal_(head.weight, 0, 0.01)
    nn.init.zeros_(head.bias)
    return model
