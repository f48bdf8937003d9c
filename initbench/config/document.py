"""Document: YAML text -> plain data, with the place of every key and value.

PyYAML's loaders silently take the last of two equal keys, read ``1e-3`` as a text and ``on`` as
True, and expand aliases until memory is full. This module uses PyYAML's parser alone: scalars
follow YAML 1.2's core schema (numbers, true, false and null; all else is text), and equal keys,
aliases and tags are refused, each at its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from initbench.errors import ConfigError, Place, Problem
from initbench.printable import hidden

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

KeyPath = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?[0-9]+(_[0-9]+)*")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(_[0-9]+)*(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass
class Document:
    """A config's plain data (dicts, lists, scalars), and where each key and value stands.

    ``problems`` are mistakes in the text that leave the rest readable: they are collected, and
    reported together with those that the models find.
    """

    source: str
    data: Any
    problems: list[Problem] = field(default_factory=list)
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)

    def place(self, path: KeyPath, *, of_key: bool = False) -> Place:
        """The place of the value (or key) at ``path``, or of the innermost part that holds it."""
        if of_key and path in self.keys:
            return self.keys[path]
        for stop in range(len(path), -1, -1):
            if path[:stop] in self.values:
                return self.values[path[:stop]]
        return Place(self.source, 1, 1)


def read(path: str, content: bytes) -> Document:
    """Parse a config file's content; ConfigError says what is wrong with the text, and where."""
    if len(content) > MAX_BYTES:
        raise _error(Place(path), f"has {len(content):,} bytes; a config may have {MAX_BYTES:,}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # error.object is the content without its byte order mark; an editor counts characters.
        before = error.object[: error.start].decode()
        line = before.count("\n") + 1
        column = len(before) - before.rfind("\n")
        raise _error(
            Place(path, line, column),
            f"is not UTF-8 (byte 0x{error.object[error.start]:02x}); save the file as UTF-8",
        ) from None
    document = parse(path, text)
    if document.data is None:
        raise _error(Place(path, 1, 1), "is empty; `initbench schema` prints the keys of a config")
    if not isinstance(document.data, dict):
        raise _error(
            Place(path, 1, 1),
            f"must be `key: value` lines, got {_kind(document.data)}; write e.g. `seeds: 3`",
        )
    return document


def parse(source: str, text: str, *, fixed: Place | None = None) -> Document:
    """Parse YAML text; ``fixed`` is the place of all its parts if it comes from an option."""
    document = Document(source, None)
    try:
        loader = yaml.SafeLoader(text)
        events = _checked(source, _events(loader), fixed)
        document.data = _Builder(document, events, fixed).document()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        place = fixed or Place(source, line, column)
        raise _error(
            place, f"holds the character {error.character:#04x}, which YAML forbids; remove it"
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = fixed or (Place(source, mark.line + 1, mark.column + 1) if mark else Place(source))
        words = " ".join(part for part in (error.context, error.problem) if part)
        raise _error(place, f"is not YAML: {words}") from None
    except (ValueError, OverflowError):  # PyYAML's chr() of a \\U escape
        place = fixed or Place(source, loader.line + 1, loader.column + 1)
        raise _error(place, "is not YAML: the escape names no Unicode character") from None
    return document


def spelled(path: KeyPath) -> str:
    """A path as messages write it: ``expect[0].metric``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).lstrip(".")


def scalar(text: str) -> Any:
    """The value of a plain scalar, by YAML 1.2's core schema.

    >>> [scalar(text) for text in ("1e-3", "1e4", "15_000", "on", "true", "~", ".5")]
    [0.001, 10000, 15000, 'on', True, None, 0.5]
    """
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= 100:  # int() refuses thousands of digits
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            # A user who writes `iterations: 1e4` means a whole number.
            exact = "." not in text and number.is_integer() and abs(number) < 2**53
            return int(number) if exact else number
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


def _events(loader: yaml.SafeLoader) -> Iterator[yaml.Event]:
    while loader.check_event():
        yield loader.get_event()  # type: ignore[no-untyped-call]  # the stubs leave it out


def _checked(
    source: str, events: Iterator[yaml.Event], fixed: Place | None
) -> Iterator[yaml.Event]:
    """The events, while they hold no alias, no tag and no great depth; else ConfigError."""
    depth = 0
    for event in events:
        place = fixed or _start(source, event)
        if isinstance(event, yaml.AliasEvent):
            raise _error(place, f"*{event.anchor} is an alias; write the value out")
        if (tag := getattr(event, "tag", None)) is not None:
            raise _error(place, f"{tag} is a YAML tag; remove it")
        if isinstance(event, yaml.ScalarEvent) and _SURROGATE.search(event.value):
            raise _error(place, "holds half of a surrogate pair; write the character itself")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _error(place, f"is nested more than {MAX_DEPTH} levels deep; remove levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        yield event


class _Builder:
    """Builds a document's data from the parser's events, and notes the places."""

    def __init__(
        self, document: Document, events: Iterator[yaml.Event], fixed: Place | None
    ) -> None:
        self._document = document
        self._events = events
        self._fixed = fixed

    def document(self) -> Any:
        data, documents = None, 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _error(
                        self._place(event), "starts a second document; put it in a file of its own"
                    )
            elif isinstance(event, yaml.NodeEvent):
                data = self._node(event, ())
        return data

    def _place(self, event: yaml.Event) -> Place:
        return self._fixed or _start(self._document.source, event)

    def _node(self, event: yaml.Event, path: KeyPath) -> Any:
        self._document.values[path] = self._place(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(event, (*path, len(items))))
            return items
        assert isinstance(event, yaml.ScalarEvent)
        return scalar(event.value) if event.style is None else event.value

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            place = self._place(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _error(place, "a key must be a single word, got a list or a mapping")
            key = event.value
            if key in mapping:
                first = self._document.keys[*path, key]
                where = f", first in line {first.line}" if first.line else ""
                self._document.problems.append(
                    Problem(place, key, f"is given twice{where}; keep one")
                )
            if unseen := hidden(key):
                message = f"a key holds {' and '.join(unseen)}, which nobody sees; remove it"
                self._document.problems.append(Problem(place, key, message))
            self._document.keys[*path, key] = place
            mapping[key] = self._node(next(self._events), (*path, key))
        return mapping


def _start(source: str, event: yaml.Event) -> Place:
    mark = event.start_mark
    assert mark is not None  # yaml.parse gives every event its mark
    return Place(source, mark.line + 1, mark.column + 1)


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list) else f"the single value {value!r}"[:60]


def _error(place: Place, message: str) -> ConfigError:
    return ConfigError([Problem(place, "", message)])
