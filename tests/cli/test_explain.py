"""`initbench explain`, whole: laws layer by layer, draws where there is none, advice, source."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path

import pytest

from initbench.core.initializers import INITIALIZERS
from initbench.core.initializers.advice import ADVICE
from tests.cli.conftest import invoke, lines

explain = partial(invoke, "explain")


def test_the_table() -> None:
    done = explain("HeUniform", "--layers", "784,512,256,10")
    assert (done.exit_code, done.stderr) == (0, "")
    # sqrt(2 / fan_in), and sqrt(6 / fan_in) to either side.
    assert lines(done)[:8] == [
        "he_uniform: U(+-sqrt(6 / fan_in))",
        "",
        "                                standard",
        " layer  fan_in  fan_out  mean  deviation    lowest  highest",
        " ──────────────────────────────────────────────────────────",
        "     1     784      512     0    0.05051  -0.08748  0.08748",
        "     2     512      256     0     0.0625   -0.1083   0.1083",
        "     3     256       10     0    0.08839   -0.1531   0.1531",
    ]
    assert "\nUse it with relu and its kin: " in done.stdout
    assert "\nDo not use it with tanh or sigmoid, " in done.stdout
    assert "\nAlso called kaiming_uniform.\nSource: He et al. 2015, arXiv:1502" in done.stdout


def test_the_document_keeps_all_digits() -> None:
    document = json.loads(explain("he_normal", "--layers", "3,2,5", "--format", "json").stdout)
    assert document["name"] == "he_normal"
    assert document["aliases"] == ["kaiming_normal"]
    assert document["formula"] == "N(0, 2 / fan_in)"
    assert document["reference"] == "He et al. 2015, arXiv:1502.01852"
    assert document["layers"] == [
        {
            "fan_in": inputs, "fan_out": outputs, "mean": 0, "std": math.sqrt(2 / inputs),
            "low": None, "high": None, "drawn": False,
        }
        for inputs, outputs in ((3, 2), (2, 5))
    ]  # fmt: skip


def test_what_frameworks_draw_under_the_name() -> None:
    done = explain("HeNormal", "--layers", "200,7")
    # Cut at two standard deviations of a normal widened by 1 / 0.87962566103423978.
    assert lines(done)[-9:] == [
        "he_normal in frameworks, layer 1",
        "",
        "                                                 standard",
        " framework  draws                         mean  deviation   lowest  highest",
        " ──────────────────────────────────────────────────────────────────────────",
        " torch      N(0, 2 / fan_in)                 0        0.1        -        -",
        " keras      variance 2 / fan_in, cut off     0        0.1  -0.2274   0.2274",
        " jax        variance 2 / fan_in, cut off     0        0.1  -0.2274   0.2274",
        "",
    ]
    document = json.loads(explain("normal", "--set", "mean=3", "--format", "json").stdout)
    found = {f["framework"]: f["layers"][0] for f in document["frameworks"]}
    assert {name: (layer["mean"], layer["std"]) for name, layer in found.items()} == {
        "torch": (3, 1.0), "keras": (3, 0.05), "jax": (3, 0.01)
    }  # fmt: skip
    (sklearn,) = (
        framework
        for framework in json.loads(
            explain("glorot_uniform", "--activation", "sigmoid", "--layers", "5,3",
                    "--format", "json").stdout
        )["frameworks"]
        if framework["framework"] == "sklearn"
    )  # fmt: skip
    assert (sklearn["draws"], sklearn["layers"][0]["high"]) == ("sklearn_default", 0.5)


def test_one_layer_and_what_frameworks_make_of_it() -> None:
    done = explain("glorot_uniform", "--layer", "qkv:768")
    assert (done.exit_code, done.stderr) == (0, "")
    assert lines(done)[:13] == [  # sqrt(2 / (768 + 768)), and with 2,304 for the second
        "glorot_uniform, qkv:768: U(+-sqrt(6 / (fan_in + fan_out)))",
        "",
        "                                          standard",
        " framework  shape       fan_in  fan_out  deviation  fans",
        " ──────────────────────────────────────────────────────────────────────────────",
        " initbench  768 x 768      768      768    0.03608  right",
        " weight",
        " torch      2304 x 768     768     2304    0.02552  MISTAKE: fan_out counts 3",
        " weight                                             packed matrices as one",
        " keras      768 x 2304     768     2304    0.02552  MISTAKE: fan_out counts 3",
        " kernel                                             packed matrices as one",
        " jax        768 x 2304     768     2304    0.02552  MISTAKE: fan_out counts 3",
        " kernel                                             packed matrices as one",
    ]
    grouped = ("he_normal", "--layer", "conv:64,64,3,groups=64")
    ours, torch, *_ = json.loads(explain(*grouped, "--format", "json").stdout)["fans"]
    assert (ours["fan_in"], ours["fan_out"], ours["std"]) == (9, 9, math.sqrt(2 / 9))
    assert (torch["fan_out"], torch["mistake"]) == (576, "fan_out ignores the groups")
    assert explain(*grouped, "--format", "csv").stdout.splitlines()[1].startswith(
        "initbench,weight,1x1x3x3,9,9,0.47"
    )  # fmt: skip


def test_a_dialect_is_explained_as_it_draws() -> None:
    document = json.loads(
        explain(
            "he_normal", "--set", "dialect=keras", "--layers", "200,7", "--format", "json"
        ).stdout
    )
    assert document["label"] == "he_normal(dialect=keras)"
    assert document["formula"] == "variance 2 / fan_in, cut off"
    assert document["frameworks"] == []


@pytest.mark.parametrize("arguments", [["{name: normal, std: 3}"], ["normal", "--set", "std=3"]])
def test_parameters(arguments: list[str]) -> None:
    document = json.loads(explain(*arguments, "--format", "json").stdout)
    assert document["label"] == "normal(std=3)"
    assert {layer["std"] for layer in document["layers"]} == {3.0}


PLUGIN = """\
import numpy as np
from initbench.core.initializers import Start

