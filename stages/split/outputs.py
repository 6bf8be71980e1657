"""The splits as files, written row group by row group, and what is in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exemplars.core import layout
from exemplars.core.digests import DIGEST_SIZE, hash_packed_split
from exemplars.core.ids import SPLITS, SplitName
from exemplars.core.reports import NO_SKILL
from exemplars.core.row_groups import RowGroups
from exemplars.core.schemas import REJECTION_SCHEMA
from exemplars.core.table_streams import TableSpool, open_sorted_table, open_spool
from exemplars.core.tables import TableWriter, open_table, take_rows
from exemplars.dataset.row_tables import rejections_to_table
from stages.split.params import SplitParams
from stages.split.rejections import reject_rows
from stages.split.speech import select_views
from stages.split.splits import SplitPlan

_DIGEST_SCHEMA: Final = pa.schema([("digest", pa.binary(DIGEST_SIZE))])


class SplitSummary(NamedTuple):
    """What is in a split."""

    rows: int
    groups: int
    data_hash: str
    skills: dict[str, int]
    """The rows of each skill, sorted by name."""


class RejectionCounts(NamedTuple):
    """How many rows the stage rejects; sorted by name."""

    reasons: dict[str, int]
    sources: dict[str, int]


def write_splits(rows: RowGroups, plan: SplitPlan) -> dict[str, SplitSummary]:
    """Write the table of each split; return what is in them. After an error the old files are what they were."""
    with ExitStack() as files:
        return {
            name: _write_split(
                rows, plan, code, files.enter_context(open_table(layout.split(name), rows.schema))
            )
            for code, name in enumerate(SPLITS)
        }


def _write_split(rows: RowGroups, plan: SplitPlan, code: int, writer: TableWriter) -> SplitSummary:
    skills = Counter[str]()
    is_chosen = plan.splits == code
    with open_spool(layout.MANIFEST.parent, _DIGEST_SCHEMA) as digests:
        for table in take_chosen(rows, is_chosen):
            writer.write(table)
            digests.append(_pack_digests(table))
            skills.update(skill or NO_SKILL for skill in table.column("skill").to_pylist())
        return SplitSummary(
            rows=writer.num_rows,
            groups=plan.groups.count_in(is_chosen),
            data_hash=_hash_digests(digests),
            skills=dict(sorted(skills.items())),
        )


def _pack_digests(table: pa.Table) -> pa.Table:
    """Pack the digests of rows: 32 bytes each instead of 64 characters."""
    packed = pa.py_buffer(bytes.fromhex("".join(table.column("digest").to_pylist())))
    column = pa.FixedSizeBinaryArray.from_buffers(pa.binary(DIGEST_SIZE), table.num_rows, [None, packed])
    return pa.Table.from_arrays([column], schema=_DIGEST_SCHEMA)


def _hash_digests(spool: TableSpool) -> str:
    def read() -> Iterator[bytes]:
        for table in spool.read_parts():
            for chunk in table.column("digest").chunks:
                first, count = chunk.offset * DIGEST_SIZE, len(chunk) * DIGEST_SIZE
                yield chunk.buffers()[1].slice(first, count).to_pybytes()

    return hash_packed_split(read, spool.starts[-1])


def take_chosen(rows: RowGroups, is_chosen: NDArray[np.bool_]) -> Iterator[pa.Table]:
    """Yield the rows that are chosen, row group by row group; one that has none of them is not read."""
    for group, (start, end) in enumerate(pairwise(rows.starts)):
        places = np.flatnonzero(is_chosen[start:end])
        if len(places):
            table = rows.read(group)
            yield table if len(places) == table.num_rows else take_rows(table, places)


def write_views(views: RowGroups, plan: SplitPlan, wanted: Sequence[SplitName]) -> dict[str, int]:
    """Write the speech views that join the splits; return how many join each of them."""
    counts: Counter[str] = Counter()
    with open_table(layout.split_speech(), views.schema) as writer:
        for table in select_views(views, plan, wanted):
            writer.write(table)
            counts.update(table.column("split").to_pylist())
    return dict(sorted(counts.items()))


def write_rejections(rows: RowGroups, plan: SplitPlan) -> RejectionCounts:
    """Write the ledger of the stage; return what is in it."""
    reasons, sources = Counter[str](), Counter[str]()
    with open_sorted_table(layout.ledger_path(layout.MANIFEST), REJECTION_SCHEMA) as ledger:
        for rejections in reject_rows(rows, plan):
            ledger.write(rejections_to_table(rejections))
            reasons.update(rejection.reason for rejection in rejections)
            sources.update(rejection.source for rejection in rejections)
    return RejectionCounts(dict(sorted(reasons.items())), dict(sorted(sources.items())))


def build_split_manifest(summaries: Mapping[str, SplitSummary], params: SplitParams) -> dict[str, Any]:
    """Build `data/splits/manifest.json`: rows, groups and data hash of each split, and how it was chosen."""
    return {
        "salt": params.salt,
        "official": params.official,
        "splits": {
            name: {"rows": summary.rows, "groups": summary.groups, "data_hash": summary.data_hash}
            for name, summary in summaries.items()
        },
    }
