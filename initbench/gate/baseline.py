"""The baseline file: text that a person can read, diff and commit, and cannot edit unseen.

It is JSON with a line for each run, sorted. A loss of null is infinity. ``digest`` is a hash of the
rows, so that an edited or half-merged file does not pass for a measured one.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from initbench.errors import BaselineError
from initbench.files import BASELINE, finite_or_none
from initbench.gate.outcomes import RowOutcomes, RunOutcome
from initbench.gate.reading import UnreadableError, recorded_rows, saved_rows
from initbench.metrics import METRICS
from initbench.runs.records import RowKey
from initbench.spec.expectations import Gate

VERSION = 1


def save_command(path: Path | str, configs: str = "CONFIG...") -> str:
    """The command that saves a baseline to this file.

    >>> save_command("results/baseline.json"), save_command("gate/b.json", "he.yaml")
    ('initbench baseline save CONFIG...', 'initbench baseline save he.yaml --baseline gate/b.json')
    """
    file = Path(path).as_posix()
    option = "" if file == BASELINE else f" --baseline {shlex.quote(file)}"
    return f"initbench baseline save {configs}{option}"


def _again(path: Path) -> str:
    return f"save it again with `{save_command(path)}`, naming all its configs"


def text(rows: Iterable[RowOutcomes]) -> str:
    """The file's text: rows by config, initializer and setting, runs by seed."""
    entries = sorted(map(_row_fields, rows), key=_order)
    body = ",\n".join(map(_entry_text, entries))
    return (
        f'{{\n"initbench_baseline": {VERSION},\n"digest": "{_digest(entries)}",\n'
        f'"groups": [\n{body}\n]\n}}\n'
    )


def _entry_text(entry: Mapping[str, Any]) -> str:
    """A line for each field, and for each of the runs."""
    fields = [
        f"{_line(key)}: [\n" + ",\n".join(map(_line, value)) + "\n]"
        if key in ("runs", "confirm")
        else f"{_line(key)}: {_line(value)}"
        for key, value in entry.items()
    ]
    return "{" + ",\n".join(fields) + "}"


def load(path: Path) -> dict[RowKey, RowOutcomes]:
    """The rows of a baseline file, or of the JSON that `run` and `compare` write.

    The runs of `run` and `compare` have no measured spread, and none are kept to confirm. Raises
    BaselineError where the file is missing, broken, edited or of another version.
    """
    document = _document(path)
    try:
        if "records" in document:
            way_out = "write it again with `initbench run` or `initbench compare`"
            rows = recorded_rows(document)
        elif "initbench_baseline" in document:
            way_out = _again(path)
            _ensure_unedited(path, document)
            rows = saved_rows(document)
        else:
            raise BaselineError(f"{path}: is neither a baseline nor a result of `initbench run`")
    except UnreadableError as error:
        raise BaselineError(f"{path}: {error}; {way_out}") from None
    return {row.key: row for row in rows}


def _ensure_unedited(path: Path, document: Mapping[str, Any]) -> None:
    if (version := document["initbench_baseline"]) != VERSION:
        raise BaselineError(
            f"{path}: is version {version!r:.40}, and this initbench reads version {VERSION}; "
            f"{_again(path)}"
        )
    try:
        unedited = _digest(document.get("groups")) == document.get("digest")
    except ValueError:  # NaN, which no baseline holds
        unedited = False
    if not unedited:
        raise BaselineError(
            f"{path}: does not match its digest: it was edited, or merged line by line; "
            f"{_again(path)}"
        )


def _document(path: Path) -> dict[str, Any]:
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BaselineError(f"{path}: no such file; `{save_command(path)}` makes one") from None
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise BaselineError(f"{path}: is not UTF-8 text; {_again(path)}") from None
    if not content.strip():
        raise BaselineError(f"{path}: is empty; {_again(path)}")
    try:
        document = json.loads(content.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise BaselineError(
            f"{path}: is not JSON, or is cut off: {error}; {_again(path)}"
        ) from None
    if not isinstance(document, dict):
        raise BaselineError(f"{path}: is not a baseline; {_again(path)}")
    return document


def _row_fields(row: RowOutcomes) -> dict[str, Any]:
    return {
        "config": row.config,
        "initializer": row.initializer,
        "setting": dict(row.setting),
        "resolved": row.resolved,
        "samples": row.samples,
        "provenance": row.provenance,
        **({"gate": row.gate.model_dump()} if row.gate not in (None, Gate()) else {}),
        "runs": [_run_fields(run) for run in sorted(row.runs, key=lambda run: run.seed)],
        "confirm": [_run_fields(run) for run in sorted(row.confirm, key=lambda run: run.seed)],
    }


def _run_fields(run: RunOutcome) -> dict[str, Any]:
    fields: dict[str, Any] = {"seed": run.seed, "id": run.id, "status": run.status}
    fields |= {name: finite_or_none(run.metrics[name]) for name in METRICS}
    if run.spread is not None:
        fields["spread"] = {name: finite_or_none(run.spread[name]) for name in METRICS}
    return fields


def _order(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return entry["config"], entry["initializer"], _line(entry["setting"])


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _digest(entries: object) -> str:
    canonical = json.dumps(entries, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
