from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initbench.diagnosis.calibration import Share
from initbench.diagnosis.diagnose import Diagnosis
from initbench.diagnosis.findings import Findings, Layer, Pair, Theory
from initbench.report.render.csv import csv_text
from initbench.report.views import diagnose as report
from initbench.report.views.diagnosis_rows import rows_of
from tests.report.conftest import Rendered

THEORY = Theory(
    sigma_w2=1.0, sigma_b2=0.0, fixed_variance=0.0, fixed_cosine=1.0, chi_1=0.5, xi_q=1.4427,
    xi_c=1.4427, reach=8.656, length_spread=0.4, born_dead=(0.0001, 0.0312),
)  # fmt: skip


def layer(number: int, variance: float, gradient: float, **changed: object) -> Layer:
    plain = Layer(
        layer=number, fan_in=100, units=100, preactivation_mean=0.0,
        preactivation_variance=Pair(2 * variance, variance), contrast=Pair(variance, variance),
        activation_mean=0.4, activation_variance=0.3, activation_contrast=0.2, weight_square=0.1,
        gradient_variance=Pair(gradient, gradient),
        weight_gradient_variance=0.01, cosine=Pair(0.5, 0.123), effective_rank=3.0,
        saturated=None, inactive=0.5, dead=0.25, distinct_units=100.0, update_size=0.01,
        moved=0.0,
    )  # fmt: skip
    return replace(plain, **changed)  # type: ignore[arg-type]


LAYERS = (
    layer(1, 0.7, 3.2e-11),
    layer(2, 0.0054, 1e-6, distinct_units=7.0),
    layer(3, 4.5e-10, 0.25, saturated=0.02, inactive=None, dead=None, distinct_units=None),
)
FINDINGS = Findings(
    config="deep", initializer="glorot_normal", setting={}, activation="relu",
    optimizer="gd", seeds=5, samples=512, iteration=0, train_loss=2.302585, constant_loss=2.302585,
    input_square=1.0, input_cosine=0.0, input_spread=1.0,
    layers=LAYERS, theory=THEORY, jacobian=(1.5, 0.5, 0.0), born_dead=0.0,
)  # fmt: skip
FADING = Diagnosis(
    FINDINGS,
    "vanishing",
    {"descent": "vanishing", "adaptive": "healthy"},
    "will not train",
    2,
    "it fades.",
    Share(42, 37, 14),
    None,
    "Use he_normal.",
    {"initializer": {"name": "he_normal"}},
)
HEALTHY = Diagnosis(
    replace(FINDINGS, config="other", initializer="he_normal", setting={"depth": 3}, theory=None),
    "healthy",
    {"descent": "healthy", "adaptive": "healthy"},
    "healthy",
    None,
    "it holds.",
    None,
    None,
    "",
    {},
)


def test_layers_at_80_columns(rendered: Rendered) -> None:
    """The widest cells that a hidden layer of 100 units has."""
    shown = rendered(report.diagnosis_table(FADING, "the title"))
    assert shown == (
        "the title\n"
        "\n"
        "        signal,       signal,   grad.,        grad.,        flat  dead  unique\n"
        " layer   theory      measured   theory      measured   cos     %     %   units\n"
        " ─────────────────────────────────────────────────────────────────────────────\n"
        "     1      1.4      0.7 ████  3.2e-11  3.2e-11 ▏···  0.12    50    25     all\n"
        "     2    0.011   5.4e-3 ███▏   1.0e-6   1.0e-6 █▉··  0.12    50    25   7/100\n"
        "     3  9.0e-10  4.5e-10 ▏···     0.25     0.25 ████  0.12     2\n"
        "\n"
        "Signal: the mean square of a layer's pre-activations z (weights times inputs,\n"
        "plus biases). Grad.: that of the loss's gradient by z. Theory: as mean-field\n"
        "theory predicts them; measured: medians over seeds, with bars of their\n"
        "logarithms. cos: the cosine between two inputs' z, the mean over pairs (at 1 all\n"
        "inputs look the same). Flat: the share of units and samples where the\n"
        "activation's slope is under 2 % of its maximum (last layer: of samples whose\n"
        "output is all but certain). Dead: the share of units that are 0 on every sample.\n"
        "Unique: units that are no copy of another (1/10: all of 10 are equal).\n"
        "Theory: weights of variance 1 / fan_in, biases of variance 0; with depth the\n"
        "signal tends to 0 and the cosine to 1; each layer changes the gradient's\n"
        "variance by a factor chi_1 = 0.5; the signal fades by a factor of 0.5 a layer;\n"
        "0.01 to 3.12 % of such networks give a constant output.\n"
        "vanishing from layer 2, will not train: it fades. Use he_normal.\n"
    )


