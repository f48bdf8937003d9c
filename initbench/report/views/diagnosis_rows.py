"""Diagnoses -> rows of a summary: settings that change nothing at the start share one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from initbench.diagnosis.diagnose import Diagnosis
from initbench.runs.records import setting_key


@dataclass(frozen=True, slots=True)
class DiagnosisRow:
    """Diagnoses that say the same: the first of them, and the values of each swept key."""

    diagnosis: Diagnosis
    values: dict[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Idle:
    """Swept keys that change nothing in any row of a config, and how many settings they make."""

    config: str
    keys: tuple[str, ...]
    settings: int


def rows_of(diagnoses: Sequence[Diagnosis]) -> list[DiagnosisRow]:
    """One row for all diagnoses of an initializer that say the same, in the order of the first.

    They share a row where their settings are every combination of the values that the row names.
    Otherwise each has a row of its own.
    """
    alike: dict[str, list[Diagnosis]] = {}
    for diagnosis in diagnoses:
        alike.setdefault(_said(diagnosis), []).append(diagnosis)
    rows: list[DiagnosisRow] = []
    for members in alike.values():
        values = _values([d.findings.setting for d in members])
        if math.prod(map(len, values.values())) == len(members):
            rows.append(DiagnosisRow(members[0], values))
        else:
            rows += [DiagnosisRow(d, _values([d.findings.setting])) for d in members]
    return rows


def idle_keys(rows: Sequence[DiagnosisRow]) -> list[Idle]:
    """For each config that has some, the swept keys all of whose values share every row."""
    configs: dict[str, list[DiagnosisRow]] = {}
    for row in rows:
        configs.setdefault(row.diagnosis.findings.config, []).append(row)
    found = []
    for config, own in configs.items():
        every = {
            key: len({setting_key({key: value}) for row in own for value in row.values[key]})
            for key in own[0].values
        }
        keys = tuple(
            key
            for key, count in every.items()
            if count > 1 and all(len(row.values[key]) == count for row in own)
        )
        if keys:
            found.append(Idle(config, keys, math.prod(every[key] for key in keys)))
    return found


def _said(diagnosis: Diagnosis) -> str:
    """All that a diagnosis says, but for its setting; written out, NaN equals NaN.

    The first update's size depends on the learning rate, the optimizer's name is not its family,
    and neither is said of a start.
    """
    findings = diagnosis.findings
    layers = tuple(replace(layer, update_size=None) for layer in findings.layers)
    return repr(
        replace(diagnosis, findings=replace(findings, setting={}, optimizer="", layers=layers))
    )


def _values(settings: Sequence[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """The different values of each key of some settings, in their order."""
    return {
        key: tuple({setting_key({key: one[key]}): one[key] for one in settings}.values())
        for key in settings[0]
    }
