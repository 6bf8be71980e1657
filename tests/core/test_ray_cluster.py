"""Shards on Ray: a cluster of three nodes on this machine, of which one is killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from exemplars.core import ray_cluster
from exemplars.core.code_version import hash_all_code
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.imports import hide_packages
from exemplars.core.workers import map_shards
from tests.conftest import PROJECT, SAMPLE
from tests.core.shards import double_or_die
from tests.pipeline.test_determinism import hash_as_dvc, run_stages


class Cluster:
    """A head without a CPU, and nodes of one CPU each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster as RayCluster

        self._cluster = RayCluster(initialize_head=True, head_node_args={"num_cpus": 0})
        self.address = self._cluster.address
        self.nodes = [self.add_node() for _ in range(2)]

    def add_node(self) -> Any:
        return self._cluster.add_node(num_cpus=1)

    def kill_node(self) -> None:
        """Kill a node as a power cut would, and replace it."""
        self._cluster.remove_node(self.nodes.pop(), allow_graceful=False)
        self.nodes.append(self.add_node())

    def stop(self) -> None:
        self._cluster.shutdown()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    pytest.importorskip("ray", reason="Ray is in the extra dev: pip install -e .[dev]")
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PROJECT), *([path] if path else [])])
    try:
        started = Cluster()
    except (OSError, RuntimeError, TimeoutError) as error:  # Of the machine: ports, addresses, memory.
        pytest.skip(f"no Ray cluster can be started on this machine: {error}")
    yield started
    started.stop()
    if path is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = path


@pytest.fixture
def on_ray(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setenv("EXEMPLARS_EXECUTOR", "ray")
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    return cluster


def wait_for(folder: Path, number: int) -> int:
    """Double a number; the first shards wait until the node of one of them is killed."""
    (folder / f"started-{number}-{os.getpid()}").touch()
    while number < 2 and not (folder / "killed").exists():
        time.sleep(0.05)
    return number * 2


def refuse(number: int) -> int:
    raise UserError(
        [Diagnostic(path=f"{number}.json", code="odd", found="odd", expected="even", fix="add 1")]
    )


DRIVER = """
import sys
from functools import partial
from pathlib import Path
from exemplars.core.workers import map_shards
from tests.core.test_ray_cluster import wait_for
print(list(map_shards(partial(wait_for, Path(sys.argv[1])), range(6), 2, "shards")))
"""


def test_results_come_in_order_though_a_node_is_killed_while_it_works(
    on_ray: Cluster, tmp_path: Path
) -> None:
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    while len(list(tmp_path.glob("started-*"))) < 2:
        time.sleep(0.05)
    on_ray.kill_node()
    (tmp_path / "killed").touch()
    # Ray says in other lines what happened to the node.
    assert driver.communicate(timeout=60)[0].endswith("[0, 2, 4, 6, 8, 10]\n")


def test_a_task_whose_worker_is_killed_is_tried_again(on_ray: Cluster, tmp_path: Path) -> None:
    assert list(map_shards(partial(double_or_die, tmp_path, 1), range(6), 2, "shards")) == [0, 2, 4, 6, 8, 10]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_shard_that_kills_every_worker_is_named(on_ray: Cluster, tmp_path: Path) -> None:
    results = map_shards(
        partial(double_or_die, tmp_path, 9), range(4), 2, "shards", lambda number: f"part-{number}.json"
    )
    with pytest.raises(
        UserError,
        match=r"^part-3\.json: worker_died: its worker died 3 times; look at the logs of its node .* this machine alone$",
    ):
        list(results)


def test_an_error_of_a_shard_reaches_the_user(on_ray: Cluster) -> None:
    with pytest.raises(UserError, match=r"^7\.json: odd: found odd, expected even; add 1$"):
        list(map_shards(refuse, [7], 2, "shards"))


def test_stages_give_the_same_bytes_as_on_this_machine(on_ray: Cluster, tmp_path: Path) -> None:
    hashes = []
    for executor in ("local", "ray"):
        root = tmp_path / executor
        shutil.copytree(SAMPLE, root)
        (root / "schemas").symlink_to(PROJECT / "schemas")
        commands = [f"stages.ingest {name}" for name in ("bots", "labelled", "sgd", "skills")]
        commands += ["stages.compile", "stages.curate", "stages.split"]
        run_stages(root, *commands, EXEMPLARS_EXECUTOR=executor)
        hashes.append({path.name: hash_as_dvc(path) for path in sorted((root / "data").rglob("*.parquet"))})
    assert hashes[0] == hashes[1]
    assert {"exemplars.parquet", "pairs.parquet", "test.parquet"} <= hashes[0].keys()


def test_a_node_without_the_folder_of_the_project_is_named() -> None:
    with pytest.raises(
        UserError,
        match=r"^/no/such/project: no_shared_folder: the node .* does not have the project's folder; mount",
    ):
        ray_cluster._run_in_project("/no/such/project", hash_all_code(), abs, -1)


def test_a_node_with_other_code_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UserError, match=r"^EXEMPLARS_EXECUTOR: other_code: the node .* has other code of exemplars than this"
    ):
        ray_cluster._run_in_project(str(tmp_path), "other", abs, -1)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXEMPLARS_EXECUTOR", "ray")
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    with (
        hide_packages("ray"),
        pytest.raises(
            UserError,
            match=r"^EXEMPLARS_EXECUTOR: no_ray: it asks for Ray, which is not installed; run `pip install 'exemplars",
        ),
    ):
        list(map_shards(abs, [-1], 1, "shards"))


def test_a_cluster_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("EXEMPLARS_EXECUTOR", "ray")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    monkeypatch.setattr(ray_cluster, "_PATIENCE", 2.0)
    with pytest.raises(
        UserError,
        match=r"^RAY_ADDRESS: no_cluster: the Ray cluster at 127\.0\.0\.1:1 cannot be used: it did not answer for 2 s",
    ):
        list(map_shards(abs, [-1], 1, "shards"))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            "OutOfMemoryError",
            "a.json: worker_died: its worker ran out of memory 3 times; start the nodes with fewer CPUs "
            "(`ray start --num-cpus`), so that each task has more memory, or unset EXEMPLARS_EXECUTOR: without it "
            "the same stage runs on this machine alone",
        ),
        (
            "ObjectStoreFullError",
            "a.json: worker_died: the object store of its node is full; start the nodes with a larger one "
            "(`ray start --object-store-memory`), or unset EXEMPLARS_EXECUTOR: without it the same stage runs on "
            "this machine alone",
        ),
    ],
)
def test_a_node_without_memory_is_named(error: str, message: str) -> None:
    exceptions = pytest.importorskip("ray.exceptions")
    assert str(ray_cluster._report_failure("a.json", getattr(exceptions, error)("long text"))) == message
