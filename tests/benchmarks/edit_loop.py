"""From an edited skill file to validated splits, and a run without a change, each against a bound in the same run.

    python tests/benchmarks/edit_loop.py [ROUNDS] [--base COMMIT]

The edit: another example in a skill file of the default data, then `dvc repro validate`, in a clone of the last commit.
--base: a commit to compare with, in turn, in a clone of its own. Without a change, `dvc repro` is compared with that of
a bare DVC project of as many stages, each with one dependency and one output. Prints processor seconds, with those of
all processes that a run starts: on a busy machine, wall time says little.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from exemplars.core.yaml_documents import decode_yaml

PROJECT: Final = Path(__file__).parents[2]
SKILL: Final = Path("data/raw/skills/other.md")
GOAL: Final = "validate"
REPRO: Final = ("-m", "dvc", "repro", "--quiet", GOAL)


class Cost(NamedTuple):
    """What a command took, with the processes that it started."""

    processor: float
    """In seconds."""
    wall: float
    """In seconds."""


def measure_command(arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run Python with arguments in a folder. Raises `CalledProcessError` if it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall)


def make_clone(folder: Path, commit: str) -> Mapping[str, str]:
    """Clone this repository at a commit, and run its stages up to `GOAL`; return the environment of its commands."""
    for command in (
        ["clone", "-q", str(PROJECT), str(folder)],
        ["-C", str(folder), "checkout", "-q", commit],
    ):
        subprocess.run(["git", *command], check=True)
    environment = {**os.environ, "PYTHONPATH": str(folder), "DVC_NO_ANALYTICS": "1", "OMP_NUM_THREADS": "1"}
    measure_command(REPRO, folder, environment)
    return environment


def edit_skill(folder: Path, number: int) -> None:
    """Add an example to the skill file of a clone. number: makes it a different one each time."""
    with (folder / SKILL).open("a", encoding="utf-8") as file:
        file.write(f"\n### User: my sister has moved house {number} times by now\n### Assistant: other()\n")


def make_bare_project(folder: Path, stages: int) -> None:
    """Make a DVC project of some stages, each with one dependency and one output, and run it."""
    folder.mkdir()
    document = {
        f"stage{number}": {
            "cmd": f"cp in{number} out{number}",
            "deps": [f"in{number}"],
            "outs": [f"out{number}"],
        }
        for number in range(stages)
    }
    (folder / "dvc.yaml").write_text(json.dumps({"stages": document}), "utf-8")
    for number in range(stages):
        (folder / f"in{number}").write_text(str(number), "utf-8")
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=folder, check=True)
    measure_command(REPRO[:-1], folder, os.environ)


def count_stages(folder: Path) -> int:
    """Count the stages that a clone has run."""
    return len(decode_yaml((folder / "dvc.lock").read_text("utf-8"))["stages"])


def print_costs(title: str, costs: list[Cost], others: list[Cost], other: str) -> None:
    """Print the medians of two commands that ran in turn, and that of their ratios."""
    ratio = median(cost.processor / bound.processor for cost, bound in zip(costs, others, strict=True))
    wall_ratio = median(cost.wall / bound.wall for cost, bound in zip(costs, others, strict=True))
    print(
        f"{title}: {median(cost.processor for cost in costs):.2f} s of processor time, "
        f"{median(cost.wall for cost in costs):.2f} s; {other}: "
        f"{median(cost.processor for cost in others):.2f} s, {median(cost.wall for cost in others):.2f} s; "
        f"ratio {ratio:.2f} of processor time, {wall_ratio:.2f} of wall time"
    )


def main(rounds: int, base: str | None) -> None:
    """Measure, and print a line for each figure."""
    with tempfile.TemporaryDirectory() as scratch:
        commits = {"now": "HEAD"} if base is None else {"now": "HEAD", "base": base}
        folders = {name: Path(scratch) / name for name in commits}
        environments = {name: make_clone(folders[name], commit) for name, commit in commits.items()}
        edited: dict[str, list[Cost]] = {name: [] for name in commits}
        idle, bare = [], []
        make_bare_project(Path(scratch) / "bare", count_stages(folders["now"]))
        for number in range(rounds):
            for name, folder in folders.items():
                edit_skill(folder, number)
                edited[name].append(measure_command(REPRO, folder, environments[name]))
            idle.append(measure_command(REPRO, folders["now"], environments["now"]))
            bare.append(measure_command(REPRO[:-1], Path(scratch) / "bare", os.environ))
        print_costs(
            "an edit to validated splits", edited["now"], edited.get("base", idle), base or "no change"
        )
        print_costs("no change", idle, bare, "a bare project")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    parser.add_argument("--base")
    main(**vars(parser.parse_args()))
