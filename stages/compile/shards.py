"""The records of all sources, compiled one Parquet row group a worker, merged in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stages.compile.contradictions import contradicted, said_key
from stages.compile.exemplars import compile_record
from stages.compile.grounding import Lexicon
from stages.core.catalog import Skill
from stages.core.records import Exemplar, Rejection
from stages.core.tables import (
    exemplar_table,
    exemplars_of,
    records_of,
    rejection_table,
    rejections_of,
    sorted_by_id,
)
from stages.core.workers import map_shards


class Compiled(NamedTuple):
    """What all records became: every one is a row of one of the two tables, both sorted by id."""

    exemplars: pa.Table
    rejections: pa.Table


class _Shard(NamedTuple):
    exemplars: pa.Table
    rejections: pa.Table
    said: list[int]


def compile_tables(
    paths: Sequence[Path],
    rejected: pa.Table,
    skills: Mapping[str, Skill],
    lexicon: Lexicon,
    workers: int,
) -> Compiled:
    """The exemplars and rejections of the records in several Parquet files.

    rejected: what was rejected before; it is in the ledger of the answer too.
    """
    shards = [(path, group) for path in paths for group in range(pq.read_metadata(path).num_row_groups)]
    compiled = list(map_shards(partial(_compile_shard, skills, lexicon), shards, workers))
    exemplars = pa.concat_tables([exemplar_table([]), *(one.exemplars for one in compiled)])
    rejections = pa.concat_tables([rejected, *(one.rejections for one in compiled)])
    return _without_contradictions(
        Compiled(exemplars, rejections), [key for one in compiled for key in one.said]
    )


def _compile_shard(skills: Mapping[str, Skill], lexicon: Lexicon, shard: tuple[Path, int]) -> _Shard:
    path, group = shard
    records = records_of(pq.ParquetFile(path).read_row_group(group))
    exemplars: list[Exemplar] = []
    rejections: list[Rejection] = []
    for record in records:
        row = compile_record(record, skills, lexicon)
        if isinstance(row, Exemplar):
            exemplars.append(row)
        else:
            rejections.append(row)
    said = [said_key(one) for one in exemplars]
    return _Shard(exemplar_table(exemplars), rejection_table(rejections), said)


def _without_contradictions(compiled: Compiled, said: list[int]) -> Compiled:
    """The tables after rows that say the same as another were judged together."""
    counts = Counter(said)
    suspects = [row for row, key in enumerate(said) if counts[key] > 1]
    gone = contradicted(exemplars_of(compiled.exemplars.take(pa.array(suspects, pa.int64()))))
    if not gone:
        return Compiled(sorted_by_id(compiled.exemplars), sorted_by_id(compiled.rejections))
    stays = pc.invert(pc.is_in(compiled.exemplars.column("id"), pa.array(list(gone), pa.string())))
    rejections = [*rejections_of(compiled.rejections), *gone.values()]
    return Compiled(sorted_by_id(compiled.exemplars.filter(stays)), sorted_by_id(rejection_table(rejections)))
