"""Work on shards that kills its worker."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def double_or_die(folder: Path, deaths: int, number: int) -> int:
    """Double a number; the process of shard 3 is killed the first `deaths` times, as by a machine without memory."""
    if number == 3:
        died = len(list(folder.iterdir()))
        if died < deaths:
            (folder / str(died)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return number * 2
