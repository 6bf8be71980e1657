"""Two revisions compared: what `exemplars diff --format json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from exemplars.audit.lineage.changes import (
    PARTICULARS,
    SHOWN,
    Changes,
    changed_fields,
    changes_of,
    counted,
    merged,
    rendered_changes,
)
from exemplars.audit.lineage.row_outcomes import CONTENT, LEDGERS, RENDER_LEDGER, SPLITS, row_states
from exemplars.audit.lineage.tables import available, bring, content_md5, read
from exemplars.audit.revisions import Revision
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError

_NESTED: Final = ("arguments", "context")
_TABLES: Final = (*SPLITS.values(), *LEDGERS)
_REFUSED: Final = ("id", "source", "skill", "utterance", "stage", "reason", "message")


class Comparison(NamedTuple):
    """What differs between the rows of two revisions."""

    old: Revision
    new: Revision
    tables: tuple[Path, ...]
    """The tables of splits and their ledgers that differ."""
    changes: Changes
    relocated: int
    """Rows with another place in their file, changed or not."""
    rows: tuple[int, int]
    """Rows of the splits and their ledgers, before and after."""


def compared(old: Revision, new: Revision) -> Comparison:
    """The differences; a table that is the same in both revisions is not read.

    Raises `UserError` where a revision has no splits, or an object is not to be had.
    """
    for revision in (old, new):
        _check_split(revision)
    paths = [path for path in _TABLES if content_md5(old, path) != content_md5(new, path)]
    rendered = all(available(one, RENDER_LEDGER) for one in (old, new))
    rendered = rendered and content_md5(old, RENDER_LEDGER) != content_md5(new, RENDER_LEDGER)
    bring(old, [*paths, *([layout.EXEMPLARS] if paths else []), *([RENDER_LEDGER] if rendered else [])])
    bring(new, [*_TABLES, layout.EXEMPLARS, *([RENDER_LEDGER] if rendered else [])])
    before, after = row_states(old, paths), row_states(new, paths)
    changes, pairs = changes_of(before, after)
    if rendered:
        refused, refuses = (read(revision, RENDER_LEDGER, _REFUSED) for revision in (old, new))
        changes = merged(changes, rendered_changes(refused, refuses, pairs, _kept(new)))
    relocated = pairs.filter(pl.col("old_id") != pl.col("id")).height
    rest = _count(new, [path for path in _TABLES if path not in paths])
    rows = (rest + before.height, rest + after.height)
    found = Comparison(old, new, tuple(paths), changes, relocated, rows)
    return found._replace(changes={**changes, "changed": _with_nested_fields(changes["changed"], found)})


def as_document(found: Comparison, limit: int | None) -> dict[str, Any]:
    """The comparison with the rows of each kind; limit: the most of them, null: all.

    The `fields` of a changed row are pairs, by column, of what it was and what it is.
    """
    counts = {kind: rows.height for kind, rows in found.changes.items()}
    shown = {kind: rows.head(limit) if limit else rows for kind, rows in found.changes.items()}
    return {
        "old": _told_of(found.old, found.rows[0]),
        "new": _told_of(found.new, found.rows[1]),
        "counts": {**counts, "relocated": found.relocated},
        "details": _details(found.changes),
        "by_skill": _by(found.changes, "skill"),
        "by_source": _by(found.changes, "source"),
        "rows": {
            kind: _changed(found, rows) if kind == "changed" else _filled(kind, rows).to_dicts()
            for kind, rows in shown.items()
        },
    }


def _told_of(revision: Revision, rows: int) -> dict[str, Any]:
    return {"revision": revision.name, "commit": revision.commit, "rows": rows}


def _changed(found: Comparison, rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Changed rows with their fields; what is the same on both sides does not become a Python object."""
    names = (*SHOWN, *PARTICULARS["changed"])
    known = _nested(rows, found) if _any_nested(rows) else rows
    told = known.select(
        *names,
        *(
            pl.when(pl.col("fields").list.contains(name)).then(pl.col(side)).alias(f"told_{side}")
            for name in (*CONTENT[1:], *_NESTED)
            for side in (f"old_{name}", name)
            if side in known.columns
        ),
    )
    return [
        {
            **{name: row[name] for name in names},
            "fields": {name: [row[f"told_old_{name}"], row[f"told_{name}"]] for name in row["fields"]},
        }
        for row in told.iter_rows(named=True)
    ]


