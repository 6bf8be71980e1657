"""A source without what its tombstones mean: erased rows are in the ledger, by place and keyed hash."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pyarrow.compute as pc

from exemplars.core import layout
from exemplars.core.records import Reason, Record, Rejection
from exemplars.dataset.recognizers import Instance, Recognizer, Recognizers
from exemplars.dataset.row_tables import records_from_table, rejections_from_table, rejections_to_table
from stages.ingest.files import SourceTables
from stages.ingest.tombstones import (
    Erasures,
    Tombstone,
    decode_tombstones,
    erasure_key,
    matched_rows,
    rows_in,
    text_test,
    utterance_hash,
)


class Left(NamedTuple):
    """What is left of a source."""

    tables: SourceTables
    groups: frozenset[str]
    """Those of the erased rows."""


def read_erasures(environment: Mapping[str, str]) -> Erasures:
    """The tombstones, where there are any, and the key of the environment. Raises `UserError`."""
    data = layout.ERASURES.read_bytes() if layout.ERASURES.exists() else b""
    return Erasures(decode_tombstones(str(layout.ERASURES), data), erasure_key(environment))


def without_erased(tables: SourceTables, erasures: Erasures, whole_groups: bool) -> Left:
    """Take the rows out that tombstones mean, and put each into the ledger as `erased`, without a text.

    whole_groups: see `matched_rows`. Raises `UserError` where a key is needed and missing.
    """
    if not erasures.tombstones:
        return Left(tables, frozenset())
    found = matched_rows((tables.records, tables.rejections), erasures, whole_groups)
    gone = [rows_in(found, table) for table in (tables.records, tables.rejections)]
    kept = [table.filter(pc.invert(mask)) for table, mask in zip(tables[:2], gone, strict=True)]
    ledger = _erased(
        [
            *records_from_table(tables.records.filter(gone[0])),
            *rejections_from_table(tables.rejections.filter(gone[1])),
        ],
        found,
        erasures,
    )
    return Left(
        tables._replace(
            records=kept[0],
            rejections=rejections_to_table([*rejections_from_table(kept[1]), *ledger]),
            recognizers=_without_texts(tables.recognizers, text_test(erasures)),
        ),
        frozenset(one.group for one in ledger),
    )


def _erased(
    rows: Sequence[Record | Rejection], found: Mapping[str, Tombstone | None], erasures: Erasures
) -> list[Rejection]:
    ledger = []
    for row in rows:
        tombstone = found[row.id]
        by = tombstone.id if tombstone else "unknown"
        said = utterance_hash(row.id, row.utterance, tombstone, erasures)
        ledger.append(
            Rejection(
                id=row.id,
                source=row.source,
                stage="ingest",
                reason=Reason.ERASED,
                message=f"erased by the tombstone {by}; hmac-sha256 {said}",
                origin=row.origin,
                group=row.group,
            )
        )
    return ledger


def _without_texts(recognizers: Recognizers, test: Callable[[str], Tombstone | None]) -> Recognizers:
    """The recognizers without the instances and expressions that fall to a tombstone."""
    return Recognizers(
        {
            name: Recognizer(
                tuple(
                    Instance(one.label, tuple(said for said in one.expressions if not test(said)))
                    for one in recognizer.instances
                    if not test(one.label)
                ),
                recognizer.description,
                recognizer.name,
            )
            for name, recognizer in recognizers.recognizers.items()
        },
        recognizers.slots,
    )
