"""``python -m initbench``, and the console script: the command line.

A signal that comes while Python imports the rest ends the process without a traceback.
"""

from __future__ import annotations

import signal

from initbench.signals import SIGNALS, end_at_once

for _number in SIGNALS:
    if signal.getsignal(_number) != signal.SIG_IGN:
        signal.signal(_number, end_at_once)

from initbench.cli import main  # noqa: E402

if __name__ == "__main__":
    main(prog_name="initbench")
