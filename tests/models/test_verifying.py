"""`initbench verify --model`: planted mistakes are caught at every seed, sound models pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from initbench.errors import InitbenchError
from initbench.models import laws, verifying
from initbench.models.verifying import ModelChecks
from tests.cli.conftest import invoke

torch = pytest.importorskip("torch")
nn = torch.nn
from tests.models import zoo  # noqa: E402  # which needs torch

pytestmark = pytest.mark.frameworks

ZOO = Path(zoo.__file__)
verify = partial(invoke, "verify")
GPT2 = {
    "*c_proj.weight": "normal(std=0.02/sqrt(2*12))",
    "*ln_*": "auto",
    "*.bias": "zeros",
    "*": "normal(std=0.02)",
}


def checked(builder: Callable[..., Any], declared: dict[str, str], start: int = 0) -> ModelChecks:
    return verifying.verify(builder, laws.of_mapping(declared), range(start, start + 5))


def failed(result: ModelChecks) -> dict[tuple[str, str], str]:
    return {(one.parameter, one.check): one.words for one in result.checks if not one.ok}


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
    for one in model:
        one.weight.data.normal_(0, 0.1, generator=torch.Generator().manual_seed(3))
    return model


def half_frozen() -> Any:
    model = nn.Sequential(nn.Linear(32, 32), nn.Linear(32, 32))
    with torch.no_grad():
        model[0].weight.copy_(
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


@pytest.mark.parametrize("mistake", MISTAKES)
def test_planted_mistake_is_caught_at_20_of_20_seeds(mistake: str) -> None:
    builder, declared, check, words = MISTAKES[mistake]
    for start in range(20 if mistake not in ("clones", "residual scaling skipped") else 3):
        found = failed(checked(builder, declared, 5 * start))
        assert any(check == what and words in said for (_, what), said in found.items()), found


@pytest.mark.parametrize("builder", [zoo.small, partial(zoo.Gpt2, scaled=True, layers=2, width=48)])
def test_no_alarm_on_sound_models(builder: Callable[..., Any]) -> None:
    scaled = {**GPT2, "*c_proj.weight": "normal(std=0.02/sqrt(2*2))"}
    declared = {"*": "auto"} if builder is zoo.small else scaled
    for start in range(20):
        result = checked(builder, declared, 5 * start)
        assert not failed(result)
        assert not [note for note in result.notes if "not tested" in note]


def test_described_model_passes(tmp_path: Path) -> None:
    """Whatever the model is, the laws that --describe writes hold for it at other seeds too."""
    for name in ("gpt2", "small", "depthwise_fan_out"):
        text = verify("--model", f"{ZOO}:{name}", "--describe").stdout
        (tmp_path / "laws.yaml").write_text(text, encoding="utf-8")
        result = verify(
            "--model", f"{ZOO}:{name}", "--laws", str(tmp_path / "laws.yaml"), "--format", "json",
            "--model-seeds", "7",
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["ok"]
        assert ": any" not in text
    text = verify("--model", f"{ZOO}:gpt2", "--describe").stdout
    assert "'h.*.attn_c_proj.weight': normal(std=0.02/sqrt(24))" in text


def test_failure_names_parameter_law_and_both_deviations(tmp_path: Path) -> None:
    path = tmp_path / "laws.yaml"
    path.write_text(json.dumps({"laws": GPT2}), encoding="utf-8")
    result = verify("--model", f"{ZOO}:gpt2_unscaled", "--laws", str(path), "--model-seeds", "2")
    assert result.exit_code == 1
    (first, *_) = (line for line in result.stderr.splitlines() if "c_proj.weight" in line)
    assert first.startswith("h.0.attn_c_proj.weight: normal(std=0.02/sqrt(2*12)): std 0.0")
    assert "the law says 0.004082" in first


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", f"{ZOO}:raising", "--describe"], "raised ValueError: no checkpoint"),
        (["--model", f"{ZOO}:absent", "--describe"], "has no function 'absent'"),
        (["--model", "absent.py:f", "--describe"], "absent.py: no such file"),
        (["--model", "absent.py", "--describe"], "must be FILE.py:FUNCTION"),
        (["--model", f"{ZOO}:gpt2"], "--laws FILE or with --describe"),
        (["--describe"], "need --model"),
        (["--model", f"{ZOO}:math", "--describe"], "has no function 'math'"),
        (["--model", f"{ZOO}:Any", "--describe"], "Any"),
        (["--model", f"{ZOO}:gpt2", "--laws", "no.yaml"], "no.yaml: cannot be read"),
    ],
)
def test_unusable_input_gets_a_word(arguments: list[str], words: str) -> None:
    result = verify(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("__import__('os').system('true')", "must be NAME"),
        ("normal(std=__import__('os'))", "only numbers"),
        ("normal(std=1/0)", "division by zero"),
        ("normal(std=10**10**10)", "range"),
        ("normal(sdt=1)", "sdt"),
        ("normal(std=-1)", "0 or more"),
        ("he_nromal", "no initializer is called he_nromal"),
        ("lsuv", "no law for a single parameter"),
        ("auto(std=1)", "takes no parameters"),
        ("normal(", "must be NAME"),
        ("normal(std=1, split=0)", "split"),
    ],
)
def test_no_law(text: str, words: str) -> None:
    with pytest.raises(InitbenchError, match=words):
        laws.parse("*", text)


def test_generators_are_left_as_they_were() -> None:
    before = torch.get_rng_state()
    checked(zoo.small, {"*": "auto"})
    assert torch.equal(before, torch.get_rng_state())


def test_types() -> None:
    """bfloat16 is rounded, complex numbers are two reals."""
    assert not failed(checked(lambda: nn.Linear(200, 200).bfloat16(), {"*": "auto"}))
    real = checked(lambda: nn.Linear(99, 99, dtype=torch.complex64), {"*": "any"})
    assert not failed(real)
    with pytest.raises(InitbenchError, match="no parameters"):
        checked(nn.ReLU, {"*": "auto"})
