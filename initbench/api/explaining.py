"""Explaining what a config names: which kind a name is of, and the facts about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from initbench import config, datasets
from initbench.config.document import parse
from initbench.config.messages import unknown_anywhere
from initbench.core.activations import ACTIVATIONS
from initbench.core.gains import TORCH_GAINS, exact_gain, torch_gain
from initbench.core.initializers.biases import BIASES
from initbench.core.losses import LOSS_OF_TASK, LOSSES
from initbench.core.means import elementwise, means_of
from initbench.core.optimizers import OPTIMIZERS
from initbench.errors import ConfigError, Place, Problem
from initbench.report.views.facts import Facts, facts_view
from initbench.report.views.view import View
from initbench.spec import DATASET_MODELS, Experiment
from initbench.spec.by_layer import is_by_layer
from initbench.spec.choice import Choice
from initbench.spec.kinds import kinds
from initbench.spec.parameters import parameters_of, prose

LOSS = "loss"
#: Where an activation's values are shown.
POINTS = (-3.0, -1.0, 0.0, 1.0, 3.0)


def kinds_named(text: str, model: type[Experiment]) -> list[str]:
    """The kinds that know a name, which may carry parameters; initializers come first.

    Raises:
        ConfigError: The text is not YAML, or no kind knows the name.
    """
    if is_by_layer(parse(text, text, fixed=Place(text)).data):
        return ["initializer"]
    name = _name(text)
    known = kinds(model)
    found = [key for key, kind in known.items() if kind.find(name)]
    found += [LOSS] * (name in LOSSES)
    if not found:
        message = unknown_anywhere(name, known, LOSSES)
        raise ConfigError([Problem(Place(text), "", message)])
    return found


def _name(text: str) -> str:
    """The name in ``relu`` or ``{name: leaky_relu, negative_slope: 0.1}``."""
    document = parse(text, text, fixed=Place(text))
    data = document.data
    name = data.get("name") if isinstance(data, dict) else data
    if document.problems or not isinstance(name, str):
        message = "must be one name, or {name: ..., parameter: ...}; explain others one by one"
        raise ConfigError(document.problems or [Problem(Place(text), "", message)])
    return name


def facts(
    kind: str, text: str, settings: Sequence[tuple[str, str]], model: type[Experiment]
) -> View:
    """What is known of an activation, a data set, an optimizer or a loss.

    Args:
        kind: The key of a config that names it, or ``loss``.
        text: Its name, perhaps with parameters.
        settings: Options that set more parameters, each with the place that messages name.
        model: The model of a config.

    Raises:
        ConfigError: The name is of another kind, or a parameter is wrong.
        DataError: The data set cannot be read.
    """
    if kind == LOSS:
        return facts_view(_of_loss(text, settings))
    row = kinds(model)[kind]
    name = row.find(_name(text))
    parameters = parameters_of(row.models[name]) if name else []
    required = any(each.default is None for each in parameters)
    given = len(settings) > 0 or text.lstrip().startswith("{")
    choice = None
    if given or not required:
        options = [("", "initializer=zeros"), ("", "layers=[1,1]"), (text, f"{kind}={text}")]
        options += [(option, f"{kind}.{setting}") for option, setting in settings]
        choice = getattr(config.from_options(options, model), kind)
    known = Facts(
        kind=kind,
        name=str(name),
        label=choice.label if choice else str(name),
        aliases=[alias for alias, meant in row.aliases.items() if meant == name],
        parameters=parameters,
        **_OF_KIND[kind](str(name), choice),
    )
    line = _in_a_config(known, choice)
    return facts_view(replace(known, facts={**known.facts, "in a config": line}))


def _in_a_config(known: Facts, choice: Choice | None) -> str:
    """The line of a config that names the thing, with what was set and what must be."""
    required = {each.name: each.name.upper() for each in known.parameters if each.default is None}
    given = choice.model_dump(mode="json", include=choice.model_fields_set) if choice else required
    named = {"name": known.name, **given}
    if len(named) == 1:
        return f"{known.kind}: {known.name}"
    form = yaml.safe_dump(named, default_flow_style=True, sort_keys=False, width=math.inf)
    return f"{known.kind}: {form.strip()}"


def _of_activation(name: str, choice: Choice | None) -> dict[str, Any]:
    """Its values, and the weights' variance that it asks for: the gain's square over a fan."""
    assert choice is not None  # every parameter has a default
    row, parameters = ACTIVATIONS[name], choice.parameters
    phi = elementwise(name, parameters)
    means = means_of(phi)
    gain, slope_square = exact_gain(name, parameters), means.slope_square(1.0)
    z = np.array(POINTS)
    return {
        "summary": prose(row.apply)[0],
        "formula": row.formula,
        "reference": row.reference,
        "facts": {
            "mean of phi(z)^2": means.square(1.0),
            "mean of phi'(z)^2": slope_square,
            "gain: exact": gain,
            **({"gain: torch": torch_gain(name, parameters)} if name in TORCH_GAINS else {}),
            "variance that keeps a signal": f"{gain**2:.4g} / fan_in",
            "variance that keeps a gradient": f"{1 / slope_square:.4g} / fan_out",
        },
        "points": [
            {"z": at, "phi(z)": value, "phi'(z)": slope}
            for at, value, slope in zip(POINTS, *(each.tolist() for each in phi(z)), strict=True)
        ],
        "note": f"{prose(row.apply)[1]}\nThe means are over standard normal z. The variances are "
        "those of weights that keep the mean square of such pre-activations, or of gradients, "
        "from layer to layer.".strip(),
    }


def _of_optimizer(name: str, _: Choice | None) -> dict[str, Any]:
    row = OPTIMIZERS[name]
    summary, rule = prose(row.step)
    return {
        "summary": summary,
        "formula": row.formula,
        "reference": row.reference,
        "facts": {"update": rule},
        "points": [],
        "note": "theta: a parameter of the network. g: the gradient of the batch's mean loss. "
        "learning_rate is a key of the config.",
    }


def _of_dataset(name: str, choice: Choice | None) -> dict[str, Any]:
    summary, note = prose(DATASET_MODELS[name])
    known = {"summary": summary, "formula": summary, "reference": "-", "points": []}
    if choice is None:
        return {**known, "facts": {}, "note": note}
    data = datasets.load(choice, Path())
    facts = {
        "task": data.task_in_words,
        "features": len(data.train.inputs),
        "outputs": len(data.train.targets),
        "train samples": data.train.inputs.shape[1],
        "test samples": data.test.inputs.shape[1],
        "loss": LOSS_OF_TASK[data.task],
        "metrics": ", ".join(datasets.metrics(data)),
    }
    return {**known, "facts": facts, "note": "\n".join((note, *data.notes)).strip()}


def _of_bias(name: str, _: Choice | None) -> dict[str, Any]:
    row = BIASES[name]
    return {
        "summary": f"what a layer's biases start at: {row.formula}",
        "formula": row.formula,
        "reference": row.reference,
        "facts": {"biases": row.formula},
        "points": [],
        "note": "",
    }


def _of_loss(text: str, settings: Sequence[tuple[str, str]]) -> Facts:
    name = _name(text)
    if name not in LOSSES:
        message = f"unknown name {name!r}; the losses are {', '.join(LOSSES)}"
        raise ConfigError([Problem(Place(text), LOSS, message)])
    if settings:
        message = "a loss has no parameters; leave it out"
        raise ConfigError([Problem(Place(option), "", message) for option, _ in settings])
    row = LOSSES[name]
    return Facts(
        kind=LOSS,
        name=name,
        label=name,
        summary=f"what {row.task} tasks minimise",
        formula=row.formula,
        reference="-",
        aliases=(),
        parameters=(),
        facts={"of a sample": row.formula, "task": row.task},
        points=(),
        note="z: the outputs of the network. y: the target. The data set's task decides the loss: "
        "a config names none.",
    )


_OF_KIND: Mapping[str, Callable[[str, Choice | None], dict[str, Any]]] = {
    "activation": _of_activation,
    "optimizer": _of_optimizer,
    "dataset": _of_dataset,
    "bias": _of_bias,
}
