"""Trace a row to its origin, its decisions and its runs; list the rows of a file or dialogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from exemplars.audit.lineage.decisions import (
    RowsByTable,
    collect_table_rows,
    find_made_tables,
    find_near_duplicates,
    list_decisions,
)
from exemplars.audit.lineage.row_digests import DIGEST_TABLES, read_row_digests
from exemplars.audit.lineage.row_outcomes import LEDGERS, SPLIT_TABLES, read_row_outcomes
from exemplars.audit.lineage.row_preferences import read_row_preferences
from exemplars.audit.lineage.row_reviews import read_row_reviews
from exemplars.audit.lineage.run_provenance import describe_run
from exemplars.audit.lineage.sources import Source, prove_origin, read_sources
from exemplars.audit.lineage.tables import fetch_tables, is_available, read_columns
from exemplars.audit.lineage.targets import Target, TargetKind
from exemplars.audit.revisions import Revision
from exemplars.audit.run_membership import RunRows, load_run_rows, select_runs_trained_on
from exemplars.core import layout
from exemplars.core.digests import hash_content
from exemplars.core.records import Reason


def build_trace(revision: Revision, target: Target) -> dict[str, Any]:
    """Build the document that `exemplars trace --format json` prints: all that is known of a target.

    Raises `UserError` if a table cannot be read.
    """
    head = {"kind": str(target.kind), "name": target.name, "revision": revision.name}
    if target.run is not None:
        return {**head, **describe_run(revision.root, target.run)}
    if target.kind in (TargetKind.EXEMPLAR, TargetKind.DIGEST):
        return {**head, "rows": trace_rows(revision, target.ids)}
    return {**head, **list_rows(revision, target)}


def trace_rows(revision: Revision, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Describe each row: its origin, with proof, what reviewers decided about it, and what every stage did."""
    tables = collect_table_rows(revision, ids)
    pairs, made = find_near_duplicates(revision, tables), find_made_tables(revision)
    runs, sources = load_run_rows(revision.root), read_sources(revision)
    digests, reviews = read_row_digests(revision, ids), read_row_reviews(revision, ids)
    preferences = read_row_preferences(revision, digests)
    traces = []
    for row_id in ids:
        row = _find_row(row_id, tables)
        source = sources.get(row["source"])
        traces.append(
            {
                "id": row_id,
                "source": row["source"],
                "license": row.get("license") or (source.license if source else None),
                "group": row["group"],
                "origin": _describe_origin(revision, source, row),
                "reviews": reviews.get(row_id, []),
                "preferences": preferences.get(row_id, []),
                "decisions": list_decisions(row_id, tables, pairs, runs, made, digests.get(row_id, ())),
            }
        )
    return traces


def list_rows(revision: Revision, target: Target) -> dict[str, Any]:
    """List the rows of a file or a dialogue with their outcomes, and the runs that were trained on them."""
    fetch_tables(revision, (*DIGEST_TABLES, *LEDGERS))
    runs = load_run_rows(revision.root)
    if not target.ids:  # A raw text: a run that was trained on it has the hash of the whole file.
        data = revision.read_file(target.name)
        return {
            "rows": [],
            "counts": {},
            "runs": _list_runs(runs, [] if data is None else [hash_content(data)]),
        }
    digests = read_row_digests(revision, target.ids)
    rows = [
        {**row, "runs": [run.run for run in runs if run.digests & digests[row["id"]]]}
        for row in _read_outcomes(revision, target.ids)
    ]
    counts = pl.Series([row["outcome"] for row in rows]).value_counts(sort=True)
    all_digests = {digest for row_digests in digests.values() for digest in row_digests}
    return {"rows": rows, "counts": dict(counts.iter_rows()), "runs": _list_runs(runs, all_digests)}


def _list_runs(runs: Sequence[RunRows], digests: Sequence[str] | set[str]) -> list[dict[str, Any]]:
    return [run._asdict() for run in select_runs_trained_on(runs, digests)]


_ERASED: Final = str(Reason.ERASED)


def _describe_origin(revision: Revision, source: Source | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """Prove the origin of a row. The text of an erased row is not dug out of git's history."""
    evidence = prove_origin(revision, source, row["origin"])
    return (evidence._replace(text=None) if row.get("reason") == _ERASED else evidence)._asdict()


def _find_row(row_id: str, tables: RowsByTable) -> dict[str, Any]:
    candidates = (tables[path].get(row_id) for path in (layout.EXEMPLARS, layout.TEMPLATES, *LEDGERS))
    return next(rows[0] for rows in candidates if rows)


def _read_outcomes(revision: Revision, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Read the rows in the order of `ids`; the outcome is the split, or the reason of the rejection."""
    where = pl.col("id").is_in(ids)
    outcomes = read_row_outcomes(revision, (*SPLIT_TABLES.values(), *LEDGERS), where)
    names = ("id", "skill", "utterance")
    compiled = read_columns(revision, layout.EXEMPLARS, names, where)
    frames = [outcomes, compiled]
    if is_available(revision, layout.TEMPLATES):
        templates = read_columns(revision, layout.TEMPLATES, ("id", "skill", "template"), where)
        frames.append(templates.rename({"template": "utterance"}).with_columns(split=pl.lit("template")))
    rows = pl.concat(frames, how="diagonal").unique("id", keep="first", maintain_order=True)
    outcome = pl.coalesce("split", "reason", pl.lit("compiled")).alias("outcome")
    by_id = {row["id"]: row for row in rows.select(*names, outcome, "stage", "message").to_dicts()}
    return [by_id[row_id] for row_id in dict.fromkeys(ids)]
