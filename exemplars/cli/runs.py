"""`exemplars runs`: the runs of the workspace and of git's history."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import msgspec

from exemplars.audit.run_history import RecordedRun, find_runs
from exemplars.cli.parsers import Commands, add_format, command_parser
from exemplars.core.errors import run_main

_HELP: Final = """\
examples:
  exemplars runs                 run, steps, tokens, loss, and where its manifest stands
  exemplars runs --format json   all that the manifests say
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = command_parser(
        commands,
        "runs",
        short="list the runs, of the workspace and of git's history",
        long="List the runs whose manifests the workspace or a commit holds.",
        examples=_HELP,
    )
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the runs; answer the exit status."""

    def show() -> None:
        found = find_runs(Path())
        if arguments.format == "json":
            documents = [{"where": one.where, **msgspec.to_builtins(one.manifest)} for one in found]
            print(msgspec.json.format(msgspec.json.encode(documents), indent=2).decode())
            return
        print(as_text(found), end="")

    return run_main(show)


def as_text(found: list[RecordedRun]) -> str:
    """A line a run, within 80 columns."""
    if not found:
        return "no run yet: `dvc repro train` makes one\n"
    lines = [f"{'run':<44}{'steps':>6}{'tokens':>9}{'loss':>8}  where"]
    for one in found:
        loss = one.manifest.losses.get("validation_loss", one.manifest.losses.get("train_loss", 0.0))
        lines.append(
            f"{one.manifest.run:<44}{one.manifest.steps:>6}{one.manifest.tokens:>9,}{loss:>8.4f}  {one.where}"
        )
    return "\n".join(lines) + "\n"
