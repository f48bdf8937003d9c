"""One initializer at a time: draw its weights, explain it, verify what it declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.random import RandomState
from numpy.typing import NDArray

from initbench import config, datasets
from initbench.api.sources import plain_text
from initbench.audit import verify as audit
from initbench.audit.explain import draws_of_frameworks, explain
from initbench.audit.fans import WeightFans, fans_of_frameworks, true_fans
from initbench.audit.fans import read as read_layer
from initbench.config import plugins
from initbench.core.draw import draw as draw_runs
from initbench.core.draw import network_of
from initbench.errors import ConfigError, FailedChecksError, InitbenchError, Place, Problem
from initbench.interop.frameworks import missing
from initbench.report.views.explain import Explanation, explain_view
from initbench.report.views.fans import FansOfLayer, fans_view
from initbench.report.views.verify import failures, verify_view
from initbench.report.views.view import View
from initbench.spec import Experiment
from initbench.spec.parameters import parameters_of

#: Seeds that an initializer without a closed form is drawn at to be explained.
SEEDS = range(10)
#: Standard normal samples that initializers see that look at data, where no data set is named.
SAMPLES = 1024


def drawn(
    name: str | Mapping[str, Any],
    shape: Sequence[int],
    *,
    seed: int,
    dtype: str = "float64",
    activation: str | Mapping[str, Any] = "relu",
    plugin_files: Iterable[str | Path] = (),
    parameters: Mapping[str, Any],
) -> NDArray[Any]:
    """The weights that :func:`initbench.draw` returns."""
    if len(shape) != 2:
        raise InitbenchError(f"draw: shape must be (fan_out, fan_in), got {tuple(shape)}")
    fan_out, fan_in = shape
    chosen = {**({"name": name} if isinstance(name, str) else name), **parameters}
    settings = {
        # A layer follows, since some initializers treat a network's last layer in its own way.
        "initializer": chosen, "layers": [fan_in, fan_out, 1], "seeds": [seed], "dtype": dtype,
        "activation": activation,
    }  # fmt: skip
    texts = [f"{key}={plain_text(value, f'draw: {key}')}" for key, value in settings.items()]
    experiment = config.from_options(
        [("draw", text) for text in texts], plugins.experiment(list(plugin_files))
    )
    (choice,) = experiment.initializer
    network = network_of(experiment.architecture, standard_inputs(experiment))
    starts = draw_runs(network, [choice.chosen], [seed])
    if starts.failures:
        raise InitbenchError(f"draw: {choice.label}: {starts.failures[0]}")
    layer = network.views(starts.theta)[0]
    weights: NDArray[Any] = layer[0, :, :-1].copy()  # (O, I); the last column is the bias
    return weights


def standard_inputs(experiment: Experiment) -> NDArray[Any]:
    """Standard normal samples (I, SAMPLES) of an experiment without data of its own."""
    samples: NDArray[Any] = RandomState(0).standard_normal(
        (experiment.architecture.sizes[0], SAMPLES)
    )
    return samples


def explanation(
    options: Sequence[tuple[str, str]],
    model: type[Experiment],
    dataset: str | None = None,
    *,
    fitted: bool = False,
    also: Sequence[str] = (),
) -> View:
    """What one initializer draws in one network, in its framework's dialects too.

    ``options`` give ``initializer``, ``layers`` and what else there is to set, each with the place
    that messages name; ``dataset`` is one of them, or None for standard normal samples. The network
    is ``fitted`` to the data where the first and last of the sizes are not the user's. ``also``
    are other kinds that know the name.
    """
    experiment = config.from_options(options, model)
    if len(experiment.initializer) > 1:
        raise InitbenchError("NAME is one initializer; explain others one by one.")
    if dataset is None:
        inputs = standard_inputs(experiment)
    else:
        train = datasets.load(experiment.dataset, Path()).train
        inputs = train.inputs
        if fitted:
            hidden = experiment.architecture.sizes[1:-1]
            sizes = (len(inputs), *hidden, len(train.targets))
            experiment = experiment.model_copy(update={"layers": sizes})
        if len(inputs) != experiment.architecture.sizes[0]:
            place = next(option for option, text in options if text.startswith("layers="))
            message = (
                f"must begin with {len(inputs)}, the features of {dataset}, got "
                f"{experiment.architecture.sizes[0]}"
            )
            raise ConfigError([Problem(Place(place), "", message)])
    (choice,) = experiment.initializer
    chosen, network = choice.chosen, network_of(experiment.architecture, inputs)
    given = choice.model_dump(include=choice.model_fields_set - {"name"})
    in_dialect = "dialect" in given
    return explain_view(
        Explanation(
            choice.name,
            choice.label,
            chosen.initializer,
            explain(chosen, network, SEEDS),
            f"{len(SEEDS)} seeds, {network.inputs.shape[1]:,} {dataset or 'standard normal'} "
            "samples",
            [] if in_dialect else draws_of_frameworks(choice.name, given, network, SEEDS),
            # Parts have parameters, and a mapping of them by layer has none of its own.
            parameters_of(known) if (known := model.initializer_models.get(choice.name)) else [],
            also,
        )
    )


def explanation_of_layer(
    options: Sequence[tuple[str, str]], model: type[Experiment], text: str
) -> View:
    """What one initializer draws for one layer (``conv:64,64,3,groups=64``), in frameworks too.

    Raises:
        InitbenchError: The text is no layer, or the initializer has no law for a single one.
    """
    layer = read_layer(text)
    experiment = config.from_options([*options, ("--layer", "layers=[1,1]")], model)
    if len(experiment.initializer) > 1:
        raise InitbenchError("NAME is one initializer; explain others one by one.")
    (choice,) = experiment.initializer
    initializer = choice.chosen.initializer
    if initializer.scope != "layer" or initializer.law is None:
        raise InitbenchError(
            f"--layer: {choice.name} has no law for a single layer; explain it with --layers"
        )
    given = choice.model_dump(include=choice.model_fields_set - {"name"})
    network = network_of(experiment.architecture, standard_inputs(experiment))

    def deviation(fans: WeightFans) -> float | None:
        sized = replace(network, sizes=(fans.fan_in, fans.fan_out))
        if fans.framework is None or "dialect" in given:
            return explain(choice.chosen, sized, SEEDS)[0].std
        draws = draws_of_frameworks(choice.name, given, sized, SEEDS)
        return next((one.layers[0].std for one in draws if one.framework == fans.framework), None)

    rows = [(one, deviation(one)) for one in (*true_fans(layer), *fans_of_frameworks(layer))]
    return fans_view(FansOfLayer(choice.name, choice.label, initializer, layer, rows))


@dataclass(frozen=True, slots=True)
class Verification:
    """The checks of initializers as a view, and the error that names those that failed, if any."""

    view: View
    failure: FailedChecksError | None


def verification(names: Sequence[str], model: type[Experiment]) -> Verification:
    """Draw from initializers by these names, and test the draws against what each declares."""
    return _verified(names, model, [])


def verification_of_all(model: type[Experiment]) -> Verification:
    """The same of every initializer that can be drawn here; notes count those that cannot."""
    absent = [what for name in model.initializer_models if (what := missing(name))]
    names = [
        audit.WITH_EXAMPLES.get(name, name)
        for name in model.initializer_models
        if not missing(name)
    ]
    notes = []
    if absent:
        notes.append(f"{len(absent)} initializers were left out; the first: {absent[0]}.")
    return _verified(names, model, notes)


def own_names(model: type[Experiment]) -> list[str]:
    """The names of the user's own initializers: those of plugin files and installed packages."""
    return [name for name, known in model.initializer_models.items() if known.plugin]


def _verified(
    names: Sequence[str], model: type[Experiment], further_notes: Sequence[str]
) -> Verification:
    experiments = [
        config.from_options([(name, f"initializer={name}"), *audit.SETTINGS], model)
        for name in names
    ]
    chosen = {
        choice.label: choice.chosen
        for experiment in experiments
        for choice in experiment.initializer
    }
    notes = [
        f"{label} declares no law: its mean, variance, bounds and symmetry were not tested."
        for label, one in chosen.items()
        if one.initializer.law is None
    ]
    network = network_of(experiments[0].architecture, audit.inputs())
    checks = audit.verify(chosen, network)
    title = f"{len(audit.SEEDS)} seeds of {'-'.join(map(str, network.sizes))} networks"
    failure = None
    if failed := failures(checks):
        failure = FailedChecksError(
            f"{len(failed)} of {len(checks)} checks failed:\n" + "\n".join(failed)
        )
    return Verification(verify_view(title, checks, [*notes, *further_notes]), failure)
