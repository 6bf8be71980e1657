"""The processes of one training run."""

from __future__ import annotations

import os


def is_main_process() -> bool:
    """Return whether this process writes: the only one, or the first that `accelerate launch` starts."""
    return os.environ.get("RANK", "0") == "0"


def count_processes() -> int:
    """Count the processes that train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))
