"""What a run was made of: sources with hashes and licences, counts, base model, weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from exemplars.audit.lineage.row_outcomes import NO_SKILL
from exemplars.audit.lineage.sources import files_below, sources_of
from exemplars.audit.lineage.tables import read
from exemplars.audit.revisions import Revision, git
from exemplars.audit.run_history import RecordedRun
from exemplars.audit.run_membership import run_revision
from exemplars.core import layout
from exemplars.core.digests import hash_content, hash_split
from exemplars.models.run_manifest import Manifest


def makings_of(root: Path, found: RecordedRun) -> dict[str, Any]:
    """All that is known of a run. Raises `UserError` where its training rows are not to be had."""
    manifest = found.manifest
    revision, made = run_revision(root, found)
    seen = _texts(revision, manifest) if manifest.params["recipe"]["method"] == "continued" else None
    seen = _rows(revision) if seen is None else seen
    return {
        "run": manifest.run,
        "recipe": manifest.recipe,
        "where": found.where,
        "made_by": _commit(revision) if made else None,
        "code": manifest.code,
        "data_hashes": manifest.data_hashes,
        "rows_proved": hash_split(seen["digest"].unique()) == _trained_hash(manifest),
        "rows": seen.height,
        "sources": _counted(seen, "source", "path", "sha256", "license").to_dicts(),
        "rows_by_source": _count(seen, "source"),
        "rows_by_skill": _count(seen, "skill"),
        "base": {
            "name": _base_name(manifest),
            "sha256": manifest.base_sha256,
            "license": manifest.base_license,
        },
        "weights_sha256": manifest.weights_sha256,
    }


def _rows(revision: Revision) -> pl.DataFrame:
    columns = ("digest", "source", "skill", "license", "origin")
    rows = read(revision, layout.training("train"), columns).unnest("origin")
    folders = {name: one.folder for name, one in sources_of(revision).items()}
    folder = pl.col("source").replace_strict(folders, default=None, return_dtype=pl.String)
    return rows.with_columns(
        pl.concat_str([folder, "path"], separator="/", ignore_nulls=True).alias("path"),
        pl.col("skill").fill_null(NO_SKILL),
    )


def _trained_hash(manifest: Manifest) -> str | None:
    return manifest.data_hashes.get("train", manifest.data_hashes.get("text"))


def _texts(revision: Revision, manifest: Manifest) -> pl.DataFrame:
    """The raw texts of a run by the method `continued`: a row each."""
    recipe = manifest.params["recipe"]
    folder = str(recipe["text"])
    rows = [
        {"digest": hash_content(data), "source": folder, "skill": NO_SKILL, "path": path}
        for path, data in files_below(revision, folder)
        if path.endswith((".txt", ".md"))
    ]
    schema = {"digest": pl.String, "source": pl.String, "skill": pl.String, "path": pl.String}
    known = pl.DataFrame(rows, schema=schema)
    return known.with_columns(sha256=pl.col("digest"), license=pl.lit(recipe["license"]))


def _counted(seen: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return seen.group_by(columns).agg(pl.len().alias("rows")).sort(columns)


def _count(seen: pl.DataFrame, column: str) -> dict[str, int]:
    return dict(_counted(seen, column).iter_rows())


def _commit(revision: Revision) -> dict[str, str]:
    told = git(revision.root, "log", "-1", "--format=%H%n%s", str(revision.commit)) or "\n"
    commit, subject, *_ = told.split("\n")
    return {"commit": commit, "subject": subject}


def _base_name(manifest: Manifest) -> str:
    base = msgspec.to_builtins(manifest.base)
    parts = (base.get(key) for key in ("package", "file", "path", "id", "revision"))
    return " ".join(part for part in parts if part)
