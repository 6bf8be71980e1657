"""Shards on Ray: a cluster of three nodes on this machine, of which some are killed.

All tests of this process share one connection, as the parallel maps of a stage do; a stage is a process of its own.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from exemplars.core import ray_cluster, ray_connection
from exemplars.core.code_version import hash_all_code
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.imports import hide_packages
from exemplars.core.workers import map_shards
from tests.conftest import PROJECT, SAMPLE, Workspace
from tests.core.faulty_clusters import claim_version, make_large_result
from tests.core.shards import CountedShards, double_or_die, wait_after_first
from tests.pipeline.test_determinism import RUN_ALL, hash_as_dvc

SMALL_NODE = {"num_cpus": 1, "include_log_monitor": False, "object_store_memory": 80_000_000}
"""Each process that a node starts takes a second of processor time."""
SETTINGS = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 250,
    "health_check_failure_threshold": 2,
    "local_fs_capacity_threshold": 0,
}
"""Of all nodes. By default the head takes 15 s to notice that a node is gone; a slow one still has 10 s for each answer.
And a full object store does not go on with the disk."""


class Cluster:
    """A head, which runs no shards, and two nodes of one CPU each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster as RayCluster

        head = {**SMALL_NODE, "num_cpus": 0, "include_dashboard": False, "no_monitor": True}
        head["_system_config"] = SETTINGS
        self._cluster = RayCluster(initialize_head=True, head_node_args=head)
        self.address = self._cluster.address
        self._nodes: dict[int, Any] = {}
        """By the process of their raylets, which are the parents of their workers."""
        self.add_node()
        self.add_node()

    def add_node(self, **environment: str) -> None:
        """environment: of the node, in addition to that of this process."""
        node = self._cluster.add_node(**SMALL_NODE, env_vars=environment)
        self._nodes[node.all_processes["raylet"][0].process.pid] = node

    def kill_node(self, raylet: int) -> None:
        """Kill a node as a power cut would."""
        self._cluster.remove_node(self._nodes.pop(raylet), allow_graceful=False)

    def kill_all_nodes(self) -> None:
        """Kill all nodes but the head."""
        for raylet in list(self._nodes):
            self.kill_node(raylet)

    def stop(self) -> None:
        import ray

        ray.shutdown()
        self._cluster.shutdown()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    pytest.importorskip("ray", reason="Ray is in the extra dev: pip install -e .[dev]")
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PROJECT), *([path] if path else [])])
    try:
        started = Cluster()
    except Exception as error:  # Of the machine: ports, addresses, memory; Ray raises no type of its own.
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


def wait_for_start(driver: subprocess.Popen[str], folder: Path, shards: int) -> int:
    """Wait until some shards of a driver run `run_after_kill`; return the raylet of the node of one of them."""
    while len(started := list(folder.glob("started-*"))) < shards:
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.02)
    return int(started[0].name.rpartition("-")[2])


