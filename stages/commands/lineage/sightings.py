"""Which runs saw which rows: `rows.txt` of every run, of the workspace and of git's history."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from stages.commands.history import LOCK, Revision, git, git_bytes, open_revision
from stages.commands.runs import Found, runs_of
from stages.core import layout
from stages.core.digests import content_digest
from stages.core.errors import UserError
from stages.core.runs import ROWS


class RunRows(NamedTuple):
    """A run, and the digests of the rows that it was trained on."""

    run: str
    where: str
    """`workspace`, or the newest commit that has its manifest."""
    digests: frozenset[str]
    unknown: str | None = None
    """Why the digests are not to be had; null where they are."""


def rows_of_runs(root: Path) -> list[RunRows]:
    """Each run with the digests of its rows, proved against its manifest."""
    return [_rows_of(root, one) for one in runs_of(root)]


def seen_by(runs: Iterable[RunRows], digests: Iterable[str]) -> list[dict[str, object]]:
    """The runs that saw at least one of the digests, with how many; and those of which nobody can tell."""
    asked = frozenset(digests)
    found: list[dict[str, object]] = []
    for one in runs:
        count = len(asked & one.digests)
        if count or one.unknown:
            found.append({"run": one.run, "where": one.where, "digests": count, "unknown": one.unknown})
    return found


def making_commit(root: Path, found: Found) -> Revision | None:
    """The oldest commit whose `dvc.lock` has the hash of the run's manifest; null where none has it."""
    revision = open_revision(root, found.where)
    data = revision.file((layout.model(found.manifest.recipe) / "manifest.json").as_posix())
    if data is None:
        return None
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    log = git(root, "log", "--all", "--topo-order", "--format=%H", f"-S{md5}", "--", LOCK) or ""
    for commit in reversed(log.split()):
        if md5.encode() in (git_bytes(root, "show", f"{commit}:{LOCK}") or b""):
            return Revision(root, commit[:12], commit)
    return None


def _having_revision(root: Path, found: Found) -> Revision:
    return open_revision(root, found.where)


def _rows_of(root: Path, found: Found) -> RunRows:
    """Where the commit that has the manifest has other rows, those of the commit that made the run."""
    manifest, why = found.manifest, "no commit's dvc.lock has its rows.txt"
    for find in (_having_revision, making_commit):
        revision = find(root, found)
        if revision is None:
            continue
        try:
            data = revision.output(layout.model(manifest.recipe) / ROWS).read_bytes()
        except FileNotFoundError:
            continue
        except UserError as error:
            why = error.diagnostics[0].found
            continue
        if content_digest(data) == manifest.rows_sha256:
            return RunRows(manifest.run, found.where, frozenset(data.decode("ascii").split()))
    return RunRows(manifest.run, found.where, frozenset(), why)


def run_revision(root: Path, found: Found) -> tuple[Revision, bool]:
    """The revision whose tables a run was made of, and whether a commit's `dvc.lock` vouches for it."""
    made = making_commit(root, found)
    return (made, True) if made else (_having_revision(root, found), False)
