"""One process a core over shards, merged in the shards' order."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def count_workers(wanted: int) -> int:
    """`wanted`, or where that is 0 the number of cores that this process may use."""
    if wanted > 0:
        return wanted
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_shards(work: Callable[[A], B], shards: Iterable[A], workers: int, title: str) -> Iterator[B]:
    """`work` of every shard, in the order of the shards, whatever the number of workers.

    work: a function of the top level of a module; with one worker it runs in this process.
    title: what the progress bar says, which people at a terminal see.
    """
    shards = list(shards)
    workers = min(workers, len(shards))
    if workers <= 1:
        yield from _shown(map(work, shards), len(shards), title)
        return
    with ProcessPoolExecutor(workers, initializer=gc.disable) as pool:
        yield from _shown(pool.map(work, shards), len(shards), title)


def _shown(results: Iterator[B], total: int, title: str) -> Iterator[B]:
    if not sys.stderr.isatty():
        return results
    from tqdm import tqdm  # Not worth its import where nobody looks.

    return iter(tqdm(results, desc=title, total=total, leave=False, delay=0.5, ncols=79))
