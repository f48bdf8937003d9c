"""Small problems for the tests of the core, as factories.

Session-wide fixtures, so that Hypothesis may use them: they return pure functions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import pytest
from numpy.random import RandomState
from numpy.typing import DTypeLike

from initbench.core import draw as drawing
from initbench.core.activations import ACTIVATIONS
from initbench.core.architecture import Architecture
from initbench.core.arrays import Array
from initbench.core.engine.protocol import Split, TrainingTask
from initbench.core.initializers import INITIALIZERS, Moments, Network, defaults
from initbench.core.optimizers import OPTIMIZERS

#: Parameters for problems that all activations are to learn: a sine of frequency 30 needs weights
#: made for it, and turns too fast for a numeric gradient.
MILD = {"sine": {"frequency": 1.0}}


class MakeTask(Protocol):
    """The signature of the factory; every argument has a default worth having."""

    def __call__(
        self,
        activation: str = "tanh",
        loss: str = "binary_cross_entropy",
        optimizer: str = "gd",
        *,
        hidden: Sequence[int] = (7, 3),
        samples: int = 33,
        iterations: int = 12,
        log_every: int = 5,
        batch_size: int | None = None,
        dtype: DTypeLike = np.float64,
    ) -> TrainingTask: ...


#: (task, seeds) -> theta (R, P).
Start = Callable[[TrainingTask, Sequence[int]], Array]
#: (task, learning rates) -> the optimizer's parameters, an (R, 1) array each.
Hyperparameters = Callable[[TrainingTask, Sequence[float]], dict[str, Array]]


class MakeNetwork(Protocol):
    """The signature of the factory of networks for initializers."""

    def __call__(
        self,
        sizes: Sequence[int],
        activation: str = "relu",
        *,
        dtype: DTypeLike = np.float64,
        samples: int = 200,
        **parameters: Any,
    ) -> Network: ...


class DrawStart(Protocol):
    """(network, name, seed, parameters) -> [(weights, biases)], through the engine's door."""

    def __call__(
        self, network: Network, name: str, seed: int = 0, **parameters: Any
    ) -> list[tuple[Array, Array]]: ...


class LawsOf(Protocol):
    """(network, name, parameters) -> each layer's declared law."""

    def __call__(self, network: Network, name: str, **parameters: Any) -> list[Moments | None]: ...


@pytest.fixture(scope="session")
def make_network() -> MakeNetwork:
    """A network with standard normal inputs; ``parameters`` are the activation's."""

    def make(
        sizes: Sequence[int],
        activation: str = "relu",
        *,
        dtype: DTypeLike = np.float64,
        samples: int = 200,
        **parameters: Any,
    ) -> Network:
        given = {**defaults(ACTIVATIONS[activation].apply), **parameters}
        return Network(
            sizes=tuple(sizes),
            dtype=np.dtype(dtype),
            activation=activation,
            activation_parameters=given,
            inputs=RandomState(1).standard_normal((sizes[0], samples)).astype(dtype),
        )

    return make


@pytest.fixture(scope="session")
def draw_start() -> DrawStart:
    def draw(
        network: Network, name: str, seed: int = 0, **parameters: Any
    ) -> list[tuple[Array, Array]]:
        chosen = drawing.ChosenInitializer(name, INITIALIZERS[name], parameters)
        draws = drawing.draw(network, [chosen], [seed])
        assert draws.failures == {}
        return [(view[0, :, :-1], view[0, :, -1]) for view in network.views(draws.theta)]

    return draw


@pytest.fixture(scope="session")
def laws_of() -> LawsOf:
    def laws(network: Network, name: str, **parameters: Any) -> list[Moments | None]:
        return drawing.laws(
            drawing.ChosenInitializer(name, INITIALIZERS[name], parameters), network
        )

    return laws


def targets_of(loss: str, inputs: Array) -> Array:
    """(O, N) targets that a small network can learn from two inputs: 1, 3 or 2 outputs."""
    x, y = inputs
    if loss == "binary_cross_entropy":
        return np.where(x > 0, 1.0, 0.0)[None]
    if loss == "cross_entropy":
        classes = np.array([x, y, -x - y]).argmax(axis=0)
        return np.eye(3)[:, classes]
    return np.array([np.tanh(x), x - y])


def split_of(loss: str, samples: int, seed: int) -> Split:
    inputs = RandomState(seed).standard_normal((2, samples))
    return Split(inputs, targets_of(loss, inputs))


@pytest.fixture(scope="session")
def make_task() -> MakeTask:
    """Two inputs, targets by the loss; 19 test samples."""

    def make(
        activation: str = "tanh",
        loss: str = "binary_cross_entropy",
        optimizer: str = "gd",
        *,
        hidden: Sequence[int] = (7, 3),
        samples: int = 33,
        iterations: int = 12,
        log_every: int = 5,
        batch_size: int | None = None,
        dtype: DTypeLike = np.float64,
    ) -> TrainingTask:
        train = split_of(loss, samples, seed=100)
        sizes = (2, *hidden, len(train.targets))
        return TrainingTask(
            architecture=Architecture(sizes, np.dtype(dtype), activation, MILD.get(activation, {})),
            loss=loss,
            optimizer=optimizer,
            train=train,
            test=split_of(loss, 19, seed=101),
            iterations=iterations,
            log_every=log_every,
            batch_size=batch_size,
        )

    return make


@pytest.fixture(scope="session")
def start() -> Start:
    """(task, seeds) -> theta (R, P): each run's row from its own seed, biases not 0."""

    def draw(task: TrainingTask, seeds: Sequence[int]) -> Array:
        architecture = task.architecture
        theta = np.empty((len(seeds), architecture.parameter_count), architecture.dtype)
        for row, seed in zip(theta, seeds, strict=True):
            rng = RandomState(seed)
            for (layer,) in architecture.views(row[None]):
                outputs, inputs = layer.shape[0], layer.shape[1] - 1
                layer[:, :-1] = rng.standard_normal((outputs, inputs)) * np.sqrt(2 / inputs)
                layer[:, -1] = rng.standard_normal(outputs) * 0.3
        return theta

    return draw


@pytest.fixture(scope="session")
def hyperparameters() -> Hyperparameters:
    """(task, learning rates) -> (R, 1) arrays; the optimizer's other parameters by default."""

    def arrays(task: TrainingTask, rates: Sequence[float]) -> dict[str, Array]:
        parameters = inspect.signature(OPTIMIZERS[task.optimizer].step).parameters.values()
        defaults = {
            p.name: [p.default] * len(rates) for p in parameters if p.default is not p.empty
        }
        columns = defaults | {"learning_rate": list(rates)}
        dtype = task.architecture.dtype
        return {name: np.array(column, dtype)[:, None] for name, column in columns.items()}

    return arrays
