"""Config files -> Experiments; all problems of all files at once, each with place and fix."""

from __future__ import annotations

import copy
import difflib
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from initbench import datasets, metrics, spec
from initbench.config.document import Document, parse, read
from initbench.config.document import Path as KeyPath
from initbench.errors import ConfigError, DataError, Place, Problem
from initbench.runs import plan
from initbench.spec import Experiment
from initbench.spec.choice import Choice, spelled
from initbench.spec.expectations import RELATIONS, Expectation, Gate

MAX_GRID = 10_000
#: Names that a message lists.
LISTED = 15
#: What a sweep may not vary: words, what is compared anyway, and the sweep itself.
UNSWEPT = frozenset(
    {"name", "description", "reference", "initializer", "seeds", "expect", "gate", "sweep"}
)
_CHOICES = ("initializer", "activation", "dataset", "optimizer")


def load(
    paths: Sequence[str | Path],
    overrides: Sequence[tuple[str, str]] = (),
    model: type[Experiment] = Experiment,
) -> list[Experiment]:
    """The Experiments of config files, a swept config's grid points each one of them.

    ``overrides`` are (option as written, ``KEY=VALUE``), from the command line; ``model`` may
    know more initializers than the registry. ConfigError with every problem of every file.
    """
    problems: list[Problem] = []
    experiments: list[Experiment] = []
    sources: dict[str, str] = {}
    for path in paths:
        try:
            loaded = _load_one(Path(path), overrides, model)
        except ConfigError as error:
            problems += error.problems
            continue
        name = loaded[0].name
        if name in sources:
            problems.append(
                Problem(
                    Place(str(path)), "name",
                    f"{name!r} is also the name of {sources[name]}, whose results it would "
                    "overwrite; give one another name",
                )
            )  # fmt: skip
        sources[name] = str(path)
        experiments += loaded
    if problems:
        # A wrong --set is wrong for every config: say it once.
        raise ConfigError(list(dict.fromkeys(problems)))
    return experiments


def configs_folder() -> Path:
    """The folder that ``--all`` means: ./configs, or where there is none the shipped one."""
    here = Path("configs")
    if here.is_dir():
        return here
    package = Path(str(files("initbench")))
    shipped = package / "configs"
    # An editable install has no copy inside the package: the checkout's is beside it.
    return shipped if shipped.is_dir() else package.parent / "configs"


def all_configs() -> list[Path]:
    """Every config directly in the configs folder, by name."""
    folder = configs_folder()
    found = sorted(path for path in folder.glob("*.y*ml") if path.suffix in {".yaml", ".yml"})
    if not found:
        raise ConfigError([Problem(Place(str(folder)), "", "holds no config (*.yaml)")])
    return found


def from_options(
    options: Sequence[tuple[str, str]], model: type[Experiment] = Experiment
) -> Experiment:
    """The Experiment of options alone, (option as written, ``KEY=VALUE``); it reads no data.

    Of the required keys they must give ``initializer`` and ``layers``.
    """
    document = Document("", {"name": "options", "iterations": 1, "learning_rate": 1.0})
    for option, text in options:
        _override(document, option, text)
    try:
        experiment = model(**document.data)
    except ValidationError as error:
        document.problems += _problems(document, error.errors(), model)
    if document.problems:
        raise ConfigError(document.problems)
    return experiment


def read_config(path: Path, overrides: Sequence[tuple[str, str]] = ()) -> Document:
    """A config's data, its name and overrides in it, with the place of each part."""
    parsed = read(str(path), _content(path))
    for option, text in overrides:
        _override(parsed, option, text)
    parsed.data.setdefault("name", path.stem)
    return parsed


def _load_one(
    path: Path, overrides: Sequence[tuple[str, str]], model: type[Experiment]
) -> list[Experiment]:
    document = read_config(path, overrides)
    points = _grid(document)  # which adds to the document's problems
    problems, experiments = list(document.problems), []
    for point in points:
        problems += point.problems  # a swept key that cannot be set
        loaded = _experiment(point, path.parent, model)
        if isinstance(loaded, Experiment):
            experiments.append(loaded)
        else:
            problems += loaded
    if problems:
        places = {
            problem: (problem.place.line or 0, problem.place.column or 0) for problem in problems
        }
        raise ConfigError(sorted(places, key=places.__getitem__))
    return experiments


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        folder = path.parent if path.parent.is_dir() else configs_folder()
        known = [str(p) for p in sorted(folder.glob("*.y*ml"))]
        message = "no such file" + _closest(str(path), known)
    except IsADirectoryError:
        found = sorted(path.glob("*.y*ml"))
        message = "is a folder; name its configs" + (f", as in {found[0]}" if found else "")
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    raise ConfigError([Problem(Place(str(path)), "", message)])


