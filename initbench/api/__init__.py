"""The Python API: what the command line does, as functions that return results.

The functions are public as ``initbench.run``, ``initbench.compare`` and so on. A config may be a
path of a YAML file, its content as a dict, or an :class:`~initbench.spec.Experiment`; all of them
pass the same checks and meet the same messages. The path of a data file is relative to the YAML
file, and in a dict or an Experiment to the working directory. What cannot be used raises
:class:`initbench.errors.InitbenchError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from initbench.api import flows, gating
from initbench.api.initializers import drawn
from initbench.api.results import CheckResult, Comparison, DiagnosisResult, RunResult
from initbench.api.sources import Config, Options, Seeds, experiments_of
from initbench.config.plugins import Allowed
from initbench.errors import InitbenchError
from initbench.files import BASELINE
from initbench.metrics import METRICS, known, parse_target
from initbench.runs.runner import Execution, Say, Watch, silent, unwatched

__all__ = ["check", "compare", "diagnose", "draw", "run"]


def run(
    configs: Config | Iterable[Config],
    *,
    set: Options = None,  # noqa: A002  # named as the option --set is
    seeds: Seeds = None,
    jobs: int | None = None,
    results: str | Path | None = None,
    plugins: Iterable[str | Path] = (),
    trust_plugins: bool = False,
    force: bool = False,
    fail_fast: bool = False,
    weights: Literal["ends", "logged"] | None = None,
    executor: Literal["processes", "dask"] = "processes",
    scheduler: str | None = None,
    watch: Watch = unwatched,
    say: Say = silent,
) -> RunResult:
    """Train each config's initializers at each of its seeds.

    Args:
        configs: One or several configs: paths, dicts or Experiments.
        set: Keys to set in every config, ``{"dataset.noise": 0.1}`` or ``["dataset.noise=0.1"]``.
        seeds: A count n, for the seeds 0 to n - 1, a range ``"0-9"``, or a list of seeds and
            ranges; by default each config's own.
        jobs: Worker processes; by default as many cores as the work fills.
        results: A folder. Runs that it holds are not trained again, finished ones are stored there,
            and tables are written to it. By default nothing is read or written, so that a call
            depends on its arguments alone; the command line's default is ``results``.
        plugins: Python files with initializers of your own.
        trust_plugins: Run the Python files that configs name as ``plugins``, too.
        force: Train runs again that ``results`` holds already.
        fail_fast: Raise FailedRunsError at the first run that fails. Otherwise failed runs are
            records with the status ``failed``, and ``failure`` of the result names them.
        weights: Also give each run's weights: ``ends`` for the first and the last, ``logged`` for
            those at every log point. No store holds them, so each run trains a second time. With
            ``results``, each run's are written to ``weights/ID.npz`` in that folder.
        executor: ``dask`` for the workers of a Dask cluster.
        scheduler: The address of a Dask scheduler, ``tcp://HOST:8786``.
        watch: Is called with the stacks before they train; it returns a context manager, whose
            value is called with each :class:`~initbench.runs.execute.Progress`.
        say: Is called with each message.

    Returns:
        The records, and a summary row for each initializer. It prints as tables.

    Raises:
        ConfigError: A config has mistakes; the message names each with its place and the fix.
        ResultsError: The results folder cannot be read or written.
        ExecutorError: There is nobody to train.

    Examples:
        >>> config = {"initializer": ["he_normal", "zeros"], "layers": [2, 4, 1],
        ...           "iterations": 100, "learning_rate": 0.1}
        >>> result = run(config, seeds=2)
        >>> [(record.initializer, record.seed, record.status) for record in result.records]
        [('he_normal', 0, 'ok'), ('he_normal', 1, 'ok'), ('zeros', 0, 'ok'), ('zeros', 1, 'ok')]
        >>> one = run(config, seeds=1, weights="ends").weights[0]
        >>> one.iterations, [layer.weights.shape for layer in one.layers]
        ((0, 100), [(2, 4, 2), (2, 1, 4)])
    """
    if weights not in (None, "ends", "logged"):
        raise InitbenchError(f"weights: must be ends or logged, got {weights!r}")
    result = flows.run(
        experiments_of(configs, set, seeds, Allowed(tuple(plugins), trust_plugins)),
        Execution(jobs, force, fail_fast, executor, scheduler),
        _path(results),
        keep=weights,
        watch=watch,
        say=say,
    )
    if result.stopped_by is not None:
        raise result.stopped_by
    return result


def compare(
    configs: Config | Iterable[Config],
    *,
    metric: str = "train_loss",
    target: tuple[str, float] | None = None,
    until_decided: bool = False,
    max_seeds: int | None = None,
    set: Options = None,  # noqa: A002  # named as the option --set is
    seeds: Seeds = None,
    jobs: int | None = None,
    results: str | Path | None = None,
    plugins: Iterable[str | Path] = (),
    trust_plugins: bool = False,
    force: bool = False,
    fail_fast: bool = False,
    executor: Literal["processes", "dask"] = "processes",
    scheduler: str | None = None,
    watch: Watch = unwatched,
    say: Say = silent,
) -> Comparison:
    """Train configs and rank their initializers, problem by problem.

    Args:
        configs: One or several configs: paths, dicts or Experiments. Those that pose the same
            problem compete with each other.
        metric: Metric to rank by: ``train_loss``, ``train_accuracy``, ``test_loss`` or
            ``test_accuracy``.
        target: A metric and a value: rows also count the iterations until runs reach it.
        until_decided: Add seeds to the rows that are undecided, until all are worse or as good as
            the best.
        max_seeds: Seeds at most, with ``until_decided``; by default eight times the config's.
        set: Keys to set in every config, ``{"dataset.noise": 0.1}`` or ``["dataset.noise=0.1"]``.
        seeds: A count n, for the seeds 0 to n - 1, a range ``"0-9"``, or a list of seeds and
            ranges; by default each config's own.
        jobs: Worker processes; by default as many cores as the work fills.
        results: A folder. Runs that it holds are not trained again, finished ones are stored there,
            and tables are written to it. By default nothing is read or written.
        plugins: Python files with initializers of your own.
        trust_plugins: Run the Python files that configs name as ``plugins``, too.
        force: Train runs again that ``results`` holds already.
        fail_fast: Raise FailedRunsError at the first run that fails.
        executor: ``dask`` for the workers of a Dask cluster.
        scheduler: The address of a Dask scheduler.
        watch: Shows progress; see :func:`run`.
        say: Is called with each message.

    Returns:
        The records, and a row for each initializer of each problem, the best first.

    Raises:
        ConfigError: A config has mistakes, or a task has no such metric.

    Examples:
        >>> config = {"initializer": ["he_normal", "zeros"], "layers": [2, 4, 1],
        ...           "iterations": 500, "learning_rate": 0.1}
        >>> [(row.rank, row.initializer) for row in compare(config, seeds=3).rows]
        [(1, 'he_normal'), (2, 'zeros')]
    """
    if metric not in METRICS:
        raise InitbenchError(f"metric: must be {known()}, got {metric!r}")
    result = flows.compare(
        experiments_of(configs, set, seeds, Allowed(tuple(plugins), trust_plugins)),
        metric,
        _target(target),
        Execution(jobs, force, fail_fast, executor, scheduler),
        _path(results),
        until_decided=until_decided,
        max_seeds=max_seeds,
        watch=watch,
        say=say,
    )
    if result.stopped_by is not None:
        raise result.stopped_by
    return result


def diagnose(
    configs: Config | Iterable[Config],
    *,
    during: bool = False,
    set: Options = None,  # noqa: A002  # named as the option --set is
    seeds: Seeds = None,
    plugins: Iterable[str | Path] = (),
    trust_plugins: bool = False,
    report: Callable[[float], None] | None = None,
) -> DiagnosisResult:
    """Say what each initializer's networks promise, from theory and measurement.

    Args:
        configs: One or several configs: paths, dicts or Experiments.
        during: Also train, and diagnose at every log point.
        set: Keys to set in every config.
        seeds: A count n, for the seeds 0 to n - 1, a range ``"0-9"``, or a list of seeds and
            ranges; by default each config's own.
        plugins: Python files with initializers of your own.
        trust_plugins: Run the Python files that configs name as ``plugins``, too.
        report: Is called with the share of the work that is done, from 0 to 1.

    Returns:
        A diagnosis for each initializer. ``failure`` names networks that could not be drawn.

    Raises:
        ConfigError: A config has mistakes.

    Examples:
        >>> config = {"initializer": ["he_normal", "zeros"], "width": 32, "depth": 8,
        ...           "iterations": 1, "learning_rate": 0.1}
        >>> [row.condition for row in diagnose(config, seeds=3).rows]
        ['healthy', 'symmetric']
    """
    experiments = experiments_of(configs, set, seeds, Allowed(tuple(plugins), trust_plugins))
    return flows.diagnose(experiments, during=during, report=report)


def check(
    configs: Config | Iterable[Config],
    *,
    baseline: str | Path = BASELINE,
    strict: bool = False,
    quick: bool = False,
    candidate: str | Path | None = None,
    set: Options = None,  # noqa: A002  # named as the option --set is
    seeds: Seeds = None,
    jobs: int | None = None,
    plugins: Iterable[str | Path] = (),
    trust_plugins: bool = False,
    watch: Watch = unwatched,
    say: Say = silent,
) -> CheckResult:
    """Train configs afresh and judge them against a baseline file.

    Args:
        configs: One or several configs: paths, dicts or Experiments. The path of a JSON file, which
            `initbench run` or `initbench baseline save` wrote, is judged without training.
        baseline: The file that `initbench baseline save` wrote, or `initbench run`.
        strict: Count a change that is neither better nor worse as a failure.
        quick: Only ask whether the first two seeds of each config moved.
        candidate: A file to write what was trained to, which ``check`` judges without training.
        set: Keys to set in every config.
        seeds: A count n, for the seeds 0 to n - 1, a range ``"0-9"``, or a list of seeds and
            ranges; by default each config's own.
        jobs: Worker processes; by default as many cores as the work fills.
        plugins: Python files with initializers of your own.
        trust_plugins: Run the Python files that configs name as ``plugins``, too.
        watch: Shows progress; see :func:`run`.
        say: Is called with each message.

    Returns:
        The verdicts and the exit code that `initbench check` would end with.

    Raises:
        ConfigError: A config has mistakes.
        BaselineError: The baseline is missing, broken or edited.
    """
    if isinstance(configs, str | Path) and Path(configs).suffix == ".json":
        if set is not None or seeds is not None:
            raise InitbenchError(f"{configs}: holds runs that have finished; give no set and seeds")
        return gating.check_files(Path(baseline), Path(configs), strict=strict)
    return gating.check(
        experiments_of(configs, set, seeds, Allowed(tuple(plugins), trust_plugins), judged=True),
        Path(baseline),
        Execution(jobs),
        strict=strict,
        quick=quick,
        candidate=_path(candidate),
        watch=watch,
        say=say,
    )


def draw(
    name: str,
    shape: Sequence[int],
    *,
    seed: int,
    dtype: str = "float64",
    activation: str | Mapping[str, Any] = "relu",
    plugins: Iterable[str | Path] = (),
    **parameters: Any,
) -> NDArray[Any]:
    """Draw one layer's weights from an initializer, as the engine draws them.

    Args:
        name: An initializer's name or alias; `initbench list initializers` has all of them.
        shape: (fan_out, fan_in), as PyTorch orders them.
        seed: The seed of the ``numpy.random.RandomState`` that draws.
        dtype: ``float64`` or ``float32``.
        activation: The network's activation, which ``gain="exact"`` is computed for.
        plugins: Python files with initializers of your own.
        **parameters: The initializer's own parameters, as a config may write them.

    Returns:
        The weights (fan_out, fan_in): those of the first layer of a network that ends with one
        output more. Initializers that look at data see standard normal samples.

    Raises:
        ConfigError: There is no such initializer, or a parameter is unknown or out of bounds.
        InitbenchError: The initializer could not draw.

    Examples:
        >>> draw("he_normal", (256, 784), seed=3).shape
        (256, 784)
        >>> draw("normal", (2, 2), seed=0, std=0.1).round(2).tolist()
        [[0.18, 0.04], [0.1, 0.22]]
    """
    return drawn(
        name,
        shape,
        seed=seed,
        dtype=dtype,
        activation=activation,
        plugin_files=plugins,
        parameters=parameters,
    )


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def _target(target: tuple[str, float] | None) -> tuple[str, float] | None:
    if target is None:
        return None
    name, value = target
    try:
        return parse_target(f"{name}={value}")
    except ValueError as error:
        raise InitbenchError(f"target: {error}") from None
