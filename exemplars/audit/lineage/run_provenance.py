"""What a run was trained on: sources with hashes and licenses, row counts, base model, weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import polars as pl

from exemplars.audit.git_history import run_git
from exemplars.audit.lineage.row_outcomes import NO_SKILL
from exemplars.audit.lineage.sources import read_folder, read_sources
from exemplars.audit.lineage.tables import read_columns
from exemplars.audit.revisions import Revision
from exemplars.audit.run_history import RecordedRun
from exemplars.audit.run_membership import find_run_revision, load_run_rows
from exemplars.core import layout
from exemplars.core.digests import hash_content, hash_split
from exemplars.models.run_manifest import ALIGNED, ENCODERS, Manifest

_CHAT_COLUMNS: Final = ("digests", "source", "skills", "license", "origin")


def describe_run(root: Path, run: RecordedRun) -> dict[str, Any]:
    """Describe what a run was trained on. Raises `UserError` if its training rows are unavailable."""
    manifest = run.manifest
    revision, is_confirmed = find_run_revision(root, run)
    rows = _read_rows(root, run, revision)
    return {
        "run": manifest.run,
        "recipe": manifest.recipe,
        "where": run.where,
        "made_by": _describe_commit(revision) if is_confirmed else None,
        "code": manifest.code,
        "data_hashes": manifest.data_hashes,
        "rows_proved": hash_split(rows["digests"].explode().unique()) == manifest.rows_hash,
        "rows": rows.height,
        "sources": _count_by(rows, "source", "path", "sha256", "license").to_dicts(),
        "rows_by_source": dict(_count_by(rows, "source").iter_rows()),
        "rows_by_skill": dict(_count_by(rows.explode("skills"), "skills").iter_rows()),
        "base": {
            "name": run.base_name,
            "sha256": manifest.base_sha256,
            "license": manifest.base_license,
        },
        "weights_sha256": manifest.weights_sha256,
    }


def _read_rows(root: Path, run: RecordedRun, revision: Revision) -> pl.DataFrame:
    """Read the rows that a run was trained on: texts, chat rows, or exemplars of the split."""
    if run.manifest.method == "continued":
        return _read_raw_texts(revision, run.manifest)
    if run.manifest.method in ENCODERS:
        return _locate_rows(revision, _read_split_rows(root, run, revision))
    rows = read_columns(revision, layout.training("train"), _CHAT_COLUMNS)
    if run.manifest.method in ALIGNED:
        rows = _read_aligned_rows(root, run, revision, rows)
    return _locate_rows(revision, rows)


def _read_aligned_rows(root: Path, run: RecordedRun, revision: Revision, rows: pl.DataFrame) -> pl.DataFrame:
    """Read the rows that an aligned model or its start saw, and its preferences. rows: the chat rows of train."""
    [known] = load_run_rows(root, [run])
    if not known.unknown:
        seen = pl.element().is_in(sorted(known.digests))
        rows = rows.filter(pl.col("digests").list.eval(seen).list.any())
    if "preferences" not in run.manifest.data_hashes:
        return rows
    columns = ("digest", "skill", "license", "origin")
    preferences = read_columns(revision, layout.preferences("train"), columns).with_columns(
        pl.concat_list("digest").alias("digests"),
        pl.concat_list("skill").list.drop_nulls().alias("skills"),
        pl.lit(layout.RAW_PREFERENCES.stem).alias("source"),
    )
    return pl.concat([rows, preferences.select(rows.columns)])


def _read_split_rows(root: Path, run: RecordedRun, revision: Revision) -> pl.DataFrame:
    """Read the train rows that an encoder learned; all of them if its `rows.txt` is unavailable."""
    [known] = load_run_rows(root, [run])
    where = pl.lit(True) if known.unknown else pl.col("digest").is_in(sorted(known.digests))
    columns = ("digest", "source", "skill", "license", "origin")
    rows = read_columns(revision, layout.split("train"), columns, where)
    return rows.with_columns(
        pl.concat_list("digest").alias("digests"), pl.concat_list("skill").list.drop_nulls().alias("skills")
    ).drop("digest", "skill")


def _locate_rows(revision: Revision, table: pl.DataFrame) -> pl.DataFrame:
    """Add the files that rows come from, and name what calls no skill."""
    rows = table.unnest("origin")
    folders = {name: source.folder for name, source in read_sources(revision).items()}
    folders[layout.RAW_PREFERENCES.stem] = layout.RAW_PREFERENCES.parent.as_posix()
    folder = pl.col("source").replace_strict(folders, default=None, return_dtype=pl.String)
    return rows.with_columns(
        pl.concat_str([folder, "path"], separator="/", ignore_nulls=True).alias("path"),
        pl.when(pl.col("skills").list.len() > 0).then("skills").otherwise(pl.lit([NO_SKILL])).alias("skills"),
    )


def _read_raw_texts(revision: Revision, manifest: Manifest) -> pl.DataFrame:
    """Read the texts of a run with the method `continued`: one row per file."""
    recipe = manifest.params["recipe"]
    folder = str(recipe["text"])
    rows = [
        {"digests": [sha256], "sha256": sha256, "source": folder, "skills": [NO_SKILL], "path": path}
        for path, data in read_folder(revision, folder)
        if path.endswith((".txt", ".md")) and (sha256 := hash_content(data))
    ]
    listed = pl.List(pl.String)
    schema: dict[str, Any] = {
        "digests": listed,
        "sha256": pl.String,
        "source": pl.String,
        "skills": listed,
        "path": pl.String,
    }
    return pl.DataFrame(rows, schema=schema).with_columns(license=pl.lit(recipe["license"]))


def _count_by(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return rows.group_by(columns).agg(pl.len().alias("rows")).sort(columns)


def _describe_commit(revision: Revision) -> dict[str, str]:
    log = run_git(revision.root, "log", "-1", "--format=%H%n%s", str(revision.commit)) or "\n"
    commit, subject, *_ = log.split("\n")
    return {"commit": commit, "subject": subject}
