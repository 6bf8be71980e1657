"""Functions that run over shards: in this process, in processes of this machine, or on a Ray cluster.

The results come in the order of the shards, so that neither the executor nor the number of workers nor the order in
which shards finish changes a byte.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.layout import EXECUTOR_VARIABLE, WORKERS_VARIABLE
from exemplars.core.process_pool import map_in_processes

A = TypeVar("A")
B = TypeVar("B")


def count_workers(requested: int) -> int:
    """Return `requested`, or the number of cores that this process may use if that is 0."""
    if requested > 0:
        return requested
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_worker_count() -> int:
    """Return how many workers the environment asks for; one for each core by default."""
    return count_workers(int(os.environ.get(WORKERS_VARIABLE, "0")))


def map_shards(
    work: Callable[[A], B],
    shards: Iterable[A],
    workers: int,
    title: str,
    name_shard: Callable[[A], str] = str,
) -> Iterator[B]:
    """Apply `work` to every shard; yield the results in the order of the shards.

    work: a pure function defined at the top level of a module, so that it can be sent to a process, and run again if
    that process dies. With one worker it runs in this process, unless the environment asks for Ray.
    shards: a sequence is read an item at a time, so that its items may be made when they are asked for.
    title: of the progress bar, which is shown at a terminal only. name_shard: names a shard in messages, by its file.
    Raises `UserError` if a shard fails each time that it is tried, or if there is no such executor.
    """
    shards = shards if isinstance(shards, Sequence) else list(shards)
    executor = os.environ.get(EXECUTOR_VARIABLE) or "local"
    if executor not in ("local", "ray"):
        raise UserError([_report_unknown(executor)])
    if executor == "ray" and shards:
        from exemplars.core.ray_cluster import map_on_ray  # Ray is in an extra, and takes a second to import.

        results = map_on_ray(work, shards, workers, name_shard)
    elif min(workers, len(shards)) <= 1:
        results = map(work, shards)
    else:
        results = map_in_processes(work, shards, min(workers, len(shards)), name_shard)
    yield from show_progress(results, len(shards), title)


def show_progress(results: Iterator[B], total: int, title: str) -> Iterator[B]:
    """Yield the results, with a progress bar if the standard error stream is a terminal."""
    if not sys.stderr.isatty():
        return results
    from tqdm import tqdm  # Its import takes time that only a visible bar is worth.

    return iter(tqdm(results, desc=title, total=total, leave=False, delay=0.5, ncols=79))


def _report_unknown(executor: str) -> Diagnostic:
    return Diagnostic(
        path=EXECUTOR_VARIABLE,
        code="unknown_executor",
        found=f"the executor {executor!r}",
        expected="local or ray",
        fix="correct the environment variable, or unset it",
    )
