"""One process a core over shards, merged in the shards' order."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def worker_count(wanted: int) -> int:
    """`wanted`, or where that is 0 the number of cores that this process may use."""
    if wanted > 0:
        return wanted
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_shards(work: Callable[[A], B], shards: Iterable[A], workers: int) -> Iterator[B]:
    """`work` of every shard, in the order of the shards, whatever the number of workers.

    work: a function of the top level of a module; with one worker it runs in this process.
    """
    shards = list(shards)
    workers = min(workers, len(shards))
    if workers <= 1:
        yield from map(work, shards)
        return
    with ProcessPoolExecutor(workers, initializer=gc.disable) as pool:
        yield from pool.map(work, shards)
