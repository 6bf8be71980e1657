"""Memory that is freed is given back: by default, allocators keep what tables that are gone have taken."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from typing import Final

POOL_VARIABLE: Final = "ARROW_DEFAULT_MEMORY_POOL"
_M_MMAP_THRESHOLD: Final = -3
"""The number of a setting in glibc's `malloc.h`."""
_LARGE_BLOCK: Final = 2**18
"""Bytes. Larger are the columns of row groups, and arrays with a number for each of many rows."""


def choose_arrow_pool() -> None:
    """Make Arrow use the system's allocator, unless the user has chosen another; must run before pyarrow is imported.

    Arrow reads Parquet with its default pool, whatever pool is set later.
    """
    os.environ.setdefault(POOL_VARIABLE, "system")


def return_large_blocks() -> None:
    """Make this process, and those that it forks, give large blocks back as soon as they are freed.

    glibc would stop that once the first of them is freed. Other C libraries have no such setting.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)


def return_freed_pages() -> None:
    """Give all free pages back, those between small blocks too: a few milliseconds, after work with many objects."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
