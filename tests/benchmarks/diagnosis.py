"""Are diagnoses right? Train starts drawn at random, diagnose each, and set the two side by side.

    python tests/benchmarks/diagnosis.py train CELLS SECONDS
    python tests/benchmarks/diagnosis.py advice CELLS SECONDS
    python tests/benchmarks/diagnosis.py table CELLS TABLE

A cell is a data set, a width, a depth, an activation and an initializer, drawn from the grid below
by a generator of its group. It is trained at three seeds and three learning rates by each
optimizer, for 400 iterations at batches of 32 in float32. It has trained where in most seeds some
rate brings the train loss below half of the best constant predictor's, and its time is when that
happened first.

There are three groups. ``fit`` is what the bounds in initbench.diagnosis.rules were fitted on:
digits, moons, wine and breast_cancer at seeds 0 to 2. ``fresh`` has the same data sets at seeds 10
to 12 and other cells. ``judge`` has other data sets. The outcomes of all three were seen while the
bounds were chosen (that of growth was moved after two false alarms in ``fresh``), so none of them
is a test on data that nobody had looked at.

``train`` adds cells to the file CELLS for so many seconds of CPU time, and goes on where it
stopped; half an hour makes some 800 cells. ``advice`` trains what is recommended for cells that are
not healthy. ``table`` diagnoses every cell in the file anew, and writes TABLE, and the shares that
a diagnosis quotes to initbench/diagnosis/calibration.py.
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import RandomState
from threadpoolctl import threadpool_limits

from initbench import datasets
from initbench.core.engine.numpy_stack import train
from initbench.core.initializers import Initializer, Network, Start
from initbench.core.initializers.scaling import variance_scaling
from initbench.diagnosis.diagnose import Diagnosis, changed, diagnose
from initbench.diagnosis.rules import BOUNDS, CONDITIONS, FAMILIES, Condition, Family, slow
from initbench.runs.execute import draw_work, prepare
from initbench.runs.plan import Run, Stack
from initbench.spec import Experiment
from initbench.spec.experiment import with_initializers

ITERATIONS, LOG_EVERY, BATCH = 400, 20, 32
RATES = {"gd": (1.0, 0.1, 0.01), "momentum": (0.1, 0.01, 0.001), "adam": (0.01, 0.001, 0.0001)}
#: gd trains every so manieth cell only: it tells the same as momentum.
GD_EVERY = 4
#: Widths, activations and initializers, each with its weight in the draw.
WIDTHS = {16: 3.0, 32: 3.0, 64: 3.0, 128: 1.5, 256: 1.0, 512: 0.7}
DEPTHS = (1, 2, 3, 5, 8, 10, 14, 20, 30, 40)
#: Larger networks are left out: width^2 (depth - 1), at most.
PRODUCTS = 3e5
ACTIVATIONS = {
    "relu": 3.0, "tanh": 3.0, "sigmoid": 1.5, "gelu": 1.5, "selu": 1.0, "elu": 0.7,
    "leaky_relu": 0.5, "silu": 0.7, "softplus": 0.5, "identity": 0.2, "sine": 0.4,
}  # fmt: skip
Spec = dict[str, Any]


def _scaled(scale: float) -> Spec:
    return {"name": "variance_scaling", "scale": scale, "distribution": "normal"}


INITIALIZERS: list[tuple[object, float]] = [
    ({"name": "normal", "std": 0.01}, 2), ({"name": "normal", "std": 0.1}, 1.5),
    ({"name": "normal", "std": 1.0}, 1.5), (_scaled(0.25), 1), (_scaled(0.5), 2),
    ("lecun_normal", 3), ("glorot_uniform", 2), ("he_normal", 4), (_scaled(4.0), 2.5),
    (_scaled(8.0), 1), ("orthogonal", 2.5), ({"name": "orthogonal", "gain": "exact"}, 2),
    ("lsuv", 2), ("looks_linear", 1.5), ("torch_default", 1), ("kumar", 0.7), ("identity", 0.5),
    ("sparse", 0.5), ("random_walk", 0.4), ("autoinit", 0.7), ("zero_hadamard", 0.4),
    ("idinit", 0.4), ("zero_head", 2.5), ("zero_two", 0.8), ("small_head", 0.7), ("zeros", 0.2),
]  # fmt: skip
DATASETS: dict[str, list[object]] = {
    "fit": [
        "digits", "digits", "moons", "moons", "wine", "breast_cancer", "breast_cancer",
        {"name": "digits", "standardize": "none"}, {"name": "wine", "standardize": "none"},
        {"name": "digits", "standardize": "global"},
    ],
    "fresh": [
        "digits", "moons", "wine", "breast_cancer", {"name": "digits", "standardize": "none"},
    ],
    "judge": [
        "iris", "diabetes", "circles", "spirals",
        {"name": "blobs", "features": 20, "centers": 10}, {"name": "iris", "standardize": "none"},
    ],
}  # fmt: skip
SEEDS = {"fit": (0, 1, 2), "fresh": (10, 11, 12), "judge": (20, 21, 22)}
GROUPS = {
    "fit": "The four data sets that the bounds were fitted on, at the seeds of the fit",
    "fresh": "The same data sets at other seeds, other starts",
    "judge": "Other data sets, which were looked at too while the bounds were chosen",
}
#: Cells of a group that are trained in a round.
ROUND = {"fit": 2, "fresh": 1, "judge": 1}


def _headed(zeroed: int, factor: float) -> Callable[..., Start]:
    """He's or LeCun's weights, the last ``zeroed`` layers times a factor."""

    def draw(rng: RandomState, network: Network) -> Start:
        scale = 2.0 if network.activation in ("relu", "leaky_relu") else 1.0
        layers = []
        for index, shape in enumerate(network.shapes):
            weights = variance_scaling(rng, shape, network.dtype, scale=scale)
            if index >= len(network.shapes) - zeroed:
                weights *= network.dtype.type(factor)
            layers.append((weights, np.zeros(shape[0], network.dtype)))
        return Start(tuple(layers))

    return draw


Posed = with_initializers(
    {
        name: Initializer(_headed(zeroed, factor), "-", "-", None, "network")
        for name, zeroed, factor in (
            ("zero_head", 1, 0.0),
            ("zero_two", 2, 0.0),
            ("small_head", 1, 0.01),
        )
    }
)


def experiment(spec: Spec, seeds: Sequence[int], optimizer: str, rate: float) -> Experiment:
    """The config of a cell, its layers settled."""
    posed = Posed.model_validate(
        {key: spec[key] for key in ("initializer", "width", "depth", "activation", "dataset")}
        | {"name": named(spec), "optimizer": optimizer, "learning_rate": rate, "batch_size": BATCH}
        | {"iterations": ITERATIONS, "log_every": LOG_EVERY, "dtype": "float32"}
        | {"seeds": list(seeds)}
    )
    data = datasets.load(posed.dataset)
    hidden = [spec["width"]] * spec["depth"]
    sizes = (len(data.train.inputs), *hidden, len(data.train.targets))
    return posed.model_copy(update={"layers": sizes, "width": None, "depth": None})


def named(spec: Spec) -> str:
    """A cell's name."""
    initializer, dataset = (
        " ".join(str(x) for x in value.values() if x not in ("variance_scaling", "normal"))
        or str(value)
        if isinstance(value, dict)
        else value
        for value in (spec["initializer"], spec["dataset"])
    )
    if isinstance(spec["initializer"], dict) and "std" in spec["initializer"]:
        initializer = f"normal {initializer}"
    elif isinstance(spec["initializer"], dict) and "scale" in spec["initializer"]:
        initializer = f"scale {initializer}"
    return f"{dataset} {spec['activation']} {spec['depth']} x {spec['width']} {initializer}"


