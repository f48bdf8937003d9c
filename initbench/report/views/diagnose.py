"""`initbench diagnose` -> layers, or rows worst first; a document, a CSV row a layer."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import fields
from typing import Any

from initbench.diagnosis.diagnose import Diagnosis
from initbench.diagnosis.findings import Layer, Pair
from initbench.diagnosis.rules import CONDITIONS, FAMILIES
from initbench.files import envelope, finite_or_none
from initbench.report.views import titles
from initbench.report.views.diagnosis_lines import (
    caution_lines,
    condition_line,
    idle_lines,
    theory_line,
)
from initbench.report.views.diagnosis_rows import DiagnosisRow, idle_keys, rows_of
from initbench.report.views.texts import setting_heading
from initbench.report.views.view import Cells, Table, View
from initbench.runs.records import RowKey, setting_key
from initbench.spec import Experiment
from initbench.wording import counted

BLOCKS = " ▏▎▍▌▋▊▉█"
BAR_WIDTH = 4
TRACK = "·"  # the empty part of a bar: blanks at the end of a cell are cut off
LEGEND = (
    "Signal: the mean square of a layer's pre-activations z (weights times inputs, plus biases). "
    "Grad.: that of the loss's gradient by z. Theory: as mean-field theory predicts them; "
    "measured: medians over seeds, with bars of their logarithms. cos: the cosine between two "
    "inputs' z, the mean over pairs (at 1 all inputs look the same). Flat: the share of units and "
    "samples where the activation's slope is under 2 % of its maximum (last layer: of samples "
    "whose output is all but certain). Dead: the share of units that are 0 on every sample. "
    "Unique: units that are no copy of another (1/10: all of 10 are equal)."
)
ACROSS = (
    "From layer: where the trouble begins. chi_1: the factor by which each layer changes the "
    "gradient's variance, in theory (1 keeps it; -: theory does not apply). Signal change: the "
    "mean square of the last layer's pre-activations over that of the first's; gradient change: "
    "that of the loss's gradient, the first layer's over the last's."
)
DURING = (
    "Signal change: the mean square of the last layer's pre-activations over that of the first's; "
    "gradient change: that of the loss's gradient, the first layer's over the last's. Most flat: "
    "the share of units and samples where the activation's slope is under 2 % of its maximum, in "
    "the hidden layer with the most; most dead: the share of units that are 0 on every sample, "
    "likewise; fewest unique: units that are no copy of another, in the layer with the fewest."
)
#: A bar's whole length is at least so many decades: else a ripple would look like a cliff.
BAR_DECADES = 2.0


def diagnose_view(
    diagnoses: Sequence[Diagnosis], experiments: Sequence[Experiment], *, during: bool = False
) -> View:
    """One diagnosis layer by layer; several in a row each.

    Args:
        diagnoses: What was found.
        experiments: The experiments that were diagnosed, which give the tables their titles.
        during: Whether the diagnoses were made while training: then each initializer has a table.
    """
    posed = {(e.name, setting_key(e.setting)): e for e in experiments}

    def title(diagnosis: Diagnosis, idle: Container[str] = ()) -> str:
        f = diagnosis.findings
        return _title(diagnosis, posed[f.config, setting_key(f.setting)], idle)

    rows = [] if during else rows_of(diagnoses)
    if during:
        groups: dict[RowKey, list[Diagnosis]] = {}
        for diagnosis in diagnoses:
            groups.setdefault(diagnosis.findings.row, []).append(diagnosis)
        tables = [during_table(group, title(group[0])) for group in groups.values()]
    elif len(rows) == 1:
        (row,), idle = rows, idle_keys(rows)
        keys = [key for one in idle for key in one.keys]
        notes = idle_lines(idle, "this table")
        tables = [diagnosis_table(row.diagnosis, title(row.diagnosis, keys), notes)]
    else:
        tables = [summary_table("Worst first", rows)] if rows else []
    return View(
        tuple(tables), lambda: diagnose_document(diagnoses), lambda: diagnose_cells(diagnoses)
    )


def _title(diagnosis: Diagnosis, experiment: Experiment, idle: Container[str]) -> str:
    f = diagnosis.findings
    setting = "".join(f", {key} {value}" for key, value in f.setting.items() if key not in idle)
    seeds = counted(f.seeds, "seed")
    if f.seeds < len(experiment.seeds):
        seeds = f"{f.seeds} of {len(experiment.seeds):,} seeds"
    return (
        f"{f.config}: {f.initializer}{setting}; {titles.network(experiment)}, "
        f"{f.samples} samples of {experiment.dataset.label}, {seeds}"
    )


def diagnosis_table(diagnosis: Diagnosis, title: str, notes: Sequence[str] = ()) -> Table:
    """One initializer layer by layer; ``notes`` and its condition are told in words below."""
    findings = diagnosis.findings
    layers = findings.layers
    variance_bars = bars([layer.preactivation_variance.measured for layer in layers])
    gradient_bars = bars([layer.gradient_variance.measured for layer in layers])
    rows = [
        (
            str(layer.layer),
            _figure(layer.preactivation_variance.predicted),
            f"{_figure(layer.preactivation_variance.measured)}\u00a0{variance_bar}",
            _figure(layer.gradient_variance.predicted),
            f"{_figure(layer.gradient_variance.measured)}\u00a0{gradient_bar}",
            "-" if math.isnan(layer.cosine.measured) else f"{layer.cosine.measured:.2f}",
            _percent(layer.saturated if layer.inactive is None else layer.inactive),
            _percent(layer.dead),
            _differing(layer),
        )
        for layer, variance_bar, gradient_bar in zip(
            layers, variance_bars, gradient_bars, strict=True
        )
    ]
    header = (
        "layer", "signal,\ntheory", "signal,\nmeasured", "grad.,\ntheory", "grad.,\nmeasured",
        "cos", "flat\n%", "dead\n%", "unique\nunits",
    )  # fmt: skip
    return Table(
        title,
        header,
        tuple(rows),
        frozenset(header),
        "\n".join(
            [
                LEGEND,
                *notes,
                theory_line(diagnosis),
                *caution_lines([diagnosis]),
                condition_line(diagnosis),
            ]
        ),
    )


def summary_table(title: str, rows: Sequence[DiagnosisRow]) -> Table:
    """A row for each initializer, the worst first, and the reasons of their conditions below."""
    ordered = sorted(rows, key=lambda row: CONDITIONS.index(row.diagnosis.condition))
    several = len({row.diagnosis.findings.config for row in rows}) > 1
    idle = idle_keys(rows)
    unmoved = {one.config: one.keys for one in idle}
    cells, lines = [], []
    for row in ordered:
        diagnosis, findings = row.diagnosis, row.diagnosis.findings
        begins, theory = diagnosis.begins_at_layer, findings.theory
        values = {
            key: ", ".join(map(str, values))
            for key, values in row.values.items()
            if key not in unmoved.get(findings.config, ())
        }
        cells.append(
            ({"config": findings.config} if several else {})
            | {"initializer": findings.initializer}
            | {setting_heading(key): text for key, text in values.items()}
            | {"condition": diagnosis.condition}
            | {"from\nlayer": "" if begins is None else str(begins)}
            | {"chi_1": _figure(theory.chi_1 if theory else None)}
            | _across(findings.layers)
        )
        names = [findings.config] if several else []
        names += [findings.initializer, *(f"{key} {text}" for key, text in values.items())]
        lines.append(f"{', '.join(names)}: {condition_line(diagnosis)}")
    header = tuple(dict.fromkeys(key for row in cells for key in row))
    return Table(
        title,
        header,
        tuple(tuple(row.get(key, "") for key in header) for row in cells),
        frozenset(header) - {"config", "initializer", "condition"},
        "\n".join(
            [
                ACROSS,
                *idle_lines(idle, "each row", several=several),
                *caution_lines([row.diagnosis for row in ordered], several=several),
                *lines,
            ]
        ),
        ("initializer", 16),
    )


def during_table(diagnoses: Sequence[Diagnosis], title: str) -> Table:
    """One initializer while it trains: a row for each log point; the last condition in words."""
    rows = []
    for diagnosis in diagnoses:
        findings, layers = diagnosis.findings, diagnosis.findings.layers
        hidden = layers[:-1]
        flat = [(x.saturated if x.inactive is None else x.inactive) or 0.0 for x in hidden]
        rows.append(
            {
                "iteration": f"{findings.iteration:,}",
                "train\nloss": _figure(findings.train_loss, 4),
                "condition": diagnosis.condition,
                **_across(layers),
                "most\nflat %": _percent(max(flat, default=0.0)),
                "most\ndead %": _percent(max((x.dead or 0.0 for x in hidden), default=0.0)),
                "fewest\nunique": _fewest(hidden),
            }
        )
    header = tuple(rows[0])
    return Table(
        title,
        header,
        tuple(tuple(row.values()) for row in rows),
        frozenset(header) - {"condition"},
        "\n".join(
            [DURING, *caution_lines(diagnoses), f"At the end: {condition_line(diagnoses[-1])}"]
        ),
    )


def bars(values: Sequence[float]) -> list[str]:
    """Bars of the values' logarithms, the largest the whole BAR_WIDTH; 0 has none.

    >>> bars([1.0, 0.1, 0.01, 0.0])
    ['████', '██··', '▏···', '····']
    """
    logs = [math.log10(v) if v > 0 and math.isfinite(v) else None for v in values]
    known = [log for log in logs if log is not None]
    if not known:
        return [(BLOCKS[-1] if v != 0 else TRACK) * BAR_WIDTH for v in values]
    high = max(known)
    low = min(*known, high - BAR_DECADES)
    drawn = []
    for value, log in zip(values, logs, strict=True):
        share = (log - low) / (high - low) if log is not None else float(value != 0)
        eighths = max(round(share * BAR_WIDTH * 8), int(value != 0))
        full, part = divmod(eighths, 8)
        drawn.append((BLOCKS[-1] * full + (BLOCKS[part] if part else "")).ljust(BAR_WIDTH, TRACK))
    return drawn


def diagnose_document(diagnoses: Sequence[Diagnosis]) -> dict[str, Any]:
    """What `diagnose --format json` prints."""
    return envelope(diagnoses=[_fields(d) for d in diagnoses])


def diagnose_cells(diagnoses: Sequence[Diagnosis]) -> Cells:
    """Header and rows of a CSV with one row a layer."""
    swept = list(dict.fromkeys(key for d in diagnoses for key in d.findings.setting))
    header = ["config", "initializer", *swept, "iteration", "verdict", "begins_at_layer"]
    for field in fields(Layer):
        paired = field.type == "Pair"
        names = [f"{field.name}_predicted", f"{field.name}_measured"] if paired else [field.name]
        header += names
    rows: list[list[object]] = []
    for d in diagnoses:
        leading = [
            d.findings.config,
            d.findings.initializer,
            *(d.findings.setting.get(key) for key in swept),
            d.findings.iteration,
            d.condition,
            d.begins_at_layer,
        ]
        for layer in d.findings.layers:
            cells: list[object] = []
            for value in _layer_fields(layer).values():
                cells += list(value.values()) if isinstance(value, dict) else [value]
            rows.append([*leading, *cells])
    return Cells(header, rows)


def _fields(diagnosis: Diagnosis) -> dict[str, Any]:
    findings, theory = diagnosis.findings, diagnosis.findings.theory
    return {
        "config": findings.config,
        "initializer": findings.initializer,
        "setting": findings.setting,
        "activation": findings.activation,
        "seeds": findings.seeds,
        "samples": findings.samples,
        "iteration": findings.iteration,
        "train_loss": finite_or_none(findings.train_loss),
        "constant_loss": findings.constant_loss,
        "verdict": diagnosis.condition,
        "optimizer": findings.optimizer,
        "verdict_by_optimizer": {
            optimizer: diagnosis.by_family[family] for optimizer, family in FAMILIES.items()
        },
        "degree": diagnosis.degree,
        "slower": diagnosis.slower,
        "begins_at_layer": diagnosis.begins_at_layer,
        "reason": diagnosis.reason,
        "calibration": diagnosis.share
        and {
            "starts": diagnosis.share.starts,
            "failed": {"momentum": diagnosis.share.momentum, "adam": diagnosis.share.adam},
        },
        "advice": diagnosis.advice,
        "remedy": diagnosis.remedy,
        "cautions": list(diagnosis.cautions),
        "chi_1": finite_or_none(theory.chi_1) if theory else None,
        "theory": theory
        and {
            name: [finite_or_none(x) for x in value]
            if isinstance(value, tuple)
            else finite_or_none(value)
            for name in theory.__slots__
            for value in [getattr(theory, name)]
        },
        "growth": {
            name: growth
            and {
                "factor": growth.factor,
                "error": growth.error,
                "depth_scale": finite_or_none(growth.depth_scale),
            }
            for name, growth in findings.growth.items()
        },
        "jacobian_singular_values": dict(
            zip(
                ("largest", "median", "smallest"),
                map(finite_or_none, findings.jacobian),
                strict=True,
            )
        ),
        "jacobian_condition": finite_or_none(findings.jacobian_condition),
        "born_dead": findings.born_dead,
        "layers": [_layer_fields(layer) for layer in findings.layers],
    }


def _layer_fields(layer: Layer) -> dict[str, Any]:
    return {
        name: {
            "predicted": finite_or_none(value.predicted),
            "measured": finite_or_none(value.measured),
        }
        if isinstance(value, Pair)
        else finite_or_none(value)
        for name in layer.__slots__
        for value in [getattr(layer, name)]
    }


def _across(layers: Sequence[Layer]) -> dict[str, str]:
    """The factors by which signal and gradient change from one end of the network to the other."""
    first, last = layers[0], layers[-1]

    def ratio(above: float, below: float) -> str:
        return _figure(above / below, 2) if below > 0 and math.isfinite(below) else "-"

    return {
        "signal\nchange": ratio(
            last.preactivation_variance.measured, first.preactivation_variance.measured
        ),
        "gradient\nchange": ratio(
            first.gradient_variance.measured, last.gradient_variance.measured
        ),
    }


def _differing(layer: Layer) -> str:
    """The number of distinct units, in words if all are."""
    if layer.distinct_units is None:
        return ""
    if layer.distinct_units == layer.units:
        return "all"
    return f"{layer.distinct_units:g}/{layer.units}"


def _fewest(hidden: Sequence[Layer]) -> str:
    layer = min(hidden, key=lambda x: (x.distinct_units or 0) / x.units, default=None)
    return "" if layer is None else f"{layer.distinct_units:g}/{layer.units}"


def _figure(value: float | None, digits: int = 2) -> str:
    """A number short enough for a column: 3.8e3, not Python's 3.8e+03; 5.4e-3 for 0.0054."""
    if value is None or math.isnan(value):
        return "-"
    short = f"{value:.{digits - 1}e}" if 0 < abs(value) < 0.01 else f"{value:.{digits}g}"
    mantissa, e, exponent = short.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f}"
