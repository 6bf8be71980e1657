"""What a process has freed, returned to the system."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_MMAP_THRESHOLD: Final = -3
_TRIM_THRESHOLD: Final = -1
"""`M_MMAP_THRESHOLD` and `M_TRIM_THRESHOLD` of glibc: see mallopt(3)."""
_BLOCK: Final = 2**20


def return_free_memory() -> None:
    """Return to the system what this process has freed, and from now on what it frees of 1 MB or more.

    glibc keeps freed blocks for later: the larger they were, the more of them, up to 64 MB. To get them from the system
    again takes time, so this is for processes that run long and compute little. Other C libraries are left alone.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "mallopt"):
        library.mallopt(_MMAP_THRESHOLD, _BLOCK)
        library.mallopt(_TRIM_THRESHOLD, _BLOCK)
        library.malloc_trim(0)
