"""`initbench show` -> a table of many stored runs, or all tables of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from initbench.files import envelope
from initbench.metrics import METRICS
from initbench.report.views.records import record_cells, record_fields
from initbench.report.views.texts import DIVERGED, HEADINGS
from initbench.report.views.view import Cells, Table, View
from initbench.runs.records import Record
from initbench.runs.store import Stored

#: Digits of an id that a table shows: enough to name the run by.
SHORT_ID = 7
#: The column that names a run: its config, its initializer and, after a sweep, its setting.
NAMES = "config\n(initializer)"


def show_view(title: str, found: Sequence[Stored], total: int) -> View:
    """Stored runs, which may be only the first of ``total`` runs."""
    return _view([runs_table(title, found, total)], found)


def show_run_view(one: Stored) -> View:
    """All that is known about one stored run."""
    return _view(run_tables(one), [one])


def _view(tables: Sequence[Table], found: Sequence[Stored]) -> View:
    return View(tuple(tables), lambda: show_document(found), lambda: show_cells(found))


def runs_table(title: str, found: Sequence[Stored], total: int) -> Table:
    """A row for each run found, which may be only the first of ``total`` runs."""
    header = (
        "run", NAMES, "seed", "status", HEADINGS["train_loss"], HEADINGS["test_accuracy"],
        "stored\n(UTC)",
    )  # fmt: skip
    rows = tuple(
        (
            one.record.id[:SHORT_ID],
            _name(one),
            str(one.record.seed),
            one.record.status,
            _number(one.record, "train_loss", ".4g"),
            _number(one.record, "test_accuracy", ".1%").rstrip("%"),
            one.provenance.created[:10],
        )
        for one in found
    )
    caption = f"{total:,} run{'' if total == 1 else 's'}, the newest first."
    if len(found) < total:
        caption = f"The newest {len(found):,} of {total:,} runs; --limit shows more."
    caption += " Loss and accuracy are those after the last iteration."
    statuses = {one.record.status for one in found}
    if "diverged" in statuses:
        caption += f"\n{DIVERGED}"
    if "failed" in statuses:
        caption += "\nFailed: the run could not be trained; `initbench show RUN` says why."
    return Table(title, header, rows, frozenset({"seed", *header[-3:-1]}), caption, (NAMES, 24))


def _name(one: Stored) -> str:
    """The config and, a line each, its initializer, its setting in a sweep, and other configs."""
    record = one.record
    setting = [f"{key}={value}" for key, value in record.setting.items()]
    others = [f"also {', '.join(_others(one))}"] if one.others else []
    return "\n".join([record.config, record.initializer, *setting, *others])


def _others(one: Stored) -> list[str]:
    return [request.config for request in one.others]


def _number(record: Record, metric: str, digits: str) -> str:
    value = record.metric(metric)
    return "-" if value is None else format(value, digits)


def run_tables(one: Stored) -> list[Table]:
    """All that is known about one run: its result, settings, provenance and curve."""
    record = one.record
    fields = {
        "config": record.config,
        "also asked for by": ", ".join(_others(one)) or None,
        "initializer": record.initializer,
        **record.setting,
        "seed": record.seed,
        "status": record.status,
        "reason": record.reason or None,
        "note": record.note or None,
        "iterations": record.iterations,
        **{name: record.metric(name) for name in METRICS},
        "seconds": f"{record.seconds:.3g}",
    }
    made = asdict(one.provenance)
    commit = made.pop("commit")
    changes = " and changes" if made.pop("dirty") else ""
    made["git"] = f"{commit}{changes}" if commit else None
    named = [name for name in METRICS if getattr(record.curve, name) is not None]
    columns = [getattr(record.curve, name) for name in named]
    points = tuple(
        (str(iteration), *(f"{column[index]:.6g}" for column in columns))
        for index, iteration in enumerate(record.curve.iteration)
    )
    curve = Table("curve", ("iteration", *named), points, frozenset({"iteration", *named}))
    return [
        _listed(f"run {record.id}", fields),
        _listed("determined by", one.resolved),
        _listed("made with", made),
        *([curve] if points else []),
    ]


def _listed(title: str, fields: dict[str, Any]) -> Table:
    rows = tuple((key, _text(value)) for key, value in fields.items() if value is not None)
    return Table(title, ("what", "value"), rows, frozenset())


def _text(value: object) -> str:
    """A choice as its name and parameters; anything else as Python writes it."""
    if not isinstance(value, dict):
        return str(value)
    parameters = ", ".join(f"{key}={inner}" for key, inner in value.items() if key != "name")
    if "name" not in value:  # the versions of frameworks
        return parameters
    return f"{value['name']}({parameters})" if parameters else str(value["name"])


def show_document(found: Sequence[Stored]) -> dict[str, Any]:
    """What `show --format json` prints."""
    return envelope(runs=[_fields(one) for one in found])


def _fields(one: Stored) -> dict[str, Any]:
    fields = record_fields(one.record)
    del fields["cached"]  # all are
    provenance = asdict(one.provenance)
    created = provenance.pop("created")
    return {
        **fields,
        "others": _others(one),
        "created": created,
        "resolved": one.resolved,
        "provenance": provenance,
    }


def show_cells(found: Sequence[Stored]) -> Cells:
    """Header and rows of a CSV with one row a run."""
    header, body = record_cells([one.record for one in found])
    made = ("created", "numpy", "blas")
    rows = [
        [*row, *(getattr(one.provenance, name) for name in made), " ".join(_others(one))]
        for row, one in zip(body, found, strict=True)
    ]
    return Cells([*header, *made, "others"], rows)
