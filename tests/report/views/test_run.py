from __future__ import annotations

import math

from initbench.analysis.summary import Spread, Summary
from initbench.metrics import METRICS
from initbench.report.render.markdown import markdown_table
from initbench.report.views.run import summary_table
from tests.report.conftest import Rendered


def summary(name: str, loss: Spread, accuracy: Spread | None, diverged: int = 0) -> Summary:
    metrics = {name: loss if name.endswith("loss") else accuracy for name in METRICS}
    return Summary(name, f"{name}_normal", {}, 10, diverged, metrics)


ROWS = [
    summary("zeros", Spread(0.693147, 0.693147, 0.693147), Spread(0.5, 0.5, 0.5)),
    summary("he", Spread(0.101941, 0.064811, 0.622594), Spread(0.945, 0.66, 0.97)),
    summary("huge", Spread(math.inf, 2.5e8, math.inf), Spread(0.0, 0.0, 0.5), diverged=7),
]


def test_a_summary_at_80_columns(rendered: Rendered) -> None:
    assert rendered(summary_table("the problem", ROWS), 80) == (
        "the problem\n"
        "\n"
        "                                          train                    test\n"
        "                   runs        train   accuracy         test   accuracy\n"
        " initializer   diverged         loss          %         loss          %\n"
        " ──────────────────────────────────────────────────────────────────────\n"
        " zeros_normal      0/10       0.6931       50.0       0.6931       50.0\n"
        " he_normal         0/10       0.1019       94.5       0.1019       94.5\n"
        "                          0.065–0.62  66.0–97.0   0.065–0.62  66.0–97.0\n"
        " huge_normal       7/10          inf        0.0          inf        0.0\n"
        "                         2.5e+08–inf   0.0–50.0  2.5e+08–inf   0.0–50.0\n"
        "\n"
        "Median over 10 seeds, then the range from the lowest to the highest. Loss is in\n"
        "nats.\n"
        "Diverged: the train loss stopped being finite, and counts as inf.\n"
    )


def test_a_regression_shows_its_losses() -> None:
    one = [summary("he", Spread(0.5, 0.4, 0.6), None)]
    assert markdown_table(summary_table("he: diabetes", one)) == (
        "**he: diabetes**\n"
        "\n"
        "| initializer | runs diverged | train loss | test loss |\n"
        "| --- | ---: | ---: | ---: |\n"
        "| he_normal | 0/10 | 0.5 (0.4–0.6) | 0.5 (0.4–0.6) |\n"
        "\n"
        "Median over 10 seeds, then the range from the lowest to the highest. "
        "Loss is the mean squared error.\n"
    )


def test_swept_keys_are_columns() -> None:
    rows = [
        Summary("he", "he_normal", {"learning_rate": rate}, 1, 0, ROWS[0].metrics)
        for rate in (0.01, 0.1)
    ]
    table = summary_table("he", rows)
    assert table.header[:3] == ("initializer", "learning\nrate", "runs\ndiverged")
    assert [row[1] for row in table.rows] == ["0.01", "0.1"]
    assert "over 1 seed," in table.caption
