"""The columns that only a terminal shows."""

from __future__ import annotations

import math
from dataclasses import replace

from initbench.analysis.curves import median_curve
from initbench.report.render.html import html_view
from initbench.report.render.latex import latex_view
from initbench.report.render.markdown import markdown_view
from initbench.report.views.screen import loss_curves, on_screen
from initbench.report.views.view import Cells, Table, View
from initbench.runs.records import NO_CURVE, Curve, Record, Status
from tests.report.conftest import Rendered


def run(*losses: float, every: int = 10, status: Status = "ok", seconds: float = 0.25) -> Record:
    moments = tuple(range(0, every * len(losses), every))
    curve = Curve(moments, losses, None, tuple(x + 1 for x in losses), None)
    return Record("", "c", "he", {}, 0, status, curve, seconds)


FAILED = replace(run(), curve=NO_CURVE, status="failed")
HE, ZEROS = [run(0.8, 0.5, 0.125), run(0.8, 0.25, 0.0), FAILED], [run(0.7, 0.7, 0.7, seconds=150)]
TABLE = Table(
    "t", ("initializer", "loss"), (("he", "0.075"), ("zeros", "0.7")), frozenset({"loss"})
)


def test_a_curve_is_the_median_over_the_runs_of_a_row() -> None:
    curves = loss_curves([HE, ZEROS], "train_accuracy")
    assert curves is not None
    assert curves.rows == ((0.8, 0.375, 0.0625), (0.7, 0.7, 0.7))
    assert (curves.bounds, curves.log) == ((0.0625, 0.7), True)
    assert (
        "train loss from the first iteration to the last, on one logarithmic scale" in curves.legend
    )
    tested = loss_curves([HE, ZEROS], "test_loss")
    assert tested is not None
    assert tested.rows[1] == (1.7, 1.7, 1.7)


def test_losses_decades_apart_are_on_a_logarithmic_scale() -> None:
    curves = loss_curves([[run(1.0, 0.5, 0.05)], [run(1000.0, 5.0, 0.5)]], "train_loss")
    assert curves is not None
    assert curves.log
    assert curves.bounds == (0.05, 1.0)  # the row that starts at 1000 does not flatten the other
    zero = loss_curves([[run(1.0, 0.5, 0.0)]], "train_loss")
    assert zero is not None
    assert not zero.log


def test_divergence_is_marked_and_kept() -> None:
    lost = [run(1.0, math.inf, status="diverged"), run(1.0, 2.0, math.inf, status="diverged")]
    curves = loss_curves([lost, ZEROS], "train_loss")
    assert curves is not None
    assert curves.rows[0] == (1.0, math.inf, math.inf)
    assert curves.legend.endswith("; × where the median has diverged.")


def test_a_row_keeps_its_last_value_between_its_log_points() -> None:
    assert median_curve([run(3.0, 2.0, 1.0, every=20)], "train_loss", [0, 10, 20, 30, 40]) == [
        3.0, 3.0, 2.0, 2.0, 1.0,
    ]  # fmt: skip
    assert median_curve([FAILED], "train_loss", [0, 10]) == []


def test_without_a_run_there_is_no_curve() -> None:
    assert loss_curves([[FAILED]], "train_loss") is None
    assert loss_curves([[run(0.7, 0.5)]], "train_loss") is None  # a start and an end
    assert loss_curves([[run(math.inf, status="diverged")]], "train_loss") is None
    table = on_screen(TABLE, [[FAILED], [FAILED]], "train_loss")
    assert table.sparklines is None


def test_screen_columns_stand_on_a_screen_alone(rendered: Rendered) -> None:
    table = on_screen(TABLE, [HE, ZEROS], "train_loss", "loss")
    assert rendered(table, 120).splitlines()[2:6] == [
        "                     loss   seconds",
        " initializer   loss  curve    a run",
        " ──────────────────────────────────",
        " he           0.075  █▆▁       0.25",
    ]
    assert "seconds" not in rendered(table, 80)
    assert table.on_paper == replace(
        TABLE, screen=table.screen, wide=table.wide, numeric=table.numeric
    )
    view = View((table,), dict, lambda: Cells([], []))
    for text in (markdown_view(view), html_view(view), latex_view(view)):
        assert "curve" not in text.lower()
        assert "seconds" not in text
