"""What changed between the rows of two revisions, in columns: no row becomes a Python object here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from exemplars.audit.lineage.id_columns import strip_speech_column
from exemplars.audit.lineage.pairing import pair_rows
from exemplars.audit.lineage.row_outcomes import CONTENT, NO_SKILL

SHOWN: Final = ("id", "source", "skill", "service", "mode", "utterance")
"""The columns of every list: as they are now; of a row that is gone, as they were."""
PARTICULARS: Final[dict[str, tuple[str, ...]]] = {
    "added": ("split",),
    "removed": ("old_split",),
    "changed": ("old_id", "split", "fields"),
    "moved": ("old_split", "split"),
    "rejected": ("old_split", "stage", "reason", "message"),
    "accepted": ("old_stage", "old_reason", "old_message", "split"),
    "rejected_otherwise": ("old_stage", "old_reason", "stage", "reason", "message"),
    "withdrawn": ("old_stage", "old_reason"),
}
"""The kinds of change, and the columns of each in addition to `SHOWN`.

added, removed: rows of splits. changed: in splits before and after, with different content; `fields` are
the names of the columns that differ. moved: to another split; such a row may be changed too. rejected:
in a ledger now, and not before; `old_split` is `None` if the row is new. accepted: the other way round.
rejected_otherwise: for another reason, or by another stage. withdrawn: rejected before, now gone.
"""

Changes = dict[str, pl.DataFrame]
"""The changed rows by kind, sorted by id."""


def find_changes(old: pl.DataFrame, new: pl.DataFrame) -> tuple[Changes, pl.DataFrame]:
    """Find the changes between two tables of `row_outcomes.SCHEMA`; return the pairs of `pair_rows`, too."""
    pairs = pair_rows(old, new)
    before = old.rename({name: f"old_{name}" for name in old.columns})
    both = pairs.join(before, on="old_id").join(new, on="id")
    gone = before.join(pairs, on="old_id", how="anti")
    gone = gone.with_columns(pl.col(f"old_{name}").alias(name) for name in SHOWN)
    come = new.join(pairs, on="id", how="anti")
    was, now = pl.col("old_split").is_not_null(), pl.col("split").is_not_null()
    fields = list_changed_fields(CONTENT[1:])
    stayed = both.filter(was & now)
    otherwise = (pl.col("stage") != pl.col("old_stage")) | (pl.col("reason") != pl.col("old_reason"))
    changes = {
        "added": come.filter(now),
        "removed": gone.filter(was),
        "changed": stayed.filter(_is_different(CONTENT)).with_columns(fields=fields),
        "moved": stayed.filter(pl.col("split") != pl.col("old_split")),
        "rejected": pl.concat([both.filter(was & ~now), come.filter(~now)], how="diagonal"),
        "accepted": both.filter(~was & now),
        "rejected_otherwise": both.filter(~was & ~now & otherwise),
        "withdrawn": gone.filter(~was),
    }
    return {kind: rows.sort("id") for kind, rows in changes.items()}, pairs


def list_changed_fields(columns: Iterable[str]) -> pl.Expr:
    """List the names of the columns in which a pair of rows differs."""
    names = [pl.when(_is_different([name])).then(pl.lit(name)) for name in columns]
    return pl.concat_list(names).list.drop_nulls()


def _is_different(columns: Iterable[str]) -> pl.Expr:
    """Whether a pair of rows differs in one of the columns."""
    return pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"old_{name}")) for name in columns)


def find_render_changes(
    old: pl.DataFrame, new: pl.DataFrame, pairs: pl.DataFrame, kept: pl.DataFrame
) -> Changes:
    """Find the rows of splits that render rejects now and did not before, or the other way round.

    old, new: the ledgers of render. pairs: from `find_changes`. kept: the ids of the rows that are in splits now.
    """
    moved = pairs.filter(pl.col("old_id") != pl.col("id"))
    before = _group_by_exemplar(old).join(moved, left_on="id", right_on="old_id", how="left", suffix="_now")
    before = before.with_columns(id=pl.coalesce("id_now", "id")).drop("id_now")
    now = _group_by_exemplar(new)
    accepted = before.join(now, on="id", how="anti").join(kept, on="id", how="semi")
    return {
        "rejected": now.join(before, on="id", how="anti").sort("id"),
        "accepted": accepted.rename({"stage": "old_stage", "reason": "old_reason", "message": "old_message"}),
    }


def _group_by_exemplar(ledger: pl.DataFrame) -> pl.DataFrame:
    """Keep the first row of each exemplar, whose speech view may have been rejected, too."""
    return ledger.with_columns(strip_speech_column("id")).unique("id", keep="first", maintain_order=True)


def merge_changes(changes: Changes, more: Changes) -> Changes:
    """Merge two sets of changes."""
    both = {kind: [part[kind] for part in (changes, more) if kind in part] for kind in PARTICULARS}
    return {kind: pl.concat(parts, how="diagonal_relaxed").sort("id") for kind, parts in both.items()}


def count_changes(changes: Changes, column: str) -> pl.DataFrame:
    """Count the rows for each value of a column, in one column per kind of change."""
    values = [
        rows.select(pl.col(column).fill_null(NO_SKILL).alias(column), kind=pl.lit(kind))
        for kind, rows in changes.items()
    ]
    lengths = pl.concat(values).group_by(column, "kind").len()
    counts = [pl.col("len").filter(pl.col("kind") == kind).sum().alias(kind) for kind in PARTICULARS]
    return lengths.group_by(column).agg(counts).sort(column)
