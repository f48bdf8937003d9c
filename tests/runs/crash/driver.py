"""initbench's command line, with what the tests need that kill it: small stacks.

DRAWS names a file that gets a line for each run that is drawn, in whatever process. FILE_SIZE
is the largest file that it and its workers may write, in bytes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from initbench.cli import main
from initbench.core import draw as start
from initbench.runs import plan, workers

plan.MAX_STACK = 4
workers._no_main_module = nullcontext  # type: ignore[assignment]  # workers run this file, too
plain_draw = start.draw


def draw(network: Any, chosen: Any, seeds: Sequence[int], biases: Any = None) -> Any:
    if "DRAWS" in os.environ:
        handle = os.open(os.environ["DRAWS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, "".join(f"{seed}\n" for seed in seeds).encode())
        os.close(handle)
    return plain_draw(network, chosen, seeds, biases)


start.draw = draw

if __name__ == "__main__":
    if "FILE_SIZE" in os.environ:
        import resource  # which Windows has not

        limit = int(os.environ["FILE_SIZE"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    main()
