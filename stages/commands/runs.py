"""`exemplars runs`: the runs of the workspace and of git's history."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from stages.commands.history import git
from stages.commands.parsers import Commands, add_format, command_parser
from stages.core import layout
from stages.core.errors import run_shell
from stages.core.runs import Manifest

_HELP: Final = """\
examples:
  exemplars runs                 run, steps, tokens, loss, and where its manifest stands
  exemplars runs --format json   all that the manifests say
"""


class Found(NamedTuple):
    """A manifest, and where it was found."""

    manifest: Manifest
    where: str
    """`workspace`, or the short hash of the newest commit that has it."""


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
        found = runs_of(Path())
        if arguments.format == "json":
            documents = [{"where": one.where, **msgspec.to_builtins(one.manifest)} for one in found]
            print(msgspec.json.format(msgspec.json.encode(documents), indent=2).decode())
            return
        print(as_text(found), end="")

    return run_shell(show)


def runs_of(folder: Path) -> list[Found]:
    """Each run once: from the workspace, or from the newest commit that holds its manifest."""
    found: dict[str, Found] = {}
    for where, data in (*_in_workspace(folder), *_in_history(folder)):
        try:
            manifest = msgspec.json.decode(data, type=Manifest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # Of another version, or cut short: `exemplars verify` names those.
        found.setdefault(manifest.run, Found(manifest, where))
    return sorted(found.values(), key=lambda one: (one.where != "workspace", one.manifest.run))


def as_text(found: list[Found]) -> str:
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


def _in_workspace(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted((folder / layout.MODELS).glob("*/manifest.json")):
        yield "workspace", path.read_bytes()


def _in_history(folder: Path) -> Iterator[tuple[str, bytes]]:
    pattern = f"{layout.MODELS}/*/manifest.json"
    log = git(folder, "log", "--all", "--format=%x00%h", "--name-only", "--diff-filter=AM", "--", pattern)
    for entry in (log or "").split("\0")[1:]:
        commit, *paths = [line for line in entry.splitlines() if line]
        for path in paths:
            if text := git(folder, "show", f"{commit}:{path}"):
                yield commit, text.encode()
