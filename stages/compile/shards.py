"""The records of all sources, compiled one Parquet row group a worker, merged in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core.records import Exemplar, Rejection
from exemplars.core.schemas import RECORD_SCHEMA
from exemplars.core.tables import read_table, sort_by_id, take_rows
from exemplars.core.workers import map_shards
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import (
    exemplars_from_table,
    join_compiled,
    records_from_table,
    records_to_table,
    rejections_to_table,
    select_compiled,
)
from stages.compile.contradictions import contradicted, nearly_said_key
from stages.compile.exemplars import compile_record
from stages.compile.grounding import Lexicon


class Compiled(NamedTuple):
    """What all records became: every one is a row of one of the two tables, both sorted by id."""

    exemplars: pa.Table
    rejections: pa.Table


class _Shard(NamedTuple):
    """What a worker sends back: little, as what exemplars have from their records is there already."""

    size: int
    """How many records it had."""
    rows: list[int]
    """Which of them became exemplars."""
    compiled: pa.Table
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
    places = [(path, group) for path in paths for group in range(pq.read_metadata(path).num_row_groups)]
    shards = list(map_shards(partial(_compile_shard, skills, lexicon), places, workers, "compile"))
    starts = accumulate((shard.size for shard in shards), initial=0)
    rows = [start + row for start, shard in zip(starts, shards, strict=False) for row in shard.rows]
    records = pa.concat_tables([records_to_table([]), *(read_table(path, RECORD_SCHEMA) for path in paths)])
    compiled = pa.concat_tables([select_compiled([]), *(shard.compiled for shard in shards)])
    rejections = pa.concat_tables([rejected, *(shard.rejections for shard in shards)])

    suspects = _repeated([key for shard in shards for key in shard.said])
    said_again = join_compiled(records, [rows[row] for row in suspects], take_rows(compiled, suspects))
    gone = contradicted(exemplars_from_table(said_again))
    if gone:
        out = {
            row
            for row, row_id in zip(suspects, said_again.column("id").to_pylist(), strict=True)
            if row_id in gone
        }
        stays = [row for row in range(len(rows)) if row not in out]
        rows, compiled = [rows[row] for row in stays], take_rows(compiled, stays)
        rejections = pa.concat_tables([rejections, rejections_to_table(list(gone.values()))])
    return Compiled(sort_by_id(join_compiled(records, rows, compiled)), sort_by_id(rejections))


def _compile_shard(skills: Mapping[str, Skill], lexicon: Lexicon, place: tuple[Path, int]) -> _Shard:
    path, group = place
    records = records_from_table(pq.ParquetFile(path).read_row_group(group))
    rows: list[int] = []
    exemplars: list[Exemplar] = []
    rejections: list[Rejection] = []
    for number, record in enumerate(records):
        row = compile_record(record, skills, lexicon)
        if isinstance(row, Exemplar):
            rows.append(number)
            exemplars.append(row)
        else:
            rejections.append(row)
    said = [nearly_said_key(one) for one in exemplars]
    return _Shard(len(records), rows, select_compiled(exemplars), rejections_to_table(rejections), said)


def _repeated(keys: list[int]) -> list[int]:
    """The places of the keys that occur more than once."""
    counts = Counter(keys)
    return [place for place, key in enumerate(keys) if counts[key] > 1]
