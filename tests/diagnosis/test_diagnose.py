"""The stories that a diagnosis must tell, each on its own network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from initbench import config
from initbench.core.draw import Draws
from initbench.diagnosis.diagnose import Diagnosis, diagnose
from initbench.runs import execute
from initbench.runs.plan import Run, Stack
from initbench.spec import Experiment
from tests.diagnosis.networks import posed

CONFIGS = Path(__file__).parent.parent.parent / "configs"

DEEP = """
initializer: {initializer}
width: {width}
depth: {depth}
activation: {activation}
dataset: {{name: digits, standardize: global}}
iterations: 100
learning_rate: 0.003
seeds: 3
"""


def experiment(tmp_path: Path, **values: object) -> Experiment:
    path = tmp_path / "deep.yaml"
    path.write_text(DEEP.format(**values))
    (loaded,) = config.load([path])
    return loaded


def only(experiments: Sequence[Experiment]) -> Diagnosis:
    found, failures, _ = diagnose(experiments)
    assert failures == []
    (diagnosis,) = found
    return diagnosis


@pytest.fixture(scope="module")
def article() -> dict[str, Diagnosis]:
    found, failures, _ = diagnose(config.load(sorted(CONFIGS.glob("*.yaml"))))
    assert failures == []
    return {diagnosis.findings.config: diagnosis for diagnosis in found}


def test_the_articles_conditions(article: dict[str, Diagnosis]) -> None:
    conditions = {name: d.condition for name, d in article.items()}
    assert conditions == {
        "zeros": "symmetric",
        "random_large": "exploding",
        "random_small": "vanishing",
        "he": "healthy",
        "xavier": "healthy",
        "glorot": "healthy",
    }


@pytest.mark.parametrize("std", [1e153, 1e154, 1e155, 1e300, 1e-300, 5e-324])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_numbers_at_the_ends_of_float64_are_diagnosed(
    tmp_path: Path, std: float, activation: str
) -> None:
    """Squares of such numbers overflow and underflow; a warning would fail the test."""
    written = f"{{name: normal, std: {std!r}}}"
    found = only([experiment(tmp_path, initializer=written, width=8, depth=2,
                             activation=activation)])  # fmt: skip
    if std > 1:
        assert found.condition == "exploding"
    else:
        assert found.condition in ("vanishing", "ordered", "dead")


def test_zeros(article: dict[str, Diagnosis]) -> None:
    zeros = article["zeros"]
    hidden = zeros.findings.layers[:-1]
    assert [layer.distinct_units for layer in hidden] == [1, 1]
    assert all(layer.weight_gradient_variance == 0 for layer in zeros.findings.layers)
    assert zeros.begins_at_layer == 1
    assert zeros.reason.startswith("all 10 units of layer 1 are equal")
    assert [x.preactivation_variance.predicted for x in zeros.findings.layers] == [0, 0, 0]


def test_random_large_says_how_many_outputs_are_saturated(article: dict[str, Diagnosis]) -> None:
    large = article["random_large"]
    share = large.findings.layers[-1].saturated
    assert share is not None
    assert share > 0.9
    assert f"on {100 * share:.0f} % of the samples the output is saturated" in (large.reason)


def test_theory_knows_the_law_of_a_small_network(article: dict[str, Diagnosis]) -> None:
    """He's chi_1 is 1; its ten seeds' own 50 weights a layer would give 1.085."""
    theory = article["he"].findings.theory
    assert theory is not None
    assert theory.chi_1 == pytest.approx(1, abs=1e-12)
    assert theory.born_dead is not None


def test_thirty_layers_of_relu(tmp_path: Path) -> None:
    values = {"width": 100, "depth": 30, "activation": "relu"}
    glorot = only([experiment(tmp_path, initializer="glorot_normal", **values)])
    assert glorot.condition == "vanishing"
    hidden = glorot.findings.layers[:-1]
    first, last = (hidden[i].gradient_variance.measured for i in (0, -1))
    rate = (first / last) ** (1 / (len(hidden) - 1))
    assert rate == pytest.approx(0.5, abs=0.03)
    he = only([experiment(tmp_path, initializer="he_normal", **values)])
    assert he.condition == "healthy"
    # What the one is told to use is the other.
    assert "he_normal" in glorot.advice


#: tanh at sigma_b^2 = 0.05, depth 50: Schoenholz et al. 2016, arXiv:1611.01232.
PHASES = {0.5: "ordered", 1.76095: "healthy", 4.0: "chaotic"}


@pytest.mark.parametrize("sigma_w2", PHASES)
def test_the_phases_of_tanh(sigma_w2: float, tmp_path: Path) -> None:
    start = f"{{name: mean_field, sigma_w: {math.sqrt(sigma_w2)}, sigma_b: {math.sqrt(0.05)}}}"
    values = {"width": 100, "depth": 50, "activation": "tanh", "initializer": start}
    diagnosis = only([experiment(tmp_path, **values)])
    assert diagnosis.condition == PHASES[sigma_w2]
    theory = diagnosis.findings.theory
    assert theory is not None
    assert theory.sigma_w2 == pytest.approx(sigma_w2, rel=0.01)
    if sigma_w2 == 1.76095:
        assert theory.chi_1 == pytest.approx(1, abs=5e-3)
    else:
        assert diagnosis.begins_at_layer is not None


@pytest.mark.parametrize("dataset", ["breast_cancer", "digits"])  # one output, and ten
@pytest.mark.parametrize("width", [16, 400, 4096])
def test_width_is_no_depth(width: int, dataset: str) -> None:
    for depth in (1, 3) if width < 4096 else (1,):
        assert only([posed(width=width, depth=depth, dataset=dataset)]).condition == "healthy"


def test_the_same_depth_is_the_same_at_any_width() -> None:
    for width in (64, 512):
        keys = {"initializer": "lecun_normal", "activation": "tanh", "dataset": "digits"}
        assert only([posed(width=width, depth=10, seeds=1, **keys)]).condition == "healthy"


def test_measurement_is_believed_before_theory() -> None:
    """Theory of random weights expects 40 layers of 64 to be a lottery; mirrored ones are not."""
    found = only([posed(width=64, depth=40, initializer="looks_linear", dataset="diabetes")])
    assert found.findings.theory is not None
    assert found.findings.theory.length_spread > 1.5
    assert found.condition == "healthy"


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov", "adam", "rmsprop"])
def test_the_optimizer_decides_over_what_vanishes(optimizer: str) -> None:
    start = {"name": "normal", "std": 0.01}
    keys = {"initializer": start, "activation": "tanh", "dataset": "wine"}
    found = only([posed(width=64, depth=6, optimizer=optimizer, **keys)])
    adaptive = optimizer in ("adam", "rmsprop")
    assert found.condition == ("healthy" if adaptive else "vanishing")
    assert found.degree == ("slow" if adaptive else "will not train")
    other = "gradient descent it is vanishing" if adaptive else "Adam and RMSProp it is healthy"
    assert other in found.reason
    assert ("Slow starts took about" in found.reason) == adaptive
    assert (found.slower is not None) == adaptive


def test_what_merges_is_lost_to_any_optimizer() -> None:
    keys = {"initializer": "lecun_normal", "activation": "sigmoid", "dataset": "digits"}
    found = only([posed(width=32, depth=20, **keys)])
    assert found.by_family == {"descent": "ordered", "adaptive": "ordered"}


@pytest.mark.parametrize("dataset", ["digits", "iris"])
def test_certain_outputs_of_unscaled_inputs_are_no_fault(dataset: str) -> None:
    """They have mean squares of 60 and 16; such networks trained, 7 of 7."""
    found = only([posed(width=64, depth=2, dataset={"name": dataset, "standardize": "none"})])
    assert found.condition == "healthy"


def test_a_closed_gate_is_healthy() -> None:
    for activation in ("relu", "tanh"):
        keys = {"initializer": "closed_head", "activation": activation, "dataset": "digits"}
        found = only([posed(width=32, depth=4, **keys)])
        assert found.condition == "healthy"
        assert "Closed gate: the weights of layer 5 are 0" in found.reason


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_two_closed_factors_are_dead(activation: str) -> None:
    keys = {"initializer": "closed_twice", "activation": activation, "dataset": "digits"}
    found = only([posed(width=32, depth=4, **keys)])
    assert (found.condition, found.begins_at_layer) == ("dead", 4)
    assert "the weights of layers 4 and 5 are all 0" in found.reason


def test_the_growth_a_layer_is_measured_with_its_error() -> None:
    """Theory: He's relu layers hold the gradient, at half the variance they halve it."""
    for scale, factor in ((2.0, 1.0), (1.0, 0.5)):
        start = {"name": "variance_scaling", "scale": scale, "distribution": "normal"}
        growth = only([posed(width=200, depth=15, initializer=start)]).findings.growth["gradient"]
        assert growth is not None
        # The errors of layers hang together, and the fit's own error is too small for them.
        assert growth.factor == pytest.approx(factor, abs=0.05)
        assert 0 < growth.error < 0.05


