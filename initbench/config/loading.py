"""Loading: config files and options -> Experiments, or all problems of all files at once."""

from __future__ import annotations

import copy
import os
import shlex
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from initbench import datasets
from initbench.config import plugins
from initbench.config.amount import excess
from initbench.config.document import Document, read
from initbench.config.layers import problems_of_layers
from initbench.config.messages import closest, likest, problems_of, question
from initbench.config.overrides import override
from initbench.config.plugins import Allowed
from initbench.config.promises import broken_promises, unmatched_points
from initbench.config.settle import settled
from initbench.config.sweep import equal_values, points_of
from initbench.errors import ConfigError, DataError, Place, PluginError, Problem
from initbench.spec import Experiment

#: What pydantic says of a name that it does not know, and of a list that has no other names.
UNKNOWN = ("union_tag_invalid", "too_short")
#: The endings of a config's file.
ENDINGS = (".yaml", ".yml")


def load(
    sources: Sequence[str | Path | Document],
    overrides: Sequence[tuple[str, str]] = (),
    allowed: Allowed = Allowed(),  # noqa: B008  # it is frozen
    *,
    judged: bool = False,
) -> list[Experiment]:
    """The Experiments of configs: one for each config, or for each point of its sweep.

    Args:
        sources: Paths of files, names of configs (:func:`named_configs`), or documents that were
            made elsewhere.
        overrides: Pairs of an option as the user wrote it and ``KEY=VALUE``; they win over the
            files.
        allowed: The plugin files that may be run.
        judged: Whether the expectations will be judged: then those that cannot be are problems.

    Raises:
        ConfigError: It holds every problem of every file, each with its place and the fix.
        PluginError: A file that ``allowed`` names cannot be used.
    """
    model_of = cache(plugins.experiment)  # of a tuple of files; configs often share one
    model_of(tuple(allowed.files))
    problems: list[Problem] = []
    experiments: list[Experiment] = []
    places: dict[str, str] = {}
    for source in sources:
        place = source.source if isinstance(source, Document) else str(source)
        try:
            loaded = _load_one(source, overrides, allowed, model_of, judged=judged)
        except ConfigError as error:
            problems += error.problems
            continue
        name = loaded[0].name
        # Some file systems do not tell He from he, nor the two forms of an accented letter.
        key = unicodedata.normalize("NFC", name).casefold()
        if places.get(key) == place:
            problems.append(Problem(Place(place), "", "is named twice; name it once"))
        elif key in places:
            problems.append(
                Problem(
                    Place(place), "name",
                    f"{name!r} is also the name of {places[key]}, whose results it would "
                    "overwrite; give one another name",
                )
            )  # fmt: skip
        places[key] = place
        experiments += loaded
    if problems:
        # A wrong override is wrong for every config, and is said once.
        raise ConfigError(list(dict.fromkeys(problems)))
    return experiments


def configs_folder() -> Path:
    """The folder of all configs: ./configs if there is one, else initbench's own."""
    here = Path("configs")
    return here if here.is_dir() else shipped_folder()


def shipped_folder() -> Path:
    """The folder of the configs that come with initbench."""
    package = Path(str(files("initbench")))
    shipped = package / "configs"
    # An editable install has them beside the package instead of inside it.
    return shipped if shipped.is_dir() else package.parent / "configs"


def named_configs() -> dict[str, Path]:
    """The configs that a bare name stands for: those of ./configs, and those of initbench.

    A name is a file's without its ending, and ./configs comes first.
    """
    own = Path("configs")
    found = [
        *_yaml_files(shipped_folder(), "**/*"),
        *(_yaml_files(own, "*") if own.is_dir() else ()),
    ]
    return {path.stem: path for path in found}


def located(source: str | Path) -> Path:
    """The file of a config: the path itself, with a YAML ending, or what a bare name stands for."""
    path = Path(source)
    # os.path answers False where pathlib raises: for a name that is too long, or has a NUL.
    if os.path.isfile(path) or path.suffix in ENDINGS:
        return path
    for ending in ENDINGS:
        if os.path.isfile(beside := f"{source}{ending}"):
            return Path(beside)
    return named_configs().get(str(source), path)


def _yaml_files(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(f"{pattern}.y*ml") if path.suffix in ENDINGS)


def all_configs() -> list[Path]:
    """Every config that stands directly in the configs folder, sorted by name."""
    folder = configs_folder()
    found = _yaml_files(folder, "*")
    if not found:
        message = "holds no config (*.yaml); name configs, or add some"
        raise ConfigError([Problem(Place(str(folder)), "", message)])
    return found


