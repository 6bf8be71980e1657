"""The grammar of `exemplars.core.ids` for whole columns of ids, as Polars expressions."""

from __future__ import annotations

import polars as pl

from exemplars.core.ids import SPEECH_SUFFIX


def strip_speech_column(column: str) -> pl.Expr:
    """Return the ids of the rows that speech views were made from; see `exemplars.core.ids.strip_speech`."""
    return pl.col(column).str.strip_suffix(SPEECH_SUFFIX)


def extract_file(column: str) -> pl.Expr:
    """Return `<source>:<file>` of each id."""
    return pl.col(column).str.replace(r"#[^#]*$", "")


def extract_line(column: str) -> pl.Expr:
    """Return the line number of each id; `None` if its locator is a JSON Pointer."""
    return pl.col(column).str.extract(r"#(\d+)$").cast(pl.Int64)
