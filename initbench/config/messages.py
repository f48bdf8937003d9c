"""Messages: pydantic's errors as problems, each with its place, what was got, and the fix."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from initbench import metrics, spec
from initbench.config import pointers
from initbench.config.document import Document, KeyPath, spelled
from initbench.errors import MAX_LISTED, Problem
from initbench.spec import Experiment
from initbench.spec.by_layer import BY_LAYER, ROLES, is_layer_key
from initbench.spec.choice import registry_spelling
from initbench.spec.expectations import Expectation, Gate
from initbench.spec.kinds import Kind, kinds

#: The keys that choose a model by its name.
CHOICES = ("initializer", "activation", "dataset", "optimizer")
#: How like a name another must be to be meant, from 0 to 1: `mnist` is not `moons`.
LIKENESS = 0.65
#: A message lists at most this many names.
LISTED = 15


@dataclass(frozen=True, slots=True)
class _Mistake:
    """One error of pydantic's, with the path in the document that it is about."""

    path: KeyPath
    error: ErrorDetails
    model: type[Experiment]
    data: Any

    @property
    def key(self) -> str:
        """The path as :func:`spelled`."""
        return spelled(self.path)

    @property
    def last(self) -> str:
        """The last key of the path."""
        return str(self.path[-1]) if self.path else ""

    @property
    def beside(self) -> dict[str, Any]:
        """The mapping of the document that has the key."""
        held = self.data
        for part in self.path[:-1]:
            held = held[part]
        return dict(held)

    @property
    def field(self) -> FieldInfo | None:
        """The model's field of a key of the config, or of a parameter; None for other keys."""
        if len(self.path) == 1:
            return Experiment.model_fields.get(self.last)
        kind = kinds(self.model).get(str(self.path[0]))
        if kind is None:
            return None
        chosen = next((str(p) for p in self.error["loc"][1:] if p in kind.models), None)
        return kind.models[chosen].model_fields.get(self.last) if chosen else None

    @property
    def limits(self) -> Mapping[str, Any]:
        """What pydantic adds to some errors: the bound, the words that are allowed."""
        return self.error.get("ctx", {})

    @property
    def got(self) -> str:
        """`got ...`: the value as a config writes it."""
        return f"got {shown(self.error['input'])}"

    @property
    def example(self) -> str:
        """`; write e.g. key: value`, if the model has an example of a top-level key."""
        field = Experiment.model_fields.get(str(self.path[0])) if len(self.path) == 1 else None
        if field is None or not field.examples:
            return ""
        return f"; write e.g. `{self.last}: {field.examples[0]}`"


def problems_of(
    document: Document, errors: Sequence[ErrorDetails], model: type[Experiment]
) -> list[Problem]:
    """A problem for each mistake that pydantic found in the document's data.

    A file that is wrong from end to end has as many mistakes as it has lines: looking for the
    closest name of each would take minutes, so there are problems for the first few only.
    """
    items = {error["loc"][:length] for error in errors for length in range(len(error["loc"]))}
    problems = []
    for error in errors[: MAX_LISTED + 1]:
        if error["type"] == "too_short" and error["loc"] in items:
            continue  # pydantic counts only the valid items: this repeats a problem of an item
        path = _path(document.data, error["loc"], missing=error["type"] == "missing")
        problems.append(_problem(document, _Mistake(path, error, model, document.data)))
    return problems


