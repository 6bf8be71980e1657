"""What becomes of the user turns of real dialogues: how many are exemplars, and why others are not.

Run it: `python tests/benchmarks/accounting.py`. The raw files are counted on their own, by the letter of
the SGD format; the tables of the pipeline are then asked for each of these turns and frames.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import polars as pl
from sgd_archive import project, unpack


class Accounts(NamedTuple):
    """Counts of the raw files and of the tables that the pipeline made of them."""

    user_turns: int
    user_frames: int
    rows: int
    """Exemplars and rejections of `compile`."""
    turns_without_row: int
    informing: int
    """Frames of user turns that inform at least one value."""
    informing_exemplars: int
    lost: dict[str, int]
    """Informing frames that are no exemplars, by reason."""

    @property
    def informing_share(self) -> float:
        """The share of informing frames that are exemplars."""
        return self.informing_exemplars / self.informing


def compiled(folder: Path, sgd: Path) -> Path:
    """Run `ingest` and `compile` on the dialogues, as processes; answer the folder of their tables."""
    project(folder, sgd)
    for command in (("stages.ingest", "sgd"), ("stages.compile",)):
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        subprocess.run([sys.executable, "-m", *command], cwd=folder, env=environment, check=True)
    return folder / "data/exemplars"


def accounts(sgd: Path, tables: Path) -> Accounts:
    """Ask the tables for every user turn and frame of the raw files."""
    exemplars = set(pl.read_parquet(tables / "exemplars.parquet", columns=["id"])["id"])
    rejections = dict(pl.read_parquet(tables / "rejections.parquet", columns=["id", "reason"]).iter_rows())
    turns = frames = without_row = informing = kept = 0
    lost: Counter[str] = Counter()
    for path in sorted(sgd.glob("*/dialogues_*.json")):
        for index, dialogue in enumerate(json.loads(path.read_bytes())):
            for number, turn in enumerate(dialogue["turns"]):
                if turn["speaker"] != "USER":
                    continue
                turns += 1
                frames += len(turn["frames"])
                place = f"sgd:{path.parent.name}/{path.name}#/{index}/turns/{number}/frames/"
                ids = [f"{place}{frame}" for frame in range(len(turn["frames"]))]
                without_row += any((one in exemplars) + (one in rejections) != 1 for one in ids) or not ids
                for one, frame in zip(ids, turn["frames"], strict=True):
                    if any(action["act"] == "INFORM" and action["values"] for action in frame["actions"]):
                        informing += 1
                        kept += one in exemplars
                        if one in rejections:
                            lost[rejections[one]] += 1
    rows = len(exemplars) + len(rejections)
    return Accounts(turns, frames, rows, without_row, informing, kept, dict(sorted(lost.items())))


def main() -> None:
    """Print the accounts of the whole archive."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sgd = unpack(folder / "raw")
        found = accounts(sgd, compiled(folder / "project", sgd))
    print(f"user turns {found.user_turns:,}, frames {found.user_frames:,}, rows {found.rows:,}")
    print(f"turns with a frame that is not exactly one row: {found.turns_without_row}")
    print(
        f"frames that inform values {found.informing:,}, exemplars {found.informing_exemplars:,} "
        f"({found.informing_share:.2%})"
    )
    for reason, count in found.lost.items():
        print(f"  {reason} {count:,}")


if __name__ == "__main__":
    main()
