"""The splits as files, written row group by row group, and what is in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from exemplars.core import layout
from exemplars.core.digests import hash_packed_split
from exemplars.core.files import write_json
from exemplars.core.ids import SPLITS, SplitName
from exemplars.core.reports import NO_SKILL
from exemplars.core.row_groups import RowGroups
from exemplars.core.tables import open_table, take_rows, write_table
from exemplars.dataset.row_tables import rejections_to_table
from stages.split.params import SplitParams
from stages.split.speech import select_views
from stages.split.splits import SplitPlan


class SplitSummary(NamedTuple):
    """What is in a split."""

    rows: int
    groups: int
    data_hash: str
    skills: dict[str, int]
    """The rows of each skill, sorted by name."""


def write_splits(rows: RowGroups, plan: SplitPlan) -> dict[str, SplitSummary]:
    """Write the table of each split; return what is in them. After an error the old files are what they were."""
    digests: dict[SplitName, list[bytes]] = {name: [] for name in SPLITS}
    counts: Counter[SplitName] = Counter()
    skills: dict[SplitName, Counter[str]] = {name: Counter() for name in SPLITS}
    with ExitStack() as files:
        writers = {name: files.enter_context(open_table(layout.split(name), rows.schema)) for name in SPLITS}
        for tables in take_splits(rows, plan):
            for name, table in tables.items():
                writers[name].write(table)
                digests[name].append(bytes.fromhex("".join(table.column("digest").to_pylist())))
                counts[name] += table.num_rows
                skills[name].update(skill or NO_SKILL for skill in table.column("skill").to_pylist())
    return {
        name: SplitSummary(
            rows=counts[name],
            groups=len(np.unique(plan.keys.group[plan.splits == code])),
            data_hash=hash_packed_split(b"".join(digests[name])),
            skills=dict(sorted(skills[name].items())),
        )
        for code, name in enumerate(SPLITS)
    }


def take_splits(rows: RowGroups, plan: SplitPlan) -> Iterator[dict[SplitName, pa.Table]]:
    """Yield the rows of each split, row group by row group, in their order."""
    for table, start in zip(rows.scan(), rows.starts, strict=False):
        splits = plan.splits[start : start + table.num_rows]
        yield {
            name: take_rows(table, np.flatnonzero(splits == code).tolist())
            for code, name in enumerate(SPLITS)
        }


def write_views(views: RowGroups, plan: SplitPlan, wanted: Sequence[SplitName]) -> dict[str, int]:
    """Write the speech views that join the splits; return how many join each of them."""
    counts: Counter[str] = Counter()
    with open_table(layout.split_speech(), views.schema) as writer:
        for table in select_views(views, plan, wanted):
            writer.write(table)
            counts.update(table.column("split").to_pylist())
    return dict(sorted(counts.items()))


def write_manifest(plan: SplitPlan, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of the splits and the ledger of the stage."""
    write_table(layout.ledger_path(layout.MANIFEST), rejections_to_table(plan.rejections))
    write_json(layout.MANIFEST, manifest)


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
