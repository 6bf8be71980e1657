"""Worker processes over shards, with the results in the order of the shards."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def count_workers(requested: int) -> int:
    """Return `requested`, or the number of cores that this process may use if that is 0."""
    if requested > 0:
        return requested
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_shards(work: Callable[[A], B], shards: Iterable[A], workers: int, title: str) -> Iterator[B]:
    """Apply `work` to every shard; yield the results in the order of the shards.

    work: a function defined at the top level of a module, so that it can be sent to a process. With one
    worker it runs in this process.
    title: of the progress bar, which is shown at a terminal only.
    """
    shards = list(shards)
    workers = min(workers, len(shards))
    if workers <= 1:
        yield from show_progress(map(work, shards), len(shards), title)
        return
    with ProcessPoolExecutor(workers, initializer=gc.disable) as pool:
        yield from show_progress(pool.map(work, shards), len(shards), title)


def show_progress(results: Iterator[B], total: int, title: str) -> Iterator[B]:
    """Yield the results, with a progress bar if the standard error stream is a terminal."""
    if not sys.stderr.isatty():
        return results
    from tqdm import tqdm  # Its import takes time that only a visible bar is worth.

    return iter(tqdm(results, desc=title, total=total, leave=False, delay=0.5, ncols=79))
