"""Which runs were trained on which rows: the `rows.txt` of every run in the workspace and in git's history.

Nothing else answers this question: `exemplars trace` and `exemplars erase` both ask here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from exemplars.audit.dvc_cache import fetch_missing_objects, locate_object
from exemplars.audit.git_history import read_history, run_git_bytes
from exemplars.audit.revisions import LOCK, WORKSPACE, Revision, open_revision
from exemplars.audit.run_history import RecordedRun, find_runs
from exemplars.core import layout
from exemplars.core.digests import hash_content
from exemplars.core.errors import UserError
from exemplars.models.run_manifest import ROWS


class RunRows(NamedTuple):
    """The digests of the rows that a run was trained on."""

    run: str
    where: str
    """`workspace`, or the newest commit that has the run's manifest."""
    digests: frozenset[str]
    unknown: str | None = None
    """Why the digests are unavailable; `None` if they are known."""


class RunMembership(NamedTuple):
    """A run that was trained on some of the rows in question, or that may have been."""

    run: str
    where: str
    """`workspace`, or the newest commit that has the run's manifest."""
    digests: int
    """The number of digests in question that the run was trained on."""
    unknown: str | None
    """Why the run's rows are unavailable; `None` if they are known."""


def find_runs_trained_on(root: Path, digests: Iterable[str]) -> list[RunMembership]:
    """Find the runs that were trained on at least one of the rows, and those whose rows are unavailable.

    digests: of the rows, as in the column `digest`.
    """
    return select_runs_trained_on(load_run_rows(root), digests)


def select_runs_trained_on(runs: Iterable[RunRows], digests: Iterable[str]) -> list[RunMembership]:
    """Select from `load_run_rows` as `find_runs_trained_on` does: for several questions about the same runs.

    >>> runs = [RunRows("a", "workspace", frozenset({"d1", "d2"})), RunRows("b", "8588d8e", frozenset({"d3"}))]
    >>> [run.run for run in select_runs_trained_on(runs, ["d1"])]
    ['a']
    """
    wanted = frozenset(digests)
    counts = [(run, len(wanted & run.digests)) for run in runs]
    return [
        RunMembership(run.run, run.where, count, run.unknown) for run, count in counts if count or run.unknown
    ]


def load_run_rows(root: Path, runs: Sequence[RecordedRun] | None = None) -> list[RunRows]:
    """Load the row digests of runs, and check them against the hash in the manifest of each. runs: `None`: every run.

    They come from the workspace or from DVC's cache. Objects that are missing there are fetched from the remote,
    in one go for all runs. Rows that are nowhere are reported in `RunRows.unknown`.
    """
    runs = find_runs(root) if runs is None else runs
    local = {run.name: _read_workspace_rows(root, run) for run in runs}
    objects = {run.name: _find_row_objects(root, run) for run in runs if local[run.name] is None}
    failure = _fetch(root, {md5 for hashes in objects.values() for md5 in hashes})
    return [local[run.name] or _read_cached_rows(root, run, objects[run.name], failure) for run in runs]


def find_making_commit(root: Path, run: RecordedRun) -> Revision | None:
    """Find the oldest commit whose `dvc.lock` has the hash of the run's manifest; `None` if no commit has it."""
    revision = open_revision(root, run.where)
    data = revision.read_file((layout.model(run.manifest.recipe) / "manifest.json").as_posix())
    if data is None:
        return None
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    log = read_history(root, "--all", "--topo-order", "--format=%H", f"-S{md5}", "--", LOCK)
    for commit in reversed(log.split()):
        if md5.encode() in (run_git_bytes(root, "show", f"{commit}:{LOCK}") or b""):
            return Revision(root, commit[:12], commit)
    return None


def _read_workspace_rows(root: Path, run: RecordedRun) -> RunRows | None:
    if run.where != WORKSPACE:
        return None
    return _read_verified(run, root / layout.model(run.manifest.recipe) / ROWS)


def _find_row_objects(root: Path, run: RecordedRun) -> list[str]:
    """List DVC's hashes of a run's `rows.txt`.

    The `dvc.lock` of a revision that has the manifest need not name it: its recipe may have left `train.runs`
    since. The commit that made the run names it.
    """
    path = (layout.model(run.manifest.recipe) / ROWS).as_posix()
    revisions = [open_revision(root, run.where), find_making_commit(root, run)]
    hashes = [
        _find_md5(revision.read_file(LOCK) or b"", path) for revision in revisions if revision is not None
    ]
    return list(dict.fromkeys(md5 for md5 in hashes if md5 is not None))


def _find_md5(lock: bytes, path: str) -> str | None:
    """Find the hash of an output in a `dvc.lock` without parsing it: YAML is slow, and there may be hundreds."""
    for entry in re.split(rb"\n\s*- ", lock):
        if re.search(rb"^\s*path: %s$" % re.escape(path.encode()), entry, re.MULTILINE):
            match = re.search(rb"^\s*md5: ([0-9a-f]{32})$", entry, re.MULTILINE)
            return match[1].decode() if match else None
    return None


def _fetch(root: Path, hashes: Iterable[str]) -> str | None:
    """Fetch the objects that the cache does not have; return the reason if that fails."""
    try:
        fetch_missing_objects(root, sorted(hashes))
    except UserError as error:
        return f"{error.diagnostics[0].path}: {error.diagnostics[0].found}"
    return None


def _read_cached_rows(root: Path, run: RecordedRun, hashes: Iterable[str], failure: str | None) -> RunRows:
    for md5 in hashes:
        if rows := _read_verified(run, locate_object(root, md5)):
            return rows
    reason = failure or "its rows.txt is neither in DVC's cache nor in a remote"
    return RunRows(run.name, run.where, frozenset(), reason)


def _read_verified(run: RecordedRun, path: Path) -> RunRows | None:
    """Read the digests in a file if its hash is the one in the run's manifest."""
    data = path.read_bytes() if path.is_file() else b""
    if hash_content(data) != run.manifest.rows_sha256:
        return None
    return RunRows(run.name, run.where, frozenset(data.decode("ascii").split()))


def find_run_revision(root: Path, run: RecordedRun) -> tuple[Revision, bool]:
    """Find the revision whose tables a run was made from, and whether a commit's `dvc.lock` confirms that."""
    made = find_making_commit(root, run)
    return (made, True) if made else (open_revision(root, run.where), False)
