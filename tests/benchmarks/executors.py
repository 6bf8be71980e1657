"""Stages on Ray next to the same stages in processes of this machine, with the same number of workers.

The cluster is one node that runs before the stages start, as `docs/scale.md` starts it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from speed import measure_process

STAGES: Final = ("ingest", "compile", "curate")
CONNECT: Final = """
import os
from exemplars.core.workers import map_shards
workers = int(os.environ["EXEMPLARS_WORKERS"])
print(len(list(map_shards(abs, range(workers), workers, "connect"))), "shards that take no time")
"""


class Run(NamedTuple):
    """What stages took in total."""

    seconds: float
    connecting: float
    """Seconds that a process takes which has nothing to compute: its start, its connection, and that of workers."""
    digest: str
    """The hash of all tables."""


def compare_executors(folder: Path, stages: Sequence[str]) -> None:
    """Print the time of stages by each executor with one and two workers, ratios, and whether bytes are equal.

    Two cores need not do twice the work of one, so that the efficiency of two workers is also given as a share of that
    of two projects at the same time, which have nothing in common but the machine.
    """
    runs = {
        (executor, workers): measure_run(executor, workers, folder, stages)
        for workers in (1, 2)
        for executor in ("local", "ray")
    }
    fixed = {
        workers: len(stages) * (runs["ray", workers].connecting - runs["local", workers].connecting)
        for workers in (1, 2)
    }
    for workers in (1, 2):
        local, ray = runs["local", workers], runs["ray", workers]
        print(
            f"{workers} worker(s): Ray takes {ray.seconds / local.seconds:.2f} times the time of local, "
            f"{(ray.seconds - fixed[workers]) / local.seconds:.2f} without the {fixed[workers]:.1f} s for connecting"
        )
    bound = runs["local", 1].seconds / measure_twins(folder, stages)
    print(f"two independent projects at once: efficiency {bound:.2f}, the bound of this machine")
    for executor in ("local", "ray"):
        first, second = runs[executor, 1], runs[executor, 2]
        efficiency = first.seconds / second.seconds / 2
        line = (
            f"{executor}: efficiency of two workers {efficiency:.2f}, {efficiency / bound:.2f} of the bound"
        )
        if executor == "ray":
            rest = (first.seconds - fixed[1]) / (second.seconds - fixed[2]) / 2
            line += f"; without connecting {rest:.2f}, {rest / bound:.2f} of the bound"
        print(line)
    digests = {run.digest for run in runs.values()}
    print("the same bytes" if len(digests) == 1 else f"BYTES DIFFER: {sorted(digests)}")


def measure_run(executor: str, workers: int, folder: Path, stages: Sequence[str]) -> Run:
    """Run stages one after the other, and print the time of each."""
    os.environ["EXEMPLARS_EXECUTOR"] = executor
    figures, seconds = [], 0.0
    with start_cluster(workers, folder) if executor == "ray" else nullcontext():
        connecting = measure_process(["-c", CONNECT], folder, workers).seconds
        for stage in stages:
            cost = measure_process(name_module(stage), folder, workers)
            figures.append(f"{stage} {cost.seconds:.1f} s")
            seconds += cost.seconds
    print(
        f"{executor} {workers}: {', '.join(figures)}, sum {seconds:.1f} s; empty {connecting:.1f} s",
        flush=True,
    )
    return Run(seconds, connecting, hash_tables(folder))


def measure_twins(folder: Path, stages: Sequence[str]) -> float:
    """Return the seconds that stages take, with one worker, while a copy of the project runs the same stages."""
    os.environ["EXEMPLARS_EXECUTOR"] = "local"
    twin = folder.with_name("twin")
    shutil.copytree(folder, twin)
    seconds = 0.0
    with ThreadPoolExecutor(2) as both:
        for stage in stages:
            run = partial(measure_process, name_module(stage), workers=1)
            seconds += max(cost.seconds for cost in both.map(run, (folder, twin)))
    shutil.rmtree(twin)
    return seconds


@contextmanager
def start_cluster(cpus: int, project: Path) -> Iterator[None]:
    """Start a node with the code of a project; `RAY_ADDRESS` names it within the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as sessions:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
        command += ["--node-ip-address", "127.0.0.1", "--port", address.rpartition(":")[2]]
        command += ["--num-cpus", str(cpus), "--include-dashboard", "false", "--disable-usage-stats"]
        command += ["--temp-dir", sessions]
        environment = {**os.environ, "PYTHONPATH": str(project), "RAY_AUTH_MODE": "disabled"}
        node = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            for line in node.stdout or ():
                if "Ray runtime started" in line:
                    break
            os.environ["RAY_ADDRESS"] = address
            yield
        finally:
            os.environ.pop("RAY_ADDRESS", None)
            node.terminate()
            node.communicate()


def hash_tables(folder: Path) -> str:
    """Return the hash of all tables that the stages wrote."""
    tables = hashlib.sha256()
    for path in sorted((folder / "data").rglob("*.parquet")):
        tables.update(path.read_bytes())
    return tables.hexdigest()


def name_module(stage: str) -> list[str]:
    """Return the arguments of Python that run a stage."""
    return ["-m", f"stages.{stage}", *(["sgd"] if stage == "ingest" else [])]