def test_a_narrow_deep_network_is_dead(tmp_path: Path) -> None:
    values = {"width": 2, "depth": 30, "activation": "relu", "initializer": "he_normal"}
    diagnosis = only([experiment(tmp_path, **values)])
    assert diagnosis.condition == "dead"
    assert diagnosis.findings.born_dead >= 0.5


def test_saturated_tanh(tmp_path: Path) -> None:
    initializer = "{name: normal, std: 4}"
    values = {"width": 30, "depth": 3, "activation": "tanh", "initializer": initializer}
    diagnosis = only([experiment(tmp_path, **values)])
    assert diagnosis.condition == "saturated"
    assert diagnosis.begins_at_layer == 1
    assert diagnosis.findings.layers[0].inactive is None


def test_a_mean_other_than_0_has_no_theory(tmp_path: Path) -> None:
    initializer = "{name: uniform, low: 0, high: 0.1}"
    values = {"width": 30, "depth": 3, "activation": "tanh", "initializer": initializer}
    findings = only([experiment(tmp_path, **values)]).findings
    assert findings.theory is None
    assert all(layer.preactivation_variance.predicted is None for layer in findings.layers)


def test_no_hidden_layer(tmp_path: Path) -> None:
    path = tmp_path / "linear.yaml"
    path.write_text("{initializer: zeros, layers: [2, 1], iterations: 5, learning_rate: 1}")
    diagnosis = only(config.load([path]))
    assert diagnosis.condition == "healthy"
    assert diagnosis.findings.theory is None