def _override(document: Document, option: str, text: str) -> None:
    """Set ``KEY=VALUE`` in the document; KEY may be dotted, as in ``dataset.noise``."""
    place = Place(option)
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        message = "must be KEY=VALUE, as in --set learning_rate=0.1"
        document.problems.append(Problem(place, "", message))
        return
    try:
        parsed = parse(option, value, fixed=place)
    except ConfigError as error:
        document.problems += error.problems
        return
    document.problems += parsed.problems
    _assign(document, key.strip(), parsed.data, place)


def _assign(document: Document, dotted: str, value: Any, place: Place) -> None:
    """Set a dotted key, and remember that it stands at ``place``."""
    target = document.data
    *outer, last = parts = dotted.split(".")
    for depth, part in enumerate(outer, 1):
        inner = target.get(part)
        if inner is None and part in _CHOICES and part in Experiment.model_fields:
            default = Experiment.model_fields[part].default
            inner = default.name if isinstance(default, Choice) else None
        if isinstance(inner, str):  # `dataset: circles` grows to {name: circles, noise: ...}
            inner = {"name": inner}
        if not isinstance(inner, dict):
            message = f"{'.'.join(parts[:depth])} has no keys of its own to set"
            document.problems.append(Problem(place, dotted, message))
            return
        target[part] = inner
        target = inner
    target[last] = value
    path = tuple(parts)
    for places in (document.keys, document.values):
        for stale in [p for p in places if p[: len(path)] == path]:
            del places[stale]  # what stood there before stands there no more
        places[path] = place


def _grid(document: Document) -> list[Document]:
    """One document for each point of the config's sweep, its sweep narrowed to that point."""
    sweep = document.data.get("sweep")
    if not isinstance(sweep, dict) or not all(isinstance(v, list) and v for v in sweep.values()):
        return [document]  # no sweep, or one that the model will judge
    size = math.prod(map(len, sweep.values()))
    problems = []
    for key in sweep:
        if key.split(".")[0] in UNSWEPT:
            place = document.place(("sweep", key), of_key=True)
            problems.append(Problem(place, f"sweep.{key}", f"{key} cannot be swept; remove it"))
    if size > MAX_GRID:
        place = document.place(("sweep",), of_key=True)
        message = f"has {size:,} combinations; at most {MAX_GRID:,} are allowed"
        problems.append(Problem(place, "sweep", message))
    if problems:
        document.problems += problems
        return [document]
    # A point holds neither the sweep nor its places: a grid's memory is not its size squared.
    data = {key: value for key, value in document.data.items() if key != "sweep"}
    keys, values = (
        {path: place for path, place in places.items() if path[:1] != ("sweep",)}
        for places in (document.keys, document.values)
    )
    points = []
    for indices in itertools.product(*(range(len(choices)) for choices in sweep.values())):
        setting = {key: sweep[key][i] for key, i in zip(sweep, indices, strict=True)}
        point = Document(document.source, copy.deepcopy(data), [], {**keys}, {**values})
        for (key, value), index in zip(setting.items(), indices, strict=True):
            _assign(point, key, copy.deepcopy(value), document.place(("sweep", key, index)))
        point.data["sweep"] = {key: [value] for key, value in setting.items()}
        points.append(point)
    return points


def _experiment(
    document: Document, folder: Path, model: type[Experiment]
) -> Experiment | list[Problem]:
    """The document's Experiment with its sizes settled, or its problems."""
    try:
        experiment = model(**document.data)
    except ValidationError as error:
        return _problems(document, error.errors(), model)
    try:
        data = datasets.load(experiment.dataset, folder)
    except DataError as error:
        return [Problem(document.place(("dataset",)), "dataset", str(error))]
    return _settled(document, experiment, folder, data)


