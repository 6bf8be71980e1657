"""The rows of a project in a few narrow columns, so that 100,000 of them are filtered in milliseconds.

The columns come from lazy scans of the Parquet files of all stages; a whole row is read when it is shown. Imports
polars, but neither pandas nor torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from exemplars.core import layout
from exemplars.core.conditions import HEADLINE
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ids import SPEECH_SUFFIX, SPLITS
from exemplars.core.records import Exemplar, Grounding, Rejection

NO_SKILL: Final = "(no call)"
"""The skill in filters and lists of a row without a call."""
REJECTED: Final = "(rejected)"
"""The split in filters of the rows that are in none."""
PAGE_ROWS: Final = 50
_LEDGERS: Final = tuple(
    map(layout.ledger_path, (layout.EXEMPLARS, layout.CURATED, layout.MANIFEST, layout.TRAINING_BASE))
)
_SPLIT_FILES: Final = tuple(layout.split(name) for name in SPLITS)
_SOURCES: Final = (
    layout.EXEMPLARS,
    layout.CATALOG,
    *_LEDGERS,
    *_SPLIT_FILES,
    layout.REVIEW,
    layout.PREDICTIONS,
)
_GROUNDINGS: Final = tuple(map(str, Grounding))
_VIEW: Final = r"@(call|skill|slot|pair)(:.*)?$"
"""What the id of a chat row has after that of its row."""
_CATEGORIES: Final = ("source", "skill", "split", "stage", "reason")


class RowFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rows to list; an empty text admits all."""

    skill: str = ""
    split: str = ""
    source: str = ""
    grounding: str = ""
    """Rows with an argument that is grounded so."""
    reason: str = ""
    """Of the ledger."""
    system: str = ""
    """Rows that this system was asked, under the headline condition."""
    answer: str = ""
    """`right` or `wrong`: of the system, or of any system if none is named."""
    text: str = ""
    """What the utterance contains, ignoring case."""


class RowPage(NamedTuple):
    """Some of the rows that a filter admits."""

    total: int
    rows: list[dict[str, Any]]


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
            found="",
            expected="",
            summary="there are no rows to review yet",
            fix="run `dvc repro curate`",
        )
        raise UserError([problem])


