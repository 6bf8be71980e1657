"""Shards as tasks of a Ray cluster.

Every node must have the project's folder at the same path, and the same code.
"""

from __future__ import annotations

import functools
import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from exemplars.core import params
from exemplars.core.code_version import hash_all_code
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.layout import EXECUTOR_VARIABLE
from exemplars.core.process_pool import AHEAD, ATTEMPTS
from exemplars.core.ray_connection import LOCAL_FIX, connect_to_ray
from exemplars.core.table_streams import prepare_process

A = TypeVar("A")
B = TypeVar("B")

_FAILURES: Final = {
    "OutOfMemoryError": (
        "its worker ran out of memory {attempts} times",
        "start the nodes with fewer CPUs (`ray start --num-cpus`), so that each task has more memory",
    ),
    "ObjectStoreFullError": (
        "the object store of its node is full",
        "start the nodes with a larger one (`ray start --object-store-memory`)",
    ),
    "OutOfDiskError": (
        "the disk to which its node spills objects is full",
        "free some space there, or start the nodes with a larger object store",
    ),
    "WorkerCrashedError": (
        "its worker died {attempts} times",
        "look at the logs of its node (`ray logs`), give it more memory, or divide the file",
    ),
    "NodeDiedError": (
        "the nodes that ran it died {attempts} times",
        "look at the nodes with `ray status`, then run the same command again",
    ),
    "_NoNodesError": (
        "no node of the cluster is left that could run it",
        "look at the nodes with `ray status`, start them again",
    ),
}
"""What is said of Ray's errors about a shard, and what to do."""
_MISSING_MODULE: Final = re.compile(r"No module named '(\w+)")
_NODE_CHECK: Final = 60.0
"""Seconds of waiting after which, again and again, it is checked that the cluster has a node."""


class _NoNodesError(Exception):
    """The cluster has no node for tasks."""


class _Job(NamedTuple):
    """What all shards have in common."""

    project: str
    """The path of its folder."""
    code: str
    """The hash of the code."""
    work: Any
    """A reference to the function. Ray takes a reference that is an argument of its own from the store for each task;
    this one is taken once for each process, so that what the function remembers serves all of the process's shards."""


def map_on_ray(
    work: Callable[[A], B], shards: Sequence[A], workers: int, name_shard: Callable[[A], str]
) -> Iterator[B]:
    """Yield the results of `work` in the order of the shards, computed by tasks of one CPU each.

    workers: CPUs of the cluster that is started here if `RAY_ADDRESS` is not set. A task whose worker or node dies is
    tried again. Raises `UserError` if there is no connection (see `connect_to_ray`), if a node has not the project's
    folder or other code, if a shard fails each time, or if no node is left.
    """
    ray, cpus = connect_to_ray(workers)
    task = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1)(_run_in_project)

    def name(index: int) -> str:
        return name_shard(shards[index])

    with _name_failures(ray, name, 0):
        job = _Job(os.getcwd(), _hash_code(), ray.put(work))
    running: deque[Any] = deque()
    for position in range(len(shards)):
        for index in range(position + len(running), min(position + AHEAD * cpus, len(shards))):
            with _name_failures(ray, name, index):
                running.append(task.remote(job, shards[index]))
        with _name_failures(ray, name, position):
            _wait_for_task(ray, running[0])
            result = ray.get(running.popleft())
        yield result


@contextmanager
def _name_failures(ray: Any, name: Callable[[int], str], index: int) -> Iterator[None]:
    """Raise what the work on a shard has raised; for errors of Ray, a `UserError` that names the shard."""
    try:
        yield
    except (ray.exceptions.RayError, _NoNodesError) as error:
        # Of a task, also if Ray could not store its result.
        cause = error.cause if isinstance(error, ray.exceptions.RayTaskError) else error
        if not isinstance(cause, ray.exceptions.RayError | _NoNodesError):
            raise cause from None
        raise UserError([_report_failure(name(index), cause)]) from None


def _wait_for_task(ray: Any, reference: Any) -> None:
    """Wait for a task as long as the cluster has nodes for it: Ray itself would wait for new ones without end."""
    while not ray.wait([reference], timeout=_NODE_CHECK)[0]:
        if ray.cluster_resources().get("CPU", 0) < 1:
            raise _NoNodesError


def _run_in_project(job: _Job, shard: Any) -> Any:
    """Run on a worker: paths of shards are relative to the project's folder."""
    _enter_project(job.project, job.code)
    return _fetch_work(job.work)(shard)


def _enter_project(project: str, code: str) -> None:
    # A shared folder that is not mounted is an empty one.
    if not (Path(project) / params.PATH).is_file():
        raise UserError([_report_missing_folder(project)])
    os.chdir(project)
    if _hash_code() != code:
        raise UserError([_report_other_code()])
    _prepare_worker()


_prepare_worker = functools.cache(prepare_process)


@functools.lru_cache(maxsize=1)
def _fetch_work(reference: Any) -> Callable[[Any], Any]:
    import ray

    work: Callable[[Any], Any] = ray.get(reference)
    return work


_hash_code = functools.cache(hash_all_code)


def _report_missing_folder(project: str) -> Diagnostic:
    node = os.uname().nodename
    return Diagnostic(
        path=project,
        code="no_shared_folder",
        summary=f"the node {node} of the Ray cluster does not have the project's folder, or has it empty",
        fix=f"mount the folder there at the same path as here, {LOCAL_FIX}",
    )


def _report_other_code() -> Diagnostic:
    return Diagnostic(
        path=EXECUTOR_VARIABLE,
        code="other_code",
        summary=f"the node {os.uname().nodename} of the Ray cluster has other code of exemplars than this machine",
        fix=f"install the same version on every node, {LOCAL_FIX}",
    )


def _report_missing_package(name: str) -> Diagnostic:
    return Diagnostic(
        path=EXECUTOR_VARIABLE,
        code="other_code",
        summary=f"a node of the Ray cluster does not have the package {name}, which this machine has",
        fix=f"install the same packages on every node, {LOCAL_FIX}",
    )


def _report_failure(shard: str, error: Exception) -> Diagnostic:
    if missing := _MISSING_MODULE.search(str(error)):
        return _report_missing_package(missing[1])
    kinds = [kind.__name__ for kind in type(error).__mro__]
    known = next((_FAILURES[kind] for kind in kinds if kind in _FAILURES), None)
    first_line = str(error).strip().split("\n")[0][:200]
    summary, fix = known or (f"Ray reports {kinds[0]}: {first_line}", "look at the cluster with `ray status`")
    return Diagnostic(
        path=shard,
        code="worker_died",
        summary=summary.format(attempts=ATTEMPTS) if known else summary,
        fix=f"{fix}, {LOCAL_FIX}",
    )