def outcome(posed: Callable[[str, float], Experiment], optimizer: str) -> dict[str, Any]:
    """When each seed had trained, for each rate; why not, where nothing can be drawn."""
    runs = [
        Run(at_rate, at_rate.initializer[0], seed)
        for rate in RATES[optimizer]
        for at_rate in [posed(optimizer, rate)]
        for seed in at_rate.seeds
    ]
    work, draws = draw_work(prepare(Stack(tuple(runs), tuple(range(len(runs))))))
    if draws.failures:
        return {"failed": next(iter(draws.failures.values()))}
    target = datasets.constant_loss(datasets.load(runs[0].experiment.dataset)) / 2
    shape = (len(RATES[optimizer]), -1)
    times = np.full(len(runs), np.inf)
    for point in train(work.task, draws.theta, work.seeds, work.hyperparameters):
        new = np.isinf(times) & (point.train_loss < target)
        times[new] = point.iteration
        if np.isfinite(times.reshape(shape).min(axis=0)).all():
            break
    return {"times": times.reshape(shape).tolist()}


def cells(group: str) -> Iterator[Spec]:
    """Endless cells of a group, always the same."""
    rng = random.Random(group)
    names, weights = zip(*INITIALIZERS, strict=True)
    while True:
        spec: Spec = {
            "width": rng.choices(list(WIDTHS), list(WIDTHS.values()))[0],
            "depth": rng.choice(DEPTHS),
            "activation": rng.choices(list(ACTIVATIONS), list(ACTIVATIONS.values()))[0],
            "dataset": rng.choice(DATASETS[group]),
            "initializer": rng.choices(names, weights)[0],
        }
        if spec["initializer"] == "looks_linear":
            spec["activation"] = "relu"
        if spec["width"] ** 2 * (spec["depth"] - 1) <= PRODUCTS:
            yield spec


