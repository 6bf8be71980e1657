"""From a row to its origin and its end, and from a file or dialogue to its rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from exemplars.audit.lineage.decisions import (
    Rows,
    decisions,
    pairs_about,
    rows_about,
    tables_made,
)
from exemplars.audit.lineage.row_outcomes import LEDGERS, SPLITS, row_states
from exemplars.audit.lineage.run_provenance import makings_of
from exemplars.audit.lineage.sources import Source, evidence_of, sources_of
from exemplars.audit.lineage.tables import available, bring, read
from exemplars.audit.lineage.targets import Kind, Subject
from exemplars.audit.revisions import Revision
from exemplars.audit.run_membership import RunRows, rows_of_runs, seen_by
from exemplars.core import layout
from exemplars.core.digests import hash_content

_ERASED: Final = "erased"
"""The reason of a row that a tombstone took out."""


def traced(revision: Revision, subject: Subject) -> dict[str, Any]:
    """All that is known of a subject at a revision: what `exemplars trace --format json` prints.

    Raises `UserError` where a table is not to be had.
    """
    head = {"kind": str(subject.kind), "name": subject.name, "revision": revision.name}
    if subject.run is not None:
        return {**head, **makings_of(revision.root, subject.run)}
    if subject.kind in (Kind.EXEMPLAR, Kind.DIGEST):
        return {**head, "rows": stories(revision, subject.ids)}
    return {**head, **listing(revision, subject)}


def stories(revision: Revision, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Of each row its origin, proved, and what every stage decided."""
    found = rows_about(revision, ids)
    pairs, runs, made = pairs_about(revision, found), rows_of_runs(revision.root), tables_made(revision)
    sources = sources_of(revision)
    told = []
    for one in ids:
        row = _first(one, found)
        source = sources.get(row["source"])
        told.append(
            {
                "id": one,
                "source": row["source"],
                "license": row.get("license") or (source.license if source else None),
                "group": row["group"],
                "origin": _evidence(revision, source, row),
                "decisions": decisions(one, found, pairs, runs, made),
            }
        )
    return told


def _evidence(revision: Revision, source: Source | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """The proof of the origin; git's history is not asked what an erased row said."""
    found = evidence_of(revision, source, row["origin"])
    return (found._replace(text=None) if row.get("reason") == _ERASED else found)._asdict()


def listing(revision: Revision, subject: Subject) -> dict[str, Any]:
    """The rows of a file or a dialogue, what became of each, and the runs that saw them."""
    bring(revision, (*SPLITS.values(), *LEDGERS, layout.EXEMPLARS, layout.split_speech()))
    runs = rows_of_runs(revision.root)
    if not subject.ids:
        data = revision.file(subject.name)
        whole = [] if data is None else [hash_content(data)]
        return {"rows": [], "counts": {}, "runs": seen_by(runs, whole)}
    digests = _digests(revision, subject.ids)
    rows = [{**row, "runs": _runs_with(runs, digests[row["id"]])} for row in _rows_of(revision, subject.ids)]
    counts = pl.Series([row["outcome"] for row in rows]).value_counts(sort=True)
    every = {digest for known in digests.values() for digest in known}
    return {"rows": rows, "counts": dict(counts.iter_rows()), "runs": seen_by(runs, every)}


def _first(row_id: str, found: Rows) -> dict[str, Any]:
    places = (found[path].get(row_id) for path in (layout.EXEMPLARS, *LEDGERS))
    return next(rows[0] for rows in places if rows)


def _rows_of(revision: Revision, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The rows in the order of `ids`; the outcome is the split, or the reason of the rejection."""
    about = pl.col("id").is_in(ids)
    states = row_states(revision, (*SPLITS.values(), *LEDGERS), about)
    names = ("id", "skill", "utterance")
    compiled = read(revision, layout.EXEMPLARS, names, about)
    outcome = pl.coalesce("split", "reason", pl.lit("compiled")).alias("outcome")
    known = pl.concat([states, compiled], how="diagonal").unique("id", keep="first", maintain_order=True)
    by_id = {row["id"]: row for row in known.select(*names, outcome, "stage", "message").to_dicts()}
    return [by_id[one] for one in dict.fromkeys(ids)]


def _digests(revision: Revision, ids: Sequence[str]) -> dict[str, set[str]]:
    """Every digest of each row: as compiled, as in its split, of its speech view."""
    bare = pl.col("id").str.strip_suffix("~speech")
    frames = [
        read(revision, path, ("id", "digest"), bare.is_in(ids)).with_columns(bare)
        for path in (layout.EXEMPLARS, *SPLITS.values(), layout.split_speech())
        if available(revision, path)
    ]
    known: dict[str, set[str]] = defaultdict(set)
    for row_id, digest in pl.concat(frames).iter_rows():
        known[row_id].add(digest)
    return known


def _runs_with(runs: Sequence[RunRows], digests: set[str]) -> list[str]:
    return [one.run for one in runs if one.digests & digests]
