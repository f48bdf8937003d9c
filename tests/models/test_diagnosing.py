"""`initbench diagnose --model`: the verdicts of known starts, and a model left as it was."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from initbench.errors import InitbenchError
from initbench.models.diagnosing import diagnose
from initbench.models.signals import measure
from tests.cli.conftest import invoke

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402  # skipped above without it

from tests.models import zoo  # noqa: E402
from tests.models.starts import STARTS, images, tokens  # noqa: E402

pytestmark = pytest.mark.frameworks

ZOO = Path(zoo.__file__)


@pytest.mark.parametrize("name", STARTS)
def test_verdict(name: str) -> None:
    """At two seeds, one by one, of the small model if there is one, and at one of the whole one.

    tests/benchmarks/models.py tries 20 seeds, and five together.
    """
    start = STARTS[name]
    for builder, seeds in ((start.small or start.builder, 2), (start.builder, 1)):
        for seed in range(seeds):
            found = diagnose(builder, start.batch, [seed])
            assert found.condition == start.condition, found.reason
            assert start.words in " ".join([found.reason, *found.notes])


def test_figures_of_the_known_starts() -> None:
    default = diagnose(partial(zoo.deep_convs, he=False), images(12), range(3)).measured
    convs = [one for one in default.signals if one.kind == "Conv2d"]
    assert 0.2 < convs[0].signal < 0.5
    assert 1e-4 < convs[-1].signal < 5e-3
    assert convs[0].gradient < 1e-30 < convs[-1].gradient
    he = diagnose(partial(zoo.deep_convs, he=True), images(12), range(3)).measured
    assert all(0.05 < one.signal < 4 for one in he.signals if one.kind == "Conv2d")
    vit = diagnose(partial(zoo.ViT, width=96, heads=4), images(64), range(2)).measured
    assert vit.loss == pytest.approx(vit.reference, rel=1e-6)  # ln 1000
    assert 8.4 < diagnose(zoo.gpt2, tokens(), range(2)).measured.loss < 8.75
    head = diagnose(partial(zoo.t5_head, 500), tokens(500), range(2))
    assert head.measured.output == pytest.approx(768, rel=0.1)


def test_growth_of_unscaled_gpt2_is_larger() -> None:
    ends = []
    for builder in (zoo.gpt2, zoo.gpt2_unscaled):
        blocks = [one for one in diagnose(builder, tokens(), [0]).measured.signals if one.block]
        ends.append(blocks[-1].signal)
    assert ends[1] > 10 * ends[0]


class Odd(nn.Module):
    """Two inputs, a dictionary as output, a buffer, dropout, and an error on request."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Linear(6, 8), nn.BatchNorm1d(8)
        self.drop, self.last = nn.Dropout(0.5), nn.Linear(8, 3)
        self.raises = False

    def forward(self, x: Any, y: Any) -> Any:
        z = self.drop(torch.relu_(self.norm(self.first(x + y))))
        if self.raises:
            raise RuntimeError("shapes differ\nmore")
        return {"logits": self.last(z)}


