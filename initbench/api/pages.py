"""A comparison -> the content of its page: pictures, stories, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from initbench.api.pictures import Gallery
from initbench.api.results import Comparison
from initbench.metrics import METRICS
from initbench.report.page.content import Page, Section
from initbench.report.views.compare import problem_tables
from initbench.report.views.pictures import JudgedContest, Picture, curves
from initbench.report.views.story import diagnosis_lines, stories
from initbench.runs.provenance import Provenance, provenance, version
from initbench.wording import counted

#: Fields of a record that another training of the same run changes.
PASSING = ("seconds", "cached")
#: Pictures of a section beside its curves.
KINDS = (
    "weights",
    "boundary",
    "activations",
    "seeds",
    "forest",
    "profile",
    "layers",
    "sensitivity",
)


def page_of(
    comparison: Comparison,
    galleries: Sequence[Gallery],
    made: Iterable[Provenance],
    command: str,
    title: str,
) -> Page:
    """The page's content.

    Args:
        comparison: The comparison.
        galleries: The pictures of each of its problems.
        made: Where each of its records was made.
        command: The command that makes the page again.
        title: The page's heading.
    """
    return Page(
        title=title,
        sections=[_section(gallery) for gallery in galleries],
        document=settled(comparison.to_dict()),
        facts=_facts(comparison, made),
        command=command,
    )


def settled(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document without what differs from one training of the same runs to the next."""
    records = [
        {key: value for key, value in record.items() if key not in PASSING}
        for record in document["records"]
    ]
    return {**document, "records": records}


def _section(gallery: Gallery) -> Section:
    problem = gallery.problem
    pictures = {kind: gallery.pictures(kind) for kind in KINDS}
    portraits = gallery.portraits
    return Section(
        title=problem.title,
        series=problem.series,
        tables=problem_tables(
            problem.title, problem.contest, problem.rows, gallery.matrices, provenance().numerics
        ),
        curves=_curves(problem),
        pictures=pictures,
        stories=stories(problem, gallery.diagnoses),
        diagnosis=diagnosis_lines(problem, gallery.diagnoses),
        iterations=sorted({i for one in portraits for i in one.iterations}) or [0],
        replay=_replay_words(gallery),
    )


def _curves(problem: JudgedContest) -> dict[tuple[str, str], Picture]:
    """The metric that ranks first, and a logarithmic axis first where there is one."""
    known = [name for name in METRICS if any(row.metrics[name] for row in problem.rows)]
    ordered = sorted(known, key=lambda name: name != problem.metric)
    return {
        (name, "log" if log else "linear"): curves(problem, name, log=log)
        for name in ordered
        for log in ((True, False) if METRICS[name].smaller_is_better else (False,))
    }


def _replay_words(gallery: Gallery) -> str:
    """What networks are shown, and whether they are those of the records."""
    portraits = gallery.portraits
    if not portraits:
        return "No network could be drawn."
    other = sum(not one.reproduced for one in portraits)
    words = (
        f"These are the networks of seed {gallery.seed}, trained again, because no store holds "
        "weights."
    )
    if not other:
        return f"{words} The replay made the numbers of the records to the last bit."
    elsewhere = sorted({one.record.numerics for one in portraits if not one.reproduced})
    return (
        f"{words} {counted(other, 'replay')} of {len(portraits)} ended at other digits than the "
        f"record, which was made with {' and with '.join(elsewhere)}; the replay was made with "
        f"{provenance().numerics}."
    )


def _facts(comparison: Comparison, made: Iterable[Provenance]) -> list[tuple[str, str]]:
    seeds = sorted({record.seed for record in comparison.records})
    configs = len({record.config for record in comparison.records})
    between = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
    every = list(made)
    rows = [
        (
            "Runs",
            f"{counted(len(comparison.records), 'run')} of {counted(configs, 'config')}, "
            f"{counted(len(seeds), 'seed')} ({between})",
        ),
        ("initbench", _distinct(f"{p.initbench}, Python {p.python}" for p in every)),
        ("Arithmetic", _distinct(p.numerics for p in every)),
        ("Processor", _distinct(p.cpu for p in every)),
        ("Commit", _distinct(p.commit + " with changes" * p.dirty for p in every if p.commit)),
        ("Charts", f"Altair {version('altair')}, vl-convert {version('vl-convert-python')}"),
    ]
    return [(name, value) for name, value in rows if value]


def _distinct(values: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(values))
