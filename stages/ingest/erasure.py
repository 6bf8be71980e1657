"""Erase from a source the rows that tombstones match: the ledger keeps their places and keyed hashes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

import pyarrow.compute as pc

from exemplars.core import layout
from exemplars.core.files import read_file
from exemplars.core.ledger import Ledger, Problem, UnreadRecord
from exemplars.core.records import Reason, Record, Rejection
from exemplars.dataset.recognizers import Instance, Recognizer, Recognizers
from exemplars.dataset.row_tables import records_from_table, rejections_from_table, rejections_to_table
from stages.ingest.reading import STAGE
from stages.ingest.source_files import SourceTables
from stages.ingest.tombstone_matching import hash_utterance, make_text_matcher, mask_rows, match_rows
from stages.ingest.tombstones import Erasures, Tombstone, decode_tombstones, read_key


class ErasureResult(NamedTuple):
    """What is left of a source."""

    tables: SourceTables
    groups: frozenset[str]
    """The groups of the erased rows."""


def read_erasures(environment: Mapping[str, str]) -> Erasures:
    """Read the tombstones, if there are any, and the key from the environment.

    Raises `UserError` if a tombstone is malformed or the key is too short.
    """
    data = read_file(layout.ERASURES) if os.path.lexists(layout.ERASURES) else b""
    return Erasures(decode_tombstones(str(layout.ERASURES), data), read_key(environment))


def erase_rows(tables: SourceTables, erasures: Erasures, whole_groups: bool) -> ErasureResult:
    """Remove the rows that tombstones match; the ledger keeps each of them as `erased`, without its text.

    whole_groups: see `match_rows`. Raises `UserError` if a key is needed and not set.
    """
    if not erasures.tombstones:
        return ErasureResult(tables, frozenset())
    matches = match_rows((tables.records, tables.rejections), erasures, whole_groups)
    erased_records, erased_rejections = (
        mask_rows(matches, table) for table in (tables.records, tables.rejections)
    )
    erased: list[Record | Rejection] = [
        *records_from_table(tables.records.filter(erased_records)),
        *rejections_from_table(tables.rejections.filter(erased_rejections)),
    ]
    ledger = Ledger(STAGE)
    for row in erased:
        _reject_erased(ledger, row, matches[row.id], erasures)
    kept_rejections = rejections_from_table(tables.rejections.filter(pc.invert(erased_rejections)))
    return ErasureResult(
        tables._replace(
            records=tables.records.filter(pc.invert(erased_records)),
            rejections=rejections_to_table([*kept_rejections, *ledger.rejections]),
            recognizers=_filter_recognizers(tables.recognizers, make_text_matcher(erasures)),
        ),
        frozenset(rejection.group for rejection in ledger.rejections),
    )


def _reject_erased(
    ledger: Ledger, row: Record | Rejection, tombstone: Tombstone | None, erasures: Erasures
) -> None:
    name = tombstone.id if tombstone else "unknown"
    keyed_hash = hash_utterance(row.id, row.utterance, tombstone, erasures)
    summary = f"erased by the tombstone {name}; hmac-sha256 {keyed_hash}"
    # Of the row itself, only its place is kept.
    place = UnreadRecord(row.id, row.source, row.group, row.origin)
    ledger.reject(place, Problem(Reason.ERASED, found="", summary=summary))


def _filter_recognizers(
    recognizers: Recognizers, match_text: Callable[[str], Tombstone | None]
) -> Recognizers:
    """Remove the instances and expressions that a tombstone matches."""
    return Recognizers(
        {
            name: Recognizer(
                tuple(
                    Instance(
                        instance.label,
                        tuple(
                            expression for expression in instance.expressions if not match_text(expression)
                        ),
                    )
                    for instance in recognizer.instances
                    if not match_text(instance.label)
                ),
                recognizer.description,
                recognizer.name,
            )
            for name, recognizer in recognizers.recognizers.items()
        },
        recognizers.slots,
    )
