"""The receipt of an erasure: what, when, by which rule, and what it cannot reach. It holds no text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from exemplars.audit.erasure.plan import Object, Plan
from exemplars.audit.erasure.purge import Redacted

BEYOND_REACH: Final = (
    "git's history: the commits below hold the raw files as they were; rewrite it (git filter-repo) and have "
    "all clones fetched anew",
    "copies outside of this project: clones, backups, exports, other caches and remotes",
    "trained weights: a model may repeat what it saw; train the runs below anew, and withdraw them",
    "digests of erased rows in rows.txt of older runs: hashes, without a text",
)


def receipt_of(
    plan: Plan,
    redacted: Sequence[Redacted],
    by_hand: Sequence[str],
    removed: Sequence[Object],
    kept: Sequence[Object],
    left: tuple[Sequence[str], Sequence[str]],
    when: str,
) -> dict[str, Any]:
    """The receipt. left: files and objects that hold it still. when: ISO 8601."""
    rules = {one.tombstone.id: one.tombstone for one in plan.rows if one.tombstone}
    counts = Counter(one.tombstone.id for one in plan.rows if one.tombstone)
    return {
        "when": when,
        "tombstones": [
            {
                "id": name,
                "rule": one.rule,
                "reviewer": one.reviewer,
                "reason": one.reason,
                "rows": counts[name],
            }
            for name, one in sorted(rules.items())
        ],
        "rows": len(plan.rows),
        "rows_by_source": dict(sorted(Counter(one.source for one in plan.rows).items())),
        "rows_in_splits": dict(plan.splits),
        "raw_files": [one._asdict() for one in redacted],
        "to_be_edited_by_hand": list(by_hand),
        "removed_objects": [_object(one) for one in removed],
        "kept_objects": [{**_object(one), "needed_by": list(one.needed_by)} for one in kept],
        "runs_to_train_anew": list(plan.runs),
        "still_found": {"files": list(left[0]), "objects": list(left[1])},
        "too_short_or_common_to_search": len(set(plan.wanted.rows.values()) - plan.wanted.texts),
        "out_of_reach": list(BEYOND_REACH),
        "commits_with_the_raw_files": list(plan.history),
    }


def _object(one: Object) -> dict[str, Any]:
    return {"store": one.store, "md5": one.md5, "paths": list(one.paths)}


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan for machines."""
    return {
        "rows": [
            {
                "id": one.id,
                "file": one.file,
                "locator": one.locator,
                "tombstone": one.tombstone.id if one.tombstone else None,
                "in_the_raw_file": one.text is not None,
            }
            for one in plan.rows
        ],
        "unmatched_tombstones": list(plan.unmatched),
        "raw_files": list(plan.files),
        "outputs": list(plan.outputs),
        "splits": dict(plan.splits),
        "runs": list(plan.runs),
        "objects": [{**_object(one), "needed_by": list(one.needed_by)} for one in plan.objects],
        "commits_with_the_raw_files": list(plan.history),
    }


def plan_text(plan: Plan) -> str:
    """The plan for people, within 80 columns."""
    lines = [f"{len(plan.rows):>6} row(s)"]
    for (name, file), count in sorted(_by_file(plan).items()):
        lines.append(f"{count:>10}  {file}  by {name}")
    for name in plan.unmatched:
        lines.append(f"{0:>10}  by {name}: it means nothing here")
    lines.append(
        f"{sum(plan.splits.values()):>6} row(s) in splits"
        + _list(f"{v} {k}" for k, v in plan.splits.items() if v)
    )
    lines += _section("raw file(s) that hold it (--redact or --purge empties them)", plan.files)
    lines += _section("output(s) that hold it (`dvc repro` makes them anew)", plan.outputs)
    lines += _section("run(s) that were trained on it", plan.runs)
    for store in sorted({one.store for one in plan.objects}):
        here = [one for one in plan.objects if one.store == store]
        needed = sum(1 for one in here if one.needed_by)
        lines.append(f"{len(here):>6} object(s) in {store}, {needed} of them needed by other revisions")
        lines += [
            f"            {one.md5}  {one.paths[0] if one.paths else 'named by no revision'}" for one in here
        ]
    lines += _section("commit(s) whose raw files hold it: out of reach", plan.history)
    return "\n".join(lines) + "\n"


def _by_file(plan: Plan) -> Counter[tuple[str, str]]:
    return Counter((one.tombstone.id if one.tombstone else "no tombstone", one.file) for one in plan.rows)


def _section(title: str, names: Sequence[str]) -> list[str]:
    return [f"{len(names):>6} {title}", *(f"            {name}" for name in names)] if names else []


def _list(parts: Any) -> str:
    text = ", ".join(parts)
    return f": {text}" if text else ""
