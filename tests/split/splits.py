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
from exemplars.core.row_groups import RowGroups
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from stages.split.foreign_texts import ForeignText
from stages.split.outputs import SplitSummary, write_splits, write_views
from stages.split.params import SplitParams
from stages.split.splits import SplitPlan, plan_splits


class Result(NamedTuple):
    """What the stage makes of a table."""

    tables: dict[str, pa.Table]
    """By the name of the split."""
    views: pa.Table
    plan: SplitPlan
    summaries: dict[str, SplitSummary]


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
        plan = plan_splits(rows, pairs, params, foreign, generated, workers)
        summaries = write_splits(rows, plan)
        write_views(
            write_rows(
                Path("views.parquet"), EXEMPLAR_SCHEMA.empty_table() if views is None else views, row_group
            ),
            plan,
            params.speech,
        )
        result = Result(
            {name: read_table(layout.split(name), EXEMPLAR_SCHEMA) for name in SPLITS},
            read_table(layout.split_speech(), EXEMPLAR_SCHEMA),
            plan,
            summaries,
        )
        # Here, because from another folder it looks as if the test opened the data of this project.
        shutil.rmtree("data")
        return result


def write_rows(path: Path, table: pa.Table, row_group: int) -> RowGroups:
    """Write a table in row groups."""
    pq.write_table(table, path, row_group_size=row_group)
    return RowGroups(path, EXEMPLAR_SCHEMA)