class DatasetIndex:
    """The narrow columns of all rows, in the order of their ids, and what systems answered to them."""

    def __init__(self) -> None:
        """Scan the files of the project in the working folder. Raises `UserError` if one is missing or damaged."""
        check_data()
        self.signature = sign_files()
        try:
            self._rows = _collect_rows()
            self._answers = _collect_answers()
            self.facets = self._count_facets()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise UserError([_report_unreadable(error)]) from None

    def __len__(self) -> int:
        """Return the number of rows, including rejected records."""
        return self._rows.height

    def find_page(self, wanted: RowFilter, page: int) -> RowPage:
        """Find a page of the rows that a filter admits. page: from 0."""
        found = self._rows.filter(self._build_predicate(wanted))
        shown = found.slice(page * PAGE_ROWS, PAGE_ROWS).drop("groundings", "place")
        marks = self._mark_answers(shown["id"], wanted.system)
        return RowPage(found.height, [row | marks.get(row["id"], {}) for row in shown.to_dicts()])

    def find_row(self, row_id: str) -> dict[str, Any] | None:
        """Find the narrow columns of a row; `None` if no row has that id."""
        found = self._rows.filter(pl.col("id") == row_id)
        return found.row(0, named=True) if found.height else None

    def read_digests(self, row_ids: Iterable[str]) -> dict[str, str]:
        """Read the digests of rows by id; rows that are not compiled are left out."""
        ids = pl.Series("id", list(row_ids), pl.String)
        if ids.is_empty():
            return {}
        scanned = (
            pl.scan_parquet(layout.EXEMPLARS).select("id", "digest").filter(pl.col("id").is_in(ids.implode()))
        )
        return dict(scanned.collect().iter_rows())

    def list_ids(self, reason: str) -> list[str]:
        """List the ids of the rows that the ledger has for a reason."""
        return self._rows.filter(pl.col("reason") == reason)["id"].to_list()

    def list_train_rows(self) -> tuple[list[str], list[str]]:
        """List the ids and the utterances of the rows of train."""
        train = self._rows.lazy().filter(pl.col("split") == "train").select("id", "utterance").collect()
        return train["id"].to_list(), train["utterance"].to_list()

    def list_answers(self) -> pl.DataFrame:
        """List what systems answered under the headline condition: see `_collect_answers`."""
        return self._answers

    def read_exemplar(self, row_id: str) -> Exemplar | None:
        """Read a whole row; `None` if the row is not compiled."""
        row = self.find_row(row_id)
        if row is None or row["place"] is None:
            return None
        # One row: polars decodes no other row group.
        found = pl.scan_parquet(layout.EXEMPLARS).slice(row["place"], 1).collect().row(0, named=True)
        return msgspec.convert(found, Exemplar)

    def read_turn(self, exemplar: Exemplar) -> list[Exemplar]:
        """Read the other calls of a row's turn, in their order."""
        others = self._rows.filter((pl.col("turn") == exemplar.turn) & (pl.col("id") != exemplar.id))
        rows = [self.read_exemplar(row_id) for row_id in others["id"]]
        return sorted((row for row in rows if row is not None), key=lambda row: row.call)

    def read_rejection(self, row_id: str) -> Rejection | None:
        """Read why a row is in a ledger; `None` if it is in none."""
        for path in _LEDGERS:
            if path.exists():
                scanned = pl.scan_parquet(path).filter(pl.col("id").str.replace(_VIEW, "") == row_id).head(1)
                for row in scanned.collect().to_dicts():
                    return msgspec.convert(row, Rejection)
        return None

    def _build_predicate(self, wanted: RowFilter) -> pl.Expr:
        predicate = pl.lit(True)
        for column in ("skill", "split", "source", "reason"):
            value = getattr(wanted, column)
            if value:
                predicate &= pl.col(column) == value
        if wanted.grounding in _GROUNDINGS:
            predicate &= pl.col("groundings") & (1 << _GROUNDINGS.index(wanted.grounding)) != 0
        elif wanted.grounding:
            predicate &= pl.lit(False)
        if wanted.text:
            lower = pl.col("utterance").str.to_lowercase()
            predicate &= lower.str.contains(wanted.text.lower(), literal=True)
        if wanted.system or wanted.answer:
            predicate &= pl.col("id").is_in(self._find_answered(wanted)["row"].implode())
        return predicate

    def _find_answered(self, wanted: RowFilter) -> pl.DataFrame:
        found = self._answers
        if wanted.system:
            found = found.filter(pl.col("system") == wanted.system)
        if wanted.answer:
            found = found.filter(pl.col("right") == (wanted.answer == "right"))
        return found

    def _mark_answers(self, ids: pl.Series, system: str) -> dict[str, dict[str, Any]]:
        """Count the systems that answered each row, and those that were right."""
        found = self._answers.filter(pl.col("row").is_in(ids.implode()))
        if system:
            found = found.filter(pl.col("system") == system)
        counted = found.group_by("row").agg(pl.len().alias("asked"), pl.col("right").sum())
        return {row.pop("row"): row for row in counted.to_dicts()}

    def _count_facets(self) -> dict[str, list[tuple[str, int]]]:
        """Count the rows of each value that can be filtered by; most frequent first."""
        facets = {
            column: [
                (str(value), int(count))
                for value, count in self._rows.group_by(column)
                .len()
                .drop_nulls()
                .sort("len", column, descending=[True, False])
                .iter_rows()
            ]
            for column in ("skill", "split", "source", "reason")
        }
        bits = [
            (pl.col("groundings") & (1 << place) != 0).sum().alias(name)
            for place, name in enumerate(_GROUNDINGS)
        ]
        counts = self._rows.select(bits).row(0, named=True)
        facets["grounding"] = sorted(
            ((name, count) for name, count in counts.items() if count), key=lambda item: (-item[1], item[0])
        )
        systems = self._answers.group_by("system").len().sort("system")
        facets["system"] = [(str(name), int(count)) for name, count in systems.iter_rows()]
        return facets


def _collect_rows() -> pl.DataFrame:
    """Collect the narrow columns of compiled rows, and of records that were rejected before they were compiled.

    Columns: id, source, skill, utterance, turn, split, stage, reason, groundings (a bit for each `Grounding`) and
    place (the number of the row in its file; `None`: it is not compiled).
    """
    compiled = _scan_compiled()
    splits = pl.concat([_scan_split(name) for name in SPLITS])
    ledger = pl.concat(map(_scan_ledger, _LEDGERS)).unique("id", keep="first", maintain_order=True)
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
        .with_columns(pl.col("split").fill_null(REJECTED), pl.col("groundings").fill_null(0))
        .with_columns(pl.col(_CATEGORIES).cast(pl.Categorical))
        .sort("id")
        .collect()
        .rechunk()
    )


def _scan_compiled() -> pl.LazyFrame:
    groundings = pl.col("arguments").list.eval(pl.element().struct.field("grounding"))
    bits = [
        groundings.list.contains(name).cast(pl.UInt16) * (1 << place)
        for place, name in enumerate(_GROUNDINGS)
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
    return pl.scan_parquet(path).select(columns).with_columns(pl.col("id").str.replace(_VIEW, ""))


def _collect_answers() -> pl.DataFrame:
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


def _report_unreadable(error: Exception) -> Diagnostic:
    return Diagnostic(
        path=str(layout.EXEMPLARS.parents[1]),
        code="unreadable_table",
        found=" ".join(str(error).split())[:160],
        expected="the tables of this version",
        fix="wait for `dvc repro` if it runs, or run it",
    )
