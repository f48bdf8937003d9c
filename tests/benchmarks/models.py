"""Are the verdicts on PyTorch models right? Plant each mistake at 20 seeds, and diagnose the zoo.

    PYTHONPATH=. python tests/benchmarks/models.py [SEEDS] [TABLE]

A mistake of tests/models/mistakes.py is caught if the check that names it fails. Each set of seeds
is five seeds of their own, as `initbench verify --model` has them. A start in
tests/models/starts.py is right if condition and words are those of the table at a seed alone: a
small model of the same plan where the table has one. Then each whole model is diagnosed at five
seeds together, with the seconds of processor time that it takes. It needs PyTorch and transformers,
and some minutes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from initbench.models import laws
from initbench.models.diagnosing import diagnose
from initbench.models.verifying import verify
from tests.models import zoo
from tests.models.mistakes import GPT2, MISTAKES
from tests.models.starts import STARTS

#: Sound models and their laws: no check may fail.
SOUND: dict[str, tuple[Callable[..., Any], dict[str, str]]] = {
    "GPT-2's plan": (
        partial(zoo.Gpt2, scaled=True, layers=2, width=48),
        {**GPT2, "*c_proj.weight": "normal(std=0.02/sqrt(2*2))"},
    ),
    "layers under PyTorch's defaults": (zoo.small, {"*": "auto"}),
}


def main(seeds: int, table: Path | None) -> None:
    """Print the tables, and write them to a file."""
    torch.set_num_threads(1)
    lines = [f"| mistake planted | caught, of {seeds} |", "| --- | ---: |"]
    for name, (builder, declared, check, words) in MISTAKES.items():
        caught = 0
        for start in range(seeds):
            result = verify(builder, laws.of_mapping(declared), range(5 * start, 5 * start + 5))
            caught += any(
                one.check == check and words in one.words for one in result.checks if not one.ok
            )
        lines.append(f"| {name} | {caught} |")
        print(lines[-1], flush=True)
    lines += ["", f"| sound model | alarms, of {seeds} |", "| --- | ---: |"]
    for name, (builder, declared) in SOUND.items():
        alarms = 0
        for start in range(seeds):
            result = verify(builder, laws.of_mapping(declared), range(5 * start, 5 * start + 5))
            alarms += not all(one.ok for one in result.checks)
        lines.append(f"| {name} | {alarms} |")
        print(lines[-1], flush=True)
    head = f"| start | verdict | right, of {seeds} | whole model at 5 seeds | seconds |"
    lines += ["", head, "| --- | --- | ---: | --- | ---: |"]
    total = 0.0
    for name, known in STARTS.items():
        right = 0
        for seed in range(seeds):
            found = diagnose(known.small or known.builder, known.batch, [seed])
            said = " ".join([found.reason, *found.notes])
            right += found.condition == known.condition and known.words in said
        began = time.process_time()
        found = diagnose(known.builder, known.batch, range(5))
        seconds = time.process_time() - began
        total += seconds
        lines.append(
            f"| {name} | {known.condition} | {right} | {found.condition} | {seconds:.1f} |"
        )
        print(lines[-1], flush=True)
    lines.append(f"\nAll whole models at five seeds: {total:.0f} seconds of processor time.")
    print(lines[-1])
    if table is not None:
        table.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, Path(sys.argv[2]) if sys.argv[2:] else None)
