"""The connection of a process to a Ray cluster, or to a small one that is started for it on this machine.

`RAY_ADDRESS` names the cluster, as it does for all of Ray. A process connects once, and disconnects when it ends: all
of its parallel maps share the connection, and the worker processes that the cluster has started for it.
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, Final, NamedTuple

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.layout import EXECUTOR_VARIABLE
from exemplars.core.process_pool import ATTEMPTS

ADDRESS_VARIABLE: Final = "RAY_ADDRESS"
LOCAL_FIX: Final = f"or unset {EXECUTOR_VARIABLE}: without it the same stage runs on this machine alone"
_PATIENCE: Final = 15.0
"""Seconds that a cluster has to answer."""
_SETTINGS: Final = {"RAY_task_oom_retries": str(ATTEMPTS - 1), "RAY_IGNORE_UNHANDLED_ERRORS": "1"}
"""By default Ray tries a task that runs out of memory forever, and prints errors of tasks whose results nobody takes:
after the first error of a shard, these are all others."""
_LOCAL_SETTINGS: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_prestart_worker_first_driver": "0",
}
"""For a cluster that is started here. By default Ray waits without end for processes that a busy machine starts too
slowly."""
_VERSIONS: Final = re.compile(
    r"Version mismatch.*?Ray: (\S+)\s+Python: (\S+).*?Ray: (\S+)\s+Python: (\S+)", re.DOTALL
)
"""What Ray says of a cluster that was started with other versions: the cluster's first, then those of this process."""


class RayConnection(NamedTuple):
    """A cluster that this process is connected to."""

    ray: Any
    """The module `ray`."""
    cpus: int
    """The CPUs of all nodes."""


def connect_to_ray(workers: int) -> RayConnection:
    """Connect to the cluster, or return the connection that this process has.

    workers: CPUs of the cluster that is started here if `RAY_ADDRESS` is not set. Raises `UserError` if Ray is not
    installed, or if the cluster cannot be reached, has another version of Ray or Python, or has no CPU.
    """
    address = os.environ.get(ADDRESS_VARIABLE)
    for name, value in (_SETTINGS if address else _SETTINGS | _LOCAL_SETTINGS).items():
        os.environ.setdefault(name, value)
    ray = _import_ray()  # It reads the settings.
    if not ray.is_initialized():
        _open_connection.cache_clear()
    return _open_connection(ray, address, 0 if address else workers)


def _import_ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError:
        problem = Diagnostic(
            path=EXECUTOR_VARIABLE,
            code="no_ray",
            summary="it asks for Ray, which is not installed",
            fix=f"run `pip install 'exemplars[ray]'`, {LOCAL_FIX}",
        )
        raise UserError([problem]) from None
    return ray


@functools.lru_cache(maxsize=1)
def _open_connection(ray: Any, address: str | None, workers: int) -> RayConnection:
    ray.shutdown()  # Of a connection to another cluster.
    if address:
        _check_health(ray, address)
    local = {} if address else {"num_cpus": workers, "include_dashboard": False}
    # Ray's own hook would wait half a second for messages.
    atexit.register(ray.shutdown)
    # It prints some of them, pages long, though nothing is logged to the driver: of each task that it tries again.
    ray._private.worker.print_to_stdstream = lambda *_, **__: None
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, configure_logging=True, **local)
    except Exception as error:  # Some of Ray's are of no other type.
        raise UserError([_report_unreachable(address, error)]) from None
    cpus = int(ray.cluster_resources().get("CPU", 0))
    if cpus < 1:
        ray.shutdown()
        raise UserError([_report_unreachable(address, "none of its nodes has a CPU for tasks")])
    return RayConnection(ray, cpus)


def _check_health(ray: Any, address: str) -> None:
    """Raise `UserError` if no cluster answers: `ray.init` itself waits for one without end."""
    problems: list[object] = []

    def ask() -> None:
        try:
            place = ray._private.services.canonicalize_bootstrap_address_or_die(address)
            ray._raylet.GcsClient(address=place)
        except Exception as error:
            problems.append(error)

    if address.startswith("ray://"):
        problems.append("it is an address of Ray Client, not HOST:PORT of the head")
    else:
        asking = Thread(target=ask, daemon=True)  # It cannot be stopped, and ends with the process.
        with _silence_stderr():  # What Ray's own code prints is no sentence.
            asking.start()
            asking.join(_PATIENCE)
        if asking.is_alive():
            problems.append(f"it did not answer for {_PATIENCE:.0f} seconds")
    if problems:
        raise UserError([_report_unreachable(address, problems[0])])


@contextmanager
def _silence_stderr() -> Iterator[None]:
    """Keep code that is not Python's from printing errors within the block."""
    with open(os.devnull, "wb") as nowhere:
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _report_unreachable(address: str | None, error: object) -> Diagnostic:
    reason, fix = (
        " ".join(str(error).split())[:200].rstrip("."),
        "look at it with `ray status`, correct the address",
    )
    if versions := _VERSIONS.search(str(error)):
        reason = "it runs Ray {} and Python {}, and this machine Ray {} and Python {}".format(
            *versions.groups()
        )
        fix = "install the same versions on all machines"
    place = f"the Ray cluster at {address}" if address else "a Ray cluster of this machine"
    return Diagnostic(
        path=ADDRESS_VARIABLE if address else EXECUTOR_VARIABLE,
        code="no_cluster",
        summary=f"{place} cannot be used: {reason}",
        fix=f"{fix}, {LOCAL_FIX}",
    )
