"""Shards in processes of this machine: a shard whose process is killed is tried again."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, TypeVar

from exemplars.core.errors import Diagnostic, UserError

A = TypeVar("A")
B = TypeVar("B")

_works: Final[list[Callable[[Any], Any]]] = []
"""In a process of a pool, what it does with a shard."""
ATTEMPTS: Final = 3
"""How often a shard is tried whose worker dies."""
AHEAD: Final = 2
"""Shards per worker that are computed before the first of them is taken: they bound the results in memory."""


def map_in_processes(
    work: Callable[[A], B], shards: Sequence[A], workers: int, name_shard: Callable[[A], str]
) -> Iterator[B]:
    """Yield the results of `work` in the order of the shards, computed by `workers` processes.

    A killed process takes its pool with it, so the shards that were running are tried again, each in a process of its
    own. Raises `UserError` if a shard kills its process each time.
    """
    done: dict[int, B] = {}
    position = 0
    while position < len(shards):
        running: dict[int, Future[B]] = {}
        try:
            with _start_pool(workers, work) as pool:
                while position < len(shards):
                    for index in range(position, min(position + AHEAD * workers, len(shards))):
                        if index not in done and index not in running:
                            running[index] = pool.submit(_run_work, shards[index])
                    if position not in done:
                        done[position] = running.pop(position).result()
                    yield done.pop(position)
                    position += 1
        except BrokenProcessPool:
            interrupted = sorted({position, *running} - set(done))
            done.update(_collect_finished(running))
            for index in interrupted:
                if index not in done:
                    done[index] = _run_alone(work, shards[index], name_shard(shards[index]))


def _start_pool(workers: int, work: Callable[[A], B]) -> ProcessPoolExecutor:
    """Start processes that get `work` once, and not again with each shard: what it remembers serves them all."""
    return ProcessPoolExecutor(workers, initializer=_prepare_worker, initargs=(work,))


def _prepare_worker(work: Callable[[Any], Any]) -> None:
    gc.disable()
    _works.append(work)


def _run_work(shard: Any) -> Any:
    return _works[-1](shard)


def _collect_finished(running: dict[int, Future[B]]) -> Iterator[tuple[int, B]]:
    for index, future in running.items():
        if future.done() and not future.cancelled() and future.exception() is None:
            yield index, future.result()


def _run_alone(work: Callable[[A], B], shard: A, name: str) -> B:
    for _ in range(ATTEMPTS - 1):
        try:
            with _start_pool(1, work) as pool:
                result: B = pool.submit(_run_work, shard).result()
                return result
        except BrokenProcessPool:
            continue
    raise UserError(
        [
            Diagnostic(
                path=name,
                code="worker_died",
                summary=f"its worker process was killed {ATTEMPTS} times",
                fix="free some memory, or divide the file, then run the same command again",
            )
        ]
    )
