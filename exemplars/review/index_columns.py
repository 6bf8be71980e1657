"""The narrow columns of the rows of a project, from lazy scans of the Parquet files of all stages."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from exemplars.core import layout
from exemplars.core.conditions import HEADLINE
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ids import SPEECH_SUFFIX, SPLITS
from exemplars.core.records import Grounding

NO_SKILL: Final = "(no call)"
"""The skill in filters and lists of a row without a call."""
NO_SPLIT: Final = "(none)"
"""The split in filters and lists of a row that is in none: it is rejected, or waits for approval."""
LEDGERS: Final = tuple(
    map(layout.ledger_path, (layout.EXEMPLARS, layout.CURATED, layout.MANIFEST, layout.TRAINING_BASE))
)
GROUNDINGS: Final = tuple(map(str, Grounding))
"""The bits of the column `groundings`, the lowest first."""
VIEW: Final = r"@(call|skill|slot|pair)(:.*)?$"
"""What the id of a chat row has after that of its row."""
_SOURCES: Final = (
    layout.EXEMPLARS,
    layout.CATALOG,
    *LEDGERS,
    *map(layout.split, SPLITS),
    layout.REVIEW,
    layout.PREDICTIONS,
)
_CATEGORIES: Final = ("source", "skill", "split", "stage", "reason")


class Signature(NamedTuple):
    """What `sign_file` returns of each file."""

    files: tuple[tuple[int, int, int] | None, ...]


def sign_files() -> Signature:
    """Look at the files that the index is made from."""
    return Signature(tuple(map(sign_file, _SOURCES)))


def check_data() -> None:
    """Raise `UserError` unless `compile` has written rows."""
    if not layout.EXEMPLARS.exists():
        problem = Diagnostic(
            path=str(layout.EXEMPLARS),
            code="no_rows",
            summary="there are no rows to review yet",
            fix="run `dvc repro curate`",
        )
        raise UserError([problem])


def collect_rows() -> pl.DataFrame:
    """Collect the narrow columns of compiled rows, and of records that were rejected before they were compiled.

    Columns: id, source, skill, utterance, turn, split, stage, reason, groundings (a bit for each `Grounding`) and
    place (the number of the row in its file; `None`: it is not compiled).
    """
    compiled = _scan_compiled()
    splits = pl.concat([_scan_split(name) for name in SPLITS])
    ledger = pl.concat(map(_scan_ledger, LEDGERS)).unique("id", keep="first", maintain_order=True)
    early = ledger.join(compiled, on="id", how="anti").filter(pl.col("stage").is_in(["ingest", "compile"]))
    reasons = ledger.select("id", "stage", "reason")
    rows = (
        compiled.join(splits, on="id", how="left")
        .join(reasons, on="id", how="left")
        # `render` names a turn of several calls by the id of the turn.
        .join(reasons, left_on="turn", right_on="id", how="left", suffix="_turn")
        .with_columns(pl.coalesce(name, f"{name}_turn").alias(name) for name in ("stage", "reason"))
        .drop("stage_turn", "reason_turn")
        .with_columns(pl.col("skill").fill_null(NO_SKILL))
    )
    return (
        pl.concat([rows, early], how="diagonal")
        .with_columns(pl.col("split").fill_null(NO_SPLIT), pl.col("groundings").fill_null(0))
        .with_columns(pl.col(_CATEGORIES).cast(pl.Categorical))
        .sort("id")
        .collect()
        .rechunk()
    )


def _scan_compiled() -> pl.LazyFrame:
    groundings = pl.col("arguments").list.eval(pl.element().struct.field("grounding"))
    bits = [
        groundings.list.contains(name).cast(pl.UInt16) * (1 << place) for place, name in enumerate(GROUNDINGS)
    ]
    return pl.scan_parquet(layout.EXEMPLARS, row_index_name="place").select(
        *("id", "source", "skill", "utterance", "turn", "place"),
        groundings=pl.sum_horizontal(bits).cast(pl.UInt16),
    )


def _scan_split(name: str) -> pl.LazyFrame:
    path = layout.split(name)
    empty = pl.LazyFrame(schema={"id": pl.String})
    return (pl.scan_parquet(path).select("id") if path.exists() else empty).with_columns(split=pl.lit(name))


def _scan_ledger(path: Path) -> pl.LazyFrame:
    columns = ("id", "source", "skill", "utterance", "stage", "reason")
    if not path.exists():
        return pl.LazyFrame(schema=dict.fromkeys(columns, pl.String))
    return pl.scan_parquet(path).select(columns).with_columns(pl.col("id").str.replace(VIEW, ""))


def collect_answers() -> pl.DataFrame:
    """Collect the answers to test rows as written, under the headline condition, one a row and system.

    Columns: row, system, right, kind, predicted, confidence.
    """
    schema = {
        "row": pl.String, "system": pl.Categorical, "right": pl.Boolean, "kind": pl.Categorical,
        "predicted": pl.String, "confidence": pl.Float64,
    }  # fmt: skip
    if not layout.PREDICTIONS.exists():
        return pl.DataFrame(schema=schema)
    return (
        pl.scan_parquet(layout.PREDICTIONS)
        .filter((pl.col("condition") == str(HEADLINE)) & ~pl.col("id").str.ends_with(SPEECH_SUFFIX))
        .select(pl.col("exemplar_ids").alias("row"), "system", "kind", "predicted", "confidence")
        .explode("row")
        .with_columns((pl.col("kind") == "right").alias("right"))
        .select(*schema)
        .with_columns(pl.col("system", "kind").cast(pl.Categorical))
        .collect()
    )


def sign_file(path: Path) -> tuple[int, int, int] | None:
    """Return the modification time, the size and the inode of a file, which change with it; `None`: it is missing."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def report_unreadable(error: Exception) -> Diagnostic:
    """Report that a table cannot be read, or has other columns."""
    return Diagnostic(
        path=str(layout.EXEMPLARS.parents[1]),
        code="unreadable_table",
        found=" ".join(str(error).split())[:160],
        expected="the tables of this version",
        fix="wait for `dvc repro` if it runs, or run it",
    )
