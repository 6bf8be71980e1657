"""The plan of an erasure for people and programs, and its receipt. Neither holds an erased text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from exemplars.audit.erasure.plan import HoldingObject, Plan, Remains
from exemplars.audit.erasure.transaction import Redaction
from exemplars.core.ids import parse_row_id
from exemplars.core.layout import is_url
from exemplars.core.reports import count_sorted
from exemplars.core.terminal import escape_line
from stages.ingest.tombstones import Tombstone

OUT_OF_REACH: Final = (
    "git's history: the commits below hold the raw files as they were; rewrite it (git filter-repo), and "
    "replace all clones",
    "copies outside this project: clones, backups, exports, other caches and remotes",
    "trained weights: a model may repeat its training data; retrain the runs below, and withdraw the old models",
    "digests of erased rows in rows.txt of older runs: hashes, without text",
    "patterns of tombstones: git keeps data/raw/erasures.jsonl as written; a `value` is a keyed hash",
)
SEARCH_METHODS: Final = (
    "rows of tables that were derived from an erased row, by its id (also with ~speech or @view:slot), its place in a "
    "raw file, its digest, or as the nearest row of a prediction: speech views, surrogates, chat text and token ids, "
    "predictions, review lists and ledgers",
    "raw files that held an erased row, by the SHA-256 of their content",
    "texts of 12 characters or more that no kept row has, anywhere in the columns of tables and in other files: plain, "
    "in JSON, in HTML, compressed",
    "shorter texts and values that no kept row has, as whole strings of JSON files and whole lines of others",
    "normalized utterances and templates in the table of near duplicates",
)
_INDENT: Final = " " * 12


def build_receipt(
    plan: Plan,
    redaction: Redaction,
    removed: Sequence[HoldingObject],
    kept: Sequence[HoldingObject],
    remains: Remains,
    when: str,
) -> dict[str, Any]:
    """Build the receipt.

    remains: what still holds what was erased. when: ISO 8601.
    """
    ids = _list_row_ids(plan)
    return {
        "when": when,
        "tombstones": [_describe_tombstone(tombstone, ids[tombstone.id]) for tombstone in plan.tombstones],
        "rows": len(set().union(*ids.values())),
        "rows_by_source": count_sorted(parse_row_id(row_id).source for row_id in set().union(*ids.values())),
        "rows_in_splits": dict(plan.splits),
        "raw_files": [file._asdict() for file in redaction.files],
        "to_be_edited_by_hand": list(redaction.by_hand),
        "removed_objects": [_describe_object(item) for item in removed],
        "kept_objects": [_describe_need(item) for item in kept],
        "runs_to_train_anew": list(plan.runs),
        "runs_with_unavailable_rows": list(plan.unknown_runs),
        "searched": _describe_search(plan, remains),
        "still_found": {"files": list(remains.files), "objects": list(remains.objects)},
        "too_short_or_common_to_search": plan.terms.unsearched,
        "out_of_reach": list(OUT_OF_REACH),
        "patterns_in_git": list(plan.patterns),
        "originals": _describe_originals(plan),
        "commits_with_the_raw_files": list(plan.history),
    }


def _list_row_ids(plan: Plan) -> dict[str, set[str]]:
    """List the ids of the rows of each tombstone: those in the raw files, and those that are gone from them."""
    ids = {tombstone.id: set(tombstone.pins) for tombstone in plan.tombstones}
    for row in plan.rows:
        ids.setdefault(row.tombstone.id if row.tombstone else "", set()).add(row.id)
    return ids


def _describe_tombstone(tombstone: Tombstone, ids: Collection[str]) -> dict[str, Any]:
    return {
        "id": tombstone.id,
        "rule": tombstone.rule,
        "reviewer": tombstone.reviewer,
        "reason": tombstone.reason,
        "rows": len(ids),
    }


def build_plan_document(plan: Plan) -> dict[str, Any]:
    """Build the JSON document of a plan."""
    return {
        "rows": [
            {
                "id": row.id,
                "file": row.file,
                "locator": row.locator,
                "tombstone": row.tombstone.id if row.tombstone else None,
                "in_the_raw_file": row.is_in_raw_file,
            }
            for row in plan.rows
        ],
        "unmatched_tombstones": list(plan.unmatched),
        "raw_files": list(plan.files),
        "decisions": len(plan.reviews),
        "preferences": len(plan.preferences),
        "outputs": list(plan.outputs),
        "splits": dict(plan.splits),
        "runs": list(plan.runs),
        "runs_with_unavailable_rows": list(plan.unknown_runs),
        "objects": [_describe_need(item) for item in plan.objects],
        "patterns_in_git": list(plan.patterns),
        "originals": _describe_originals(plan),
        "commits_with_the_raw_files": list(plan.history),
    }


def _describe_originals(plan: Plan) -> dict[str, Any]:
    """Describe the tables that have what `curate` replaces or rejects; the raw files have it, too."""
    return {"purged": plan.originals.are_purged, "tables": list(plan.originals.paths)}


def _describe_search(plan: Plan, remains: Remains) -> dict[str, Any]:
    """Describe what was searched, and how: without any text."""
    identity = plan.terms.identity
    return {
        "how": list(SEARCH_METHODS),
        "by_identity": {
            "row_ids": len(identity.ids),
            "places_in_raw_files": len(identity.origins),
            "digests": len(identity.digests),
            "raw_files": len(identity.raw_files | plan.terms.raw_files),
        },
        "by_text": dict(plan.terms.forms),
        "folders": list(plan.folders),
        "read": remains.searched,
        "columns": list(remains.columns),
    }


def _describe_object(item: HoldingObject) -> dict[str, Any]:
    return {"store": item.store, "md5": item.md5, "paths": list(item.paths)}


def _describe_need(item: HoldingObject) -> dict[str, Any]:
    return {**_describe_object(item), "needed_by": list(item.needed_by)}


def format_plan(plan: Plan) -> str:
    """Format a plan for people, within 80 columns."""
    lines = [f"{len(plan.rows):>6} row(s)"]
    files = Counter((row.tombstone.id if row.tombstone else "no tombstone", row.file) for row in plan.rows)
    for (name, file), count in sorted(files.items()):
        lines.append(f"{count:>10}  {file}  by {name}")
    lines += [f"{0:>10}  tombstone {name} matches no row" for name in plan.unmatched]
    splits = ", ".join(f"{count} {split}" for split, count in plan.splits.items() if count)
    lines.append(f"{sum(plan.splits.values()):>6} row(s) in splits" + (f": {splits}" if splits else ""))
    here = [file for file in plan.files if not is_url(file)]
    lines += _format_section("raw file(s) that hold it (--redact or --purge redacts them)", here)
    lines += _format_section("raw file(s) at URLs that hold it: edit them there", filter(is_url, plan.files))
    lines += _format_section("output(s) that hold it (`dvc repro` recreates them)", plan.outputs)
    lines += _format_section("run(s) trained on it", plan.runs)
    lines += _format_section(
        "run(s) that may have been trained on it: their rows are unavailable", plan.unknown_runs
    )
    lines += _format_objects(plan.objects)
    verb = "this purge removes" if plan.originals.are_purged else "curate.privacy.originals keeps"
    lines += _format_section(f"table(s) from before curate's surrogates, which {verb}", plan.originals.paths)
    lines += _format_section("tombstone(s) whose pattern git keeps as written: prefer `value`", plan.patterns)
    lines += _format_section("commit(s) whose raw files hold it: out of reach", plan.history)
    return "\n".join(map(escape_line, lines)) + "\n"


def _format_objects(objects: Sequence[HoldingObject]) -> Iterable[str]:
    for store in sorted({item.store for item in objects}):
        in_store = [item for item in objects if item.store == store]
        needed = sum(1 for item in in_store if item.needed_by)
        yield f"{len(in_store):>6} object(s) in {store}, {needed} of them needed by other revisions"
        for item in in_store:
            yield f"{_INDENT}{item.md5}  {item.paths[0] if item.paths else 'in no revision'}"


def _format_section(title: str, listed: Iterable[str]) -> list[str]:
    names = list(listed)
    return [f"{len(names):>6} {title}", *(f"{_INDENT}{name}" for name in names)] if names else []
