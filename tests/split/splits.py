"""The stage on tables in memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core import layout
from exemplars.core.ids import SPLITS
from exemplars.core.records import Rejection
from exemplars.core.row_groups import RowGroups
from exemplars.core.schemas import EXEMPLAR_SCHEMA, PAIR_SCHEMA, REJECTION_SCHEMA
from exemplars.core.table_streams import open_spool
from exemplars.core.tables import read_table
from exemplars.dataset.row_tables import rejections_from_table
from stages.split.foreign_texts import ForeignText
from stages.split.outputs import RejectionCounts, SplitSummary, write_rejections, write_splits, write_views
from stages.split.params import SplitParams
from stages.split.row_keys import KEY_SCHEMA
from stages.split.splits import SplitInputs, SplitPlan, plan_splits


class Result(NamedTuple):
    """What the stage makes of a table."""

    tables: dict[str, pa.Table]
    """By the name of the split."""
    views: pa.Table
    rejections: list[Rejection]
    plan: SplitPlan
    summaries: dict[str, SplitSummary]
    counts: RejectionCounts


def split_exemplars(
    exemplars: pa.Table,
    pairs: pa.Table,
    params: SplitParams,
    foreign: tuple[ForeignText, ...] = (),
    generated: Collection[str] = (),
    views: pa.Table | None = None,
    row_group: int = 8192,
    workers: int = 1,
) -> Result:
    """Split a table. row_group: rows of each of its row groups."""
    with tempfile.TemporaryDirectory() as name, chdir(name):
        rows = write_rows(Path("exemplars.parquet"), exemplars, row_group)
        pq.write_table(pairs, "pairs.parquet", row_group_size=row_group)
        inputs = SplitInputs(rows, RowGroups(Path("pairs.parquet"), PAIR_SCHEMA), foreign, generated)
        with open_spool(Path("spool"), KEY_SCHEMA) as spool:
            plan = plan_splits(inputs, params, spool, workers)
            counts = write_rejections(rows, plan)
            summaries = write_splits(rows, plan)
            write_views(
                write_rows(
                    Path("views.parquet"),
                    EXEMPLAR_SCHEMA.empty_table() if views is None else views,
                    row_group,
                ),
                plan,
                params.speech,
            )
        result = Result(
            {name: read_table(layout.split(name), EXEMPLAR_SCHEMA) for name in SPLITS},
            read_table(layout.split_speech(), EXEMPLAR_SCHEMA),
            rejections_from_table(read_table(layout.ledger_path(layout.MANIFEST), REJECTION_SCHEMA)),
            plan,
            summaries,
            counts,
        )
        # Here, because from another folder it looks as if the test opened the data of this project.
        shutil.rmtree("data")
        return result


def write_rows(path: Path, table: pa.Table, row_group: int) -> RowGroups:
    """Write a table in row groups."""
    pq.write_table(table, path, row_group_size=row_group)
    return RowGroups(path, EXEMPLAR_SCHEMA)
