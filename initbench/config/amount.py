"""How much a config asks for, counted before any of it is made: 10,000 settings of a sweep with
100,000 seeds each would fill the memory long before the first run trains.
"""

from __future__ import annotations

import math
from typing import Any

from initbench.config.document import Document
from initbench.errors import Problem
from initbench.spec import MAX_RUNS, Experiment, stated_seeds
from initbench.wording import counted

#: A sweep has at most so many keys.
MAX_SWEPT = 32


def excess(document: Document) -> list[Problem]:
    """A problem where a config asks for more runs than its ``max_runs``, or sweeps too many keys.

    The counts are of what is written. What is no list or number is left to the model to refuse.
    """
    data = document.data
    sweep = data.get("sweep")
    swept: dict[str, Any] = sweep if isinstance(sweep, dict) else {}
    if len(swept) > MAX_SWEPT:
        message = f"has {len(swept):,} keys, at most {MAX_SWEPT} are allowed; remove keys"
        return [Problem(document.place(("sweep",), of_key=True), "sweep", message)]
    settings = math.prod(len(values) for values in swept.values() if isinstance(values, list))
    initializers = data.get("initializer")
    rows = len(initializers) if isinstance(initializers, list) else 1
    seeds = _seeds(data.get("seeds", len(Experiment.model_fields["seeds"].default)))
    limit = data.get("max_runs", MAX_RUNS)
    if not isinstance(limit, int) or isinstance(limit, bool):
        return []
    runs = settings * rows * seeds
    if runs <= max(1, limit):
        return []
    key = "sweep" if settings > 1 else "seeds"
    parts = [
        *([counted(settings, "setting")] if settings > 1 else []),
        counted(rows, "initializer"),
        counted(seeds, "seed"),
    ]
    message = (
        f"asks for {runs:,} runs ({' x '.join(parts)}), more than max_runs, {limit:,}; "
        f"ask for fewer, or allow them with max_runs: {runs} (--set max_runs={runs})"
    )
    return [Problem(document.place((key,), of_key=True), key, message)]


def _seeds(value: Any) -> int:
    try:
        seeds = stated_seeds(value)
    except ValueError:
        return 1
    return len(seeds) if isinstance(seeds, tuple) else 1
