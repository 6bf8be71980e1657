"""All checks of a revision: the whole chain, from raw files to reports."""

from __future__ import annotations

import gc
import io
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from exemplars.audit.attestation import Attestation, build_statement, check_attestation
from exemplars.audit.dvc_cache import locate_object, read_dir_manifest
from exemplars.audit.git_history import run_git_bytes
from exemplars.audit.revisions import Revision, Stage, open_revision
from exemplars.audit.verification.checks import Check
from exemplars.audit.verification.commits import check_code
from exemplars.audit.verification.conservation import check_row_conservation
from exemplars.audit.verification.dir_manifests import fetch_missing, list_git_objects
from exemplars.audit.verification.figures import check_figures
from exemplars.audit.verification.history_check import check_history
from exemplars.audit.verification.lockfile import check_files
from exemplars.audit.verification.origins import check_origins
from exemplars.audit.verification.parameters import (
    check_params,
    list_stale_stages,
    read_code_hashes,
    read_yaml,
)
from exemplars.audit.verification.pipeline import check_stages, resolve_stages
from exemplars.audit.verification.recomputation import Recompute, check_recomputation
from exemplars.audit.verification.report_counts import check_reports
from exemplars.audit.verification.rows import check_rows
from exemplars.audit.verification.runs import check_runs
from exemplars.audit.verification.splits import check_splits
from exemplars.audit.verification.tables import Tables
from exemplars.core.errors import Diagnostic
from exemplars.core.tables import prevent_pandas_import

DATA_STAGES: Final = ("ingest", "compile", "curate", "split", "validate")
"""The stages that need no base model: what `dvc repro validate` runs."""


def run_checks(
    root: Path,
    revision_name: str,
    history: bool,
    fetch: bool,
    recompute: Recompute = Recompute.FAST,
    attestation: Attestation | None = None,
    data_only: bool = False,
) -> list[Check]:
    """Run all checks of a revision.

    history: also check the manifests and objects of all commits. fetch: fetch the objects that are not in
    DVC's cache from the remote first. recompute: which outputs are recomputed from their inputs.
    attestation: a signed statement that the revision must fit. data_only: see `verify_revision`.
    Raises `UserError` if the revision, or one of its files, cannot be read.
    """
    prevent_pandas_import()
    gc.disable()  # Rows by the hundred thousand, without reference cycles: collecting garbage costs time only.
    try:
        revision = open_revision(root, revision_name)
        with extract_revision(revision, fetch) as files:
            checks = verify_revision(revision, files, recompute, data_only)
            if attestation is not None:
                checks.append(check_attestation(attestation, revision, files))
        if history:
            checks += check_history(root, fetch)
    finally:
        gc.enable()
    return checks


def verify_and_describe(root: Path, revision_name: str) -> tuple[dict[str, Any] | None, list[Diagnostic]]:
    """Run the checks of a revision; return the statement to sign, or `None` and the problems, if there are any.

    Raises `UserError` if the revision, or one of its files, cannot be read.
    """
    prevent_pandas_import()
    revision = open_revision(root, revision_name)
    with extract_revision(revision, fetch=False) as files:
        checks = verify_revision(revision, files)
        problems = [problem for check in checks for problem in check.problems]
        return (None if problems else build_statement(revision, files)), problems


def verify_revision(
    revision: Revision, files: Path, recompute: Recompute = Recompute.FAST, data_only: bool = False
) -> list[Check]:
    """Run the checks of one revision, in the order of the chain. files: the folder that holds its files.

    data_only: check the data stages alone, from raw files to validated splits, without models.
    Raises `UserError` if `dvc.lock`, `dvc.yaml` or `params.yaml` cannot be read.
    """
    params = {**read_yaml(revision, "params.yaml"), **read_code_hashes(revision)}
    defined = resolve_stages(read_yaml(revision, "dvc.yaml"), params)
    left_out = [name for name in defined if data_only and name.partition("@")[0] not in DATA_STAGES]
    stage_check = check_stages(revision, defined, files, left_out)
    checked = defined.keys() - left_out
    stages = [stage for name, stage in revision.stages.items() if name in checked]
    recorded_params = _collect_params(stages)
    file_check = check_files(revision, stages, files)
    changed = file_check.changed
    outputs = [output for stage in stages for output in stage.outs]
    tables = Tables(files, outputs, changed)
    sources = _list_sources(params)
    checks = [
        stage_check,
        file_check.check,
        check_params(stages, params),
        check_code(revision, stages, list(sources.values()), files, params),
        check_origins(tables.read_all_keys(), sources, files),
        check_rows(tables),
        check_row_conservation(
            tables,
            recorded_params.get("compile", {}).get("sources") or sorted(sources),
            recorded_params,
        ),
        check_splits(tables),
        check_reports(tables, sources, [out.path for out in outputs if out.path.startswith("reports/")]),
        check_recomputation(revision, stages, files, changed, list_stale_stages(stages, params), recompute),
    ]
    if not data_only:
        checks.insert(-2, check_runs(tables, stages))
        checks.append(check_figures(tables, stages, changed, recompute))
    return checks


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
            # Python before 3.11.4 has no filters, and git's archive has no member that one would refuse.
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            tar.extractall(folder)
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
