"""The whole chain of a revision, link by link."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exemplars.audit.revisions import LOCK, Revision, Stage, cached_object, folder_entries, git_bytes
from exemplars.audit.verification.checks import Check, problem, some
from exemplars.audit.verification.conservation import check_sums
from exemplars.audit.verification.counts import check_counts
from exemplars.audit.verification.dir_manifests import fetch_missing, tracked_files
from exemplars.audit.verification.lockfile import check_files
from exemplars.audit.verification.origins import check_origins
from exemplars.audit.verification.parameters import check_params, document_of, stage_names
from exemplars.audit.verification.rows import check_rows
from exemplars.audit.verification.runs import check_runs
from exemplars.audit.verification.splits import check_splits
from exemplars.audit.verification.tables import Tables
from exemplars.core.errors import UserError


def verify(revision: Revision, files: Path) -> list[Check]:
    """All checks, in the order of the chain. files: the folder where the revision's files lie.

    Raises `UserError` where `dvc.lock`, `dvc.yaml` or `params.yaml` cannot be read.
    """
    params = document_of(revision, "params.yaml")
    names = stage_names(document_of(revision, "dvc.yaml"), params)
    stages = [stage for name, stage in revision.stages.items() if name in names]
    ran = _ran_with(stages)
    locked = check_files(revision, stages, files)
    outputs = [out for stage in stages for out in stage.outs]
    tables = Tables(files, outputs, locked.changed)
    reports = [out.path for out in outputs if out.path.startswith("reports/")]
    sources = _sources(params)
    origins = check_origins(tables.all(), sources, files)
    return [
        _stages(revision, names),
        locked.check,
        check_params(stages, params),
        origins,
        check_rows(tables),
        check_sums(tables, ran.get("compile", {}).get("sources", []), ran),
        check_splits(tables),
        check_runs(tables, stages),
        check_counts(tables, sources, reports),
    ]


@contextmanager
def laid_out(revision: Revision, fetching: bool) -> Iterator[Path]:
    """A folder with the files of a revision: the root for the workspace, else one that goes away.

    Git's files are written there, outputs are links to DVC's cache. What the cache lacks is missing there.
    fetching: bring that from the remote first. Raises `UserError` where the remote does not answer.
    """
    if revision.commit is None:
        yield revision.root
        return
    if fetching:
        _fetch(revision)
    outputs = list(_objects(revision))
    folder = Path(tempfile.mkdtemp(prefix="exemplars-"))
    try:
        with tarfile.open(
            fileobj=io.BytesIO(git_bytes(revision.root, "archive", revision.commit) or b"")
        ) as tar:
            tar.extractall(folder, filter="data")
        for path, md5 in outputs:
            place, cached = folder / path, cached_object(revision.root, md5)
            if cached.is_file() and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(cached.resolve())
        yield folder
    finally:
        shutil.rmtree(folder)


def _fetch(revision: Revision) -> None:
    """Bring what the cache lacks: the lists of folders first, which name the rest."""
    tracked = tracked_files(revision)
    cached = [out for path, out in revision.outputs.items() if path not in tracked]
    fetch_missing(revision.root, [out.md5 for out in cached])
    fetch_missing(revision.root, [md5 for path, md5 in _objects(revision) if path not in tracked])


def _objects(revision: Revision) -> Iterator[tuple[str, str]]:
    """The files of all outputs, with their hashes; of folders as far as the cache has their lists."""
    for out in revision.outputs.values():
        if not out.is_folder:
            yield out.path, out.md5
        elif (listing := cached_object(revision.root, out.md5)).is_file():
            try:
                entries = folder_entries(listing)
            except (ValueError, KeyError, TypeError):
                continue
            for one in entries:
                yield f"{out.path}/{one.path}", one.md5


def _stages(revision: Revision, names: frozenset[str]) -> Check:
    """Which stages have run; those that have not are no damage."""
    locked = frozenset(revision.stages)
    if not locked & names:
        fix = "run `dvc repro`"
        raise UserError([problem(LOCK, "no_stages", "no stage of dvc.yaml", "those that ran", fix)])
    notes = []
    if waiting := names - locked:
        notes.append(f"not run yet: {some(waiting)}")
    if left := locked - names:
        notes.append(f"in dvc.lock, but not in dvc.yaml any more: {some(left)}")
    return Check("stages", f"{len(locked & names)} stages of dvc.lock", (), tuple(notes))


def _ran_with(stages: list[Stage]) -> dict[str, Any]:
    """The parameters that the stages ran with, by section, for those that depend on a whole section."""
    return {key: value for stage in stages for key, value in stage.params.items() if isinstance(value, dict)}


def _sources(params: Mapping[str, Any]) -> dict[str, str]:
    """The folder of each source."""
    sources = (params.get("ingest") or {}).get("sources") or {}
    return {
        name: str(one["path"]).rstrip("/")
        for name, one in sources.items()
        if isinstance(one, dict) and "path" in one
    }
