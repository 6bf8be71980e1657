"""The plan of an erasure for people and programs, and its receipt. Neither holds an erased text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from exemplars.audit.erasure.plan import HoldingObject, Plan
from exemplars.audit.erasure.purge import Redaction

OUT_OF_REACH: Final = (
    "git's history: the commits below hold the raw files as they were; rewrite it (git filter-repo), and "
    "replace all clones",
    "copies outside this project: clones, backups, exports, other caches and remotes",
    "trained weights: a model may repeat its training data; retrain the runs below, and withdraw the old models",
    "digests of erased rows in rows.txt of older runs: hashes, without text",
)
_INDENT: Final = " " * 12


def build_receipt(
    plan: Plan,
    redaction: Redaction,
    removed: Sequence[HoldingObject],
    kept: Sequence[HoldingObject],
    remains: tuple[Sequence[str], Sequence[str]],
    when: str,
) -> dict[str, Any]:
    """Build the receipt.

    remains: files and objects that still hold what was erased. when: ISO 8601.
    """
    tombstones = {row.tombstone.id: row.tombstone for row in plan.rows if row.tombstone}
    counts = Counter(row.tombstone.id for row in plan.rows if row.tombstone)
    return {
        "when": when,
        "tombstones": [
            {
                "id": name,
                "rule": tombstone.rule,
                "reviewer": tombstone.reviewer,
                "reason": tombstone.reason,
                "rows": counts[name],
            }
            for name, tombstone in sorted(tombstones.items())
        ],
        "rows": len(plan.rows),
        "rows_by_source": dict(sorted(Counter(row.source for row in plan.rows).items())),
        "rows_in_splits": dict(plan.splits),
        "raw_files": [file._asdict() for file in redaction.files],
        "to_be_edited_by_hand": list(redaction.by_hand),
        "removed_objects": [_describe_object(item) for item in removed],
        "kept_objects": [_describe_need(item) for item in kept],
        "runs_to_train_anew": list(plan.runs),
        "runs_with_unavailable_rows": list(plan.unknown_runs),
        "still_found": {"files": list(remains[0]), "objects": list(remains[1])},
        "too_short_or_common_to_search": len(set(plan.terms.rows.values()) - plan.terms.texts),
        "out_of_reach": list(OUT_OF_REACH),
        "commits_with_the_raw_files": list(plan.history),
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
                "in_the_raw_file": row.text is not None,
            }
            for row in plan.rows
        ],
        "unmatched_tombstones": list(plan.unmatched),
        "raw_files": list(plan.files),
        "outputs": list(plan.outputs),
        "splits": dict(plan.splits),
        "runs": list(plan.runs),
        "runs_with_unavailable_rows": list(plan.unknown_runs),
        "objects": [_describe_need(item) for item in plan.objects],
        "commits_with_the_raw_files": list(plan.history),
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
    lines += _format_section("raw file(s) that hold it (--redact or --purge redacts them)", plan.files)
    lines += _format_section("output(s) that hold it (`dvc repro` recreates them)", plan.outputs)
    lines += _format_section("run(s) trained on it", plan.runs)
    lines += _format_section(
        "run(s) that may have been trained on it: their rows are unavailable", plan.unknown_runs
    )
    lines += _format_objects(plan.objects)
    lines += _format_section("commit(s) whose raw files hold it: out of reach", plan.history)
    return "\n".join(lines) + "\n"


def _format_objects(objects: Sequence[HoldingObject]) -> Iterable[str]:
    for store in sorted({item.store for item in objects}):
        in_store = [item for item in objects if item.store == store]
        needed = sum(1 for item in in_store if item.needed_by)
        yield f"{len(in_store):>6} object(s) in {store}, {needed} of them needed by other revisions"
        for item in in_store:
            yield f"{_INDENT}{item.md5}  {item.paths[0] if item.paths else 'in no revision'}"


def _format_section(title: str, names: Sequence[str]) -> list[str]:
    return [f"{len(names):>6} {title}", *(f"{_INDENT}{name}" for name in names)] if names else []
