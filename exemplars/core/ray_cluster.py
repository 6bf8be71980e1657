"""Shards as tasks of a Ray cluster, or of a small one that is started for them on this machine.

`RAY_ADDRESS` names the cluster, as it does for all of Ray. Every node must have the project's folder at the same path,
and the same code.
"""

from __future__ import annotations

import functools
import logging
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from exemplars.core.code_version import hash_all_code
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.layout import EXECUTOR_VARIABLE
from exemplars.core.process_pool import AHEAD, ATTEMPTS

A = TypeVar("A")
B = TypeVar("B")

ADDRESS_VARIABLE: Final = "RAY_ADDRESS"
_PATIENCE: Final = 15.0
"""Seconds that a cluster has to answer."""
_LOCAL_FIX: Final = f"or unset {EXECUTOR_VARIABLE}: without it the same stage runs on this machine alone"
_LOCAL_SETTINGS: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_task_oom_retries": str(ATTEMPTS - 1),
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""For a cluster that is started here; by default Ray tries a task that runs out of memory forever."""
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
}
"""What is said of Ray's errors about a shard, and what to do."""


def map_on_ray(
    work: Callable[[A], B], shards: Sequence[A], workers: int, name_shard: Callable[[A], str]
) -> Iterator[B]:
    """Yield the results of `work` in the order of the shards, computed by tasks of one CPU each.

    workers: CPUs of the cluster that is started here if `RAY_ADDRESS` is not set. A task whose worker or node dies is
    tried again. Raises `UserError` if Ray is not installed, if the cluster cannot be reached or has no CPU, if a node
    has not the project's folder or other code, or if a shard fails each time.
    """
    ray = _import_ray()
    with _connect(ray, workers) as cpus:
        task = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1)(_run_in_project)
        shared_work = ray.put(work)
        project, code = os.getcwd(), hash_all_code()
        waiting, running = deque(shards), deque[tuple[A, Any]]()
        while waiting or running:
            while waiting and len(running) < AHEAD * cpus:
                shard = waiting.popleft()
                running.append((shard, task.remote(project, code, shared_work, shard)))
            shard, reference = running.popleft()
            try:
                result = ray.get(reference)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None
            except ray.exceptions.RayError as error:
                raise UserError([_report_failure(name_shard(shard), error)]) from None
            del reference
            yield result


def _run_in_project(project: str, code: str, work: Callable[[A], B], shard: A) -> B:
    """Run on a worker: paths of shards are relative to the project's folder."""
    if not Path(project).is_dir():
        raise UserError([_report_missing_folder(project)])
    os.chdir(project)
    if _hash_worker_code() != code:
        raise UserError([_report_other_code()])
    return work(shard)


_hash_worker_code = functools.cache(hash_all_code)


def _import_ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError:
        problem = Diagnostic(
            path=EXECUTOR_VARIABLE,
            code="no_ray",
            summary="it asks for Ray, which is not installed",
            fix=f"run `pip install 'exemplars[ray]'`, {_LOCAL_FIX}",
        )
        raise UserError([problem]) from None
    return ray


@contextmanager
def _connect(ray: Any, workers: int) -> Iterator[int]:
    """Connect to the cluster within the block; the value is the number of its CPUs."""
    address = os.environ.get(ADDRESS_VARIABLE)
    local = {} if address else {"num_cpus": workers, "include_dashboard": False}
    if address:
        _check_health(address)
    else:
        for name, value in _LOCAL_SETTINGS.items():
            os.environ.setdefault(name, value)
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, configure_logging=True, **local)
    except (ConnectionError, RuntimeError, OSError, ValueError) as error:
        raise UserError([_report_unreachable(address, error)]) from None
    try:
        cpus = int(ray.cluster_resources().get("CPU", 0))
        if cpus < 1:
            raise UserError([_report_unreachable(address, "none of its nodes has a CPU for tasks")])
        yield cpus
    finally:
        ray.shutdown()


def _check_health(address: str) -> None:
    """Raise `UserError` if no cluster answers: `ray.init` itself waits for one without end."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check"]
    if address != "auto":
        command += ["--address", address.removeprefix("ray://")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        raise UserError(
            [_report_unreachable(address, f"it did not answer for {_PATIENCE:.0f} seconds")]
        ) from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it does not answer"]
        raise UserError([_report_unreachable(address, lines[-1].rpartition("Error: ")[2])])


def _report_unreachable(address: str | None, error: object) -> Diagnostic:
    reason = " ".join(str(error).split())[:200].rstrip(".")
    place = f"the Ray cluster at {address}" if address else "a Ray cluster of this machine"
    return Diagnostic(
        path=ADDRESS_VARIABLE if address else EXECUTOR_VARIABLE,
        code="no_cluster",
        summary=f"{place} cannot be used: {reason}",
        fix=f"look at it with `ray status`, correct the address, {_LOCAL_FIX}",
    )


def _report_missing_folder(project: str) -> Diagnostic:
    return Diagnostic(
        path=project,
        code="no_shared_folder",
        summary=f"the node {os.uname().nodename} of the Ray cluster does not have the project's folder",
        fix="mount the folder there at the same path as here",
    )


def _report_other_code() -> Diagnostic:
    return Diagnostic(
        path=EXECUTOR_VARIABLE,
        code="other_code",
        summary=f"the node {os.uname().nodename} of the Ray cluster has other code of exemplars than this machine",
        fix="install the same version on every node",
    )


def _report_failure(shard: str, error: Exception) -> Diagnostic:
    kinds = [kind.__name__ for kind in type(error).__mro__]
    known = next((_FAILURES[kind] for kind in kinds if kind in _FAILURES), None)
    first_line = str(error).strip().split("\n")[0][:200]
    summary, fix = known or (f"Ray reports {kinds[0]}: {first_line}", "look at the cluster with `ray status`")
    return Diagnostic(
        path=shard,
        code="worker_died",
        summary=summary.format(attempts=ATTEMPTS) if known else summary,
        fix=f"{fix}, {_LOCAL_FIX}",
    )
