"""What pydantic finds wrong with a document, as problems with place, what was got, and fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from initbench import metrics, spec
from initbench.config.document import Document, KeyPath
from initbench.errors import Problem
from initbench.spec import Experiment
from initbench.spec.choice import Choice, registry_spelling
from initbench.spec.expectations import Expectation, Gate

#: A message lists at most this many names.
LISTED = 15


def problems_of(
    document: Document, errors: Iterable[ErrorDetails], model: type[Experiment]
) -> list[Problem]:
    """A problem for each mistake that pydantic found in the document's data."""
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
            message = "unknown key" + (closest(last, known) or f"; known: {', '.join(known)}")
        case "union_tag_invalid":
            got = error["input"]["name"]
            # Who names no framework need not read the names of their code.
            names = _registry(path, model)
            registry = [name for name in names if (":" in name) == (":" in str(got))]
            place = document.values.get((*path, "name"), place)
            message = f"unknown name {got!r}" + (
                closest(registry_spelling(str(got)), registry) or _known(str(path[0]), registry)
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
            message += closest(str(error["input"]), allowed)
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


def closest(word: str, known: Iterable[str]) -> str:
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