@pytest.mark.parametrize("raises", [False, True])
def test_model_is_left_bit_for_bit(raises: bool) -> None:
    model = Odd().eval()
    model.first.weight.requires_grad_(False)
    model.last.weight.grad = torch.ones(3, 8)
    model.raises = raises
    before = {name: value.clone() for name, value in model.state_dict().items()}
    batch = ((torch.randn(5, 6), torch.randn(5, 6)), torch.tensor([0, 1, 2, 0, 1]))
    if raises:
        with pytest.raises(InitbenchError, match=r"forward: raised RuntimeError: shapes differ \("):
            measure(model, batch)
    else:
        assert measure(model, batch).classes == 3
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not any(module.training for module in model.modules())
    assert not model.first.weight.requires_grad
    assert torch.equal(model.last.weight.grad, torch.ones(3, 8))
    assert model.first.weight.grad is None
    assert model.last.bias.grad is None
    assert not any(module._forward_hooks for module in model.modules())
    assert not any(module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("name", [name for name, start in STARTS.items() if start.small])
def test_known_models_and_the_generators_are_left_bit_for_bit(name: str) -> None:
    start = STARTS[name]
    assert start.small is not None
    model = start.small()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    states = torch.get_rng_state()
    diagnose(lambda: model, start.batch, [0])
    assert torch.equal(states, torch.get_rng_state())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(one.requires_grad and one.grad is None for one in model.parameters())
    assert all(module.training for module in model.modules())
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
    assert not any(getattr(one, hook) for one in model.modules() for hook in hooks)


def test_command(tmp_path: Path) -> None:
    result = invoke(
        "diagnose", "--model", f"{ZOO}:encoder", "--input", "randn(4,9,64)", "--format", "json",
        "--optimizer", "adam", "--model-seeds", "2",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    (diagnosis,) = json.loads(result.stdout)["diagnoses"]
    assert diagnosis["condition"] == "healthy"
    assert "layers.0.linear1" in [layer["module"] for layer in diagnosis["layers"]]
    batch = tmp_path / "batch.py"
    batch.write_text("import torch\ndef one():\n    return torch.randn(4, 9, 64)\n")
    for depth in ("1", "3"):
        table = invoke(
            "diagnose", "--model", f"{ZOO}:encoder", "--batch", f"{batch}:one", "--depth", depth,
            "--model-seeds", "1",
        )  # fmt: skip
        assert table.exit_code == 0, table.stderr
        assert "Clones" in table.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", f"{ZOO}:encoder"], "needs --input or --batch"),
        (["--model", f"{ZOO}:encoder", "--input", "open('x')"], "must be as in"),
        (["--model", f"{ZOO}:encoder", "--input", "randn(4,9,63)"], "forward: raised"),
        (["--model", f"{ZOO}:on_meta", "--input", "randn(4,4)"], "meta device"),
        (["--model", f"{ZOO}:raising", "--input", "randn(4,4)"], "no checkpoint"),
        (["--input", "randn(4,4)"], "--input needs --model FILE.py:FUNCTION"),
        (["--loss", "mse", "--optimizer", "sgd"], "--loss and --optimizer need --model"),
        (["a.yaml", "--model-seeds", "5"], "--model-seeds needs --model"),
        (["--depth", "2"], "--depth needs --model"),
        ([], "Name a CONFIG"),
    ],
)
def test_unusable_input_gets_a_word(arguments: list[str], words: str) -> None:
    result = invoke("diagnose", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


class Functional(nn.Module):
    """Residual blocks whose forward calls functions."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(128, 128, bias=False), nn.Linear(128, 128, bias=False)
            nn.init.kaiming_normal_(self.one.weight, nonlinearity="linear")
            nn.init.kaiming_normal_(self.two.weight, nonlinearity="relu")

        def forward(self, x: Any) -> Any:
            y = torch.nn.functional.relu(self.one(x), inplace=True)
            return x + self.two(y)

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(self.Block() for _ in range(6))
        self.head = nn.Linear(128, 5)

    def forward(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        return self.head(torch.tanh(x))


def test_functions_are_seen_where_they_are_called() -> None:
    """Each branch has the variance of its input, so that a block doubles the signal in theory."""
    found = diagnose(Functional, lambda: (torch.randn(64, 128), None), range(3)).measured
    rows = {one.module: one for one in found.signals}
    assert list(rows)[:4] == ["blocks.0.one", "blocks.0.relu", "blocks.0.two", "blocks.0.add"]
    assert list(rows)[-3:] == ["blocks.5", "tanh", "head"]
    assert rows["blocks.0.relu"].kind == "ReLU"
    assert rows["blocks.0.relu"].dead == 0
    assert rows["tanh"].saturated is not None
    adds = [rows[f"blocks.{number}.add"] for number in range(6)]
    for one in adds:
        assert one.predicted == pytest.approx(one.signal, rel=0.15)
        assert one.gradient > 0
    rate = (adds[-1].signal / adds[0].signal) ** (1 / 5)
    assert rate == pytest.approx(2, rel=0.1)


def test_signals_do_not_depend_on_how_an_activation_is_written() -> None:
    class AsModule(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.act, self.last = nn.Linear(9, 40), nn.Tanh(), nn.Linear(40, 3)

        def forward(self, x: Any) -> Any:
            return self.last(self.act(self.first(x)))

    class AsFunction(AsModule):
        def forward(self, x: Any) -> Any:
            return self.last(self.first(x).tanh())

    one, other = (
        diagnose(kind, lambda: (torch.randn(16, 9), None), [3]).measured.signals
        for kind in (AsModule, AsFunction)
    )
    assert [row.module for row in other] == ["first", "tanh", "last"]
    for name in ("signal", "gradient", "cosine", "saturated", "kind"):
        assert getattr(one[1], name) == getattr(other[1], name)


def test_complex_weights_have_a_size() -> None:
    class Complex(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(4, 8, dtype=torch.complex64)
            self.last = nn.Linear(8, 3, dtype=torch.complex64)

        def forward(self, x: Any) -> Any:
            return self.last(self.first(x.to(torch.complex64)))

    assert diagnose(Complex, lambda: (torch.randn(8, 4), None), [0]).condition == "healthy"
