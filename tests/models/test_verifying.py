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
from tests.models.mistakes import GPT2, MISTAKES  # noqa: E402

pytestmark = pytest.mark.frameworks

ZOO = Path(zoo.__file__)
verify = partial(invoke, "verify")


def checked(builder: Callable[..., Any], declared: dict[str, str], start: int = 0) -> ModelChecks:
    return verifying.verify(builder, laws.of_mapping(declared), range(start, start + 5))


def failed(result: ModelChecks) -> dict[tuple[str, str], str]:
    return {(one.parameter, one.check): one.words for one in result.checks if not one.ok}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_planted_mistake_is_caught_at_every_seed(mistake: str) -> None:
    """At three sets of seeds; tests/benchmarks/models.py tries 20."""
    builder, declared, check, words = MISTAKES[mistake]
    for start in range(3):
        found = failed(checked(builder, declared, 5 * start))
        assert any(check == what and words in said for (_, what), said in found.items()), found


@pytest.mark.parametrize("builder", [zoo.small, partial(zoo.Gpt2, scaled=True, layers=2, width=48)])
def test_no_alarm_on_sound_models(builder: Callable[..., Any]) -> None:
    scaled = {**GPT2, "*c_proj.weight": "normal(std=0.02/sqrt(2*2))"}
    declared = {"*": "auto"} if builder is zoo.small else scaled
    for start in range(4):
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
        (["--describe"], "--describe needs --model"),
        (["he_normal", "--model-seeds", "3"], "--model-seeds needs --model"),
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
