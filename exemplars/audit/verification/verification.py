"""All checks of a revision: the whole chain, from raw files to reports."""

from __future__ import annotations

import gc
import io
import shutil
import tarfile
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exemplars.audit.revisions import (
    LOCK,
    Revision,
    Stage,
    locate_object,
    open_revision,
    read_dir_manifest,
    run_git_bytes,
)
from exemplars.audit.verification.checks import Check, build_diagnostic
from exemplars.audit.verification.conservation import check_row_conservation
from exemplars.audit.verification.dir_manifests import fetch_missing, list_git_objects
from exemplars.audit.verification.history_check import check_history
from exemplars.audit.verification.lockfile import check_files
from exemplars.audit.verification.origins import check_origins
from exemplars.audit.verification.parameters import check_params, list_stage_names, read_yaml
from exemplars.audit.verification.report_counts import check_reports
from exemplars.audit.verification.rows import check_rows
from exemplars.audit.verification.runs import check_runs
from exemplars.audit.verification.splits import check_splits
from exemplars.audit.verification.tables import Tables
from exemplars.core.errors import UserError, summarize_names
from exemplars.core.tables import prevent_pandas_import


def run_checks(root: Path, revision_name: str, history: bool, fetch: bool) -> list[Check]:
    """Run all checks of a revision.

    history: also check the manifests and objects of all commits. fetch: fetch the objects that are not in
    DVC's cache from the remote first. Raises `UserError` if the revision, or one of its files, cannot be read.
    """
    prevent_pandas_import()
    gc.disable()  # Rows by the hundred thousand, without reference cycles: collecting garbage costs time only.
    try:
        revision = open_revision(root, revision_name)
        with extract_revision(revision, fetch) as files:
            checks = verify_revision(revision, files)
        if history:
            checks += check_history(root, fetch)
    finally:
        gc.enable()
    return checks


def verify_revision(revision: Revision, files: Path) -> list[Check]:
    """Run the checks of one revision, in the order of the chain. files: the folder that holds its files.

    Raises `UserError` if `dvc.lock`, `dvc.yaml` or `params.yaml` cannot be read.
    """
    params = read_yaml(revision, "params.yaml")
    names = list_stage_names(read_yaml(revision, "dvc.yaml"), params)
    stages = [stage for name, stage in revision.stages.items() if name in names]
    recorded_params = _collect_params(stages)
    file_check = check_files(revision, stages, files)
    outputs = [output for stage in stages for output in stage.outs]
    tables = Tables(files, outputs, file_check.changed)
    reports = [output.path for output in outputs if output.path.startswith("reports/")]
    sources = _list_sources(params)
    return [
        _check_stages(revision, names),
        file_check.check,
        check_params(stages, params),
        check_origins(tables.read_all_keys(), sources, files),
        check_rows(tables),
        check_row_conservation(
            tables, recorded_params.get("compile", {}).get("sources", []), recorded_params
        ),
        check_splits(tables),
        check_runs(tables, stages),
        check_reports(tables, sources, reports),
    ]


@contextmanager
def extract_revision(revision: Revision, fetch: bool) -> Iterator[Path]:
    """Yield a folder with the files of a revision: the project's root for the workspace, else a temporary one.

    Git's files are written there; outputs are links to DVC's cache, or missing if it does not have them.
    fetch: fetch those from the remote first. Raises `UserError` if the remote does not answer.
    """
    if revision.commit is None:
        yield revision.root
        return
    if fetch:
        _fetch_outputs(revision)
    objects = list(_list_objects(revision))
    folder = Path(tempfile.mkdtemp(prefix="exemplars-"))
    try:
        archive = run_git_bytes(revision.root, "archive", revision.commit) or b""
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder, filter="data")
        for path, md5 in objects:
            place, cached = folder / path, locate_object(revision.root, md5)
            if cached.is_file() and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(cached.resolve())
        yield folder
    finally:
        shutil.rmtree(folder)


def _fetch_outputs(revision: Revision) -> None:
    """Fetch the outputs that are not in the cache: dir manifests first, since they name the other files."""
    tracked = list_git_objects(revision)
    outputs = [output for path, output in revision.outputs.items() if path not in tracked]
    fetch_missing(revision.root, [output.md5 for output in outputs])
    fetch_missing(revision.root, [md5 for path, md5 in _list_objects(revision) if path not in tracked])


def _list_objects(revision: Revision) -> Iterator[tuple[str, str]]:
    """List the files of all outputs with their hashes; of a folder, if its dir manifest is in the cache."""
    for output in revision.outputs.values():
        if not output.is_folder:
            yield output.path, output.md5
        elif (listing := locate_object(revision.root, output.md5)).is_file():
            try:
                entries = read_dir_manifest(listing)
            except (ValueError, KeyError, TypeError):
                continue
            for entry in entries:
                yield f"{output.path}/{entry.path}", entry.md5


def _check_stages(revision: Revision, names: Collection[str]) -> Check:
    """Compare the stages of `dvc.lock` with those of `dvc.yaml`; a difference is a note, not a problem.

    Raises `UserError` if no stage has run.
    """
    locked, defined = set(revision.stages), set(names)
    if not locked & defined:
        fix, summary = "run `dvc repro`", "no stage of dvc.yaml has run"
        raise UserError(
            [build_diagnostic(LOCK, "no_stages", "no stage of dvc.yaml", "those that ran", fix, summary)]
        )
    notes = []
    if pending := defined - locked:
        notes.append(f"not run yet: {summarize_names(sorted(pending))}")
    if removed := locked - defined:
        notes.append(f"in dvc.lock, but no longer in dvc.yaml: {summarize_names(sorted(removed))}")
    return Check("stages", f"{len(locked & defined)} stages of dvc.lock", (), tuple(notes))


def _collect_params(stages: Iterable[Stage]) -> dict[str, Any]:
    """Collect the parameters that the stages ran with, by section, of stages that depend on a whole section."""
    return {key: value for stage in stages for key, value in stage.params.items() if isinstance(value, dict)}


def _list_sources(params: Mapping[str, Any]) -> dict[str, str]:
    """List the folder of each source, by the source's name."""
    sources = (params.get("ingest") or {}).get("sources") or {}
    return {
        name: str(source["path"]).rstrip("/")
        for name, source in sources.items()
        if isinstance(source, dict) and "path" in source
    }
