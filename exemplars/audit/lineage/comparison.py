"""The comparison of two revisions: the document that `exemplars diff --format json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from exemplars.audit.lineage.changes import (
    PARTICULARS,
    SHOWN,
    Changes,
    count_changes,
    find_changes,
    find_render_changes,
    list_changed_fields,
    merge_changes,
)
from exemplars.audit.lineage.row_outcomes import (
    CONTENT,
    LEDGERS,
    RENDER_LEDGER,
    SPLIT_TABLES,
    read_row_outcomes,
)
from exemplars.audit.lineage.row_reviews import read_editors
from exemplars.audit.lineage.tables import fetch_tables, hash_table, is_available, read_columns
from exemplars.audit.revisions import Revision
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError

_ADDED: Final = ("speaker", "reply")
"""Columns that tables of version 1 do not have."""
_LAST: Final = ("arguments", "context", *_ADDED)
"""Columns that are compared last, because most of them are large."""
_TABLES: Final = (*SPLIT_TABLES.values(), *LEDGERS)
_REJECTION: Final = ("id", "source", "skill", "utterance", "stage", "reason", "message")


class RevisionComparison(NamedTuple):
    """The differences between the rows of two revisions."""

    old: Revision
    new: Revision
    tables: tuple[Path, ...]
    """The splits and ledgers that differ."""
    changes: Changes
    relocated: int
    """The number of rows with a new place in their file, changed or not."""
    rows: tuple[int, int]
    """The number of rows of the splits and their ledgers, before and after."""


def compare_revisions(old: Revision, new: Revision) -> RevisionComparison:
    """Compare the rows of two revisions; a table that is the same in both is not read.

    Raises `UserError` if a revision has no splits, has no ledger that the other has, or if a table cannot be read.
    """
    _check_tables(old, new)
    _check_tables(new, old)
    paths = [path for path in _TABLES if hash_table(old, path) != hash_table(new, path)]
    with_render = all(is_available(revision, RENDER_LEDGER) for revision in (old, new))
    with_render = with_render and hash_table(old, RENDER_LEDGER) != hash_table(new, RENDER_LEDGER)
    ledger = [RENDER_LEDGER] if with_render else []
    fetch_tables(old, [*paths, *([layout.EXEMPLARS] if paths else []), *ledger])
    fetch_tables(new, [*_TABLES, layout.EXEMPLARS, *ledger])
    before, after = read_row_outcomes(old, paths), read_row_outcomes(new, paths)
    changes, pairs = find_changes(before, after)
    if with_render:
        old_ledger, new_ledger = (
            read_columns(revision, RENDER_LEDGER, _REJECTION) for revision in (old, new)
        )
        render_changes = find_render_changes(old_ledger, new_ledger, pairs, _read_split_ids(new))
        changes = merge_changes(changes, render_changes)
    relocated = pairs.filter(pl.col("old_id") != pl.col("id")).height
    same = _count_rows(new, [path for path in _TABLES if path not in paths])
    rows = (same + before.height, same + after.height)
    comparison = RevisionComparison(old, new, tuple(paths), changes, relocated, rows)
    changed = _add_last_fields(changes["changed"], comparison)
    return comparison._replace(changes={**changes, "changed": changed})


def build_diff(comparison: RevisionComparison, limit: int | None) -> dict[str, Any]:
    """Build the document of a comparison: counts, and the rows of each kind of change.

    limit: the maximum number of rows of each kind; `None` for all. The `fields` of a changed row are pairs of the
    old and the new value, by column.
    """
    counts = {kind: rows.height for kind, rows in comparison.changes.items()}
    shown = {kind: rows.head(limit) if limit else rows for kind, rows in comparison.changes.items()}
    return {
        "old": _describe_revision(comparison.old, comparison.rows[0]),
        "new": _describe_revision(comparison.new, comparison.rows[1]),
        "counts": {**counts, "relocated": comparison.relocated},
        "details": _count_details(comparison.changes),
        "by_skill": _count_by(comparison.changes, "skill"),
        "by_source": _count_by(comparison.changes, "source"),
        "rows": {
            kind: _list_changed(comparison, rows) if kind == "changed" else _list_rows(kind, rows)
            for kind, rows in shown.items()
        },
    }


def _describe_revision(revision: Revision, rows: int) -> dict[str, Any]:
    return {"revision": revision.name, "commit": revision.commit, "rows": rows}


def _list_changed(comparison: RevisionComparison, rows: pl.DataFrame) -> list[dict[str, Any]]:
    """List changed rows with their fields; values that are the same on both sides stay out of Python."""
    names = (*SHOWN, *PARTICULARS["changed"])
    rows = _join_last(rows, comparison) if _has_last_changes(rows) else rows
    changed = rows.select(
        *names,
        *(
            pl.when(pl.col("fields").list.contains(name)).then(pl.col(side)).alias(f"value_{side}")
            for name in (*CONTENT[1:], *_LAST)
            for side in (f"old_{name}", name)
            if side in rows.columns
        ),
    )
    editors = read_editors(comparison.new, dict(rows.select("id", "digest").iter_rows()))
    return [
        {
            **{name: row[name] for name in names},
            "edited_by": editors.get(row["id"], []),
            "fields": {name: [row[f"value_old_{name}"], row[f"value_{name}"]] for name in row["fields"]},
        }
        for row in changed.iter_rows(named=True)
    ]


def _list_rows(kind: str, rows: pl.DataFrame) -> list[dict[str, Any]]:
    columns = (*SHOWN, *PARTICULARS[kind])
    missing = [pl.lit(None, pl.String).alias(name) for name in columns if name not in rows.columns]
    return rows.with_columns(missing).select(columns).to_dicts()


def _has_last_changes(rows: pl.DataFrame) -> bool:
    """Whether a row differs in one of the columns that are compared last."""
    return bool(rows["fields"].list.eval(pl.element().is_in(_LAST)).list.any().any())


def _add_last_fields(changed: pl.DataFrame, comparison: RevisionComparison) -> pl.DataFrame:
    """Add the columns that are compared last, and differ, to `fields`; read only for rows whose digests differ."""
    other_digest = changed.filter(pl.col("digest") != pl.col("old_digest"))
    if other_digest.is_empty():
        return changed
    joined = _join_last(other_digest, comparison)
    nested = joined.select("id", nested=list_changed_fields(_LAST))
    changed = changed.join(nested, on="id", how="left", maintain_order="left")
    nested_fields = pl.col("nested").fill_null(pl.lit([], pl.List(pl.String)))
    return changed.with_columns(fields=pl.concat_list("fields", nested_fields)).drop("nested")


def _join_last(changed: pl.DataFrame, comparison: RevisionComparison) -> pl.DataFrame:
    before = _read_last(comparison.old, comparison.tables, changed["old_id"])
    after = _read_last(comparison.new, comparison.tables, changed["id"])
    before = before.rename({name: f"old_{name}" for name in before.columns})
    joined = changed.join(before, on="old_id", maintain_order="left")
    return joined.join(after, on="id", maintain_order="left")


def _read_last(revision: Revision, tables: Iterable[Path], ids: pl.Series) -> pl.DataFrame:
    """Read the columns that are compared last, of rows of splits. Rows that changed are in tables that did."""
    where = pl.col("id").is_in(ids.implode())
    splits = [path for path in tables if path in SPLIT_TABLES.values()]
    return pl.concat([read_columns(revision, path, ("id", *_LAST), where, _ADDED) for path in splits])


def _read_split_ids(revision: Revision) -> pl.DataFrame:
    return pl.concat([read_columns(revision, path, ("id",)) for path in SPLIT_TABLES.values()])


def count_stale_rows(revision: Revision) -> int:
    """Count the rows of splits that the ledger of compile has, too: the splits are those of an earlier run."""
    ledger = layout.ledger_path(layout.EXEMPLARS)
    if not all(is_available(revision, path) for path in (ledger, *SPLIT_TABLES.values())):
        return 0
    return _read_split_ids(revision).join(read_columns(revision, ledger, ("id",)), on="id", how="semi").height


def _count_rows(revision: Revision, paths: Iterable[Path]) -> int:
    available = [path for path in paths if is_available(revision, path)]
    return sum(read_columns(revision, path, ("id",)).height for path in available)


def _count_details(changes: Changes) -> dict[str, dict[str, int]]:
    """Count the rows that changed in each field, moved from split to split, or have each reason."""
    move = pl.concat_str(["old_split", "split"], separator=" -> ")
    frames = {
        "changed": changes["changed"].select(pl.col("fields").explode().alias("what")),
        "moved": changes["moved"].select(move.alias("what")),
        "rejected": changes["rejected"].select(pl.col("reason").alias("what")),
        "accepted": changes["accepted"].select(pl.col("old_reason").alias("what")),
    }
    return {
        kind: dict(frame.group_by("what").len().sort("len", "what", descending=[True, False]).iter_rows())
        for kind, frame in frames.items()
    }


def _count_by(changes: Changes, column: str) -> dict[str, dict[str, int]]:
    rows = count_changes(changes, column).to_dicts()
    return {row.pop(column): {kind: count for kind, count in row.items() if count} for row in rows}


def _check_tables(revision: Revision, other: Revision) -> None:
    """Raise `UserError` if a revision has no splits, or no ledger that the other revision has.

    Without the ledger, its rows would seem to be gone, or nothing would seem to differ.
    """
    needed = [*SPLIT_TABLES.values(), *(path for path in LEDGERS if is_available(other, path))]
    missing = [str(path) for path in needed if not is_available(revision, path)]
    if missing:
        raise UserError(
            [
                Diagnostic(
                    path=revision.name,
                    code="no_splits",
                    found=f"no {', '.join(missing)}",
                    expected="a revision with splits to compare, and their ledgers",
                    fix="run `dvc repro split`, or name another revision",
                )
            ]
        )
