from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initbench.analysis import contests
from initbench.core import ENGINE_REVISION
from initbench.core.activations import ACTIVATIONS
from initbench.interop import frameworks
from initbench.report.views import titles
from initbench.runs import cost, identity, plan
from initbench.spec import Experiment
from initbench.spec.choice import Choice


def experiment(**changes: Any) -> Experiment:
    fields: dict[str, Any] = {
        "initializer": ["he_normal", "zeros"],
        "layers": [2, 10, 5, 1],
        "iterations": 100,
        "learning_rate": 0.01,
        "name": "test",
        **changes,
    }
    return Experiment(**fields)


def samples(_: Experiment) -> int:
    return 300


def test_runs_are_every_initializer_at_every_seed_in_order() -> None:
    runs = plan.runs([experiment(seeds=[5, 1]), experiment(seeds=1, initializer="ones")])
    assert [(run.initializer.name, run.seed) for run in runs] == [
        ("he_normal", 5),
        ("he_normal", 1),
        ("zeros", 5),
        ("zeros", 1),
        ("ones", 0),
    ]


@given(seeds=st.integers(1, 200), jobs=st.integers(1, 9), width=st.sampled_from([2, 50, 400]))
def test_stacks_hold_every_run_once_and_stay_small(seeds: int, jobs: int, width: int) -> None:
    one = experiment(seeds=seeds, layers=[2, width, 1])
    runs = plan.runs([one, experiment(iterations=7)])
    stacks = plan.stacks(runs, jobs, samples)
    assert sorted(p for stack in stacks for p in stack.positions) == list(range(len(runs)))
    for stack in stacks:
        assert [runs[position] for position in stack.positions] == list(stack.runs)
        assert len({plan.stack_key(run.experiment) for run in stack.runs}) == 1
        held = len(stack.runs) * cost.run_bytes(stack.runs[0].experiment, 300)
        assert len(stack.runs) == 1 or held <= plan.STACK_BYTES
    # All jobs are busy to the end: stacks of one shape come in multiples of the jobs.
    of_one = [stack for stack in stacks if stack.runs[0].experiment == one]
    assert len(of_one) % jobs == 0 or len(of_one) == 2 * seeds


def test_learning_rates_and_optimizer_parameters_share_a_stack() -> None:
    runs = plan.runs(
        [
            experiment(learning_rate=0.1, optimizer={"name": "momentum", "momentum": 0.5}),
            experiment(learning_rate=0.2, optimizer="momentum"),
        ]
    )
    assert len(plan.stacks(runs, 1, samples)) == 3  # 40 runs, at most 16 a stack
    assert plan.stack_key(runs[0].experiment) == plan.stack_key(runs[-1].experiment)
    assert contests.problem(runs[0].experiment) != contests.problem(runs[-1].experiment)


@pytest.mark.parametrize(
    "change",
    [
        {"layers": [2, 10, 6, 1]},
        {"activation": "tanh"},
        {"activation": {"name": "leaky_relu", "negative_slope": 0.2}},
        {"dataset": {"name": "circles", "noise": 0.1}},
        {"optimizer": "adam"},
        {"iterations": 101},
        {"batch_size": 32},
        {"dtype": "float32"},
    ],
)
def test_what_changes_the_arithmetic_of_a_stack_splits_it(change: dict[str, Any]) -> None:
    assert plan.stack_key(experiment()) != plan.stack_key(experiment(**change))
    assert contests.problem(experiment()) != contests.problem(experiment(**change))


def test_words_and_seeds_do_not_make_another_problem() -> None:
    other = experiment(name="other", description="d", seeds=3, log_every=7, initializer="ones")
    assert contests.problem(experiment()) == contests.problem(other)


def test_small_work_is_not_spread_over_processes() -> None:
    short, long = [experiment()] * 20, [experiment(iterations=100_000)] * 20
    assert cost.useful_jobs(short, 8, samples) == 1
    assert cost.useful_jobs(long, 8, samples) == 8


def test_describe() -> None:
    assert titles.problem([experiment(batch_size=32)]) == (
        "circles (one split), 2-10-5-1 relu, gd, learning rate 0.01, 100 iterations, "
        "batches of 32, float64"
    )
    deep = experiment(layers=[2, *[64] * 30, 1], activation={"name": "elu", "alpha": 0.5})
    assert titles.problem([deep]).startswith(
        "circles (one split), 2-[64]x30-1 elu(alpha=0.5), gd, "
    )
    swept = [experiment(learning_rate=r, sweep={"learning_rate": [r]}) for r in (0.1, 0.2)]
    assert titles.problem(swept) == (
        "circles (one split), 2-10-5-1 relu, gd, 100 iterations, full batch, float64, "
        "learning_rate swept"
    )


def test_titles_say_which_biases() -> None:
    def biases(*changes: dict[str, Any]) -> str:
        title = titles.problem([experiment(**change) for change in changes])
        return title.removeprefix("circles (one split), 2-10-5-1 relu, ").partition("gd, ")[0]

    assert biases({}) == biases({"bias": "zeros", "initializer": "lsuv"}) == ""
    assert biases({"bias": "zeros", "initializer": "torch_default"}) == "bias zeros, "
    assert biases({"bias": "none"}) == "no biases, "
    assert biases({"bias": {"output": 0.5}}) == "bias {output: constant(value=0.5)}, "
    assert biases({"bias": "none"}, {}) == "biases by config, "
    for key, value in (("bias", "none"), ("bias.output", "prior")):
        other = {"bias": value if key == "bias" else {"output": value}, "sweep": {key: [value]}}
        title = titles.problem([experiment(sweep={key: ["zeros"]}), experiment(**other)])
        assert ", float64, " in title
        assert title.endswith(f", {key} swept")
        assert "biases" not in title