def by_data(rng, network):
    \"\"\"The mean of the absolute inputs.\"\"\"
    scale = np.abs(network.inputs).mean()
    return Start([(np.full(s, scale, network.dtype), np.zeros(s[0], network.dtype))
                  for s in network.shapes])
"""


def test_without_a_law_it_is_drawn_on_data(folder: Path) -> None:
    (folder / "own.py").write_text(PLUGIN)
    own = ["by_data", "--plugin", "own.py"]
    done = explain(*own, "--layers", "4,2")
    # E|z| = sqrt(2 / pi) = 0.7979 of a standard normal; of 4 x 1,024 the mean is off by 0.01.
    assert lines(done) == [
        "by_data: The mean of the absolute inputs",
        "",
        "                                  standard",
        " layer  fan_in  fan_out    mean  deviation  lowest  highest",
        " ──────────────────────────────────────────────────────────",
        "     1       4        2  0.7864          0  0.7864   0.7864",
        "",
        "There is no closed form: measured on weights drawn at 10 seeds, 1,024 standard",
        "normal samples.",
        "fan_in and fan_out: a layer's inputs and outputs. Mean, standard deviation and",
        "bounds are of its weights; - means no bound.",
        "Source: own.py.",
        "",
    ]
    iris = explain(*own, "--layers", "4,2", "--dataset", "iris", "--format", "json")
    document = json.loads(iris.stdout)
    assert document["drawn_on"] == "10 seeds, 112 iris samples"
    assert document["layers"][0]["drawn"] is True
    assert document["advice"] is None


def test_markdown_and_csv() -> None:
    markdown = explain("identity", "--layers", "2,2", "--format", "markdown").stdout
    assert markdown.startswith(
        "**identity: gain on the diagonal**\n\n"
        "| layer | fan_in | fan_out | mean | standard deviation | lowest | highest |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| 1 | 2 | 2 | 0.5 | 0.5 | 0 | 1 |\n\nfan_in and fan_out: "
    )
    assert explain("identity", "--layers", "2,2", "--format", "csv").stdout == (
        "layer,fan_in,fan_out,mean,std,low,high,drawn\n1,2,2,0.5,0.5,0.0,1.0,False\n"
    )


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_initializer_is_explained(name: str) -> None:
    advice = ADVICE[name]
    assert advice.use.endswith(".")
    assert advice.avoid.endswith(".")
    required = ["--set", "value=0.5"] if name == "constant" else []
    document = json.loads(
        explain(name, *required, "--layers", "8,6,4,2", "--format", "json").stdout
    )
    assert len(document["layers"]) == 3
    assert document["advice"] == {"use": advice.use, "avoid": advice.avoid}


def test_advice_is_on_what_there_is() -> None:
    assert ADVICE.keys() == INITIALIZERS.keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["he_norml"], "he_norml: unknown name 'he_norml'; did you mean 'he_normal'?"),
        (["normal", "--set", "std=-1"], "--set std=-1: initializer.std: must be at least 0, got"),
        (
            ["normal", "--set", "st=1"],
            "--set st=1: initializer.st: unknown key; did you mean 'std'",
        ),
        (["normal", "--set", "std"], "--set std: must be KEY=VALUE"),
        (["normal", "--layers", "3,x"], "--layers 3,x: layers[1]: must be a whole number, got"),
        (["normal", "--layers", "3"], "--layers 3: layers: must be a list of at least 2"),
        (["normal", "--activation", "relo"], "--activation relo: activation: unknown name 'relo'"),
        (["normal", "--dataset", "iri"], "--dataset iri: dataset: unknown name 'iri'; did you"),
        (
            ["normal", "--dataset", "iris", "--layers", "784,10"],
            "--layers 784,10: must begin with 4, the features of iris, got 784",
        ),
        (["{name: normal"], "{name: normal: is not YAML: "),
        (["[normal, uniform]"], "must be one name, or {name: ..., parameter: ...}; explain others"),
        (["{name: uniform, low: 3}"], "low must be below high, got low 3 and high 1"),
        (["normal", "--layer", "conv:8,8"], "must be conv:IN,OUT,KERNEL[,groups=N]"),
        (["normal", "--layer", "cnv:8,8,3"], "--layer cnv:8,8,3: unknown kind 'cnv'"),
        (["normal", "--layer", "conv:8,6,3,groups=4"], "groups must divide IN and OUT, got 4"),
        (["normal", "--layer", "linear:8,0"], "with whole numbers from 1 on, got '0'"),
        (["lsuv", "--layer", "linear:8,8"], "lsuv has no law for a single layer"),
        (["normal", "--layer", "linear:8,8", "--layers", "3,3"], "give no --layers"),
        (["normal", "--plugin", "no.py"], "no.py: cannot be read: No such file or directory"),
    ],
)
def test_bad_usage_exits_2_with_a_message(arguments: list[str], message: str) -> None:
    done = explain(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