def stored(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of cells."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def train_cells(path: Path, seconds: float) -> None:
    """Train cells round by round, and add each to the file."""
    done = Counter(row["split"] for row in stored(path))
    streams = {group: enumerate(cells(group)) for group in ROUND}
    for group, count in done.items():
        for _ in range(count):
            next(streams[group])
    with path.open("a", encoding="utf-8") as file:
        while time.process_time() < seconds:
            for group, stream in streams.items():
                for _ in range(ROUND[group]):
                    number, spec = next(stream)
                    optimizers = ["momentum", "adam", *(["gd"] if number % GD_EVERY == 0 else [])]
                    row = {"split": group, "n": number, **spec, "seeds": SEEDS[group]}

                    def posed(
                        optimizer: str, rate: float, spec: Spec = spec, group: str = group
                    ) -> Experiment:
                        return experiment(spec, SEEDS[group], optimizer, rate)

                    row["outcomes"] = {name: outcome(posed, name) for name in optimizers}
                    file.write(json.dumps(row) + "\n")
                    file.flush()


def diagnosed(row: dict[str, Any]) -> Diagnosis:
    """The diagnosis of a cell under momentum; it says that under the other family as well."""
    (found,) = diagnose([experiment(row, row["seeds"], "momentum", 0.01)]).diagnoses
    return found


def train_advice(path: Path, seconds: float) -> None:
    """Train what is recommended for cells that are not healthy, and note it in the file."""
    rows = stored(path)
    for row in rows:
        if time.process_time() > seconds:
            break
        if "failed" in row["outcomes"]["momentum"]:
            continue
        found = diagnosed(row)
        if found.condition == "healthy" or row.get("advised", {}).get("remedy") == found.remedy:
            continue
        row["advised"] = {"remedy": found.remedy}
        if found.remedy:
            optimizer = found.remedy.get("optimizer", "momentum")

            def posed(
                optimizer: str, rate: float, row: dict[str, Any] = row, found: Diagnosis = found
            ) -> Experiment:
                before = experiment(row, row["seeds"], optimizer, rate)
                keys = found.remedy.keys() - {"optimizer", "learning_rate"}
                return changed(before, {key: found.remedy[key] for key in keys})

            (after,) = diagnose([posed(optimizer, 0.01)]).diagnoses
            row["advised"] |= {"verdict": after.condition, "outcome": outcome(posed, optimizer)}
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def time_of(result: dict[str, Any]) -> float:
    """When the median seed had trained at its best rate; inf where most had not."""
    return float(np.median([min(seed) for seed in zip(*result["times"], strict=True)]))


#: The optimizer that each family's shares are counted under.
JUDGED: dict[Family, str] = {"descent": "momentum", "adaptive": "adam"}
Found = tuple[dict[str, Any], Diagnosis]


def outcome_table(found: Sequence[Found], family: Family, optimizer: str) -> list[str]:
    """Verdicts under a family beside what trained under one of its optimizers, as Markdown."""
    pairs = [
        (diagnosis.by_family[family], row, time_of(row["outcomes"][optimizer]))
        for row, diagnosis in found
        if optimizer in row["outcomes"]
    ]
    lines = [f"| verdict under {optimizer} | starts | trained |", "| --- | ---: | ---: |"]
    for condition in CONDITIONS:
        times = [t for verdict, _, t in pairs if verdict == condition]
        if times:
            lines.append(f"| {condition} | {len(times)} | {sum(map(math.isfinite, times))} |")
    healthy = [t for verdict, _, t in pairs if verdict == "healthy"]
    others = [t for verdict, _, t in pairs if verdict != "healthy"]
    lines += [
        "",
        f"Healthy starts that trained: {_share(sum(map(math.isfinite, healthy)), len(healthy))}. "
        f"Others that failed: {_share(sum(map(math.isinf, others)), len(others))}.",
        "",
        "Healthy, but failed: "
        + (
            "; ".join(named(row) for v, row, t in pairs if v == "healthy" and math.isinf(t))
            or "none"
        )
        + ".",
        "",
        "Not healthy, but trained: "
        + (
            "; ".join(
                f"{named(row)} ({v}, {t:.0f})"
                for v, row, t in pairs
                if v != "healthy" and math.isfinite(t)
            )
            or "none"
        )
        + ".",
        "",
    ]
    return lines


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole}" + (f", {100 * part / whole:.1f} %" if whole else "")