def identities(*experiments: Experiment) -> list[str]:
    return [identity.identity(run, None) for run in plan.runs(experiments)]


def test_an_identity_knows_nothing_of_names_other_seeds_or_spelt_out_defaults() -> None:
    (one,) = identities(experiment(initializer="he_normal", seeds=[3]))
    spelt = experiment(
        initializer=["zeros", {"name": "he_normal"}],
        seeds=[7, 3],
        name="other",
        description="words",
        activation={"name": "relu"},
        optimizer={"name": "gd"},
        dataset={"name": "circles", "noise": 0.05},
        batch_size=None,
        expect=[{"metric": "train_loss", "max": 1}],
    )
    assert identities(spelt).count(one) == 1
    assert len(set(identities(spelt))) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"initializer": {"name": "normal", "std": 2}},
        {"initializer": {"name": "he_normal", "gain": "exact"}},
        {"initializer": {"name": "he_normal", "dialect": "keras"}},
        {"layers": [2, 10, 6, 1]},
        {"iterations": 101},
        {"learning_rate": 0.02},
        {"activation": "tanh"},
        {"activation": {"name": "leaky_relu", "negative_slope": 0.02}},
        {"dataset": {"name": "circles", "noise": 0.06}},
        {"optimizer": {"name": "momentum", "momentum": 0.8}},
        {"batch_size": 10},
        {"dtype": "float32"},
        {"log_every": 7},
        {"seeds": [1]},
    ],
    ids=str,
)
def test_an_identity_moves_with_all_that_moves_the_numbers(change: dict[str, Any]) -> None:
    alone = {"initializer": "he_normal", "seeds": [0]}
    assert identities(experiment(**alone)) != identities(experiment(**{**alone, **change}))


def test_a_file_counts_by_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    def of(path: str, data: str) -> str:
        dataset = {"name": "file", "path": path, "target": "y"}
        return identity.identity(plan.runs([experiment(dataset=dataset)])[0], data)

    assert of("a.csv", "hash") == of("/elsewhere/b.csv", "hash")
    assert of("a.csv", "hash") != of("a.csv", "another")
    before = of("a.csv", "hash")
    monkeypatch.setattr("initbench.runs.identity.ENGINE_REVISION", ENGINE_REVISION + 1)
    assert of("a.csv", "hash") != before


def test_a_revised_activation_moves_the_identity_of_its_own_runs_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configs = [
        experiment(activation=name, initializer="zeros", seeds=[0]) for name in ("elu", "tanh")
    ]
    before = identities(*configs)
    revised = ACTIVATIONS["elu"]._replace(revision=ACTIVATIONS["elu"].revision + 1)
    monkeypatch.setitem(ACTIVATIONS, "elu", revised)
    after = identities(*configs)
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_identities_of_many_are_those_of_each() -> None:
    runs = plan.runs([experiment(seeds=3), experiment(iterations=7, seeds=[2, 0])])
    data: dict[Choice, str | None] = {experiment().dataset: "hash"}
    assert identity.identities(runs, data.__getitem__) == [
        identity.identity(run, "hash") for run in runs
    ]
    for run, text in zip(runs, identity.settings(runs, data.__getitem__), strict=True):
        assert {**json.loads(text), "seed": run.seed} == identity.resolved(run, "hash")


def test_long_stacks_begin_first_and_stay_small() -> None:
    """300 samples and 97 parameters cost 32 us an iteration, so 10^6 iterations 32 s a run."""
    short, long = experiment(seeds=64), experiment(iterations=10**6, seeds=64)
    stacks = plan.stacks(plan.runs([short, long]), 2, samples)
    assert [len(stack.runs) for stack in stacks] == [8] * 16 + [16] * 8
    assert stacks[0].runs[0].experiment == long
    assert plan.stacks(plan.runs([short, long]), 1, samples)[0].runs[0].experiment == short


def test_an_identity_knows_the_version_of_a_framework(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(frameworks, "find_spec", lambda _: True)
    held = {"torch": "2.13.0", "keras": "3.15.1", "jax": "0.10.2"}
    monkeypatch.setattr(frameworks, "version", held.__getitem__)
    chosen = ["torch:nn.init.normal_", "keras:initializers.HeNormal", "he_normal"]
    runs = plan.runs([experiment(initializer=chosen, seeds=1)])
    before = [identity.identity(run, None) for run in runs]
    assert identity.resolved(runs[0], None)["framework"] == {"torch": "2.13.0"}
    held["jax"] = "0.11.0"
    same = [a == b for a, b in zip(before, identities(experiment(initializer=chosen, seeds=1)),
                                   strict=True)]  # fmt: skip
    assert same == [True, False, True]


def test_under_a_sweep_of_how_training_is_tuned_the_problem_is_one() -> None:
    rates = [experiment(learning_rate=r, sweep={"learning_rate": [r]}) for r in (0.1, 0.2)]
    assert contests.problem(rates[0]) == contests.problem(rates[1])
    assert contests.problem(rates[0]) != contests.problem(experiment(learning_rate=0.1))
    momenta = [
        experiment(optimizer={"name": "momentum", "momentum": m}, sweep={"optimizer.momentum": [m]})
        for m in (0.5, 0.9)
    ]
    assert contests.problem(momenta[0]) == contests.problem(momenta[1])
    noises = [
        experiment(dataset={"name": "circles", "noise": n}, sweep={"dataset.noise": [n]})
        for n in (0.1, 0.2)
    ]
    assert contests.problem(noises[0]) != contests.problem(noises[1])
