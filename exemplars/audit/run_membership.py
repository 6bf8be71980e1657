"""Which runs saw which rows: `rows.txt` of every run, of the workspace and of git's history."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from exemplars.audit.revisions import (
    LOCK,
    WORKSPACE,
    Revision,
    cached_object,
    fetch,
    git,
    git_bytes,
    open_revision,
)
from exemplars.audit.run_history import RecordedRun, find_runs
from exemplars.core import layout
from exemplars.core.digests import hash_content
from exemplars.core.errors import UserError
from exemplars.models.run_manifest import ROWS


class RunRows(NamedTuple):
    """A run, and the digests of the rows that it was trained on."""

    run: str
    where: str
    """`workspace`, or the newest commit that has its manifest."""
    digests: frozenset[str]
    unknown: str | None = None
    """Why the digests are not to be had; null where they are."""


def rows_of_runs(root: Path) -> list[RunRows]:
    """Each run with the digests of its rows, proved against its manifest.

    What the cache lacks is asked of the remote once for all runs, whatever their number.
    """
    found = find_runs(root)
    told = {one.manifest.run: _rows_here(root, one) for one in found}
    objects = {one.manifest.run: _objects(root, one) for one in found if told[one.manifest.run] is None}
    why = _fetched(root, {md5 for known in objects.values() for md5 in known})
    return [
        told[one.manifest.run] or _rows_cached(root, one, objects[one.manifest.run], why) for one in found
    ]


def seen_by(runs: Iterable[RunRows], digests: Iterable[str]) -> list[dict[str, object]]:
    """The runs that saw at least one of the digests, with how many; and those of which nobody can tell."""
    asked = frozenset(digests)
    found: list[dict[str, object]] = []
    for one in runs:
        count = len(asked & one.digests)
        if count or one.unknown:
            found.append({"run": one.run, "where": one.where, "digests": count, "unknown": one.unknown})
    return found


def making_commit(root: Path, found: RecordedRun) -> Revision | None:
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


def _rows_here(root: Path, found: RecordedRun) -> RunRows | None:
    """The rows of a run of the workspace, where they lie beside its manifest."""
    place = root / layout.model(found.manifest.recipe) / ROWS
    return _proved(found, place) if found.where == WORKSPACE else None


def _objects(root: Path, found: RecordedRun) -> list[str]:
    """DVC's hashes of `rows.txt`: of the commit that has the manifest, and of the one that made the run."""
    path = (layout.model(found.manifest.recipe) / ROWS).as_posix()
    revisions = [_having_revision(root, found), making_commit(root, found)]
    hashes = [_md5_in_lock(one.file(LOCK) or b"", path) for one in revisions if one is not None]
    return list(dict.fromkeys(one for one in hashes if one is not None))


def _md5_in_lock(lock: bytes, path: str) -> str | None:
    """The hash of one output: a history of many runs has as many `dvc.lock`, and YAML takes its time."""
    for entry in re.split(rb"\n\s*- ", lock):
        if re.search(rb"^\s*path: %s$" % re.escape(path.encode()), entry, re.MULTILINE):
            match = re.search(rb"^\s*md5: ([0-9a-f]{32})$", entry, re.MULTILINE)
            return match[1].decode() if match else None
    return None


def _fetched(root: Path, hashes: Iterable[str]) -> str | None:
    """Bring what the cache lacks; why that did not work, where it did not."""
    try:
        if lacking := [one for one in sorted(hashes) if not cached_object(root, one).is_file()]:
            fetch(root, lacking)
    except UserError as error:
        return f"{error.diagnostics[0].path}: {error.diagnostics[0].found}"
    return None


def _rows_cached(root: Path, found: RecordedRun, hashes: Iterable[str], why: str | None) -> RunRows:
    for md5 in hashes:
        if rows := _proved(found, cached_object(root, md5)):
            return rows
    why = why or "its rows.txt is neither in DVC's cache nor in a remote"
    return RunRows(found.manifest.run, found.where, frozenset(), why)


def _proved(found: RecordedRun, place: Path) -> RunRows | None:
    """The digests in a file, where it is the one that the manifest names."""
    data = place.read_bytes() if place.is_file() else b""
    if hash_content(data) != found.manifest.rows_sha256:
        return None
    return RunRows(found.manifest.run, found.where, frozenset(data.decode("ascii").split()))


def _having_revision(root: Path, found: RecordedRun) -> Revision:
    return open_revision(root, found.where)


def run_revision(root: Path, found: RecordedRun) -> tuple[Revision, bool]:
    """The revision whose tables a run was made of, and whether a commit's `dvc.lock` vouches for it."""
    made = making_commit(root, found)
    return (made, True) if made else (_having_revision(root, found), False)