def advice_lines(found: Sequence[Found]) -> list[str]:
    """How often advice that was followed came out healthy, and trained."""
    advised = [row for row, d in found if row.get("advised") and d.condition != "healthy"]
    given = [row for row in advised if row["advised"]["remedy"]]
    healthy = [row for row in given if row["advised"]["verdict"] == "healthy"]
    trained = [row for row in given if math.isfinite(time_of(row["advised"]["outcome"]))]
    failed = [
        f"{named(row)}: {json.dumps(row['advised']['remedy'])}"
        for row in given
        if row not in trained
    ]
    return [
        f"Of {len(advised)} starts that are not healthy under momentum, {len(given)} were told a "
        f"remedy. Followed, it was diagnosed as healthy in {_share(len(healthy), len(given))}, and "
        f"trained in {_share(len(trained), len(given))}.",
        "",
        f"Followed, but failed: {'; '.join(failed) or 'none'}.",
        "",
    ]


def calibration(found: Sequence[Found]) -> str:
    """The module of shares: for each family and verdict, starts and how many of them failed."""
    counted: dict[Family, dict[Condition, tuple[int, int, int]]] = {}
    for family in JUDGED:
        for condition in CONDITIONS:
            rows = [row for row, d in found if d.by_family[family] == condition]
            failed = [
                sum(math.isinf(time_of(row["outcomes"][name])) for row in rows)
                for name in JUDGED.values()
            ]
            if rows:
                counted.setdefault(family, {})[condition] = (len(rows), failed[0], failed[1])
    body = "".join(
        f"    {family!r}: {{\n"
        + "".join(f"        {c!r}: Share({', '.join(map(str, n))}),\n" for c, n in rows.items())
        + "    },\n"
        for family, rows in counted.items()
    ).replace("'", '"')
    slower = "".join(
        f'    "{family}": {times_slower(found, family, optimizer):.1f},\n'
        for family, optimizer in JUDGED.items()
    )
    return CALIBRATION.format(body=body, slower=slower)


def times_slower(found: Sequence[Found], family: Family, optimizer: str) -> float:
    """The median time of slow starts that trained, over that of all other healthy ones."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for row, diagnosis in found:
        when = time_of(row["outcomes"][optimizer])
        if diagnosis.by_family[family] == "healthy" and math.isfinite(when):
            times[slow(diagnosis.findings, BOUNDS[family])].append(when)
    return float(np.median(times[True]) / np.median(times[False]))


CALIBRATION = '''"""Starts by condition, and how many failed: see tests/benchmarks/diagnosis.py."""

from __future__ import annotations

from typing import NamedTuple

from initbench.diagnosis.rules import Condition, Family


class Share(NamedTuple):
    """The starts that were trained, and how many of them failed under momentum and under Adam."""

    starts: int
    momentum: int
    adam: int


#: By the family that the condition is about.
SHARES: dict[Family, dict[Condition, Share]] = {{
{body}}}
#: How many times the iterations of other healthy starts the slow ones took, by their medians.
SLOWER: dict[Family, float] = {{
{slower}}}
'''


def table(path: Path, target: Path) -> None:
    """Diagnose every stored cell, and write the table and the shares."""
    rows = [r for r in stored(path) if all("times" in o for o in r["outcomes"].values())]
    found = [(row, diagnosed(row)) for row in rows]
    lines = [
        "# Diagnoses before training against outcomes",
        "",
        "Written by tests/benchmarks/diagnosis.py, which explains it. A start has trained if, at",
        "the best of three learning rates, most of its three seeds bring the train loss below half",
        f"of the best constant's in {ITERATIONS} iterations; the figure behind a verdict is when.",
        "",
    ]
    for group, title in GROUPS.items():
        mine = [pair for pair in found if pair[0]["split"] == group]
        lines += [f"## {title}", ""]
        for optimizer in RATES:
            lines += [f"### {optimizer}", ""]
            lines += outcome_table(mine, FAMILIES[optimizer], optimizer)
        if any("advised" in row for row, _ in mine):
            lines += ["### Advice", "", *advice_lines(mine)]
    target.write_text("\n".join(lines), encoding="utf-8")
    shares = calibration([pair for pair in found if pair[0]["split"] != "judge"])
    Path("initbench/diagnosis/calibration.py").write_text(shares, encoding="utf-8")


def main() -> None:
    """Run one of the three steps."""
    step, path, last = sys.argv[1:]
    with threadpool_limits(1, user_api="blas"):
        if step == "train":
            train_cells(Path(path), float(last))
        elif step == "advice":
            train_advice(Path(path), float(last))
        else:
            table(Path(path), Path(last))


if __name__ == "__main__":
    main()
