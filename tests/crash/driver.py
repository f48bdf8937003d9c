"""initbench's command line, with what the tests need that kill it.

DRAWS names a file that gets a line for each run that is drawn, in whatever process; the
initializer `deadly` ends its process, `broken` raises.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NoReturn

from initbench.core.initializers import INITIALIZERS, Initializer


def leave(*_: object, **__: object) -> NoReturn:
    os._exit(1)


def fail(*_: object, **__: object) -> NoReturn:
    raise ZeroDivisionError("as it was asked to")


# Before the spec makes its models of what is registered.
INITIALIZERS["deadly"] = Initializer(leave, "-", "-", None)
INITIALIZERS["broken"] = Initializer(fail, "-", "-", None)

from initbench import plan  # noqa: E402
from initbench.cli import main  # noqa: E402
from initbench.core import start  # noqa: E402

plan.MAX_STACK = 4
plain_draw = start.draw


def draw(network: Any, chosen: Any, seeds: Sequence[int]) -> Any:
    if "DRAWS" in os.environ:
        handle = os.open(os.environ["DRAWS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, "".join(f"{seed}\n" for seed in seeds).encode())
        os.close(handle)
    return plain_draw(network, chosen, seeds)


start.draw = draw

if __name__ == "__main__":
    main()
