"""The records of a Parquet row group, compiled by one worker."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core.digests import hash_to_int
from exemplars.core.records import Exemplar, Rejection
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import (
    join_compiled,
    records_from_table,
    rejections_to_table,
    select_compiled,
    select_templates,
)
from stages.compile.contradictions import prefilter_key
from stages.compile.exemplars import SourceRules, compile_record
from stages.compile.lexicon import Lexicon

RowGroup = tuple[Path, int]
"""The records of a source, and the number of a row group of them."""
Keys = np.ndarray[tuple[int], np.dtype[np.int64]]


class LostCall(NamedTuple):
    """A record that was rejected: what its turn needs to know of it."""

    number: int
    """Of the record in its row group."""
    id: str
    turn: str
    service: str | None


class CompiledShard(NamedTuple):
    """What the records of a row group compile to: each is in one of the three tables."""

    exemplars: pa.Table
    rejections: pa.Table
    templates: pa.Table
    """Records that are templates without values."""
    lost: list[LostCall]
    """The rejected records."""
    turns: Keys
    """A key of the turn of each record."""
    rows: Keys
    """For each exemplar, the number of its record."""
    contents: Keys
    """The `prefilter_key` of each exemplar."""
    filled: Keys
    """A key of the template of each exemplar."""
    edited: list[int]
    """The numbers of the exemplars that reviewers have edited."""


class ShardCompiler:
    """Compiles row groups; picklable, and the same for all of them."""

    def __init__(
        self,
        skills: Mapping[str, Skill],
        lexicon: Lexicon,
        rules: Mapping[str, SourceRules],
        edited: Collection[str],
    ) -> None:
        """skills, rules: by the names of the skills and sources. edited: the ids of rows that reviewers have edited."""
        self._skills = skills
        self._lexicon = lexicon
        self._rules = rules
        self._edited = edited

    def __call__(self, row_group: RowGroup) -> CompiledShard:
        """Compile the records of a row group."""
        table = read_row_group(row_group)
        rows: list[int] = []
        exemplars: list[Exemplar] = []
        rejections: list[Rejection] = []
        lost: list[LostCall] = []
        for number, record in enumerate(records_from_table(table)):
            if record.is_template:
                continue
            row = compile_record(record, self._skills, self._lexicon, self._rules[record.source])
            if isinstance(row, Exemplar):
                rows.append(number)
                exemplars.append(row)
            else:
                rejections.append(row)
                lost.append(LostCall(number, record.id, record.turn, record.service))
        return CompiledShard(
            join_compiled(table, rows, select_compiled(exemplars)),
            rejections_to_table(rejections),
            select_templates(table),
            lost,
            _collect_keys(hash_to_int(turn.encode()) for turn in table.column("turn").to_pylist()),
            _collect_keys(rows),
            _collect_keys(map(prefilter_key, exemplars)),
            _collect_keys(map(template_key, exemplars)),
            [number for number, row in enumerate(exemplars) if row.id in self._edited],
        )


def read_row_group(row_group: RowGroup) -> pa.Table:
    """Read the records of a row group."""
    path, group = row_group
    return pq.ParquetFile(path).read_row_group(group)


def template_key(exemplar: Exemplar) -> int:
    """Compute a key of an exemplar's template."""
    return hash_to_int(exemplar.exemplar.encode())


def _collect_keys(keys: Iterable[int]) -> Keys:
    return np.fromiter(keys, np.int64)
