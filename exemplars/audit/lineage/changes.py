"""What changed between the rows of two revisions, in columns: no row is a Python object here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from exemplars.audit.lineage.pairing import paired
from exemplars.audit.lineage.row_outcomes import CONTENT, NO_SKILL

SHOWN: Final = ("id", "source", "skill", "service", "mode", "utterance")
"""What every list tells of a row: as it is now; of a row that is gone, as it was."""
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
"""The kinds of change, and what each tells beside `SHOWN`.

added, removed: rows of splits. changed: in splits before and after, with other content; `fields` are
the names of the columns that differ. moved: to another split; such a row may be changed too. rejected:
in a ledger now, and not before; `old_split` is null where the row is new. accepted: the other way round.
rejected_otherwise: for another reason, or by another stage. withdrawn: rejected before, now gone.
"""

Changes = dict[str, pl.DataFrame]
"""By kind; sorted by id."""


def changes_of(old: pl.DataFrame, new: pl.DataFrame) -> tuple[Changes, pl.DataFrame]:
    """The changes between two tables of `states.SCHEMA`, and the pairs of `old_id` and `id` of rows."""
    pairs = paired(old, new)
    before = old.rename({name: f"old_{name}" for name in old.columns})
    both = pairs.join(before, on="old_id").join(new, on="id")
    gone = before.join(pairs, on="old_id", how="anti")
    gone = gone.with_columns(pl.col(f"old_{name}").alias(name) for name in SHOWN)
    come = new.join(pairs, on="id", how="anti")
    was, now = pl.col("old_split").is_not_null(), pl.col("split").is_not_null()
    fields = changed_fields(CONTENT[1:])
    stayed = both.filter(was & now)
    otherwise = (pl.col("stage") != pl.col("old_stage")) | (pl.col("reason") != pl.col("old_reason"))
    found = {
        "added": come.filter(now),
        "removed": gone.filter(was),
        "changed": stayed.filter(differing(CONTENT)).with_columns(fields=fields),
        "moved": stayed.filter(pl.col("split") != pl.col("old_split")),
        "rejected": pl.concat([both.filter(was & ~now), come.filter(~now)], how="diagonal"),
        "accepted": both.filter(~was & now),
        "rejected_otherwise": both.filter(~was & ~now & otherwise),
        "withdrawn": gone.filter(~was),
    }
    return {kind: rows.sort("id") for kind, rows in found.items()}, pairs


def differing(columns: Iterable[str]) -> pl.Expr:
    """Whether a pair of rows differs in one of the columns."""
    return pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"old_{name}")) for name in columns)


def changed_fields(columns: Iterable[str]) -> pl.Expr:
    """The names of the columns in which a pair of rows differs."""
    named = [pl.when(differing([name])).then(pl.lit(name)) for name in columns]
    return pl.concat_list(named).list.drop_nulls()


def rendered_changes(
    old: pl.DataFrame, new: pl.DataFrame, pairs: pl.DataFrame, kept: pl.DataFrame
) -> Changes:
    """Rows of splits that render newly rejects, or takes now.

    old, new: its ledgers. pairs: of `changes_of`. kept: the ids of the rows that are in splits now.
    """
    moved = pairs.filter(pl.col("old_id") != pl.col("id"))
    known = _bare(old).join(moved, left_on="id", right_on="old_id", how="left", suffix="_now")
    known = known.with_columns(id=pl.coalesce("id_now", "id")).drop("id_now")
    now = _bare(new)
    accepted = known.join(now, on="id", how="anti").join(kept, on="id", how="semi")
    return {
        "rejected": now.join(known, on="id", how="anti").sort("id"),
        "accepted": accepted.rename({"stage": "old_stage", "reason": "old_reason", "message": "old_message"}),
    }


def _bare(ledger: pl.DataFrame) -> pl.DataFrame:
    """One row an exemplar, whatever its views and prompts."""
    exemplar = pl.col("id").str.strip_suffix("~speech")
    return ledger.with_columns(exemplar).unique("id", keep="first", maintain_order=True)


def merged(one: Changes, other: Changes) -> Changes:
    """The changes of both."""
    both = {kind: [part[kind] for part in (one, other) if kind in part] for kind in PARTICULARS}
    return {kind: pl.concat(parts, how="diagonal_relaxed").sort("id") for kind, parts in both.items()}


def counted(changes: Changes, column: str) -> pl.DataFrame:
    """How many rows of each kind each value of a column has: a column a kind."""
    kinds = [
        rows.select(pl.col(column).fill_null(NO_SKILL).alias(column), kind=pl.lit(kind))
        for kind, rows in changes.items()
    ]
    known = pl.concat(kinds).group_by(column, "kind").len()
    counts = [pl.col("len").filter(pl.col("kind") == kind).sum().alias(kind) for kind in PARTICULARS]
    return known.group_by(column).agg(counts).sort(column)
