"""`initbench diagnose --model` -> a row a module, the verdict under it; a document."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from initbench.files import envelope, finite_or_none
from initbench.models.diagnosing import ModelDiagnosis
from initbench.models.signals import Signal
from initbench.report.views.texts import figure
from initbench.report.views.view import Cells, Table, View
from initbench.wording import counted

#: Rows of a table; a longer one is collapsed to blocks and the modules outside of them.
ROWS = 40
LEGEND = (
    "Signal: E[y^2] of a module's output. Predicted: what independent weights of their size make "
    "of the measured inputs (linear and convolution layers, norms, and x + f(x), whose branches "
    "are taken as independent; elsewhere measured only). A row that ends in .add, .relu, ... is a "
    "function that the module calls; functions without a row are not measured. Gradient: "
    "E[(dL/dy)^2]. Update: the first update over the weight, both root mean squares, per unit of "
    "the learning rate. cos: of two samples, or of two tokens. Flat: the share of units that are "
    "0 on all samples, or of saturated outputs."
)
COLUMNS = (
    "module", "kind", "signal", "predicted", "gradient", "update", "cosine", "dead", "saturated",
)  # fmt: skip


def model_diagnosis_view(diagnosis: ModelDiagnosis, depth: int | None = None) -> View:
    """One model; ``depth`` is the number of a name's parts that the table shows."""
    return View(
        (_table(diagnosis, depth),),
        lambda: _document(diagnosis),
        lambda: _cells(diagnosis),
    )


def _shown(diagnosis: ModelDiagnosis, depth: int | None) -> list[Signal]:
    signals = [*diagnosis.measured.signals]
    if depth is not None:
        return [one for one in signals if one.module.count(".") < depth]
    if len(signals) <= ROWS:
        return signals
    blocks = [one for one in signals if one.block]
    if blocks:
        inside = tuple(f"{one.module}." for one in blocks)
        return [one for one in signals if not one.module.startswith(inside)]
    return [one for one in signals if one.weighted]


def _table(diagnosis: ModelDiagnosis, depth: int | None) -> Table:
    signals = _shown(diagnosis, depth)
    rows = tuple(
        (
            one.module,
            one.kind,
            figure(one.signal),
            "-" if one.predicted is None else figure(one.predicted),
            figure(one.gradient),
            "-" if one.update is None else figure(one.update),
            "-" if math.isnan(one.cosine) else f"{one.cosine:.2f}",
            _flat(one),
        )
        for one in signals
    )
    where = f" from {diagnosis.begins_at} on" if diagnosis.begins_at else ""
    caption = [f"{diagnosis.condition}{where}: {diagnosis.reason}", *diagnosis.notes, LEGEND]
    hidden = len(diagnosis.measured.signals) - len(signals)
    if hidden:
        caption.append(f"{hidden} more modules are not shown: --depth shows more.")
    header = ("module", "kind", "signal", "predicted", "gradient", "update", "cos", "flat")
    title = (
        f"{diagnosis.model}: medians over {counted(diagnosis.seeds, 'seed')}, {diagnosis.optimizer}"
    )
    return Table(title, header, rows, frozenset(header[2:]), "\n".join(caption), (header[0], 24))


def _flat(one: Signal) -> str:
    share = one.dead if one.dead is not None else one.saturated
    return "-" if share is None else f"{100 * share:.0f} %"


def _document(diagnosis: ModelDiagnosis) -> dict[str, Any]:
    """What `diagnose --model --format json` prints."""
    found = diagnosis.measured
    return envelope(
        diagnoses=[
            {
                "model": diagnosis.model,
                "condition": diagnosis.condition,
                "begins_at_layer": diagnosis.begins_at,
                "reason": diagnosis.reason,
                "seeds": diagnosis.seeds,
                "samples": found.samples,
                "optimizer": diagnosis.optimizer,
                "train_loss": finite_or_none(found.loss),
                "reference_loss": finite_or_none(found.reference),
                "output_square": finite_or_none(found.output),
                "closed_gates": [one.module for one in found.signals if one.zero and one.opens],
                "notes": list(diagnosis.notes),
                "layers": [
                    {
                        each.name: finite_or_none(value) if isinstance(value, float) else value
                        for each in fields(Signal)
                        for value in (getattr(one, each.name),)
                    }
                    for one in found.signals
                ],
            }
        ]
    )


def _cells(diagnosis: ModelDiagnosis) -> Cells:
    rows = [[getattr(one, name) for name in COLUMNS] for one in diagnosis.measured.signals]
    return Cells(COLUMNS, rows)
