"""The rows of a project in a few narrow columns, so that 100,000 of them are filtered in milliseconds.

A whole row is read when it is shown. Imports polars, but neither pandas nor torch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.records import Exemplar, Rejection
from exemplars.review.index_columns import (
    GROUNDINGS,
    LEDGERS,
    VIEW,
    check_data,
    collect_answers,
    collect_rows,
    report_unreadable,
    sign_files,
)

PAGE_ROWS: Final = 50


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
    decision: str = ""
    """`approved`, `rejected` or `edited`: rows with such a decision; `noted`: with a note."""
    text: str = ""
    """What the utterance contains, ignoring case."""


class RowPage(NamedTuple):
    """Some of the rows that a filter admits."""

    total: int
    rows: list[dict[str, Any]]


class DatasetIndex:
    """The narrow columns of all rows, in the order of their ids, and what systems answered to them."""

    def __init__(self) -> None:
        """Scan the files of the project in the working folder. Raises `UserError` if one is missing or damaged."""
        check_data()
        self.signature = sign_files()
        try:
            self._rows = collect_rows()
            self.answers = collect_answers()
            """What systems answered to test rows under the headline condition."""
            self.facets = self._count_facets()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise UserError([report_unreadable(error)]) from None

    def __len__(self) -> int:
        """Return the number of rows, including rejected records."""
        return self._rows.height

    def find_page(self, wanted: RowFilter, page: int, among: Collection[str] | None = None) -> RowPage:
        """Find a page of the rows that a filter admits. page: from 0. among: the ids of rows; `None`: of all."""
        predicate = self._build_predicate(wanted)
        if among is not None:
            predicate &= pl.col("id").is_in(pl.Series(among, dtype=pl.String).implode())
        found = self._rows.filter(predicate)
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

    def read_exemplar(self, row_id: str) -> Exemplar | None:
        """Read a whole row; `None` if the row is not compiled."""
        row = self.find_row(row_id)
        if row is None or row["place"] is None:
            return None
        # One row: polars decodes no other row group. The file may have been written again a moment ago.
        found = pl.scan_parquet(layout.EXEMPLARS).slice(row["place"], 1).collect()
        rows = found.filter(pl.col("id") == row_id).to_dicts()
        return msgspec.convert(rows[0], Exemplar) if rows else None

    def read_exemplars(self, row_ids: Iterable[str]) -> list[Exemplar]:
        """Read whole rows, in the order of their ids; those that are not compiled are left out."""
        ids = pl.Series("id", list(row_ids), pl.String)
        if ids.is_empty():
            return []
        found = pl.scan_parquet(layout.EXEMPLARS).filter(pl.col("id").is_in(ids.implode())).collect()
        return msgspec.convert(found.to_dicts(), list[Exemplar])

    def read_turn(self, exemplar: Exemplar) -> list[Exemplar]:
        """Read the other calls of a row's turn, in their order."""
        others = self._rows.filter((pl.col("turn") == exemplar.turn) & (pl.col("id") != exemplar.id))
        rows = [self.read_exemplar(row_id) for row_id in others["id"]]
        return sorted((row for row in rows if row is not None), key=lambda row: row.call)

    def read_rejection(self, row_id: str) -> Rejection | None:
        """Read why a row is in a ledger; `None` if it is in none."""
        row = self.find_row(row_id)
        names = [row_id, *([] if row is None or row["turn"] is None else [row["turn"]])]
        for path in LEDGERS:
            if path.exists():
                is_wanted = pl.col("id").str.replace(VIEW, "").is_in(names)
                for found in pl.scan_parquet(path).filter(is_wanted).head(1).collect().to_dicts():
                    return msgspec.convert(found, Rejection)
        return None

    def _build_predicate(self, wanted: RowFilter) -> pl.Expr:
        predicate = pl.lit(True)
        for column in ("skill", "split", "source", "reason"):
            value = getattr(wanted, column)
            if value:
                predicate &= pl.col(column) == value
        if wanted.grounding in GROUNDINGS:
            predicate &= pl.col("groundings") & (1 << GROUNDINGS.index(wanted.grounding)) != 0
        elif wanted.grounding:
            predicate &= pl.lit(False)
        if wanted.text:
            lower = pl.col("utterance").str.to_lowercase()
            predicate &= lower.str.contains(wanted.text.lower(), literal=True)
        if wanted.system or wanted.answer:
            predicate &= pl.col("id").is_in(self._find_answered(wanted)["row"].implode())
        return predicate

    def _find_answered(self, wanted: RowFilter) -> pl.DataFrame:
        found = self.answers
        if wanted.system:
            found = found.filter(pl.col("system") == wanted.system)
        if wanted.answer:
            found = found.filter(pl.col("right") == (wanted.answer == "right"))
        return found

    def _mark_answers(self, ids: pl.Series, system: str) -> dict[str, dict[str, Any]]:
        """Count the systems that answered each row, and those that were right."""
        found = self.answers.filter(pl.col("row").is_in(ids.implode()))
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
            for place, name in enumerate(GROUNDINGS)
        ]
        counts = self._rows.select(bits).row(0, named=True)
        facets["grounding"] = sorted(
            ((name, count) for name, count in counts.items() if count), key=lambda item: (-item[1], item[0])
        )
        systems = self.answers.group_by("system").len().sort("system")
        facets["system"] = [(str(name), int(count)) for name, count in systems.iter_rows()]
        return facets
