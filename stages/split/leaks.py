"""Train rows whose text also stands in validation or test."""

from __future__ import annotations

from typing import Final

import polars as pl

_SEPARATOR: Final = "\x1f"


def normalized(text: pl.Expr) -> pl.Expr:
    """Text for comparison: lower case, without punctuation, one space between words.

    The angle brackets and names of a template's slots stay.
    """
    return (
        text.str.normalize("NFKC")
        .str.to_lowercase()
        .str.replace_all(r"[^\w\s<>]+", "")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
    )


def leaked_rows(rows: pl.DataFrame, context_turns: int) -> pl.DataFrame:
    """The ids of the train rows that leak, each with a row of validation or test that shows it.

    rows: columns `id`, `assigned` (the split), `utterance`, `exemplar`, `context`.
    context_turns: how many of the turns before must be equal too; 0: the text alone counts.
    Answers the columns `id`, `seen` (the id of the first other row) and `split` (of that row).
    """
    context = (
        pl.col("context")
        .list.tail(context_turns)
        .list.eval(normalized(pl.element().struct.field("utterance")))
        .list.join(_SEPARATOR)
    )
    keyed = rows.with_columns(context.alias("before") if context_turns else pl.lit("").alias("before"))
    found = []
    for column in ("utterance", "exemplar"):
        key = pl.concat_str(normalized(pl.col(column)), pl.col("before"), separator=_SEPARATOR)
        sides = keyed.select("id", "assigned", key.alias("key"))
        held_out = (
            sides.filter(pl.col("assigned") != "train")
            .sort("id")
            .group_by("key", maintain_order=True)
            .first()
            .select("key", pl.col("id").alias("seen"), pl.col("assigned").alias("split"))
        )
        found.append(
            sides.filter(pl.col("assigned") == "train").join(held_out, on="key").drop("key", "assigned")
        )
    return pl.concat(found).unique("id", keep="first", maintain_order=True).sort("id")
