"""Inputs that nobody tested: configs, options, data files and baselines with parts gone wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from initbench import spec
from initbench.spec import Experiment
from initbench.spec.datasets import DATASET_MODELS

#: A config whose commands take milliseconds.
SMALL: dict[str, Any] = {
    "initializer": "he_normal",
    "layers": [2, 3, 1],
    "iterations": 3,
    "learning_rate": 0.1,
    "dataset": {"name": "circles", "train_samples": 20, "test_samples": 10},
    "seeds": 2,
    "log_every": 1,
}

#: Numbers at the edges of types and of arithmetic.
NUMBERS = [
    0, -0.0, 1, -1, 2, 3, 7, 0.5, 1e-320, 5e-324, 1e-50, 1e-8, 1e39, 1e155, 1.7976931348623157e308,
    -1e308, float("inf"), float("nan"), 2**31, 2**32, 2**53 + 1, 2**63, 2**64, 10**30, 10**400,
]  # fmt: skip
#: Texts that some output, file system or parser takes for more than a text.
TEXTS = [
    "", " ", "a\nb", "\x1b]0;title\x07", "\x1b[31mred", "::error::x", "[red]x[/red]", "[/foo]",
    "<script>alert(1)</script>", "=1+1", "../x", "/", "con", ".", "a" * 300, "\u202eabc", "é",
    "\U0001f600", "10", "1e3", "1,5", "true", "null", "None", "*", "%", "a'b\"c", "x.partial",
]  # fmt: skip

#: Keys whose large values mean long work, which is no fault: these stay small or are no number.
COSTLY = {
    "iterations", "seeds", "layers", "width", "depth", "train_samples", "test_samples", "samples",
    "features", "classes", "batch_size", "log_every", "centers",
}  # fmt: skip
SMALL_NUMBERS = [0, -1, 1, 2, 5, 0.5, 2.0, float("nan"), float("inf"), 10**30, 10**400]

_names = st.sampled_from(
    [
        *spec.INITIALIZER_MODELS, *spec.ACTIVATION_MODELS, *spec.OPTIMIZER_MODELS, *DATASET_MODELS,
        "He", "xavier", "torch:nn.init.kaiming_normal_", "keras:GlorotUniform", "nothing",
    ]
)  # fmt: skip
_parameters = sorted(
    {
        field
        for models in (
            spec.INITIALIZER_MODELS, spec.ACTIVATION_MODELS, spec.OPTIMIZER_MODELS, DATASET_MODELS,
        )
        for model in models.values()
        for field in model.model_fields
    }
)  # fmt: skip
_keys = st.sampled_from([*Experiment.model_fields, *_parameters, "nonsense", "", "é", "a.b"])


def _scalars(costly: bool) -> st.SearchStrategy[Any]:
    numbers = st.sampled_from(SMALL_NUMBERS if costly else NUMBERS)
    return st.none() | st.booleans() | numbers | st.sampled_from(TEXTS) | _names


def _choices() -> st.SearchStrategy[dict[str, Any]]:
    """A name with parameters, as in ``{name: normal, std: 1e155}``."""
    return st.builds(
        lambda name, parameters: {"name": name, **parameters},
        _names,
        st.lists(st.sampled_from(_parameters), max_size=2).flatmap(
            lambda keys: st.fixed_dictionaries({key: _scalars(key in COSTLY) for key in keys})
        ),
    )


def values(key: str) -> st.SearchStrategy[Any]:
    """What may stand at a config's key, sensible or not."""
    scalars = _scalars(key in COSTLY)
    return st.one_of(
        scalars,
        _choices(),
        st.lists(scalars | _choices(), max_size=3),
        st.dictionaries(_keys, st.lists(scalars, max_size=2), max_size=2),
        st.just([[]]),
    )


def configs() -> st.SearchStrategy[dict[str, Any]]:
    """A small config with up to three keys replaced, added or left out."""
    edits = st.lists(_keys, min_size=1, max_size=3, unique=True).flatmap(
        lambda keys: st.fixed_dictionaries({key: values(key) for key in keys})
    )
    return st.builds(
        lambda edited, gone: {k: v for k, v in {**SMALL, **edited}.items() if k != gone},
        edits,
        st.none() | st.none() | st.sampled_from(sorted(SMALL)),
    )


@dataclass(frozen=True)
class Damage:
    """A few places of a file that are changed, cut out, doubled or put in.

    A place is a share of the file's length, so that a case does not depend on the file's bytes.
    """

    cuts: tuple[tuple[float, int, bytes], ...]

    def __call__(self, content: bytes) -> bytes:
        """The content with the damage."""
        for share, length, new in self.cuts:
            start = int(share * len(content))
            content = content[:start] + new + content[start + length :]
        return content


def damages() -> st.SearchStrategy[Damage]:
    """Up to four damages; each replaces up to 8 bytes by up to 4, or by what a parser may obey."""
    cut = st.tuples(
        st.floats(0, 1, exclude_max=True), st.integers(0, 8), st.binary(max_size=4) | _tokens
    )
    return st.lists(cut, min_size=1, max_size=4).map(lambda cuts: Damage(tuple(cuts)))


_tokens = st.sampled_from(
    [b",", b";", b"\n", b"\r\n", b'"', b"NA", b"nan", b"1e400", b"\x00", b"\xff", b"{", b"}", b":",
     b"- ", b"[", b"]", b"null", b"-1", b"9" * 400, b"&a", b"*a", b"!!python/object:x", b"\t", b"'"]
)  # fmt: skip
