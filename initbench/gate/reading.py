"""The fields of a saved file -> the outcomes of its rows, or what is wrong with them, all at once.

A file comes from another machine, another version or an editor, and nothing in it is taken at its
word: every field is tried before a value is used.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, create_model

from initbench.gate.outcomes import RowOutcomes, RunOutcome
from initbench.metrics import METRICS
from initbench.runs.records import RowKey, Status
from initbench.spec.expectations import Gate
from initbench.spec.fields import MAX_SEED

#: So many problems of a file are told.
TOLD = 5


class UnreadableError(Exception):
    """The text names the fields that no saved file can have."""


def _number(low: float, high: float) -> Any:
    """A number as JSON holds it, or null."""
    most = high if math.isfinite(high) else None
    return Annotated[float, Field(ge=low, le=most, allow_inf_nan=False)] | None


class _Saved(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


_Spread: Any = create_model(
    "_Spread", __base__=_Saved, **{name: _number(0, math.inf) for name in METRICS}
)
_Metrics: Any = create_model(
    "_Metrics",
    __base__=_Saved,
    **{name: _number(*metric.valid_range) for name, metric in METRICS.items()},
)


class _Run(_Metrics):
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)]
    id: str
    status: Status
    reason: str = ""
    spread: _Spread | None = None

    def outcome(self) -> RunOutcome:
        spread = None
        if self.spread is not None:
            spread = {name: _infinite(self.spread, name) for name in METRICS}
        failed = self.status == "failed"
        metrics = {name: None if failed else _infinite(self, name) for name in METRICS}
        return RunOutcome(self.seed, self.id, self.status, metrics, spread, self.reason)


def _infinite(fields: Any, name: str) -> float | None:
    """A loss of null is infinite; an accuracy of null does not exist."""
    value: float | None = getattr(fields, name)
    return math.inf if value is None and METRICS[name].can_be_infinite else value


class _Row(_Saved):
    """What a baseline holds of a row."""

    config: str
    initializer: str
    setting: dict[str, JsonValue]
    runs: list[_Run]
    confirm: list[_Run]
    resolved: dict[str, JsonValue] | None
    samples: dict[str, int] | None
    provenance: dict[str, JsonValue] | None
    gate: Gate | None = None

    def outcomes(self) -> RowOutcomes:
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        runs, confirm = (tuple(run.outcome() for run in part) for part in (self.runs, self.confirm))
        return RowOutcomes(**{**fields, "runs": runs, "confirm": confirm})


class _Baseline(_Saved):
    groups: Annotated[list[_Row], Field(min_length=1)]


class _Record(_Run):
    """What a result of `run` or `compare` holds of a run."""

    config: str
    initializer: str
    setting: dict[str, JsonValue]


class _Results(_Saved):
    records: Annotated[list[_Record], Field(min_length=1)]
    gates: dict[str, Gate] = {}


def saved_rows(document: Mapping[str, Any]) -> list[RowOutcomes]:
    """The rows of a baseline. Raises UnreadableError where a field is not what it must be."""
    return _told_once(row.outcomes() for row in _read(_Baseline, document).groups)


def recorded_rows(document: Mapping[str, Any]) -> list[RowOutcomes]:
    """The rows of a result of `run` or `compare`, which has no twins and no other seeds.

    Raises UnreadableError where a field is not what it must be.
    """
    results = _read(_Results, document)
    rows: dict[RowKey, list[_Record]] = {}
    for record in results.records:
        key = RowKey.of(record.config, record.initializer, record.setting)
        rows.setdefault(key, []).append(record)
    return _told_once(
        RowOutcomes(
            key.config,
            key.initializer,
            records[0].setting,
            tuple(record.outcome() for record in records),
            gate=results.gates.get(key.config, Gate()),
        )
        for key, records in rows.items()
    )


def _read(model: Any, document: Mapping[str, Any]) -> Any:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
    told = [
        f"{_place(one['loc'])}: {one['msg'].replace('Input should', 'must')}"
        + (f", got {one['input']!r:.40}" if one["type"] != "missing" else "")
        for one in found[:TOLD]
    ]
    more = [f"and {len(found) - TOLD:,} more"] if found[TOLD:] else []
    raise UnreadableError("; ".join([*told, *more]))


def _place(location: Iterable[str | int]) -> str:
    """``records[3].seed``, as a reader of the file finds it."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).removeprefix(".")


def _told_once(rows: Iterable[RowOutcomes]) -> list[RowOutcomes]:
    """The rows, if none is there twice, nor a seed of one, and each run has its row's metrics."""
    rows, problems = list(rows), []
    keys = Counter(row.key for row in rows)
    for row in rows:
        name = f"{row.config}, {row.initializer}"
        if keys[row.key] > 1:
            problems.append(f"{name}: is there twice")
        for part in (row.runs, row.confirm):
            seeds = Counter(run.seed for run in part)
            twice = sorted(seed for seed, count in seeds.items() if count > 1)
            problems += [f"{name}: seed {seed} is there twice" for seed in twice]
        for metric in METRICS:
            absent = [
                run.seed
                for run in (*row.runs, *row.confirm)
                if run.metrics[metric] is None and run.status != "failed"
            ]
            if absent and any(run.metrics[metric] is not None for run in row.runs):
                problems.append(f"{name}: seed {absent[0]} has no {metric}, and other seeds have")
    if problems:
        raise UnreadableError("; ".join(dict.fromkeys(problems[:TOLD])))
    return rows
