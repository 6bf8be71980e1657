"""Which row of an older revision is which row of a newer one, in columns.

A row's id ends in its line number. If a line is inserted above, the row gets another id, and its old id may belong
to another row. So rows are matched by what they say first, and by their ids last.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from exemplars.audit.lineage.id_columns import extract_file, extract_line

_SAME: Final = ("digest", "utterance")
_PAIR: Final = ("old_id", "id")


def pair_rows(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Pair the ids of the same row, as `old_id` and `id`; each is in one pair at most.

    old, new: with the columns of `row_outcomes.SCHEMA`. The match tiers, in order: by id and content; within a file
    by content, then by text; for rows with line numbers by where their neighbors moved; by id alone.
    """
    before, after = _select_keys(old).rename({"id": "old_id"}), _select_keys(new)
    pairs = pl.DataFrame(schema=dict.fromkeys(_PAIR, pl.String()))
    for match in (_match_unmoved, _match_content, _match_text, _match_neighbors, _match_ids):
        left = before.join(pairs, on="old_id", how="anti")
        right = after.join(pairs, on="id", how="anti")
        if left.is_empty() or right.is_empty():
            break
        pairs = pl.concat([pairs, match(left, right, pairs)])
    return pairs


def _select_keys(rows: pl.DataFrame) -> pl.DataFrame:
    """Select what rows are matched by; the line is `None` for rows without a line number."""
    keys = rows.select("id", *_SAME, extract_file("id").alias("file"), extract_line("id").alias("line"))
    return keys.sort("file", "line", "id")


def _match_ids(left: pl.DataFrame, right: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    return left.join(right.with_columns(old_id=pl.col("id")), on="old_id").select(_PAIR)


def _match_unmoved(left: pl.DataFrame, right: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    """Match rows with the same id, and the same content or text."""
    same = pl.any_horizontal(pl.col(name) == pl.col(f"{name}_right") for name in _SAME)
    return left.join(right.with_columns(old_id=pl.col("id")), on="old_id").filter(same).select(_PAIR)


def _match_content(left: pl.DataFrame, right: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    return _match_in_file(left, right, "digest")


def _match_text(left: pl.DataFrame, right: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    return _match_in_file(left, right, "utterance")


def _match_in_file(left: pl.DataFrame, right: pl.DataFrame, column: str) -> pl.DataFrame:
    """Match the first row of a file with the first that has the same value, the second with the second."""
    nth = pl.int_range(pl.len()).over("file", column).alias("nth")
    on = ("file", column, "nth")
    return left.with_columns(nth).join(right.with_columns(nth), on=on).select(_PAIR)


def _match_neighbors(left: pl.DataFrame, right: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Match rows that moved as far as the nearest paired row above or below.

    Of two candidates it is the one with the larger share of common words.
    """
    anchors = (
        pairs.with_columns(
            file=extract_file("id"),
            line=extract_line("old_id"),
            shift=extract_line("id") - extract_line("old_id"),
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
    words, new_words = (
        pl.col(name).str.to_lowercase().str.split(" ") for name in ("utterance", "utterance_new")
    )
    overlap = words.list.set_intersection(new_words).list.len() / words.list.set_union(new_words).list.len()
    best = pl.concat(candidates).sort(overlap.fill_null(0), descending=True, maintain_order=True)
    return (
        best.unique("old_id", keep="first", maintain_order=True)
        .unique("id", keep="first", maintain_order=True)
        .select(_PAIR)
    )