def hash_files(folder: Path) -> dict[Path, str]:
    return {
        path.relative_to(folder): hash_as_dvc(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }


def hash_tables(folder: Path) -> dict[Path, str]:
    return {path.relative_to(folder): hash_as_dvc(path) for path in sorted(folder.rglob("*.parquet"))}


def refuse(number: int) -> int:
    raise UserError(
        [Diagnostic(path=f"{number}.json", code="odd", found="odd", expected="even", fix="add 1")]
    )


def name_process(_: int) -> int:
    return os.getpid()


class CountingWork:
    """Work that remembers how many shards it has had, by process."""

    def __init__(self) -> None:
        self.shards = 0

    def __call__(self, _: int) -> tuple[int, int]:
        self.shards += 1
        return os.getpid(), self.shards


@pytest.mark.parametrize(
    ("name", "claimed"), [("Ray", "1.13.0"), ("Python", "3.8.10")], ids=["ray", "python"]
)
def test_a_cluster_of_another_version_is_named_with_its_versions(
    on_ray: Cluster, name: str, claimed: str
) -> None:
    import ray

    own = {"Ray": ray.__version__, "Python": platform.python_version()}
    theirs = own | {name: claimed}
    ray.shutdown()
    with claim_version(f"{name.lower()}_version", claimed), pytest.raises(UserError) as raised:
        list(map_shards(abs, [-1], 1, "shards"))
    assert str(raised.value) == (
        f"RAY_ADDRESS: no_cluster: the Ray cluster at {on_ray.address} cannot be used: it runs "
        f"Ray {theirs['Ray']} and Python {theirs['Python']}, and this machine Ray {own['Ray']} and Python "
        f"{own['Python']}; install the same versions on all machines, or unset EXEMPLARS_EXECUTOR: without it the "
        "same stage runs on this machine alone"
    )
    assert not ray.is_initialized()


DRIVER = """
import sys
from functools import partial
from pathlib import Path
from exemplars.core.workers import map_shards
from tests.core.shards import run_after_kill
print(list(map_shards(partial(run_after_kill, Path(sys.argv[1]), (3).__mul__), range(6), 2, "shards")))
"""


def test_results_come_in_order_though_a_node_is_killed_while_it_works(
    on_ray: Cluster, tmp_path: Path
) -> None:
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    on_ray.kill_node(wait_for_start(driver, tmp_path, 2))
    (tmp_path / "killed").touch()
    assert driver.communicate(timeout=120)[0] == "[0, 3, 6, 9, 12, 15]\n"


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


def test_all_maps_of_a_process_share_a_connection_and_its_workers(on_ray: Cluster) -> None:
    connections = [ray_connection.connect_to_ray(2), ray_connection.connect_to_ray(1)]
    assert connections[0] is connections[1]
    workers = [set(map_shards(name_process, range(8), 2, "shards")) for _ in range(3)]
    assert len(set().union(*workers)) <= 4


def test_work_is_sent_once_to_each_worker(on_ray: Cluster) -> None:
    works = list(map_shards(CountingWork(), range(8), 2, "shards"))
    assert sum(seen == 1 for _, seen in works) == len({process for process, _ in works})


def test_shards_are_made_when_they_are_submitted(on_ray: Cluster) -> None:
    shards = CountedShards(20)
    results = map_shards(abs, shards, 2, "shards")
    assert next(results) == 0
    assert shards.made == list(range(2 * ray_connection.connect_to_ray(2).cpus))
    assert list(results) == list(range(1, 20))
    assert shards.made == list(range(20))


def test_a_result_that_the_object_store_has_no_room_for_is_named(on_ray: Cluster) -> None:
    with pytest.raises(
        UserError, match=r"^7: worker_died: the disk to which its node spills objects is full; "
    ):
        list(map_shards(make_large_result, [7], 2, "shards"))


def test_a_shard_that_the_object_store_has_no_room_for_is_named(on_ray: Cluster) -> None:
    with pytest.raises(
        UserError, match=r"^100 MB: worker_died: the disk to which its node spills objects is full; "
    ):
        list(map_shards(len, [make_large_result(0)], 2, "shards", lambda _: "100 MB"))


STAGES = f"""
import sys
from functools import partial
from pathlib import Path
from exemplars.core import ray_cluster
from tests.core.shards import run_after_kill

def map_after_kill(work, *rest):
    return map_on_ray(partial(run_after_kill, kills / command, work), *rest)

map_on_ray, ray_cluster.map_on_ray = ray_cluster.map_on_ray, map_after_kill
kills = Path(sys.argv.pop(1))
{RUN_ALL}
"""


def test_stages_give_the_same_bytes_as_on_this_machine_though_nodes_are_killed(
    on_ray: Cluster, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    interrupted = ["stages.ingest sgd", "stages.compile", "stages.curate"]
    commands = [f"stages.ingest {name}" for name in ("bots", "labelled", "skills")]
    commands += [*interrupted, "stages.split"]
    on_cluster, kills = tmp_path_factory.mktemp("ray"), tmp_path_factory.mktemp("kills")
    for root in (workspace.root, on_cluster):
        shutil.copytree(SAMPLE, root, dirs_exist_ok=True)
    (on_cluster / "schemas").symlink_to(PROJECT / "schemas")
    for command in commands:
        (kills / command).mkdir()
    (kills / "stages.split/killed").touch()
    driver = subprocess.Popen(
        [sys.executable, "-c", STAGES, str(kills), *commands],
        cwd=on_cluster,
        stderr=subprocess.PIPE,
        text=True,
    )
    for command in interrupted:
        on_ray.add_node()
        on_ray.kill_node(wait_for_start(driver, kills / command, 1))
        (kills / command / "killed").touch()
    assert driver.communicate(timeout=120)[1] == ""
    assert driver.returncode == 0
    with pytest.MonkeyPatch.context() as local:
        local.delenv("EXEMPLARS_EXECUTOR")
        for command in commands:
            done = workspace.run(*command.split())
            assert done.returncode == 0, done.stderr
    here, there = (hash_tables(root / "data") for root in (workspace.root, on_cluster))
    assert here == there
    assert {"exemplars.parquet", "pairs.parquet", "test.parquet"} <= {path.name for path in here}


@pytest.fixture
def compiled(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The sample after `compile`, and then a new example in its records."""
    monkeypatch.delenv("EXEMPLARS_EXECUTOR", raising=False)
    shutil.copytree(SAMPLE, workspace.root, dirs_exist_ok=True)
    (workspace.root / ".dvc/tmp").mkdir(parents=True)
    params = workspace.root / "params.yaml"
    params.write_text(
        params.read_text().replace("sources: [bots, labelled, sgd, skills]", "sources: [skills]")
    )
    assert workspace.run("stages.ingest", "skills").returncode == 0
    assert workspace.run("stages.compile").returncode == 0
    with (workspace.root / "data/raw/skills/call.md").open("a") as skill:
        skill.write('\n\n### User: ring the new florist\n### Assistant: call(contact="the new florist")\n')
    assert workspace.run("stages.ingest", "skills").returncode == 0
    return workspace


def assert_compile_works_here(compiled: Workspace, before: dict[Path, str]) -> None:
    """Assert that nothing has changed, and that the stage without Ray adds the new example."""
    assert hash_files(compiled.root) == before
    with pytest.MonkeyPatch.context() as local:
        local.delenv("EXEMPLARS_EXECUTOR")
        done = compiled.run("stages.compile")
    assert done.returncode == 0, done.stderr
    exemplars = pq.read_table(compiled.root / "data/exemplars/exemplars.parquet", columns=["utterance"])
    assert "ring the new florist" in exemplars.column("utterance").to_pylist()
    assert {path for path in hash_files(compiled.root) if path.suffix == ".partial"} == set()


def test_a_stage_says_each_fault_of_a_cluster_in_a_sentence_and_changes_nothing(
    compiled: Workspace, on_ray: Cluster
) -> None:
    import ray

    before = hash_files(compiled.root)
    done = compiled.run_code(
        "from runpy import run_module; run_module('tests.core.faulty_clusters', None, '__main__')"
    )
    assert done.stdout.split() == ["1"] * 6, done.stderr
    own = f"this machine Ray {ray.__version__} and Python {platform.python_version()}; install the same versions on all"
    node, local = (
        os.uname().nodename,
        "or unset EXEMPLARS_EXECUTOR: without it the same stage runs on this machine alone",
    )
    problems = [line.strip() for line in done.stderr.split("error: 1 problem(s) found\n")]
    assert problems == [
        "",
        f"EXEMPLARS_EXECUTOR: no_ray: it asks for Ray, which is not installed; run `pip install 'exemplars[ray]'`, {local}",
        "RAY_ADDRESS: no_cluster: the Ray cluster at 127.0.0.1:1 cannot be used: it did not answer for 1 seconds; "
        f"look at it with `ray status`, correct the address, {local}",
        f"RAY_ADDRESS: no_cluster: the Ray cluster at {on_ray.address} cannot be used: it runs Ray 1.13.0 and Python "
        f"{platform.python_version()}, and {own} machines, {local}",
        f"RAY_ADDRESS: no_cluster: the Ray cluster at {on_ray.address} cannot be used: it runs Ray {ray.__version__} and "
        f"Python 3.8.10, and {own} machines, {local}",
        f"/no/such/project: no_shared_folder: the node {node} of the Ray cluster does not have the project's folder, or "
        f"has it empty; mount the folder there at the same path as here, {local}",
        "data/records/skills.parquet, row group 0: worker_died: the disk to which its node spills objects is full; free some "
        f"space there, or start the nodes with a larger object store, {local}",
    ]
    assert_compile_works_here(compiled, before)


def test_a_cluster_without_nodes_is_named(
    on_ray: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster, "_NODE_CHECK", 0.5)
    results = map_shards(wait_after_first, range(2), 2, "shards")
    assert next(results) == 0
    on_ray.kill_all_nodes()
    with pytest.raises(
        UserError, match=r"^1: worker_died: no node of the cluster is left that could run it; "
    ):
        next(results)


def test_a_stage_whose_workers_run_out_of_memory_changes_nothing(
    compiled: Workspace, on_ray: Cluster
) -> None:
    on_ray.kill_all_nodes()
    on_ray.add_node(RAY_memory_usage_threshold="0.001", RAY_memory_monitor_refresh_ms="50")
    before = hash_files(compiled.root)
    done = compiled.run("stages.compile")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: 1 problem(s) found\n  data/records/skills.parquet, row group 0: worker_died: its worker ran out of memory "
        "3 times; start the nodes with fewer CPUs (`ray start --num-cpus`), so that each task has more memory, or unset "
        "EXEMPLARS_EXECUTOR: without it the same stage runs on this machine alone\n"
    )
    assert_compile_works_here(compiled, before)


def test_a_node_without_the_folder_of_the_project_is_named() -> None:
    with pytest.raises(
        UserError,
        match=r"^/no/such/project: no_shared_folder: the node .* does not have the project's folder, or has it empty",
    ):
        ray_cluster._enter_project("/no/such/project", hash_all_code())


def test_a_node_with_other_code_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").touch()
    with pytest.raises(
        UserError, match=r"^EXEMPLARS_EXECUTOR: other_code: the node .* has other code of exemplars than this"
    ):
        ray_cluster._enter_project(str(tmp_path), "other")


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
    monkeypatch.setattr(ray_connection, "_PATIENCE", 2.0)
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


def test_a_node_without_a_package_is_named() -> None:
    exceptions = pytest.importorskip("ray.exceptions")
    error = exceptions.RaySystemError("No module named 'exemplars.core'")
    assert str(ray_cluster._report_failure("a.json", error)) == (
        "EXEMPLARS_EXECUTOR: other_code: a node of the Ray cluster does not have the package exemplars, which this machine "
        "has; install the same packages on every node, or unset EXEMPLARS_EXECUTOR: without it the same stage runs on this "
        "machine alone"
    )
