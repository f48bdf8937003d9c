"""initbench's command line, with what the tests need that kill it.

DRAWS names a file that gets a line for each run that is drawn, in whatever process; the
initializer `deadly` ends its process, `broken` raises.
"""

from __future__ import annotations

import os
from typing import Any, NoReturn

from initbench.core.initializers import INITIALIZERS, Initializer


def leave(*_: object, **__: object) -> NoReturn:
    os._exit(1)


def fail(*_: object, **__: object) -> NoReturn:
    raise ZeroDivisionError("as it was asked to")


# Before the spec makes its models of what is registered.
INITIALIZERS["deadly"] = Initializer(leave, "-", "-")
INITIALIZERS["broken"] = Initializer(fail, "-", "-")

from initbench import execute, plan  # noqa: E402
from initbench.cli import main  # noqa: E402

plan.MAX_STACK = 4
plain_draw = execute.draw


def draw(work: execute.Work) -> Any:
    if "DRAWS" in os.environ:
        handle = os.open(os.environ["DRAWS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, "".join(f"{seed}\n" for seed in work.seeds).encode())
        os.close(handle)
    return plain_draw(work)


execute.draw = draw

if __name__ == "__main__":
    main()
