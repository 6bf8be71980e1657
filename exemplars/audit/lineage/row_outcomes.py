"""The outcome of each row at a revision: the split that it is in, or the stage that rejected it and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from exemplars.audit.lineage.tables import is_available, read_columns
from exemplars.audit.revisions import Revision
from exemplars.core import layout
from exemplars.core.ids import SPLITS

SPLIT_TABLES: Final = {name: layout.split(name) for name in SPLITS}
LEDGERS: Final = tuple(map(layout.ledger_path, (layout.EXEMPLARS, layout.CURATED, layout.MANIFEST)))
"""The rejections before the splits; the first ledger is that of ingest and compile."""
RENDER_LEDGER: Final = layout.ledger_path(layout.TRAINING_BASE)
"""Rows of splits that could not be rendered."""
NO_SKILL: Final = "(none)"
"""As in reports; `exemplars.core.reports` imports Arrow, which takes longer than the answer."""

CONTENT: Final = (
    "digest",
    "service",
    "skill",
    "mode",
    "utterance",
    "exemplar",
    "group",
    "license",
)
"""The columns of an exemplar in which two versions of a row are compared first."""
_EXEMPLAR: Final = ("id", "source", *CONTENT)
_REJECTION: Final = ("id", "source", "group", "skill", "utterance", "stage", "reason", "message")
SCHEMA: Final = pl.Schema({name: pl.String() for name in (*_EXEMPLAR, "split", "stage", "reason", "message")})


def read_row_outcomes(
    revision: Revision, paths: Sequence[Path], where: pl.Expr | None = None
) -> pl.DataFrame:
    """Read a row of `SCHEMA` for each row of the given tables, which are splits and ledgers.

    A row that curate or split rejected was an exemplar, and gets the digest that it had. Raises `UserError` if a
    table cannot be read.
    """
    frames = [
        read_columns(revision, path, _EXEMPLAR, where).with_columns(split=pl.lit(name))
        for name, path in SPLIT_TABLES.items()
        if path in paths and is_available(revision, path)
    ]
    ledgers = [path for path in LEDGERS if path in paths and is_available(revision, path)]
    frames += [read_columns(revision, path, _REJECTION, where) for path in ledgers]
    outcomes = pl.concat([SCHEMA.to_frame(), *frames], how="diagonal")
    if any(path in ledgers for path in LEDGERS[1:]):
        without_digest = pl.col("id").is_in(outcomes.filter(pl.col("digest").is_null())["id"].implode())
        digests = read_columns(revision, layout.EXEMPLARS, ("id", "digest"), without_digest)
        outcomes = outcomes.join(digests, on="id", how="left", suffix="_compiled")
        outcomes = outcomes.with_columns(pl.coalesce("digest", "digest_compiled").alias("digest"))
    return outcomes.select(SCHEMA.names()).unique("id", keep="first", maintain_order=True)
