"""The runs of the workspace and of git's history, by their manifests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from exemplars.audit.revisions import git
from exemplars.core import layout
from exemplars.models.run_manifest import Manifest


class RecordedRun(NamedTuple):
    """A manifest, and where it was found."""

    manifest: Manifest
    where: str
    """`workspace`, or the short hash of the newest commit that has it."""


def find_runs(folder: Path) -> list[RecordedRun]:
    """Each run once: from the workspace, or from the newest commit that holds its manifest."""
    found: dict[str, RecordedRun] = {}
    for where, data in (*_in_workspace(folder), *_in_history(folder)):
        try:
            manifest = msgspec.json.decode(data, type=Manifest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # Of another version, or cut short: `exemplars verify` names those.
        found.setdefault(manifest.run, RecordedRun(manifest, where))
    return sorted(found.values(), key=lambda one: (one.where != "workspace", one.manifest.run))


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
