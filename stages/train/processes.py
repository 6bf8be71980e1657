"""Several processes that train together."""

from __future__ import annotations

import os


def first_process() -> bool:
    """Whether this process writes: the only one, or the first of those that `accelerate launch` starts."""
    return os.environ.get("RANK", "0") == "0"
