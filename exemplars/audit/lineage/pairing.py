"""Which row of an older revision is which row of a newer one, in columns.

A row's id ends in its line, which moves where a line is inserted above it: then another row has the id.
So a row is known by what it says first, and by its id last.
"""

from __future__ import annotations

from typing import Final

import polars as pl

_SAME: Final = ("digest", "utterance")
_PAIR: Final = ("old_id", "id")


def paired(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Pairs of `old_id` and `id`, each at most once; rows without a partner are in none.

    old, new: of `states.SCHEMA`. By id and content; then within a file by content, in order; then by
    text; then, for rows with line numbers, where the neighbours went; what is left by id alone.
    """
    before, after = _faces(old).rename({"id": "old_id"}), _faces(new)
    found = pl.DataFrame(schema=dict.fromkeys(_PAIR, pl.String()))
    for step in (_unmoved, _same_content, _same_text, _beside_neighbours, _same_id):
        left = before.join(found, on="old_id", how="anti")
        right = after.join(found, on="id", how="anti")
        if left.is_empty() or right.is_empty():
            break
        found = pl.concat([found, step(left, right, found)])
    return found


def _faces(rows: pl.DataFrame) -> pl.DataFrame:
    """What rows are known by; those without a line number have line null."""
    file = pl.col("id").str.replace(r"#[^#]*$", "").alias("file")
    return rows.select("id", *_SAME, file, _line("id").alias("line")).sort("file", "line", "id")


def _line(column: str) -> pl.Expr:
    return pl.col(column).str.extract(r"#(\d+)$").cast(pl.Int64)


def _same_id(left: pl.DataFrame, right: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    return left.join(right.with_columns(old_id=pl.col("id")), on="old_id").select(_PAIR)


def _unmoved(left: pl.DataFrame, right: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    """The same id, and the same content or text."""
    same = pl.any_horizontal(pl.col(name) == pl.col(f"{name}_right") for name in _SAME)
    return left.join(right.with_columns(old_id=pl.col("id")), on="old_id").filter(same).select(_PAIR)


def _same_content(left: pl.DataFrame, right: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    return _same_in_file(left, right, "digest")


def _same_text(left: pl.DataFrame, right: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    return _same_in_file(left, right, "utterance")


def _same_in_file(left: pl.DataFrame, right: pl.DataFrame, column: str) -> pl.DataFrame:
    """The first with the first that has the same value, the second with the second."""
    nth = pl.int_range(pl.len()).over("file", column).alias("nth")
    on = ("file", column, "nth")
    return left.with_columns(nth).join(right.with_columns(nth), on=on).select(_PAIR)


def _beside_neighbours(left: pl.DataFrame, right: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Rows that moved as far as the nearest known row above or below; of two, the one with more words alike."""
    anchors = (
        found.with_columns(
            file=pl.col("id").str.replace(r"#[^#]*$", ""),
            line=_line("old_id"),
            shift=_line("id") - _line("old_id"),
        )
        .drop_nulls("shift")
        .select("file", "line", "shift")
        .sort("line")
    )
    lines = left.drop_nulls("line").sort("line")
    candidates = [
        lines.join_asof(anchors, on="line", by="file", strategy=side, check_sortedness=False)
        .with_columns(line=pl.col("line") + pl.col("shift"))
        .join(right, on=("file", "line"), suffix="_new")
        for side in ("backward", "forward")
    ]
    words, others = (
        pl.col(name).str.to_lowercase().str.split(" ") for name in ("utterance", "utterance_new")
    )
    alike = words.list.set_intersection(others).list.len() / words.list.set_union(others).list.len()
    best = pl.concat(candidates).sort(alike.fill_null(0), descending=True, maintain_order=True)
    return (
        best.unique("old_id", keep="first", maintain_order=True)
        .unique("id", keep="first", maintain_order=True)
        .select(_PAIR)
    )