def test_seeds_are_measured_in_any_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stacks bound the memory, and change nothing."""
    experiments = config.load([CONFIGS / "he.yaml"])
    whole = only(experiments)

    def one_by_one(runs: Sequence[Run], *_: object) -> list[Stack]:
        return [Stack((run,), (position,)) for position, run in enumerate(runs)]

    monkeypatch.setattr("initbench.runs.plan.stacks", one_by_one)
    cut = only(experiments)
    assert (cut.condition, cut.begins_at_layer, cut.reason, cut.advice) == (
        whole.condition, whole.begins_at_layer, whole.reason, whole.advice
    )  # fmt: skip
    for a, b in zip(cut.findings.layers, whole.findings.layers, strict=True):
        assert a.contrast.measured == pytest.approx(b.contrast.measured, rel=1e-12)


def test_large_networks_are_measured_at_fewer_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    experiments = config.load([CONFIGS / "he.yaml"])
    for weights, seeds in ((91 * 5, 5), (91, 3), (10**6, 10)):
        monkeypatch.setattr("initbench.diagnosis.diagnose.MAX_WEIGHTS", weights)
        assert only(experiments).findings.seeds == seeds
    (many,) = config.load([CONFIGS / "he.yaml"], [("--seeds", "seeds=40")])
    assert only([many]).findings.seeds == 32


def test_during_training_one_sees_symmetry_last() -> None:
    (zeros,) = config.load([CONFIGS / "zeros.yaml"], [("--set", "iterations=60")])
    zeros = zeros.model_copy(update={"log_every": 20})
    shares: list[float] = []
    found, *_ = diagnose([zeros], during=True, report=shares.append)
    assert [d.findings.iteration for d in found] == [0, 20, 40, 60]
    assert {d.condition for d in found} == {"symmetric"}
    assert shares[-1] == 1
    assert shares == sorted(shares)
    # Theory is of random weights: it has no word on trained ones.
    assert [d.findings.theory is None for d in found] == [False, True, True, True]


def test_during_training_one_sees_how_far_the_weights_go() -> None:
    (large,) = config.load([CONFIGS / "random_large.yaml"], [("--set", "iterations=400")])
    first, *_, last = diagnose([large], during=True)[0]
    assert [layer.moved for layer in first.findings.layers] == [0, 0, 0]
    assert all(0 < (layer.moved or 0) < 0.5 for layer in last.findings.layers)
    assert "The layers' weights have moved by 0." in last.reason
    assert last.reason.endswith("hardly left their start, and learned little.")


def test_during_training_the_start_is_the_same() -> None:
    (he,) = config.load([CONFIGS / "he.yaml"], [("--set", "iterations=40")])
    before = only([he])
    found, *_ = diagnose([he], during=True)
    assert found[0] == before
    assert found[-1].findings.train_loss != before.findings.train_loss


def test_a_confident_trained_network_does_not_explode(tmp_path: Path) -> None:
    """Large logits are what training on separable data leads to."""
    path = tmp_path / "blobs.yaml"
    path.write_text(
        "{initializer: he_normal, layers: [2, 16, 3], dataset: {name: blobs, cluster_std: 0.1},"
        " iterations: 600, learning_rate: 0.5, log_every: 600, seeds: 2}"
    )
    found, *_ = diagnose(config.load([path]), during=True)
    last = found[-1]
    assert last.findings.layers[-1].saturated is not None
    assert last.findings.layers[-1].saturated > 0.5
    assert last.condition == "healthy"


def test_what_cannot_be_drawn_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(work: execute.Work) -> tuple[execute.Work, Draws]:
        _, whole = execute.draw_work(work)
        failures = {run: "ValueError: no" for run, seed in enumerate(work.seeds) if seed == 1}
        kept = tuple(run for run in range(len(work.seeds)) if run not in failures)
        draws = Draws(whole.theta[list(kept)], kept, failures, {0: "a note"})
        return execute.select(work, kept), draws

    monkeypatch.setattr("initbench.diagnosis.measuring.draw_work", draw)
    found, failures, notes = diagnose(config.load([CONFIGS / "he.yaml"]))
    assert failures == ["he, he_normal: ValueError: no"]
    assert notes == ["he, he_normal: a note"]
    assert found[0].findings.seeds == 9
