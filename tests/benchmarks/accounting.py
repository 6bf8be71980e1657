"""What becomes of the user turns of real dialogues: how many are exemplars, and why others are not.

Run it: `python tests/benchmarks/accounting.py [--small]`. The raw files are counted independently of the
readers, by the SGD format alone; then each of these turns and frames is looked up in the tables.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from sgd_archive import MISSING, find_dialogues, make_project


class Changes(NamedTuple):
    """Counts of state changes: values of a frame's state of which the state before has none."""

    in_rows: int
    """An exemplar of the frame has the slot."""
    in_ledger: int
    """The frame is rejected."""
    lost: int
    """Neither."""


class Accounts(NamedTuple):
    """Counts of the raw files, and of the tables that the pipeline made from them."""

    user_turns: int
    user_frames: int
    rows: int
    """Exemplars and rejections of `compile`."""
    turns_without_row: int
    informing: int
    """Frames of user turns that inform at least one value."""
    informing_exemplars: int
    lost: dict[str, int]
    """Informing frames that are not exemplars, by reason."""
    changes: Changes

    @property
    def informing_share(self) -> float:
        """The share of informing frames that are exemplars."""
        return self.informing_exemplars / self.informing


def compile_dialogues(folder: Path, sgd: Path) -> Path:
    """Run `ingest` and `compile` on the dialogues, as processes; return the folder of their tables."""
    make_project(folder, sgd)
    for command in (("stages.ingest", "sgd"), ("stages.compile",)):
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        subprocess.run([sys.executable, "-m", *command], cwd=folder, env=environment, check=True)
    return folder / "data/exemplars"


def count_outcomes(sgd: Path, tables: Path) -> Accounts:
    """Look up every user turn and frame of the raw files in the tables."""
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
                without_row += any((row in exemplars) + (row in rejections) != 1 for row in ids) or not ids
                for row, frame in zip(ids, turn["frames"], strict=True):
                    if any(action["act"] == "INFORM" and action["values"] for action in frame["actions"]):
                        informing += 1
                        kept += row in exemplars
                        if row in rejections:
                            lost[rejections[row]] += 1
    rows = len(exemplars) + len(rejections)
    changes = count_changes(sgd, tables)
    return Accounts(turns, frames, rows, without_row, informing, kept, dict(sorted(lost.items())), changes)


def count_changes(sgd: Path, tables: Path) -> Changes:
    """Look up every state change of every frame of the raw files in the tables."""
    columns = pl.read_parquet(tables / "exemplars.parquet", columns=["id", "arguments"]).iter_rows()
    slots = {row: {argument["slot"] for argument in arguments} for row, arguments in columns}
    rejected = set(pl.read_parquet(tables / "rejections.parquet", columns=["id"])["id"])
    in_rows = in_ledger = lost = 0
    for path in sorted(sgd.glob("*/dialogues_*.json")):
        for index, dialogue in enumerate(json.loads(path.read_bytes())):
            for place, changed in _list_changes(dialogue):
                row = f"sgd:{path.parent.name}/{path.name}#/{index}{place}"
                found = changed & slots.get(row, set())
                in_rows += len(found)
                in_ledger += len(changed) if row in rejected else 0
                lost += 0 if row in rejected else len(changed - found)
    return Changes(in_rows, in_ledger, lost)


def _list_changes(dialogue: Any) -> Iterator[tuple[str, set[str]]]:
    """Yield the place of each frame of the user, with the slots that change in its state."""
    states: dict[str, Any] = {}
    for number, turn in enumerate(dialogue["turns"]):
        for position, frame in enumerate(turn["frames"]) if turn["speaker"] == "USER" else ():
            before, values = states.get(frame["service"], {}), frame["state"]["slot_values"]
            changed = {slot for slot in values if not set(values[slot]) & set(before.get(slot, ()))}
            yield f"/turns/{number}/frames/{position}", changed
            states[frame["service"]] = values


def print_accounts(sgd: Path, tables: Path) -> None:
    """Print what became of dialogues. tables: the folder of the compiled ones."""
    counts = count_outcomes(sgd, tables)
    print(f"user turns {counts.user_turns:,}, frames {counts.user_frames:,}, rows {counts.rows:,}")
    print(f"turns with a frame that is not exactly one row: {counts.turns_without_row}")
    print(
        f"frames that inform values {counts.informing:,}, exemplars {counts.informing_exemplars:,} "
        f"({counts.informing_share:.2%})"
    )
    for reason, count in counts.lost.items():
        print(f"  {reason} {count:,}")
    in_rows, in_ledger, unaccounted = counts.changes
    print(
        f"state changes in exemplars {in_rows:,}, in rejected frames {in_ledger:,}, in neither {unaccounted:,}"
    )


def main(small: bool) -> None:
    """Print the accounts of the archive, or of the default data."""
    with tempfile.TemporaryDirectory() as name:
        data = find_dialogues(Path(name) / "raw", small)
        if data is None:
            print(MISSING)
        else:
            print_accounts(data, compile_dialogues(Path(name) / "project", data))


if __name__ == "__main__":
    main("--small" in sys.argv[1:])