def closest(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`: the name most like ``word``, or the names that it begins (`he`)."""
    return question(likest(word, known))


def likest(word: str, known: Iterable[str]) -> list[str]:
    """The name most like ``word``, or the names that it begins; none where none is like it."""
    names = list(known)
    if len(word) > 100:
        return []  # no typo of any name, and slow to compare
    close = difflib.get_close_matches(word, names, n=1, cutoff=LIKENESS)
    if not close and word:
        close = [name for name in names if name.startswith(f"{word}_")]
    return close


def question(names: Sequence[str]) -> str:
    """`; did you mean ...?` of these names; empty where there are none."""
    return f"; did you mean {' or '.join(map(repr, names))}?" if names else ""


def _path(data: Any, location: tuple[int | str, ...], *, missing: bool) -> KeyPath:
    """A pydantic location as a path into the document.

    A location also holds the name of the model that was chosen, and an index where the document
    has a single value instead of a list; neither stands in the document.
    """
    path: list[int | str] = []
    chosen = next((i for i, part in enumerate(location[1:], 1) if isinstance(part, str)), None)
    if location and location[0] in CHOICES and chosen is not None:
        location = (*location[:chosen], *location[chosen + 1 :])  # data sets have a key `file`
    for part in location:
        held = isinstance(data, dict) and part in data
        if held or (isinstance(data, list) and isinstance(part, int)):
            data = data[part]
        elif not (missing and part == location[-1]):
            continue  # a model's name, or the index of the only item
        path.append(part)
    return tuple(path)


def _problem(document: Document, mistake: _Mistake) -> Problem:
    kind = mistake.error["type"]
    of_key = kind == "extra_forbidden" or mistake.error["loc"][-1:] == ("[key]",)
    place = document.place(mistake.path, of_key=of_key)
    if kind == "union_tag_invalid":  # the name is wrong, not the whole mapping
        place = document.values.get((*mistake.path, "name"), place)
    message = MESSAGES.get(kind, _in_pydantic_s_words)
    return Problem(place, mistake.key, message(mistake))


def _must_be(what: str, fix: str = "") -> Callable[[_Mistake], str]:
    """The message of a value that must be ``what``."""

    def message(mistake: _Mistake) -> str:
        hint = _as_written(mistake) or fix or mistake.example
        return f"must be {what}, {mistake.got}{hint}"

    return message


def _as_written(mistake: _Mistake) -> str:
    """How a value is written that other libraries, or people, write otherwise."""
    value = mistake.error["input"]
    if hint := pointers.of_value(mistake.last, value):
        return hint
    sizes = re.findall(r"\d+", value) if isinstance(value, str) else []
    if mistake.path[0] == "layers" and len(mistake.path) > 1 and len(sizes) > 1:
        return f"; write {', '.join(sizes)}"
    field = mistake.field
    nothing = isinstance(value, str) and value.lower() in ("none", "nothing", "na")
    return "; write null" if nothing and field is not None and field.default is None else ""


def _unknown_key(mistake: _Mistake) -> str:
    known = _known_keys(mistake)
    inside = len(mistake.path) > 1
    hint = pointers.of_key(
        str(mistake.path[0]) if inside else "",
        str(mistake.error["loc"][-2]) if inside else "",
        mistake.last,
        known,
        mistake.beside,
    )
    if inside and mistake.path[0] in BY_LAYER and is_layer_key(mistake.last):
        hint = "; a mapping by layer, as {hidden: ..., output: ...}, has no name of its own"
    hint = hint or closest(mistake.last, known)
    if not hint and known == ["name"]:
        hint = f"; {mistake.error['loc'][-2]} takes no parameters, remove it"
    hint = hint or ("" if inside else _of_a_part(mistake)) or f"; known: {', '.join(known)}"
    return f"unknown key{hint}"


def _of_a_part(mistake: _Mistake) -> str:
    """Where a key of the config stands that is a parameter of what another key names."""
    for key, kind in kinds(mistake.model).items():
        given = mistake.data.get(key, Experiment.model_fields[key].get_default())
        named = given.get("name") if isinstance(given, dict) else getattr(given, "name", given)
        chosen = kind.find(named) if isinstance(named, str) else None
        if chosen and mistake.last in kind.models[chosen].model_fields:
            value = mistake.error["input"]
            form = f"{{name: {chosen}, {mistake.last}: {value if _is_plain(value) else '...'}}}"
            return f"; write {key}: {form}"
    return ""


def _is_plain(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and value.isidentifier())


def _unknown_name(mistake: _Mistake) -> str:
    kind, name = str(mistake.path[0]), mistake.error["input"]["name"]
    if not isinstance(name, str):
        return f"its name must be a text, got {shown(name)}"
    names, aliases = _likely(name, _kind(mistake))
    meant = pointers.of_name(kind, name, [*names, *aliases])
    if kind == "dataset" and {".", "/"} & set(name):
        form = f"{{name: file, path: {name}, target: COLUMN}}"
        return f"unknown name {_shortened(repr(name))}; write {form}"
    hint = question(meant) or closest(registry_spelling(name), [*names, *aliases])
    if not hint and len(names) <= LISTED:
        hint = f"; known: {', '.join(names)}"
    if not hint:
        own = "; for one of your own add --plugin FILE" if kind == "initializer" else ""
        listed = "frameworks" if ":" in name else f"{kind}s"
        hint = f"; `initbench list {listed}` shows all {len(names)}{own}"
    return f"unknown name {_shortened(repr(name))}{hint}"


def _likely(name: str, kind: Kind) -> tuple[list[str], list[str]]:
    """The names and the aliases of a kind that a misspelt one may stand for."""
    # A name without a colon means no framework's own code, whose names have one.
    names = [known for known in kind.models if (":" in known) == (":" in name)]
    return names, [alias for alias in kind.aliases if ":" not in name]


def unknown_anywhere(name: str, known: Mapping[str, Kind], others: Iterable[str]) -> str:
    """The message about a name that is of no kind; ``others`` are names that no config writes."""
    names = list(others)
    for key, kind in known.items():
        likely = [each for several in _likely(name, kind) for each in several]
        if meant := pointers.of_name(key, name, likely):
            return f"unknown name {_shortened(repr(name))}{question(meant)}"
        names += likely
    hint = closest(registry_spelling(name), names)
    own = "; `initbench list` shows all names; for an initializer of your own add --plugin FILE"
    return f"unknown name {_shortened(repr(name))}{hint or own}"


def _no_list(mistake: _Mistake) -> str:
    if mistake.last == "seeds":
        return f"must be a count from 1 to {spec.MAX_SEEDS:,} or a list of seeds, {mistake.got}"
    value, fix = mistake.error["input"], ""
    if mistake.last == "layers":
        sizes = re.findall(r"\d+", value) if isinstance(value, str) else []
        fix = f"; write [{', '.join(sizes)}]" if len(sizes) > 1 else ""
    elif isinstance(value, dict):
        fix = "; write it in brackets, [{...}]"
    elif isinstance(value, str | int | float) and mistake.last != "expect":
        fix = f"; write [{value}]"
    return _must_be("a list", fix)(mistake)


def _too_short(mistake: _Mistake) -> str:
    least = mistake.limits["min_length"]
    return _must_be(f"a list of at least {least} value{'s' if least > 1 else ''}")(mistake)


def _none_of_the_words(mistake: _Mistake) -> str:
    words = str(mistake.limits["expected"]).replace("'", "").replace(" or ", ", ")
    hint = _as_written(mistake) or closest(str(mistake.error["input"]), words.split(", "))
    # A gain may be a word or a number.
    number = "a number above 0, or " if mistake.error["loc"][-1] == "word" else ""
    return f"must be {number}one of {words}, {mistake.got}{hint}"


def _outside_a_bound(mistake: _Mistake) -> str:
    words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    (bound, limit), *_ = mistake.limits.items()
    figure = f"{limit:,}" if isinstance(limit, int) else f"{limit:g}"
    return _must_be(f"{words[bound]} {figure}")(mistake)


def _not_in_the_pattern(mistake: _Mistake) -> str:
    if mistake.error["loc"][-1] == "[key]":  # of a mapping by layer
        hint = closest(mistake.last, ROLES) or f"; write {', '.join(ROLES)}, or a layer's number"
        return f"unknown layer{hint}"
    if mistake.last == "metric":
        word = str(mistake.error["input"]).partition("@")[0]
        meant = [name for name in metrics.METRICS if name.endswith(f"_{word}")]
        hint = question(meant) or closest(word, metrics.METRICS) or "; write e.g. train_loss@14000"
        return f"must be {metrics.known()}, or one of these @ an iteration, {mistake.got}{hint}"
    return (
        "must be a plain file name of at most 100 characters without separators, "
        f"{mistake.got}; results are written under it"
    )


def _in_pydantic_s_words(mistake: _Mistake) -> str:
    return f"{mistake.error['msg']}, {mistake.got}"


_WHOLE_NUMBER = _must_be("a whole number")


def _no_choice(mistake: _Mistake) -> str:
    key, *inside = mistake.path
    value = mistake.error["input"]
    own_data = mistake.last == "dataset" and isinstance(value, dict) and "path" in value
    forms = ["a name", *(["a number"] if key == "bias" else []), "{name: ..., parameter: ...}"]
    if key in BY_LAYER and not any(isinstance(part, str) for part in inside):
        forms.append("{hidden: ..., output: ...}")
    words = f"{', '.join(forms[:-1])} or {forms[-1]}"
    return _must_be(words, "; add name: file" * own_data)(mistake)


_MAPPING = _must_be("`key: value` lines")

#: The message of each kind of error that pydantic finds with the spec's models.
MESSAGES: dict[str, Callable[[_Mistake], str]] = {
    "missing": lambda mistake: f"is missing{mistake.example}",
    "extra_forbidden": _unknown_key,
    "union_tag_invalid": _unknown_name,
    "union_tag_not_found": _no_choice,
    "model_attributes_type": _no_choice,
    "int_type": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "float_type": _must_be("a number"),
    "finite_number": _must_be("a finite number"),
    "string_type": _must_be("a text", "; put it in quotes"),
    "string_unicode": _must_be("a text of Unicode characters"),
    "string_too_short": lambda mistake: f"must not be empty, {mistake.got}",
    "string_pattern_mismatch": _not_in_the_pattern,
    "tuple_type": _no_list,
    "too_short": _too_short,
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "literal_error": _none_of_the_words,
    "greater_than": _outside_a_bound,
    "greater_than_equal": _outside_a_bound,
    "less_than": _outside_a_bound,
    "less_than_equal": _outside_a_bound,
    "value_error": lambda mistake: str(mistake.limits["error"]),
}


def shown(value: Any) -> str:
    """A value as a config writes it, cut to a readable length."""
    if isinstance(value, str):
        text = f"the text {value!r}"
    elif isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    elif isinstance(value, tuple | list):
        text = f"[{', '.join(map(str, value))}]"
    else:
        text = str(value)
    return _shortened(text)


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _kind(mistake: _Mistake) -> Kind:
    """What the mistaken key of a config names."""
    return kinds(mistake.model)[str(mistake.path[0])]


def _known_keys(mistake: _Mistake) -> list[str]:
    """The keys that may stand in the place of an unknown one."""
    kind = str(mistake.path[0])
    if len(mistake.path) == 1:
        return list(Experiment.model_fields)
    if kind in ("expect", "gate"):
        return list((Expectation if kind == "expect" else Gate).model_fields)
    chosen = str(mistake.error["loc"][-2])  # pydantic names the chosen model before its key
    return list(_kind(mistake).models[chosen].model_fields)
