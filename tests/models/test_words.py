"""A clear word for each model, batch and builder that cannot be diagnosed, or only with a note."""

from __future__ import annotations

import random
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from initbench.errors import InitbenchError
from initbench.models import room
from initbench.models.diagnosing import diagnose
from initbench.models.verifying import reduce_model, verify
from initbench.runs.runner import silent
from tests.cli.conftest import invoke

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402  # skipped above without it

pytestmark = pytest.mark.frameworks

CODE = """
import torch
from torch import nn

class Answering(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.layer, self.answer = nn.Linear(4, 3), answer
    def forward(self, x):
        return self.answer(self.layer(x))

def linear(): return nn.Linear(4, 3)
def nothing(): return None
def pair(): return nn.Linear(4, 3), 1
def raising(): raise KeyError("x")
def needing(width, depth, seed=0): return nn.Linear(width, depth)
def exiting(): raise SystemExit(3)
def half_loaded():
    return nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3, device="meta"))
def no_parameters(): return nn.ReLU()
def bfloat16(): return nn.Linear(4, 3).bfloat16()
def complex64(): return nn.Linear(4, 3, dtype=torch.complex64)
def lazy(): return nn.LazyLinear(3)
def words(): return Answering(lambda y: "words")
def without(): return Answering(lambda y: None)
def empty(): return Answering(lambda y: y[:0])
def detached(): return Answering(lambda y: y.detach())
def integers(): return nn.Sequential(nn.Embedding(4, 8), nn.Linear(8, 3))
seven = 7

def short(): return torch.randn(5, 4), torch.tensor([0, 1, 2])
def outside(): return torch.randn(5, 4), torch.tensor([0, 1, 2, 3, 9])
def turned(): return torch.randn(5, 4), torch.randn(3, 5)
def text(): return torch.randn(5, 4), "labels"
def onehot(): return torch.randn(5, 4), torch.eye(3)[[0, 1, 2, 0, 1]]
def classes(): return torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1])
def no_batch(): return None
def no_data(): raise OSError("no data")
def loader(path): return path
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("words") / "code.py"
    path.write_text(CODE)
    return path


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("nothing", "nothing: must return a torch.nn.Module, got NoneType"),
        ("pair", "pair: must return a torch.nn.Module, got tuple"),
        ("raising", "raising: raised KeyError: 'x' ("),
        (
            "needing",
            "needing is called without arguments, or with seed alone, and needs width, dep",
        ),
        ("exiting", "exiting: raised SystemExit: 3"),
        ("half_loaded", "meta device"),
        ("no_parameters", "no parameters that can be trained"),
        ("bfloat16", "(parameters are bfloat16, inputs float32: --batch can give inputs of their"),
        ("complex64", "(parameters are complex64, inputs float32"),
        ("lazy", "lazy parameters"),
        ("words", "output has no tensor of floats: str"),
        ("without", "output has no tensor of floats: NoneType"),
        ("empty", "the model's output is empty: its shape is (0, 3)"),
        ("detached", "no parameter has a part in the output"),
        ("integers", "the model's forward: raised RuntimeError"),
        ("seven", "has no function 'seven'"),
        ("missing", "has no function 'missing'"),
    ],
)
def test_models(code: Path, model: str, words: str) -> None:
    result = invoke(
        "diagnose", "--model", f"{code}:{model}", "--input", "randn(5,4)", "--model-seeds", "1"
    )
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("batch", "loss", "words"),
    [
        (
            "short",
            "auto",
            "the targets must be a class for each of the 5 rows of logits",
        ),
        (
            "short",
            "mse",
            "must be numbers of the output's shape, (5, 3), got shape (3,)",
        ),
        (
            "classes",
            "mse",
            "must be numbers of the output's shape, (5, 3), got shape (5,)",
        ),
        ("outside", "auto", "the loss: raised IndexError: Target 3 is out of bounds"),
        ("turned", "mse", "(5, 3), got shape (3, 5)"),
        ("text", "auto", "rows of logits, got a str"),
        ("text", "mse", "(5, 3), got a str"),
        ("onehot", "auto", "rows of logits, got shape (5, 3)"),
        ("no_batch", "auto", "must return inputs, or (inputs, targets)"),
        ("no_data", "auto", "no_data: raised OSError: no data ("),
        ("loader", "auto", ":loader is called without arguments, and needs path: wrap it"),
        ("missing", "auto", "has no function 'missing'"),
    ],
)
def test_batches(code: Path, batch: str, loss: str, words: str) -> None:
    result = invoke(
        "diagnose", "--model", f"{code}:linear", "--batch", f"{code}:{batch}", "--loss", loss
    )
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_input_and_batch_exclude_one_another(code: Path) -> None:
    model = f"{code}:linear"
    result = invoke("diagnose", "--model", model, "--input", "randn(5,4)", "--batch", model)
    assert result.exit_code == 2
    assert "needs --input or --batch, and not both" in result.stderr


@pytest.mark.parametrize("command", ["diagnose", "verify"])
def test_missing_torch_says_how_to_install_it(
    command: str, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    more = ["--input", "randn(5,4)"] if command == "diagnose" else ["--describe"]
    result = invoke(command, "--model", f"{code}:linear", *more)
    assert result.exit_code == 2
    assert 'models need PyTorch: pip install "initbench[torch]"' in result.stderr


def own_generator() -> nn.Module:
    model = nn.Linear(4, 3)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for one in model.parameters():
            one.normal_(generator=generator)
    return model


def seeding() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(4, 3)


CACHED = nn.Linear(4, 3)


@pytest.mark.parametrize("builder", [own_generator, seeding, lambda: CACHED])
def test_a_builder_that_ignores_the_seed_is_named_once(builder: Any) -> None:
    found = diagnose(builder, lambda: (torch.randn(5, 4), None), range(3))
    assert [note for note in found.notes if "ignores the seed: all 3 models" in note]
    assert len([note for note in found.notes if "seed" in note]) == 1


@pytest.mark.parametrize("builder", [lambda: nn.Linear(4, 3), lambda: zeros(nn.Linear(4, 3))])
def test_a_builder_that_draws_or_has_nothing_to_draw_does_not_ignore_the_seed(builder: Any) -> None:
    found = diagnose(builder, lambda: (torch.randn(5, 4), None), range(3))
    assert not [note for note in found.notes if "seed" in note]


def zeros(model: nn.Module) -> nn.Module:
    for one in model.parameters():
        nn.init.zeros_(one)
    return model


class Noisy(nn.Module):
    """Draws from all three generators, and raises on request."""

    def __init__(self, *, raises: bool) -> None:
        super().__init__()
        self.layer, self.raises = nn.Linear(4, 3), raises

    def forward(self, x: Any) -> Any:
        x = x + torch.randn(4) + np.random.rand() + random.random()
        if self.raises:
            raise RuntimeError("boom")
        return self.layer(x)


@pytest.mark.parametrize("raises", [False, True])
def test_generators_are_left_bit_for_bit(raises: bool) -> None:
    def states() -> tuple[Any, ...]:
        numpy = repr(np.random.get_state(legacy=False))
        return torch.get_rng_state().tolist(), numpy, random.getstate()

    before = states()
    stopped = pytest.raises(InitbenchError, match="boom") if raises else nullcontext()
    with stopped:
        diagnose(lambda: Noisy(raises=raises), lambda: (torch.randn(5, 4), None), range(2))
    assert states() == before


def test_memory_is_counted_and_refused_in_words() -> None:
    model = nn.Sequential(nn.Embedding(1000, 16), nn.Linear(16, 8))
    bytes_ = 4 * (16_000 + 128 + 8)
    assert room.check(model, 3, "diagnosing", silent) == 3 * bytes_ + 2 * 64_000
    with pytest.raises(InitbenchError, match="diagnosing a model of 16,136 numbers needs up to"):
        room.check(model, 3, "diagnosing", silent, available=100_000)


def test_a_large_model_announces_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "ANNOUNCED", 100)
    told: list[str] = []
    batch = (torch.randn(5, 4), None)
    diagnose(lambda: nn.Linear(4, 3), lambda: batch, range(3), tell=told.append)
    verify(lambda: nn.Linear(4, 3), [], range(3), tell=told.append)
    assert len(told) == 2
    assert told[0].startswith("diagnosing a model of 15 numbers needs up to 0.0 GiB")
    assert told[1].startswith("verifying a model of 15 numbers")


def test_one_model_is_held_at_a_time() -> None:
    """When the next model is built, nothing keeps the one before."""
    from torch.multiprocessing.reductions import StorageWeakRef

    alive: list[Any] = []

    def build() -> nn.Module:
        assert not [one for one in alive if not one.expired()]
        model = nn.Linear(8, 8)
        alive.append(StorageWeakRef(model.weight.untyped_storage()))
        return model

    reduce_model(build, range(4))
    diagnose(build, lambda: (torch.randn(5, 8), None), range(4))
    assert len(alive) == 8
