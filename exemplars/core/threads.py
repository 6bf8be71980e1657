"""How the threads of numerical libraries wait for each other."""

from __future__ import annotations

import os
from typing import Final

SPIN_VARIABLE: Final = "GOMP_SPINCOUNT"
SPIN_COUNT: Final = "1000"
"""Iterations that an OpenMP thread spins before it sleeps.

Measured with torch 2.13 on two cores, 15 training steps of a small transformer (docs/train.md): 1,000 takes as long
as 20,000 when the machine is idle (6.3 to 6.9 s), and 12.3 s instead of 18.9 s when another process keeps one core
busy. The library's default is 300,000: two processes then wait for each other most of the time.
"""


def limit_spinning() -> None:
    """Set `GOMP_SPINCOUNT`, unless the user has set it; must run before torch is imported."""
    os.environ.setdefault(SPIN_VARIABLE, SPIN_COUNT)