def _settled(
    document: Document, experiment: Experiment, folder: Path, data: datasets.Dataset
) -> Experiment | list[Problem]:
    """Give the network the sizes that its data need, or say which do not fit."""
    problems = []
    inputs, outputs = len(data.train.inputs), len(data.train.targets)
    samples = data.train.inputs.shape[1]
    if experiment.layers is None:
        assert experiment.width is not None
        assert experiment.depth is not None
        sizes = (inputs, *[experiment.width] * experiment.depth, outputs)
    else:
        sizes = experiment.layers
        for index, needed, what in (
            (0, inputs, f"the features of {experiment.dataset.name}"),
            (len(sizes) - 1, outputs, f"the outputs that {experiment.dataset.name} needs"),
        ):
            if sizes[index] != needed:
                place = document.place(("layers", index))
                message = f"must be {needed}, {what}, got {sizes[index]}; write {needed}"
                problems.append(Problem(place, f"layers[{index}]", message))
    if experiment.batch_size is not None and experiment.batch_size > samples:
        message = (
            f"must be at most {samples}, the train samples of {experiment.dataset.name}, got "
            f"{experiment.batch_size}; write null for the full batch"
        )
        problems.append(Problem(document.place(("batch_size",)), "batch_size", message))
    problems += _strangers(document, experiment)
    # model_copy keeps the checked fields as they are; the sizes were checked just above.
    settled = experiment.model_copy(update={"layers": sizes, "width": None, "depth": None})
    if isinstance(experiment.dataset, spec.FileDataset):
        absolute = str((folder / experiment.dataset.path).resolve())
        dataset = experiment.dataset.model_copy(update={"path": absolute})
        settled = settled.model_copy(update={"dataset": dataset})
    if not problems and (excess := plan.memory_excess(settled, samples)):
        key = "layers" if experiment.layers is not None else "width"
        problems.append(Problem(document.place((key,)), key, excess))
    return problems or settled


def _strangers(document: Document, experiment: Experiment) -> list[Problem]:
    """Initializers that an expectation names and the config does not."""
    problems = []
    labels = [choice.label for choice in experiment.initializer]
    for index, expectation in enumerate(experiment.expect):
        for key in ("initializer", *RELATIONS):
            name = getattr(expectation, key)
            if name is not None and experiment.called(name) is None:
                message = f"is none of this config's initializers, got the text {name!r}" + (
                    _closest(name, labels) or f"; it has {', '.join(labels)}"
                )
                place = document.place(("expect", index, key))
                problems.append(Problem(place, f"expect[{index}].{key}", message))
    return problems


def _problems(
    document: Document, errors: Iterable[ErrorDetails], model: type[Experiment]
) -> list[Problem]:
    errors = list(errors)
    locations = [error["loc"] for error in errors]
    problems = []
    for error in errors:
        outer = error["loc"]
        inner = any(len(loc) > len(outer) and loc[: len(outer)] == outer for loc in locations)
        if error["type"] == "too_short" and inner:
            continue  # pydantic counts only the valid items: an echo of an inner problem
        path = _path(document.data, outer, missing=error["type"] == "missing")
        problems.append(_problem(document, path, error, model))
    return problems


def _path(data: Any, location: tuple[int | str, ...], *, missing: bool) -> KeyPath:
    """A pydantic location as a path into the document.

    Pydantic's also holds the chosen model's name, and an index where the document has a
    single value in a list's stead; neither stands in the document.
    """
    path: list[int | str] = []
    for part in location:
        held = isinstance(data, dict) and part in data
        if held or (isinstance(data, list) and isinstance(part, int)):
            data = data[part]
        elif not (missing and part == location[-1]):
            continue  # a model's name, or the index of the only item
        path.append(part)
    return tuple(path)


