"""Initializers and biases by layer: refused with their places, set by dotted keys."""

from __future__ import annotations

import pytest

from tests.config.conftest import BASE, NO_SIZES, load, refusal

SIZES = BASE.replace("[2, 3, 1]", "[2, 3, 4, 1]").replace("initializer: he_normal\n", "")


def test_numbers_beyond_the_dtype_in_their_layers() -> None:
    text = "dtype: float32\nbias: {output: 1e-50}\n"
    huge = "initializer: {hidden: zeros, output: {name: constant, value: 1e39}}\n"
    assert refusal(SIZES + text + huge).splitlines() == [
        f"x.yaml:{place} in float32; write another number, or dtype: float64"
        for place in (
            "5:16: bias.output.value: 1e-50 is 0",
            "6:62: initializer.output.value: 1e+39 is infinite",
        )
    ]


def test_a_gain_that_pytorch_has_not_in_one_layer() -> None:
    text = (
        "activation: gelu\ninitializer: {hidden: {name: he_normal, gain: torch}, output: zeros}\n"
    )
    assert refusal(SIZES + text).startswith("x.yaml:4:13: activation: gain torch: PyTorch's")


def test_layers_count_at_each_point_of_a_sweep() -> None:
    text = "initializer: {3: zeros, hidden: ones, output: ones}\nsweep: {depth: [1, 2]}\nwidth: 2\n"
    assert refusal(NO_SIZES.replace("initializer: he_normal\n", "") + text) == (
        "x.yaml:3:18: initializer.3: there are 2 layers; write a number from 1 to 2"
    )


def test_an_option_s_null_takes_the_key_away() -> None:
    (experiment,) = load(f"{SIZES}initializer: zeros\nbias: none\n", "bias=null")
    assert experiment.bias.label == "initializer"


@pytest.mark.parametrize(
    ("text", "options", "initializer", "bias"),
    [
        ("initializer: he_normal", ["initializer.output=zeros"],
         "{hidden: he_normal, output: zeros}", "initializer"),
        ("initializer: {name: normal, std: 2}",
         ["initializer.1=ones", "initializer.1.dialect=torch"],
         "{hidden: normal(std=2), output: normal(std=2), 1: ones(dialect=torch)}", "initializer"),
        ("initializer: {hidden: zeros, output: ones}", ["initializer.hidden=he_normal"],
         "{hidden: he_normal, output: ones}", "initializer"),
        ("initializer: zeros", ["bias.output=prior"], "zeros", "{output: prior}"),
        ("initializer: zeros\nbias: 0.5", ["bias.output=prior"], "zeros",
         "{hidden: constant(value=0.5), output: prior}"),
        ("initializer: zeros", ["bias={name: normal}", "bias.std=0.5"], "zeros", "normal(std=0.5)"),
    ],
)  # fmt: skip
def test_dotted_keys(text: str, options: list[str], initializer: str, bias: str) -> None:
    (experiment,) = load(f"{SIZES}{text}\n", *options)
    assert [one.label for one in experiment.initializer] == [initializer]
    assert experiment.bias.label == bias


def test_a_sweep_of_biases() -> None:
    points = load(f"{SIZES}initializer: zeros\nsweep: {{bias.output: [zeros, prior, none]}}\n")
    assert [one.setting for one in points] == [
        {"bias.output": "zeros"}, {"bias.output": "prior"}, {"bias.output": "none"},
    ]  # fmt: skip
    equal = refusal(f"{SIZES}initializer: zeros\nsweep: {{bias: [0.0, none, initializer]}}\n")
    assert equal == (
        "x.yaml:5:27: sweep.bias: 0.0 (x.yaml:5:16), the text 'initializer' (x.yaml:5:27) give the "
        "same runs; keep one of them"
    )
    # PyTorch's layers draw biases, which zeros replace.
    other = f"{SIZES}initializer: torch_default\nsweep: {{bias: [zeros, initializer]}}\n"
    assert len(load(other)) == 2