def test_a_summary_is_worst_first(rendered: Rendered) -> None:
    assert rendered(report.summary_table("all", rows_of([HEALTHY, FADING]))) == (
        "all\n"
        "\n"
        "                                    from          signal  gradient\n"
        " config  initializer    condition  layer  chi_1   change    change  depth\n"
        " ────────────────────────────────────────────────────────────────────────\n"
        " deep    glorot_normal  vanishing      2    0.5  6.4e-10   1.3e-10\n"
        " other   he_normal      healthy               -  6.4e-10   1.3e-10      3\n"
        "\n"
        "From layer: where the trouble begins. chi_1: the factor by which each layer\n"
        "changes the gradient's variance, in theory (1 keeps it; -: theory does not\n"
        "apply). Signal change: the mean square of the last layer's pre-activations over\n"
        "that of the first's; gradient change: that of the loss's gradient, the first\n"
        "layer's over the last's.\n"
        "deep, glorot_normal: vanishing from layer 2, will not train: it fades. Use\n"
        "he_normal.\n"
        "other, he_normal, depth 3: healthy: it holds.\n"
    )


def test_during(rendered: Rendered) -> None:
    later = replace(FINDINGS, iteration=2000, train_loss=math.inf, theory=None)
    assert rendered(
        report.during_table([FADING, replace(FADING, findings=later)], "the title")
    ) == (
        "the title\n"
        "\n"
        "            train              signal  gradient    most    most  fewest\n"
        " iteration   loss  condition   change    change  flat %  dead %  unique\n"
        " ──────────────────────────────────────────────────────────────────────\n"
        "         0  2.303  vanishing  6.4e-10   1.3e-10      50      25   7/100\n"
        "     2,000    inf  vanishing  6.4e-10   1.3e-10      50      25   7/100\n"
        "\n"
        "Signal change: the mean square of the last layer's pre-activations over that of\n"
        "the first's; gradient change: that of the loss's gradient, the first layer's\n"
        "over the last's. Most flat: the share of units and samples where the\n"
        "activation's slope is under 2 % of its maximum, in the hidden layer with the\n"
        "most; most dead: the share of units that are 0 on every sample, likewise; fewest\n"
        "unique: units that are no copy of another, in the layer with the fewest.\n"
        "At the end: vanishing from layer 2: it fades. Use he_normal.\n"
    )


@pytest.mark.parametrize("diagnosis", [FADING, HEALTHY])
def test_every_layer_is_a_csv_row(diagnosis: Diagnosis) -> None:
    text = csv_text(report.diagnose_cells([diagnosis, FADING]))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 6
    assert rows[0]["preactivation_variance_predicted"] == "1.4"
    assert rows[0]["preactivation_variance_measured"] == "0.7"
    assert rows[1]["distinct_units"] == "7.0"
    assert rows[2]["distinct_units"] == ""
    assert rows[3]["config"] == "deep"


def test_document() -> None:
    document = report.diagnose_document([FADING, HEALTHY])
    fading, healthy = document["diagnoses"]
    assert fading["verdict"] == "vanishing"
    assert fading["verdict_by_optimizer"] == {
        "gd": "vanishing", "momentum": "vanishing", "nesterov": "vanishing",
        "rmsprop": "healthy", "adam": "healthy",
    }  # fmt: skip
    assert fading["calibration"] == {"starts": 42, "failed": {"momentum": 37, "adam": 14}}
    assert fading["remedy"] == {"initializer": {"name": "he_normal"}}
    assert fading["growth"] == {"signal": None, "contrast": None, "gradient": None}
    assert fading["begins_at_layer"] == 2
    assert fading["chi_1"] == 0.5
    assert fading["jacobian_condition"] is None  # infinite
    assert fading["layers"][0]["preactivation_variance"] == {"predicted": 1.4, "measured": 0.7}
    assert fading["layers"][0]["gradient_variance"]["measured"] == 3.2e-11
    assert {"saturated", "dead", "distinct_units", "layer"} <= fading["layers"][0].keys()
    assert healthy["chi_1"] is None
    assert healthy["theory"] is None


@given(st.lists(st.one_of(st.just(0.0), st.floats(1e-300, 1e300)), min_size=1))
def test_bars(values: list[float]) -> None:
    bars = report.bars(values)
    assert {len(bar) for bar in bars} == {report.BAR_WIDTH}
    lengths = [report.BLOCKS.index(bar[0]) if bar[0] in report.BLOCKS else 0 for bar in bars]
    for value, bar, length in zip(values, bars, lengths, strict=True):
        assert (value == 0) == (length == 0)
        if value == max(values) > 0:
            assert bar == "█" * report.BAR_WIDTH


def test_an_overflow_has_a_whole_bar() -> None:
    assert report.bars([1.0, math.inf, math.nan]) == ["████", "████", "████"]
    assert report.bars([0.0, 0.0]) == ["····", "····"]
