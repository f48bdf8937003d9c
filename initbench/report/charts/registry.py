"""Every chart by the kind of its picture, and the tables that it reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt

from initbench.report.charts import comparing, networks, training
from initbench.report.charts.style import Data, Panel, Size
from initbench.report.views.pictures import Picture

Draw = Callable[[Picture, Data, Size, alt.Legend | None], list[Panel]]

#: Every chart by the kind of its picture.
CHARTS: dict[str, Draw] = {
    "curves": training.curves,
    "boundary": networks.boundary,
    "layers": networks.layers,
    "seeds": comparing.seeds,
    "forest": comparing.forest,
    "profile": training.profile,
    "sensitivity": comparing.sensitivity,
    "activations": networks.activations,
    "weights": networks.weights,
}


def tables(picture: Picture) -> dict[str, list[dict[str, Any]]]:
    """The tables that the chart of a picture reads."""
    return networks.images(picture) if picture.kind == "boundary" else dict(picture.tables)