def _problem(
    document: Document, path: KeyPath, error: ErrorDetails, model: type[Experiment]
) -> Problem:
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")
    kind, context, got = error["type"], error.get("ctx", {}), _shown(error["input"])
    place = document.place(path, of_key=kind == "extra_forbidden")
    last = str(path[-1]) if path else ""
    match kind:
        case "missing":
            message = "is missing" + _example(path)
        case "extra_forbidden":
            known = _known_keys(path, error["loc"], model)
            message = "unknown key" + (_closest(last, known) or f"; known: {', '.join(known)}")
        case "union_tag_invalid":
            got = error["input"]["name"]
            # Who names no framework need not read the names of their code.
            names = _registry(path, model)
            registry = [name for name in names if (":" in name) == (":" in str(got))]
            place = document.values.get((*path, "name"), place)
            message = f"unknown name {got!r}" + (
                _closest(spelled(str(got)), registry) or _known(str(path[0]), registry)
            )
        case "union_tag_not_found" | "model_attributes_type":
            message = f"must be a name or {{name: ..., parameter: ...}}, got {got}{_example(path)}"
        case "int_type" | "int_from_float" | "int_parsing_size":
            message = f"must be a whole number, got {got}{_example(path)}"
        case "float_type":
            message = f"must be a number, got {got}{_example(path)}"
        case "finite_number":
            message = f"must be a finite number, got {got}{_example(path)}"
        case "string_type":
            message = f"must be a text, got {got}; put it in quotes"
        case "tuple_type" if last == "seeds":
            message = f"must be a count from 1 to {spec.MAX_SEEDS:,} or a list of seeds, got {got}"
        case "tuple_type" | "too_short":
            least = context.get("min_length", 1)
            message = f"must be a list of at least {least}, got {got}{_example(path)}"
        case "dict_type" | "model_type":
            message = f"must be `key: value` lines, got {got}"
        case "literal_error":
            allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            message = f"must be one of {', '.join(allowed)}, got {got}"
            message += _closest(str(error["input"]), allowed)
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
            (bound, limit), *_ = context.items()
            figure = f"{limit:,}" if isinstance(limit, int) else f"{limit:g}"
            message = f"must be {words[bound]} {figure}, got {got}{_example(path)}"
        case "string_pattern_mismatch" if last == "metric":
            message = (
                f"must be {metrics.known()}, or one of these @ an iteration, got {got}; "
                "write e.g. train_loss@14000"
            )
        case "string_pattern_mismatch":
            message = (
                f"must be a plain file name, at most 100 characters, no separators, got {got}; "
                "results are written under it"
            )
        case "string_too_short":
            message = f"must not be empty, got {got}"
        case "value_error":
            message = str(context["error"])
        case _:
            message = f"{error['msg']}, got {got}"
    return Problem(place, key, message)


def _shown(value: Any) -> str:
    """A value as a config writes it, cut to a readable length."""
    if isinstance(value, str):
        text = f"the text {value!r}"
    elif isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    elif isinstance(value, tuple | list):
        text = f"[{', '.join(map(str, value))}]"
    else:
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _example(path: KeyPath) -> str:
    """`; write e.g. key: value`, where the model gives an example of the key."""
    field = Experiment.model_fields.get(str(path[0])) if path else None
    if field is None or not field.examples or len(path) > 1:
        return ""
    return f"; write e.g. `{path[0]}: {field.examples[0]}`"


def _known(kind: str, names: Sequence[str]) -> str:
    """`; known: ...`, or where they fill a screen, how to see them."""
    if len(names) <= LISTED:
        return f"; known: {', '.join(names)}"
    hint = "; your own need --plugin FILE" if kind == "initializer" else ""
    return f"; `initbench list {kind}s` has all {len(names)}{hint}"


def _closest(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`: the name most like ``word``, or those that it begins (`he`)."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1)
    if not close and word:
        close = [name for name in names if name.startswith(f"{word}_")]
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


def _registry(path: KeyPath, model: type[Experiment]) -> Mapping[str, type[Choice]]:
    registries: dict[str, Mapping[str, type[Choice]]] = {
        "initializer": model.initializer_models,
        "activation": spec.ACTIVATION_MODELS,
        "optimizer": spec.OPTIMIZER_MODELS,
        "dataset": spec.DATASET_MODELS,
    }
    return registries[str(path[0])]


def _known_keys(
    path: KeyPath, location: tuple[int | str, ...], model: type[Experiment]
) -> list[str]:
    """The keys that may stand where ``path`` ends; pydantic's location names the model."""
    if len(path) == 1:
        return list(Experiment.model_fields)
    if path[0] in ("expect", "gate"):
        return list((Expectation if path[0] == "expect" else Gate).model_fields)
    return list(_registry(path, model)[str(location[-2])].model_fields)