def _any_nested(rows: pl.DataFrame) -> bool:
    """Whether some row differs in its arguments or its context."""
    return bool(rows["fields"].list.eval(pl.element().is_in(_NESTED)).list.any().any())


def _filled(kind: str, rows: pl.DataFrame) -> pl.DataFrame:
    columns = (*SHOWN, *PARTICULARS[kind])
    lacking = [pl.lit(None, pl.String).alias(name) for name in columns if name not in rows.columns]
    return rows.with_columns(lacking).select(columns)


def _with_nested_fields(changed: pl.DataFrame, found: Comparison) -> pl.DataFrame:
    """`fields` with the nested columns that differ: they are read only where a digest does."""
    other = changed.filter(pl.col("digest") != pl.col("old_digest"))
    if other.is_empty():
        return changed
    nested = _nested(other, found).select("id", nested=changed_fields(_NESTED))
    known = changed.join(nested, on="id", how="left", maintain_order="left")
    more = pl.col("nested").fill_null(pl.lit([], pl.List(pl.String)))
    return known.with_columns(fields=pl.concat_list("fields", more)).drop("nested")


def _nested(changed: pl.DataFrame, found: Comparison) -> pl.DataFrame:
    before = _nested_of(found.old, found.tables, changed["old_id"])
    after = _nested_of(found.new, found.tables, changed["id"])
    before = before.rename({name: f"old_{name}" for name in before.columns})
    known = changed.join(before, on="old_id", maintain_order="left")
    return known.join(after, on="id", maintain_order="left")


def _nested_of(revision: Revision, tables: Iterable[Path], ids: pl.Series) -> pl.DataFrame:
    """The nested columns of rows of splits; rows that changed are in tables that did."""
    about = pl.col("id").is_in(ids.implode())
    splits = [path for path in tables if path in SPLITS.values()]
    return pl.concat([read(revision, path, ("id", *_NESTED), about) for path in splits])


def _kept(revision: Revision) -> pl.DataFrame:
    return pl.concat([read(revision, path, ("id",)) for path in SPLITS.values()])


def _count(revision: Revision, paths: Iterable[Path]) -> int:
    return sum(read(revision, path, ("id",)).height for path in paths if available(revision, path))


def _details(changes: Changes) -> dict[str, dict[str, int]]:
    """How many rows changed in each field, moved from split to split, or have each reason."""
    to = pl.concat_str(["old_split", "split"], separator=" -> ")
    frames = {
        "changed": changes["changed"].select(pl.col("fields").explode().alias("what")),
        "moved": changes["moved"].select(to.alias("what")),
        "rejected": changes["rejected"].select(pl.col("reason").alias("what")),
        "accepted": changes["accepted"].select(pl.col("old_reason").alias("what")),
    }
    return {
        kind: dict(frame.group_by("what").len().sort("len", "what", descending=[True, False]).iter_rows())
        for kind, frame in frames.items()
    }


def _by(changes: Changes, column: str) -> dict[str, dict[str, int]]:
    rows = counted(changes, column).to_dicts()
    return {row.pop(column): {kind: count for kind, count in row.items() if count} for row in rows}


def _check_split(revision: Revision) -> None:
    lacking = [str(path) for path in SPLITS.values() if not available(revision, path)]
    if lacking:
        raise UserError(
            [
                Diagnostic(
                    path=revision.name,
                    code="no_splits",
                    found=f"no {', '.join(lacking)}",
                    expected="a revision with splits to compare",
                    fix="run `dvc repro split`, or name another revision",
                )
            ]
        )
