"""`compile` with `EXEMPLARS_EXECUTOR=ray` under one fault after the other: `python -m tests.core.faulty_clusters`.

It prints the exit status of the stage for each fault.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from exemplars.core import ray_cluster, ray_connection
from exemplars.core.imports import hide_packages


@contextmanager
def hide_cluster() -> Iterator[None]:
    """Let the environment name a cluster that does not answer."""
    with (
        patch.dict(os.environ, {"RAY_ADDRESS": "127.0.0.1:1"}),
        patch.object(ray_connection, "_PATIENCE", 1.0),
    ):
        yield


@contextmanager
def claim_version(name: str, version: str) -> Iterator[None]:
    """Let the head say to those that connect that it runs another version of Ray or Python."""
    from ray._raylet import GcsClient

    head, key, namespace = GcsClient(address=os.environ["RAY_ADDRESS"]), b"CLUSTER_METADATA", b"cluster"
    recorded = head.internal_kv_get(key, namespace)
    claimed = json.dumps({**json.loads(recorded), name: version}).encode()
    head.internal_kv_put(key, claimed, True, namespace)
    try:
        yield
    finally:
        head.internal_kv_put(key, recorded, True, namespace)


def move_project() -> AbstractContextManager[Any]:
    """Give the project a path that the nodes do not have."""
    return patch.object(ray_cluster, "os", SimpleNamespace(getcwd=lambda: "/no/such/project"))


def fill_store() -> AbstractContextManager[Any]:
    """Let each shard have a result that is larger than the object store of its node."""
    return patch.object(ray_cluster, "map_on_ray", _fill_store)


def _fill_store(_: object, *rest: Any) -> Iterator[Any]:
    return _map_on_ray(make_large_result, *rest)


_map_on_ray = ray_cluster.map_on_ray


def make_large_result(_: object) -> Any:
    """Return 100 MB."""
    import numpy as np

    return np.zeros(100_000_000, np.uint8)


FAULTS: tuple[Callable[[], AbstractContextManager[Any]], ...] = (
    lambda: hide_packages("ray"),
    hide_cluster,
    lambda: claim_version("ray_version", "1.13.0"),
    lambda: claim_version("python_version", "3.8.10"),
    move_project,
    fill_store,
)


def run_compile() -> object:
    """Run the stage as `python -m stages.compile` does; return its exit status."""
    sys.argv = ["stages.compile"]
    try:
        runpy.run_module("stages.compile", run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        return stop.code
    return 0


if __name__ == "__main__":
    for fault in FAULTS:
        with fault():
            print(run_compile())
