"""Portraits -> pictures of what networks do while they train: boundaries, activations, weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from initbench.diagnosis.portraits import Histogram, Portrait
from initbench.report.views.pictures import Fields, JudgedContest, Picture
from initbench.wording import counted

#: More numbers than this are not put into a page to draw the weights of networks over time.
MOST_WEIGHTS = 20_000
#: A layer with more units than this is no drawing that one can look at.
MOST_UNITS = 24


def boundary(problem: JudgedContest, portraits: Sequence[Portrait]) -> Picture | None:
    """The class that each network gives to each place of the plane; None without a plane."""
    seen = [one for one in portraits if one.territories is not None]
    if not seen:
        return None
    plane = seen[0].plane
    assert plane is not None
    fields: list[Fields] = []
    words = []
    for one in seen:
        name = problem.name_of(one.record.config, one.record.initializer)
        assert one.territories is not None
        for iteration, territory in zip(one.iterations, one.territories, strict=True):
            fields.append(
                {
                    "name": name,
                    "iteration": iteration,
                    "winner": territory.winner.tolist(),
                    "certainty": territory.certainty.round(3).tolist(),
                }
            )
        shares = np.bincount(one.territories[-1].winner.ravel(), minlength=2)
        parts = [f"class {k} {100 * n / shares.sum():.0f} %" for k, n in enumerate(shares)]
        accuracy = one.record.metric("test_accuracy")
        right = "" if accuracy is None else f", test accuracy {100 * accuracy:.1f} %"
        words.append(f"{name}: {' and '.join(parts)} of the plane{right}")
    return Picture(
        "boundary",
        f"Decision boundaries, seed {seen[0].record.seed}",
        problem.series,
        {
            "fields": fields,
            "samples": [{"x": x, "y": y, "class": label} for x, y, label in seen[0].samples],
        },
        f"Which class a network gives to each place, at the end of training. {'; '.join(words)}.",
        {
            "x": [float(plane.x[0]), float(plane.x[-1])],
            "y": [float(plane.y[0]), float(plane.y[-1])],
            "names": [problem.name_of(o.record.config, o.record.initializer) for o in seen],
            **_moments(portraits),
        },
    )


def activations(problem: JudgedContest, portraits: Sequence[Portrait]) -> Picture | None:
    """Histograms of the hidden layers' activations over training; None without hidden layers."""
    rows: list[Fields] = []
    words = []
    panels = []
    for one in portraits:
        name = problem.name_of(one.record.config, one.record.initializer)
        for histogram in one.histograms:
            if (name, histogram.layer) not in panels:
                panels.append((name, histogram.layer))
            for index, share in enumerate(histogram.shares):
                if share > 0:
                    rows.append(
                        {
                            "name": name,
                            "layer": histogram.layer,
                            "iteration": histogram.iteration,
                            "low": _short(histogram.edges[index]),
                            "high": _short(histogram.edges[index + 1]),
                            "share": _short(share),
                        }
                    )
        words += [_peak(name, h) for h in one.histograms if h.iteration == one.iterations[-1]]
    if not rows:
        return None
    return Picture(
        "activations",
        f"Activations while training, seed {portraits[0].record.seed}",
        problem.series,
        {
            "activations": rows,
            "moments": [{"iteration": i} for i in _moments(portraits)["iterations"]],
        },
        f"Where most activations of a layer are at the end. {'; '.join(words)}.",
        {"panels": panels, **_moments(portraits)},
    )


def weights(problem: JudgedContest, portraits: Sequence[Portrait]) -> Picture | None:
    """The networks drawn, with their weights over training; None where they are too large."""
    sizes = portraits[0].architecture.sizes if portraits else ()
    numbers = sum(len(p.iterations) * p.architecture.parameter_count for p in portraits)
    if not sizes or max(sizes) > MOST_UNITS or numbers > MOST_WEIGHTS:
        return None
    edges: list[Fields] = []
    for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
        edges += [
            {
                "edge": f"{layer}.{o}.{i}",
                "x": layer,
                "y": i - (inputs - 1) / 2,
                "x2": layer + 1,
                "y2": o - (outputs - 1) / 2,
            }
            for o in range(outputs)
            for i in range(inputs)
        ]
    rows: list[Fields] = []
    for one in portraits:
        name = problem.name_of(one.record.config, one.record.initializer)
        for iteration, layers in zip(one.iterations, one.weights, strict=True):
            for layer, of_layer in enumerate(layers):
                largest = float(np.abs(of_layer).max())
                for (o, i), weight in np.ndenumerate(of_layer):
                    rows.append(
                        {
                            "name": name,
                            "iteration": iteration,
                            "edge": f"{layer}.{o}.{i}",
                            "weight": _short(float(weight), 3),
                            "size": _short(abs(float(weight)) / largest if largest else 0.0, 2),
                        }
                    )
    units = [
        {"x": layer, "y": unit - (size - 1) / 2}
        for layer, size in enumerate(sizes)
        for unit in range(size)
    ]
    return Picture(
        "weights",
        f"The networks, seed {portraits[0].record.seed}",
        problem.series,
        {"edges": edges, "weights": rows, "units": units},
        f"A network of {'-'.join(map(str, sizes))} units: "
        f"{counted(len(edges), 'weight')}, each drawn as a line.",
        _moments(portraits),
    )


def _moments(portraits: Sequence[Portrait]) -> dict[str, list[int]]:
    return {"iterations": sorted({i for one in portraits for i in one.iterations})}


def _peak(name: str, histogram: Histogram) -> str:
    top = int(np.argmax(histogram.shares))
    low, high = histogram.edges[top], histogram.edges[top + 1]
    return (
        f"{name}, layer {histogram.layer}: {100 * histogram.shares[top]:.0f} % from {low:.3g} to "
        f"{high:.3g}"
    )


def _short(value: float, digits: int = 4) -> float:
    """As many digits as a picture can show."""
    return float(f"{value:.{digits}g}")
