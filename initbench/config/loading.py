"""Loading: config files and options -> Experiments, or all problems of all files at once."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from initbench import datasets
from initbench.config.amount import excess
from initbench.config.document import Document, read
from initbench.config.messages import closest, problems_of
from initbench.config.overrides import override
from initbench.config.promises import broken_promises
from initbench.config.settle import settled
from initbench.config.sweep import equal_values, points_of
from initbench.errors import ConfigError, DataError, Place, Problem
from initbench.spec import Experiment


def load(
    sources: Sequence[str | Path | Document],
    overrides: Sequence[tuple[str, str]] = (),
    model: type[Experiment] = Experiment,
    *,
    judged: bool = False,
) -> list[Experiment]:
    """The Experiments of configs: one for each config, or for each point of its sweep.

    Args:
        sources: Paths of files, or documents that were made elsewhere.
        overrides: Pairs of an option as the user wrote it and ``KEY=VALUE``; they win over the
            files.
        model: Experiment, or what :func:`initbench.spec.with_initializers` makes of it.
        judged: Whether the expectations will be judged: then those that cannot be are problems.

    Raises:
        ConfigError: It holds every problem of every file, each with its place and the fix.
    """
    problems: list[Problem] = []
    experiments: list[Experiment] = []
    places: dict[str, str] = {}
    for source in sources:
        place = source.source if isinstance(source, Document) else str(source)
        try:
            loaded = _load_one(source, overrides, model, judged=judged)
        except ConfigError as error:
            problems += error.problems
            continue
        name = loaded[0].name
        if name in places:
            problems.append(
                Problem(
                    Place(place), "name",
                    f"{name!r} is also the name of {places[name]}, whose results it would "
                    "overwrite; give one another name",
                )
            )  # fmt: skip
        places[name] = place
        experiments += loaded
    if problems:
        # A wrong override is wrong for every config, and is said once.
        raise ConfigError(list(dict.fromkeys(problems)))
    return experiments


def configs_folder() -> Path:
    """The folder of all configs: ./configs if there is one, else initbench's own."""
    here = Path("configs")
    if here.is_dir():
        return here
    package = Path(str(files("initbench")))
    shipped = package / "configs"
    # An editable install has them beside the package instead of inside it.
    return shipped if shipped.is_dir() else package.parent / "configs"


def all_configs() -> list[Path]:
    """Every config that stands directly in the configs folder, sorted by name."""
    folder = configs_folder()
    found = sorted(path for path in folder.glob("*.y*ml") if path.suffix in {".yaml", ".yml"})
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
        document, name = read(str(source), _content(Path(source))), Path(source).stem
    for option, text in overrides:
        override(document, option, text)
    document.data.setdefault("name", name)
    return document


def _load_one(
    source: str | Path | Document,
    overrides: Sequence[tuple[str, str]],
    model: type[Experiment],
    *,
    judged: bool,
) -> list[Experiment]:
    document = read_config(source, overrides)
    folder = Path() if isinstance(source, Document) else Path(source).parent
    if too_much := excess(document):
        raise ConfigError([*document.problems, *too_much])
    points = points_of(document, model)
    # Taken after that, since it may add to the document's problems.
    problems, experiments = list(document.problems), []
    for point in points:
        problems += point.problems  # a swept key that cannot be set
        loaded = _experiment(point, folder, model, judged=judged)
        if isinstance(loaded, Experiment):
            experiments.append(loaded)
        else:
            problems += loaded
    if not problems and len(points) > 1:
        problems = equal_values(document, experiments)
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
        message = "no such file" + closest(str(path), known)
    except IsADirectoryError:
        found = sorted(path.glob("*.y*ml"))
        message = "is a folder; name its configs" + (f", as in {found[0]}" if found else "")
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    raise ConfigError([Problem(Place(str(path)), "", message)])


def _experiment(
    document: Document, folder: Path, model: type[Experiment], *, judged: bool
) -> Experiment | list[Problem]:
    """The document's Experiment with its sizes settled, or its problems."""
    try:
        experiment = model(**document.data)
    except ValidationError as error:
        return problems_of(document, error.errors(), model)
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
