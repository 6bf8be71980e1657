"""Recorded runs: the manifests of the workspace and of git's history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from exemplars.audit.git_history import read_versions
from exemplars.audit.revisions import WORKSPACE
from exemplars.core import layout
from exemplars.models.run_manifest import Manifest


class RecordedRun(NamedTuple):
    """A run's manifest, and where it was found."""

    manifest: Manifest
    where: str
    """`workspace`, or the short hash of the newest commit that has the manifest."""

    @property
    def name(self) -> str:
        """The run's name: `<recipe>-<data hash>-<params hash>`."""
        return self.manifest.run

    @property
    def base_name(self) -> str:
        """The base model: its package and file, its folder, or its id and revision on a hub."""
        base = msgspec.to_builtins(self.manifest.base)
        parts = (base.get(key) for key in ("package", "file", "path", "id", "revision"))
        return " ".join(part for part in parts if part)


def find_runs(root: Path) -> list[RecordedRun]:
    """Find every run, in the workspace or else in the newest commit that has its manifest.

    The runs of the workspace come first; then by name. Manifests that cannot be read are left out:
    `exemplars verify --history` reports those.
    """
    runs: dict[str, RecordedRun] = {}
    for where, data in (*_read_workspace(root), *_read_history(root)):
        try:
            manifest = msgspec.json.decode(data, type=Manifest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        runs.setdefault(manifest.run, RecordedRun(manifest, where))
    return sorted(runs.values(), key=lambda run: (run.where != WORKSPACE, run.name))


def _read_workspace(root: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted((root / layout.MODELS).glob("*/manifest.json")):
        yield WORKSPACE, path.read_bytes()


def _read_history(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each version of each manifest with its commit, newest first."""
    for version in read_versions(root, f"{layout.MODELS}/*/manifest.json"):
        yield version.short, version.data
