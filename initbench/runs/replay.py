"""Training runs again, to look at what a store does not hold: their weights.

A replay makes the same numbers as the first training to the last bit, on the same NumPy and BLAS
kernel. Whoever looks at a replay compares its curve with the stored one (:attr:`Replayed.curve`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from initbench.core.arrays import Array
from initbench.core.engine.numpy_stack import train
from initbench.runs import plan
from initbench.runs.execute import draw_work, nudge, prepare
from initbench.runs.plan import Run, Stack
from initbench.runs.records import Curve, Record, Status, curve_of
from initbench.runs.runner import train_samples

Seen = TypeVar("Seen")
#: Looks at one run at a log point: the run, the number of updates, and each layer's (O, I + 1)
#: weights with the bias last. The arrays are overwritten by the next update.
Look = Callable[[Run, int, Sequence[Array]], Seen]
#: At which log points weights are kept: before the first update and after the last, or at all.
Moments = Literal["ends", "logged"]


@dataclass(frozen=True, slots=True)
class Replayed(Generic[Seen]):
    """A run that was trained again, and what was seen at each log point of its curve."""

    run: Run
    status: Status
    curve: Curve
    seen: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """One layer's parameters at K moments: ``weights`` (K, O, I) and ``biases`` (K, O)."""

    weights: Array
    biases: Array


@dataclass(frozen=True, slots=True)
class Weights:
    """The parameters of one run at the ``iterations`` (K,), the numbers of updates before them.

    Attributes:
        id: The run's id, as its record has it.
        config: The name of the run's config.
        initializer: The label of the run's initializer.
        setting: The point of the config's sweep; empty without a sweep.
        seed: The run's seed.
        iterations: The number of updates before each moment.
        layers: The parameters of each layer, the first layer first.
        reproduced: Whether the replay that gave them made the record's numbers to the last bit.
    """

    id: str
    config: str
    initializer: str
    setting: dict[str, Any]
    seed: int
    iterations: tuple[int, ...]
    layers: tuple[LayerWeights, ...]
    reproduced: bool

    def npz(self) -> bytes:
        """A NumPy ``.npz`` file of what this holds.

        ``layer1.weights`` is (K, O, I), ``layer1.biases`` (K, O), and so on; ``iterations`` is
        (K,). The other attributes are arrays without axes.
        """
        arrays: dict[str, Any] = {
            "iterations": np.array(self.iterations),
            "id": np.array(self.id),
            "config": np.array(self.config),
            "initializer": np.array(self.initializer),
            "seed": np.array(self.seed),
            "reproduced": np.array(self.reproduced),
        }
        for number, layer in enumerate(self.layers, start=1):
            arrays[f"layer{number}.weights"] = layer.weights
            arrays[f"layer{number}.biases"] = layer.biases
        content = io.BytesIO()
        np.savez(content, **arrays)
        return content.getvalue()


def replay(
    runs: Sequence[Run], look: Look[Seen], told: Callable[[float], None] = lambda _: None
) -> list[Replayed[Seen]]:
    """Train runs again in this process, and look at each of them at each of its log points.

    Runs that could not be drawn are missing. A diverged run is seen up to the log point that
    showed it.

    Args:
        runs: The runs, which may be of different networks.
        look: Gives what is kept of a run at a log point.
        told: Is called with the share of the runs' updates that is done.
    """
    found: dict[int, Replayed[Seen]] = {}
    done = 0
    with threadpool_limits(1, user_api="blas"):
        for stack in plan.stacks(runs, 1, train_samples):

            def within(share: float, stack: Stack = stack, done: int = done) -> None:
                told((done + share * len(stack.runs)) / len(runs))

            found.update(_replay_stack(stack, look, within))
            done += len(stack.runs)
    return [found[position] for position in sorted(found)]


def _replay_stack(
    stack: Stack, look: Look[Seen], told: Callable[[float], None]
) -> Iterator[tuple[int, Replayed[Seen]]]:
    """Each run of a stack that could be drawn, by its position among all runs."""
    work, draws = draw_work(prepare(stack))
    if not draws.drawn:
        return
    runs = [stack.runs[index] for index in draws.drawn]
    nudge(draws.theta, work)
    views = work.task.architecture.views(draws.theta)
    points, seen = [], []
    for point in train(work.task, draws.theta, work.seeds, work.hyperparameters):
        points.append(point)
        seen.append(
            [look(run, point.iteration, [v[row] for v in views]) for row, run in enumerate(runs)]
        )
        told(point.iteration / work.task.iterations)
    for row, (index, run) in enumerate(zip(draws.drawn, runs, strict=True)):
        status, curve = curve_of(points, row)
        mine = tuple(at_point[row] for at_point in seen[: len(curve.iteration)])
        yield stack.positions[index], Replayed(run, status, curve, mine)


def weights(
    records: Iterable[Record],
    runs: Mapping[str, Run],
    moments: Moments = "ends",
    told: Callable[[float], None] = lambda _: None,
) -> list[Weights]:
    """The weights of recorded runs, from training these again; failed runs have none.

    Args:
        records: The records whose weights are asked for.
        runs: The run of each record, by the record's id.
        moments: ``ends`` for the first and the last weights, ``logged`` for those at all log
            points.
        told: Is called with the share of the work that is done.
    """
    wanted = {record.id: record for record in records if record.status != "failed"}
    again = [runs[run_id] for run_id in wanted]
    last = {id(run): record.iterations for run, record in zip(again, wanted.values(), strict=True)}

    def look(run: Run, iteration: int, layers: Sequence[Array]) -> list[Array] | None:
        kept = moments == "logged" or iteration in (0, last[id(run)])
        return [layer.copy() for layer in layers] if kept else None

    found = []
    for record, one in zip(wanted.values(), replay(again, look, told), strict=True):
        kept = [
            (iteration, layers)
            for iteration, layers in zip(one.curve.iteration, one.seen, strict=True)
            if layers is not None
        ]
        found.append(
            Weights(
                id=record.id,
                config=record.config,
                initializer=record.initializer,
                setting=record.setting,
                seed=record.seed,
                iterations=tuple(iteration for iteration, _ in kept),
                layers=tuple(
                    LayerWeights(
                        np.stack([layer[:, :-1] for layer in at_moments]),
                        np.stack([layer[:, -1] for layer in at_moments]),
                    )
                    for at_moments in zip(*(layers for _, layers in kept), strict=True)
                ),
                reproduced=one.curve == record.curve,
            )
        )
    return found
