"""Speed on real dialogues, each as a ratio to a bound that is measured in the same run.

Run it: `make bench`. `ingest` and `compile` are timed as whole processes with two workers; the bound is
a process that decodes the raw files into the same typed structs, and does nothing else, as a plain
script would (with the garbage collector on).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from accounting import main as accounting_main
from grounding import main as grounding_main
from near_duplicates import main as near_duplicates_main
from sgd_archive import archive, project, unpack

ROUNDS = 3
DECODE = """
import pathlib, sys
from stages.ingest.sgd.dialogues import decode_dialogues
for path in sorted(pathlib.Path(sys.argv[1]).glob("*/dialogues_*.json")):
    decode_dialogues(path.name, path.read_bytes())
"""


def seconds(command: list[str], folder: Path) -> float:
    """The wall time of a process."""
    start = time.perf_counter()
    environment = {**os.environ, "EXEMPLARS_WORKERS": "2", "PYTHONPATH": str(folder)}
    subprocess.run([sys.executable, *command], cwd=folder, env=environment, check=True)
    return time.perf_counter() - start


def seconds_and_megabytes(command: list[str], folder: Path) -> tuple[float, float]:
    """The wall time of a process, and the most memory that it held at once."""
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    process = subprocess.Popen([sys.executable, *command], cwd=folder, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    """Measure, and print one line a figure."""
    if archive() is None:
        print("no SGD data: put sgd.tar.xz where SGD_ARCHIVE says, then run again")
        return
    with tempfile.TemporaryDirectory() as scratch:
        data = unpack(Path(scratch) / "raw")
        folder = project(Path(scratch) / "project", data)
        rounds = []
        for _ in range(ROUNDS):
            decode = seconds(["-c", DECODE, str(data)], folder)
            ingest = seconds(["-m", "stages.ingest", "sgd"], folder)
            compiled = seconds(["-m", "stages.compile"], folder)
            rounds.append((decode, ingest, compiled))
            ratio = (ingest + compiled) / decode
            print(
                f"decode {decode:.2f} s, ingest {ingest:.2f} s, compile {compiled:.2f} s, ratio {ratio:.2f}"
            )
        best = [min(one) for one in zip(*rounds, strict=True)]
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f"ingest + compile take {(best[1] + best[2]) / best[0]:.2f} times the decoding (best of {ROUNDS})"
        )
        print(f"peak memory of any process: {peak:.0f} MB")
        for stage in ("curate", "split", "validate", "publish"):
            took, memory = seconds_and_megabytes(["-m", f"stages.{stage}"], folder)
            print(f"{stage}: {took:.1f} s, {memory:.0f} MB")
        near_duplicates_main(folder / "data/exemplars/exemplars.parquet")
    accounting_main()
    grounding_main()


if __name__ == "__main__":
    main()
