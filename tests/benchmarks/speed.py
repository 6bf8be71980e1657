"""Speed on real dialogues, each as a ratio to a bound that is measured in the same run.

Run it: `make bench`, or `python tests/benchmarks/speed.py --small` on the default data. `ingest` and `compile`
are timed as whole processes with two workers; the bound is a process that decodes the raw files into the same
typed structs, and does nothing else, as a plain script would (with the garbage collector on).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from accounting import print_accounts
from grounding import print_scores
from near_duplicates import compare_libraries
from sgd_archive import MISSING, find_dialogues, make_project

ROUNDS = 3
DECODE = """
import pathlib, sys
from stages.ingest.sgd.dialogues import decode_dialogues
for path in sorted(pathlib.Path(sys.argv[1]).glob("*/dialogues_*.json")):
    decode_dialogues(path.name, path.read_bytes())
"""


class Cost(NamedTuple):
    """What a process and the workers that it waits for took."""

    seconds: float
    memory: float
    """Peak memory of any of the processes, in MB."""
    processor_seconds: float


def measure_process(command: list[str], folder: Path, workers: int = 2) -> Cost:
    """Run Python in a folder; return what it took."""
    start = time.perf_counter()
    environment = {**os.environ, "EXEMPLARS_WORKERS": str(workers), "PYTHONPATH": str(folder)}
    process = subprocess.Popen([sys.executable, *command], cwd=folder, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    seconds = time.perf_counter() - start
    return Cost(seconds, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)


def measure_compile_path(folder: Path, data: Path, rounds: int) -> None:
    """Print the time of `ingest` and `compile` as a ratio to decoding alone."""
    times = []
    for _ in range(rounds):
        decode = measure_process(["-c", DECODE, str(data)], folder).seconds
        ingest = measure_process(["-m", "stages.ingest", "sgd"], folder).seconds
        compiled = measure_process(["-m", "stages.compile"], folder).seconds
        times.append((decode, ingest, compiled))
        ratio = (ingest + compiled) / decode
        print(f"decode {decode:.2f} s, ingest {ingest:.2f} s, compile {compiled:.2f} s, ratio {ratio:.2f}")
    decode, ingest, compiled = (min(seconds) for seconds in zip(*times, strict=True))
    print(f"ingest + compile take {(ingest + compiled) / decode:.2f} times the decoding (best of {rounds})")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of any process: {peak:.0f} MB")


def main(small: bool) -> None:
    """Measure, and print one line for each figure. small: on the default data, once."""
    with tempfile.TemporaryDirectory() as scratch:
        data = find_dialogues(Path(scratch) / "raw", small)
        if data is None:
            print(MISSING)
            return
        folder = make_project(Path(scratch) / "project", data)
        measure_compile_path(folder, data, 1 if small else ROUNDS)
        for stage in ("curate", "split", "validate", "publish"):
            cost = measure_process(["-m", f"stages.{stage}"], folder)
            print(f"{stage}: {cost.seconds:.1f} s, {cost.memory:.0f} MB")
        compare_libraries(folder / "data/exemplars/exemplars.parquet")
        print_accounts(data, folder / "data/exemplars")
        print_scores(data)


if __name__ == "__main__":
    main("--small" in sys.argv[1:])
