"""How time and memory grow with the data: copies of the SGD archive, stage by stage.

Run it: `python tests/benchmarks/growth.py 1 4 16`, with the numbers of copies, and `--stages ingest,compile` to leave out
the others. `--ray` compares executors instead: stages in one and two processes of this machine, and on a Ray cluster
of one and two CPUs.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from multiprocessing import Process
from pathlib import Path

from archive_copies import copy_dialogues
from executors import STAGES as SHARDED_STAGES
from executors import compare_executors, name_module
from sgd_archive import MISSING, find_dialogues, make_project
from speed import measure_process

STAGES = ("ingest", "compile", "curate", "split")


def measure_growth(raw: Path, scratch: Path, copies: list[int], stages: Sequence[str]) -> None:
    """Print what each stage takes, with ratios to the first number of copies.

    Time a record is processor time, since a busy machine changes the other.
    """
    first: dict[str, tuple[float, float]] = {}
    for count in copies:
        folder = make_copies(raw, scratch / str(count), count)
        for stage in stages:
            cost = measure_process(name_module(stage), folder)
            rows = count_rows(folder)
            a_row = cost.processor_seconds / rows
            first_a_row, first_memory = first.setdefault(stage, (a_row, cost.memory))
            print(
                f"{count:2} x {rows:9,} records, {stage:7}: {cost.seconds:6.1f} s; processor "
                f"{cost.processor_seconds:6.1f} s, {a_row * 1e6:4.0f} us a record ({a_row / first_a_row:.2f}); "
                f"{cost.memory:5.0f} MB ({cost.memory / first_memory:.2f})",
                flush=True,
            )
        shutil.rmtree(folder.parent)


def make_copies(raw: Path, folder: Path, count: int) -> Path:
    """Make a project whose data is `count` copies of the archive."""
    # In a process of its own: a child's peak memory counts what its parent had when it was started.
    copying = Process(target=copy_dialogues, args=(raw, folder / "raw", count))
    copying.start()
    copying.join()
    return make_project(folder / "project", folder / "raw")


def count_rows(folder: Path) -> int:
    """Return the number of records that `ingest` kept."""
    import pyarrow.parquet as pq

    return int(pq.read_metadata(folder / "data/records/sgd.parquet").num_rows)


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("copies", type=int, nargs="+")
    parser.add_argument("--stages", help="names with commas between them")
    parser.add_argument("--small", action="store_true", help="the default data instead of the archive")
    parser.add_argument("--ray", action="store_true", help="compare executors on the last number of copies")
    arguments = parser.parse_args()
    stages = arguments.stages.split(",") if arguments.stages else SHARDED_STAGES if arguments.ray else STAGES
    with tempfile.TemporaryDirectory() as scratch:
        raw = find_dialogues(Path(scratch) / "raw", arguments.small)
        if raw is None:
            print(MISSING)
        elif arguments.ray:
            compare_executors(make_copies(raw, Path(scratch) / "executors", arguments.copies[-1]), stages)
        else:
            measure_growth(raw, Path(scratch), arguments.copies, stages)


if __name__ == "__main__":
    main()
