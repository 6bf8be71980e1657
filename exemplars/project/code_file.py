"""`code.yaml`: the version of the package, and the hash of the code of each stage."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final, NamedTuple

from exemplars.core import layout
from exemplars.core.code_version import (
    CODE,
    CODE_KEY,
    PIPELINE,
    get_version,
    hash_stage_code,
    list_stages,
    read_code_versions,
)
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_file, write_bytes
from exemplars.project.pipeline import build_project_pipeline

DVC_YAML: Final = Path("dvc.yaml")
NEW_PIPELINE: Final = Path("dvc.yaml.new")
EMPTY_LOG: Final = "\n"
"""The content of a file of `layout.LOGS` at first: DVC warns of a file without bytes."""
_PIPELINE_KEY: Final = "pipeline"


class Upgrade(NamedTuple):
    """What `upgrade_project` changed."""

    before: str
    """The version of the package that the project depended on."""
    after: str
    stages: tuple[str, ...]
    """The stages whose code is another."""
    pipeline: Path | None
    """The file that the new pipeline was written to; `None`: it has not changed."""


def build_code_file(pipeline: str) -> str:
    """Build the text of `code.yaml`. pipeline: the text of the project's `dvc.yaml`."""
    hashes = "".join(f'  {stage}: "{hash_stage_code(stage)}"\n' for stage in list_stages())
    return (
        "# The code that the stages run. DVC depends on it, so that an upgrade runs again what it changes.\n"
        "# `exemplars upgrade` writes this file after `pip install --upgrade exemplars`.\n"
        f"version: {get_version()}\n"
        f'{_PIPELINE_KEY}: "{_hash_text(pipeline)}"\n'
        f"{CODE_KEY}:\n{hashes}"
    )


def upgrade_project() -> Upgrade:
    """Make the project in the current folder depend on the installed package.

    A `dvc.yaml` that was edited stays; if the pipeline has changed, the new one is written next to it. Files that
    this version depends on, and that are empty at first, are added.
    Raises `UserError` if the code of the project is not a package, or if `code.yaml` is damaged.
    """
    if str(CODE) not in read_file(DVC_YAML, expected="the pipeline of a project").decode("utf-8", "replace"):
        summary = "its stages depend on code as files, and `dvc repro` runs those whose code changed"
        raise UserError([Diagnostic(path=str(DVC_YAML), code="no_code_file", fix="", summary=summary)])
    recorded = read_code_versions() if CODE.exists() else {CODE_KEY: {}}
    pipeline = build_project_pipeline(PIPELINE.read_text("utf-8"))
    written = None
    if recorded.get(_PIPELINE_KEY) != _hash_text(pipeline):
        current = read_file(DVC_YAML).decode("utf-8", "replace")
        is_edited = _hash_text(current) not in (recorded.get(_PIPELINE_KEY), _hash_text(pipeline))
        written = NEW_PIPELINE if is_edited else DVC_YAML
        write_bytes(written, pipeline.encode())
    hashes = recorded[CODE_KEY]
    changed = tuple(stage for stage in list_stages() if hashes.get(stage) != hash_stage_code(stage))
    for path in layout.LOGS:
        if not os.path.lexists(path):
            write_bytes(path, EMPTY_LOG.encode())
    write_bytes(CODE, build_code_file(pipeline).encode())
    return Upgrade(str(recorded.get("version", "unknown")), get_version(), changed, written)


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
