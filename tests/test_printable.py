"""What no output shows or obeys: oracles are Unicode's own tables and Python's codecs."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initbench.printable import NEAREST, hidden, inert, visible

#: Unicode's bidirectional controls (UAX 9), by their names.
BIDI = [
    "ARABIC LETTER MARK", "LEFT-TO-RIGHT MARK", "RIGHT-TO-LEFT MARK", "LEFT-TO-RIGHT EMBEDDING",
    "RIGHT-TO-LEFT EMBEDDING", "POP DIRECTIONAL FORMATTING", "LEFT-TO-RIGHT OVERRIDE",
    "RIGHT-TO-LEFT OVERRIDE", "LEFT-TO-RIGHT ISOLATE", "RIGHT-TO-LEFT ISOLATE",
    "FIRST STRONG ISOLATE", "POP DIRECTIONAL ISOLATE",
]  # fmt: skip
ANY = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize("name", BIDI)
def test_bidirectional_controls_are_hidden(name: str) -> None:
    character = unicodedata.lookup(name)
    assert hidden(f"he{character}") == [character.encode("unicode_escape").decode()]


@pytest.mark.parametrize("code", [*range(32), *range(127, 160), 0x2028, 0x2029, 0xFEFF, 0xD800])
def test_controls_are_hidden(code: int) -> None:
    assert hidden(chr(code))
    assert visible(chr(code), lines=False).isprintable()


@pytest.mark.parametrize("text", ["he_normal", "Köln", "史", "می‌خواهم", "👩‍🔬", "a b", "0.1–0.2"])
def test_what_people_write_is_shown_as_it_is(text: str) -> None:
    assert not hidden(text)
    assert visible(text) == text


@given(ANY)
def test_a_visible_text_has_nothing_hidden_but_line_ends(text: str) -> None:
    shown = visible(text)
    assert hidden(shown.replace("\n", "")) == []
    assert shown.count("\n") == text.count("\n")
    assert visible(shown) == shown
    assert "\n" not in visible(text, lines=False)


@given(ANY, st.sampled_from(["ascii", "latin-1", "cp437", "cp1252", "koi8-r", "utf-8"]))
def test_every_encoding_takes_every_text(text: str, encoding: str) -> None:
    written = text.encode(encoding, NEAREST).decode(encoding)
    for before in text:
        try:
            before.encode(encoding)
        except UnicodeEncodeError:
            continue
        assert before in written


@pytest.mark.parametrize(
    "text",
    ["::error::x", "  ::set-output name=a::b", "a\n::add-mask::*", "x ##[error]y", "##vso[task]z",
     "###[a]", "##teamcity[x]"],
)  # fmt: skip
def test_no_line_is_a_command(text: str) -> None:
    """What GitHub's runner, Azure's agent and TeamCity look for, by their documentation."""
    shown = inert(text)
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())
    for mark in ("##[", "##vso[", "##teamcity["):
        assert mark not in shown
    assert shown.replace("\\", "") == text


def test_other_texts_are_left_alone() -> None:
    text = "torch:nn.init::x # a ## b\n# c [d]"
    assert inert(text) == text
