"""What became of each row at a revision: the split that it is in, or the stage that rejected it and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from exemplars.audit.lineage.tables import available, read
from exemplars.audit.revisions import Revision
from exemplars.core import layout

SPLITS: Final = {name: layout.split(name) for name in ("train", "validation", "test")}
LEDGERS: Final = tuple(map(layout.ledger_path, (layout.EXEMPLARS, layout.CURATED, layout.MANIFEST)))
"""The rows that left on the way to the splits; the first ledger is of ingest and compile."""
RENDER_LEDGER: Final = layout.ledger_path(layout.TRAINING_BASE)
"""Rows of splits that no prompt could be made of."""
NO_SKILL: Final = "(none)"
"""As in reports; `exemplars.core.reports` brings Arrow along, which takes longer than an answer."""

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
"""The columns of an exemplar in which two versions of a row are compared, beside nested ones."""
_EXEMPLAR: Final = ("id", "source", *CONTENT)
_REJECTION: Final = ("id", "source", "group", "skill", "utterance", "stage", "reason", "message")
SCHEMA: Final = pl.Schema({name: pl.String() for name in (*_EXEMPLAR, "split", "stage", "reason", "message")})


def row_states(revision: Revision, paths: Sequence[Path], where: pl.Expr | None = None) -> pl.DataFrame:
    """A row of `SCHEMA` for each row of the tables among `paths`: of splits and of their ledgers.

    What curate or split rejected was an exemplar, and has its digest. Raises `UserError`.
    """
    frames = [
        read(revision, path, _EXEMPLAR, where).with_columns(split=pl.lit(name))
        for name, path in SPLITS.items()
        if path in paths and available(revision, path)
    ]
    ledgers = [path for path in LEDGERS if path in paths and available(revision, path)]
    frames += [read(revision, path, _REJECTION, where) for path in ledgers]
    known = pl.concat([SCHEMA.to_frame(), *frames], how="diagonal")
    if any(path in ledgers for path in LEDGERS[1:]):
        lacking = pl.col("id").is_in(known.filter(pl.col("digest").is_null())["id"].implode())
        digests = read(revision, layout.EXEMPLARS, ("id", "digest"), lacking)
        known = known.join(digests, on="id", how="left", suffix="_compiled")
        known = known.with_columns(pl.coalesce("digest", "digest_compiled").alias("digest"))
    return known.select(SCHEMA.names()).unique("id", keep="first", maintain_order=True)
