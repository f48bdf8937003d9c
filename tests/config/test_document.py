"""YAML's traps: what a config's text means, and the place of everything that is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from initbench.config.document import MAX_BYTES, MAX_DEPTH, KeyPath, parse, read, scalar
from initbench.errors import ConfigError, Place


def refusal(content: str | bytes) -> str:
    """The whole message with which a file named f.yaml is refused."""
    data = content.encode() if isinstance(content, str) else content
    with pytest.raises(ConfigError) as caught:
        read("f.yaml", data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1e4", 10_000),
        ("1E4", 10_000),
        ("1.0e4", 10_000.0),
        ("1e300", 1e300),
        ("15_000", 15_000),
        ("1_000.5", 1_000.5),
        ("+3", 3),
        ("-3", -3),
        ("007", 7),
        (".5", 0.5),
        ("3.", 3.0),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("1e400", float("inf")),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("Null", None),
        ("", None),
    ],
)
def test_numbers_and_words_of_the_core_schema(text: str, value: object) -> None:
    assert (scalar(text), type(scalar(text))) == (value, type(value))


def test_nan() -> None:
    assert str(scalar(".nan")) == str(scalar(".NaN")) == "nan"


@pytest.mark.parametrize(
    "text",
    [
        "on", "off", "yes", "no", "y", "n", "nan", "inf", "e5", "1e", ".", "-", "1:30",
        "2024-01-01", "0x10", "0o7", "1,000", "tRue", "1_", "1__0", "_1", "1_.5", "1_e5",
        ".5_0", "1 000", "١",
    ],
)  # fmt: skip
def test_all_else_is_text(text: str) -> None:
    assert scalar(text) == text


def test_a_quoted_number_is_text() -> None:
    assert parse("f", "a: '3'\nb: \"1e-3\"\nc: |\n  3\n").data == {
        "a": "3",
        "b": "1e-3",
        "c": "3\n",
    }


def test_digits_beyond_reason_stay_text() -> None:
    digits = "9" * 5000
    assert parse("f", f"a: {digits}").data == {"a": digits}
    assert parse("f", "a: " + "9" * 100).data == {"a": 10**100 - 1}


def test_keys_are_text_whatever_they_look_like() -> None:
    text = "1: a\nnull: b\ntrue: c\n1e3: d\nschlüssel: e\n'': f\n"
    assert list(parse("f", text).data) == ["1", "null", "true", "1e3", "schlüssel", ""]


def test_a_key_given_twice() -> None:
    document = read("f.yaml", b"a: 1\nb: {c: 1, d: 2, c: 3}\na: 4\n")
    assert list(map(str, document.problems)) == [
        "f.yaml:2:17: c: is given twice, first in line 2; keep one",
        "f.yaml:3:1: a: is given twice, first in line 1; keep one",
    ]


def test_equal_keys_of_different_mappings_are_two_keys() -> None:
    assert read("f", b"a: {k: 1}\nb: [{k: 1}, {k: 2}]\nk: 3\n").problems == []


BILLION_LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BILLION_LAUGHS, "2:8: *a is an alias; write the value out"),
        ("a: &x 1\n*x : 2\n", "2:1: *x is an alias; write the value out"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "3:7: *x is an alias; write the value out"),
        ("a: !!int 3\n", "1:4: tag:yaml.org,2002:int is a YAML tag; remove it"),
        ("a: [1, !x 3]\n", "1:8: !x is a YAML tag; remove it"),
        ("!x a: 1\n", "1:1: !x is a YAML tag; remove it"),
        ("a: !x {b: 1}\n", "1:4: !x is a YAML tag; remove it"),
        (
            "a: !!python/object/apply:os.system [id]\n",
            "1:4: tag:yaml.org,2002:python/object/apply:os.system is a YAML tag; remove it",
        ),
        ("a: 1\n? [b]\n: 2\n", "2:3: a key must be a single word, got a list or a mapping"),
        ("a: {? {b: c} : d}\n", "1:7: a key must be a single word, got a list or a mapping"),
        ("a: 1\n---\nb: 2\n", "2:1: starts a second document; put it in a file of its own"),
        ("", "1:1: is empty; `initbench schema` prints the keys of a config"),
        ("# a comment\n\n", "1:1: is empty; `initbench schema` prints the keys of a config"),
        ("---\n", "1:1: is empty; `initbench schema` prints the keys of a config"),
        ("~\n", "1:1: is empty; `initbench schema` prints the keys of a config"),
        ("- a\n", "1:1: must be `key: value` lines, got a list; write e.g. `seeds: 3`"),
        (
            "abc\n",
            "1:1: must be `key: value` lines, got the single value 'abc'; write e.g. `seeds: 3`",
        ),
        ("3\n", "1:1: must be `key: value` lines, got the single value 3; write e.g. `seeds: 3`"),
        (
            "a: 1\n\tb: 2\n",
            "2:1: is not YAML: while scanning for the next token found character '\\t' "
            "that cannot start any token",
        ),
        (
            "a: [1, 2\n",
            "2:1: is not YAML: while parsing a flow sequence expected ',' or ']', "
            "but got '<stream end>'",
        ),
        (
            "é: 1\nb: @x\n",
            "2:4: is not YAML: while scanning for the next token found character '@' "
            "that cannot start any token",
        ),
        ("a: \x00\n", "1:4: holds the character 0x00, which YAML forbids; remove it"),
        ("é: 1\nü: \x07\n", "2:4: holds the character 0x07, which YAML forbids; remove it"),
        ("a: 1\r\nü: \x7f\r\n", "2:4: holds the character 0x7f, which YAML forbids; remove it"),
        ('a: "\\ud83d"\n', "1:4: holds half of a surrogate pair; write the character itself"),
        ('"\\udfff": 1\n', "1:1: holds half of a surrogate pair; write the character itself"),
    ],
)
def test_refused_at_its_place(content: str, message: str) -> None:
    assert refusal(content) == f"f.yaml:{message}"


@pytest.mark.parametrize("escape", ["\\U00110000", "\\UFFFFFFFF"])
def test_an_escape_beyond_unicode(escape: str) -> None:
    message = refusal(f'a: 1\nb: "{escape}"\n')
    assert message.startswith("f.yaml:2:")
    assert message.endswith(": is not YAML: the escape names no Unicode character")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: \xff\n", "1:4: is not UTF-8 (byte 0xff); save the file as UTF-8"),
        (b"a: 1\nb: \xe9t\xe9\n", "2:4: is not UTF-8 (byte 0xe9); save the file as UTF-8"),
        # Columns are characters: two of two bytes and one of four stand before.
        ("a: éé😀".encode() + b"\xff\n", "1:7: is not UTF-8 (byte 0xff); save the file as UTF-8"),
        ("é: 1\né".encode() + b"\xfe\n", "2:2: is not UTF-8 (byte 0xfe); save the file as UTF-8"),
        (b"\xef\xbb\xbfa: \xff\n", "1:4: is not UTF-8 (byte 0xff); save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), "1:1: is not UTF-8 (byte 0xff); save the file as UTF-8"),
    ],
)
def test_not_utf8(content: bytes, message: str) -> None:
    assert refusal(content) == f"f.yaml:{message}"


def test_a_byte_order_mark_shifts_nothing() -> None:
    document = read("f", "\ufeffa: 1\n".encode())
    assert document.data == {"a": 1}
    assert document.keys["a",] == Place("f", 1, 1)


def test_crlf_and_a_tab_in_a_comment() -> None:
    document = read("f", b"a: 1 # why\tso\r\nb:\r\n  - 2\r\n")
    assert document.data == {"a": 1, "b": [2]}
    assert document.values["b", 0] == Place("f", 3, 5)


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 100_000])
@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ("{a: ", "}")])
def test_depth(depth: int, opens: str, closes: str) -> None:
    inner = depth - 1  # the file's own mapping is the first
    text = "a: " + opens * inner + "1" + closes * inner
    if depth <= MAX_DEPTH:
        assert read("f.yaml", text.encode()).problems == []
    else:
        column = len("a: ") + len(opens) * (MAX_DEPTH - 1) + 1
        assert refusal(text) == (
            f"f.yaml:1:{column}: is nested more than {MAX_DEPTH} levels deep; remove levels"
        )


def test_depth_is_not_length() -> None:
    assert read("f", b"a: [" + b"[1], {b: 2}, " * MAX_DEPTH + b"]").problems == []


def test_a_file_too_large() -> None:
    fits = b"a: 1\n".ljust(MAX_BYTES, b"\n")
    assert read("f", fits).data == {"a": 1}
    assert refusal(fits + b"\n") == "f.yaml: has 1,000,001 bytes; a config may have 1,000,000"


def test_with_a_fixed_place_everything_stands_there() -> None:
    option = Place("--set a")
    document = parse("--set a", "{b: [1, 2], b: 3}", fixed=option)
    assert set(document.keys.values()) | set(document.values.values()) == {option}
    assert list(map(str, document.problems)) == ["--set a: b: is given twice; keep one"]
    for text in ("*x", "[1", "\x00", '"\\UFFFFFFFF"'):
        with pytest.raises(ConfigError) as caught:
            parse("--set a", text, fixed=option)
        assert [problem.place for problem in caught.value.problems] == [option]


def test_keys_hide_nothing() -> None:
    document = read("f", b'a: {"b\\e]0;": 1}\n"x\\u202ey": 2\n')
    assert [str(problem) for problem in document.problems] == [
        "f:1:5: b\\x1b]0;: a key holds \\x1b, which nobody sees; remove it",
        "f:2:1: x\\u202ey: a key holds \\u202e, which nobody sees; remove it",
    ]


def test_place_of_what_is_absent_is_that_of_what_surrounds_it() -> None:
    document = read("f", b"# why\na:\n  b: [1, 22]\n")
    assert document.place(("a", "b", 1)) == Place("f", 3, 10)
    assert document.place(("a", "b", 7)) == document.place(("a", "b")) == Place("f", 3, 6)
    assert document.place(("a", "b"), of_key=True) == Place("f", 3, 3)
    assert document.place(("a", "x"), of_key=True) == Place("f", 3, 3)
    assert document.place(("x",)) == document.place(()) == Place("f", 2, 1)


# Letters of one, two, three and four bytes; words and figures that YAML reads as no text.
# Not those that PyYAML leaves bare, a text to it alone: 019 is a number in YAML 1.2.
TEXTS = (
    st.text("abxyz 019.-_éß字😀:#'\"\n", max_size=8) | st.sampled_from(["true", "~", "3", "1e3"])
).filter(lambda text: scalar(text) == text or yaml.safe_dump(text).startswith(("'", '"')))
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXTS
NODES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


def places(node: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str, Any]]:
    """(path, what, what stands there) of every key and value below a node."""
    yield path, "value", node
    if isinstance(node, dict):
        for key, value in node.items():
            yield (*path, key), "key", key
            yield from places(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from places(value, (*path, index))


@given(
    data=st.dictionaries(TEXTS, NODES, min_size=1, max_size=4),
    flow=st.sampled_from([True, False, None]),
    unicode=st.booleans(),
)
def test_data_and_places_of_whatever_is_dumped(
    data: dict[str, Any], flow: bool | None, unicode: bool
) -> None:
    # So wide that no text is folded: where one line ends could not be told from the data.
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=unicode, width=10**6)
    document = read("f", text.encode())
    expected = yaml.safe_load(text)
    assert document.data == expected
    # A line end in a key is a problem of its own; the data are read all the same.
    hides = [key for _, what, key in places(expected) if what == "key" and "\n" in key]
    assert [problem.key for problem in document.problems] == hides
    lines = text.split("\n")
    recorded = {("key", *path) for path in document.keys}
    recorded |= {("value", *path) for path in document.values}
    assert recorded == {(what, *path) for path, what, _ in places(expected)}
    for path, what, node in places(expected):
        place = (document.keys if what == "key" else document.values)[path]
        assert place.line is not None
        assert place.column is not None
        rest = "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])
        if isinstance(node, dict | list):
            assert rest[0] in ("[{" if not node else "[{-?'\"" + str(next(iter(node)))[:1])
        else:
            assert starts_with(rest, node), (place, rest, node)


def starts_with(rest: str, node: Any) -> bool:
    """Whether a YAML text starts with a scalar: bare, or in quotes up to their end."""
    if rest.startswith(("'", '"')):
        token = next(t for t in yaml.scan(rest) if isinstance(t, yaml.ScalarToken))
        return isinstance(node, str) and token.value == node
    if not isinstance(node, str):
        return rest.startswith(json.dumps(node))
    return rest.startswith(("|", ">", node.split("\n")[0]))
