"""The records of a Parquet row group, compiled by one worker."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core.records import Exemplar, Rejection
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import (
    join_compiled,
    records_from_table,
    rejections_to_table,
    select_compiled,
    select_templates,
)
from stages.compile.exemplars import SourceRules, compile_record
from stages.compile.lexicon import Lexicon
from stages.compile.row_keys import Keys, hash_answer, hash_exemplars

RowGroup = tuple[Path, int]
"""The records of a source, and the number of a row group of them."""


class CompiledShard(NamedTuple):
    """What the records of a row group compile to: each is in one of the three tables."""

    exemplars: pa.Table
    rejections: pa.Table
    templates: pa.Table
    """Records that are templates without values."""
    keys: pa.Table
    """Those of the exemplars."""
    lost: Keys
    """The numbers of the rejected records in their row group."""
    lost_answers: Keys
    """Their `hash_answer`."""
    edited: list[tuple[int, int]]
    """The numbers of the exemplars that reviewers have edited, and those of their records."""


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
        lost: list[int] = []
        lost_answers: list[int] = []
        for number, record in enumerate(records_from_table(table)):
            if record.is_template:
                continue
            row = compile_record(record, self._skills, self._lexicon, self._rules[record.source])
            if isinstance(row, Exemplar):
                rows.append(number)
                exemplars.append(row)
            else:
                rejections.append(row)
                lost.append(number)
                lost_answers.append(hash_answer(record))
        return CompiledShard(
            join_compiled(table, rows, select_compiled(exemplars)),
            rejections_to_table(rejections),
            select_templates(table),
            hash_exemplars(exemplars),
            np.array(lost, np.int64),
            np.array(lost_answers, np.int64),
            [(number, rows[number]) for number, row in enumerate(exemplars) if row.id in self._edited],
        )


def read_row_group(row_group: RowGroup, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the records of a row group. columns: those to read; `None`: all."""
    path, group = row_group
    return pq.ParquetFile(path).read_row_group(group, columns=None if columns is None else list(columns))