def from_options(
    options: Sequence[tuple[str, str]], model: type[Experiment] = Experiment
) -> Experiment:
    """The Experiment that options describe without a file; no data set is read.

    ``options`` are pairs of an option as the user wrote it and ``KEY=VALUE``. They must give
    ``initializer`` and the sizes of the layers; the other required keys have placeholders.
    """
    document = Document("", {"name": "options", "iterations": 1, "learning_rate": 1.0})
    for option, text in options:
        override(document, option, text)
    try:
        experiment = model(**document.data)
    except ValidationError as error:
        document.problems += problems_of(document, error.errors(), model)
    else:
        layers = len(experiment.architecture.shapes)
        document.problems += problems_of_layers(document, experiment, layers)
    if document.problems:
        raise ConfigError(document.problems)
    return experiment


def read_config(
    source: str | Path | Document, overrides: Sequence[tuple[str, str]] = ()
) -> Document:
    """A config as a document: its data with the overrides and its name, and all places.

    The name is the file's without its ending, or the document's own, unless the config has another.
    """
    if isinstance(source, Document):
        document, name = copy.deepcopy(source), source.source
    else:
        path = located(source)
        document, name = read(str(path), _content(path)), path.stem
    for option, text in overrides:
        override(document, option, text)
    document.data.setdefault("name", name)
    return document


def _load_one(
    source: str | Path | Document,
    overrides: Sequence[tuple[str, str]],
    allowed: Allowed,
    model_of: Callable[[tuple[str | Path, ...]], type[Experiment]],
    *,
    judged: bool,
) -> list[Experiment]:
    document = read_config(source, overrides)
    folder = Path() if isinstance(source, Document) else Path(document.source).parent
    if too_much := excess(document):
        raise ConfigError([*document.problems, *too_much])
    model, missing = _with_own_plugins(document, folder, allowed, model_of)
    points = points_of(document, model)
    # Taken after that, since it may add to the document's problems.
    problems, experiments = [*missing, *document.problems], []
    for point in points:
        problems += point.problems  # a swept key that cannot be set
        loaded = _experiment(point, folder, model, judged=judged, complete=not missing)
        if isinstance(loaded, Experiment):
            experiments.append(loaded)
        else:
            problems += loaded
    if not problems and len(points) > 1:
        problems = equal_values(document, experiments)
    if judged and len(experiments) == len(points):
        problems += unmatched_points(document, experiments)
    if problems:
        places = {
            problem: (problem.place.line or 0, problem.place.column or 0) for problem in problems
        }
        raise ConfigError(sorted(places, key=places.__getitem__))
    return experiments


def _with_own_plugins(
    document: Document,
    folder: Path,
    allowed: Allowed,
    model_of: Callable[[tuple[str | Path, ...]], type[Experiment]],
) -> tuple[type[Experiment], list[Problem]]:
    """The model that knows the document's plugins, and a problem for each that is not loaded."""
    own = document.data.get("plugins")
    files, problems = tuple(allowed.files), []
    for index, name in enumerate(own if isinstance(own, list) else []):
        if not isinstance(name, str) or allowed.named(folder / name):
            continue  # the model says what is wrong with a number; a named file is loaded already
        option = f"--plugin {shlex.quote(str(folder / name))}"
        message = (
            f"{folder / name} is code, which a config does not run by itself; look at it, then add "
            f"--trust-plugins or {option} (in Python trust_plugins=True)"
        )
        if allowed.trusted:
            try:
                model_of((*files, folder / name))
                files = (*files, folder / name)
                continue
            except PluginError as error:
                message = str(error)
        problems.append(Problem(document.place(("plugins", index)), f"plugins[{index}]", message))
    return model_of(files), problems


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        folder = path.parent if os.path.isdir(path.parent) else configs_folder()
        known = {each.stem: str(each) for each in _yaml_files(folder, "*")}
        like = [known[stem] for stem in likest(path.stem, known)]
        message = "no such file" + question(like)
        if path.name == str(path) and not path.suffix:
            message = "no such file, and no config of this name" + (
                question(like)
                or closest(str(path), named_configs())
                or "; `initbench list configs` shows all names"
            )
    except IsADirectoryError:
        found = _yaml_files(path, "*")
        message = "is a folder; name its configs" + (f", as in {found[0]}" if found else "")
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    raise ConfigError([Problem(Place(str(path)), "", message)])


def _experiment(
    document: Document, folder: Path, model: type[Experiment], *, judged: bool, complete: bool
) -> Experiment | list[Problem]:
    """The document's Experiment with its sizes settled, or its problems.

    Unless the model is ``complete``, an unknown initializer may be one of a plugin that was not
    loaded, which is said already.
    """
    try:
        experiment = model(**document.data)
    except ValidationError as error:
        errors = [
            one
            for one in error.errors()
            if complete or one["loc"][0] != "initializer" or one["type"] not in UNKNOWN
        ]
        return problems_of(document, errors, model)
    try:
        data = datasets.load(experiment.dataset, folder)
    except DataError as error:
        place = document.place(("dataset",))
        return [Problem(place, "dataset", line) for line in str(error).splitlines()]
    found = settled(document, experiment, folder, data)
    broken = broken_promises(document, experiment, data) if judged else []
    if not broken:
        return found
    return [*(found if isinstance(found, list) else []), *broken]
