"""The records of all sources, compiled one Parquet row group per worker, and merged in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core.ledger import Ledger, check_conservation, find_incomplete_turns, reject_row
from exemplars.core.records import Exemplar, Rejection
from exemplars.core.reviews import RowEdit
from exemplars.core.schemas import RECORD_SCHEMA
from exemplars.core.tables import read_table, rows_to_table, sort_by_id, take_rows
from exemplars.core.workers import map_shards
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import (
    exemplars_from_table,
    join_compiled,
    records_from_table,
    records_to_table,
    rejections_to_table,
    select_compiled,
    select_templates,
)
from stages.compile.contradictions import prefilter_key, reject_contradictions
from stages.compile.edits import EditCompiler, edit_tables
from stages.compile.exemplars import SourceRules, compile_record
from stages.compile.inputs import CompileInputs
from stages.compile.lexicon import Lexicon


class Compiled(NamedTuple):
    """The tables of the stage, sorted by id: every record is a row of exactly one of them."""

    exemplars: pa.Table
    rejections: pa.Table
    templates: pa.Table
    """Records that are templates without values."""
    edits: pa.Table
    """The edits of reviewers: `RowEdit`."""


class _Shard(NamedTuple):
    """What a worker sends back: only what the records do not have already, because sending takes time."""

    records: int
    rows: list[int]
    """For each exemplar, the index of its record in the shard."""
    compiled: pa.Table
    """The exemplars' `select_compiled`."""
    rejections: pa.Table
    keys: list[int]
    """The `prefilter_key` of each exemplar."""


def compile_tables(inputs: CompileInputs, workers: int) -> Compiled:
    """Compile the records of all sources.

    The rejections include those of the sources' readers.
    Raises `UserError` unless every record is an exemplar, a rejection or a template without values.
    """
    skills = {skill.name: skill for skill in inputs.skills}
    lexicon = Lexicon(inputs.recognizers)
    work = partial(_compile_shard, skills, lexicon, inputs.rules)
    row_groups = _list_row_groups(inputs.paths)
    shards = list(map_shards(work, row_groups, workers, "compile", _name_row_group))

    starts = accumulate((shard.records for shard in shards), initial=0)
    rows = [start + row for start, shard in zip(starts, shards, strict=False) for row in shard.rows]
    keys = [key for shard in shards for key in shard.keys]
    records = pa.concat_tables(
        [records_to_table([]), *(read_table(path, RECORD_SCHEMA) for path in inputs.paths)]
    )
    compiled = pa.concat_tables([select_compiled([]), *(shard.compiled for shard in shards)])
    compiler = EditCompiler(skills, lexicon, inputs.rules)
    records, compiled, edited, edits = edit_tables(records, rows, compiled, inputs.decisions, compiler)
    for index, exemplar in edited.items():
        keys[index] = prefilter_key(exemplar)

    rejected = pa.concat_tables([inputs.rejected, *(shard.rejections for shard in shards)])
    # First, because a part of a turn must not be compared with whole ones.
    kept, incomplete = _drop_incomplete_turns(records, rows, rejected.column("id").to_pylist())
    kept, contradictions = _drop_contradictions(records, rows, kept, compiled, keys, inputs.candidates)
    exemplars = join_compiled(records, [rows[index] for index in kept], take_rows(compiled, kept))
    rejections = pa.concat_tables([rejected, incomplete, contradictions])
    templates = select_templates(records)
    kept_rows = exemplars.num_rows + templates.num_rows
    check_conservation("compile", sum(inputs.records.values()), kept_rows, rejections.num_rows)
    return Compiled(
        sort_by_id(exemplars), sort_by_id(rejections), sort_by_id(templates), rows_to_table(edits, RowEdit)
    )


def _list_row_groups(paths: Sequence[Path]) -> list[tuple[Path, int]]:
    return [(path, group) for path in paths for group in range(pq.read_metadata(path).num_row_groups)]


def _name_row_group(row_group: tuple[Path, int]) -> str:
    path, group = row_group
    return f"{path}, row group {group}"


def _compile_shard(
    skills: Mapping[str, Skill],
    lexicon: Lexicon,
    rules: Mapping[str, SourceRules],
    row_group: tuple[Path, int],
) -> _Shard:
    path, group = row_group
    records = records_from_table(pq.ParquetFile(path).read_row_group(group))
    rows: list[int] = []
    exemplars: list[Exemplar] = []
    rejections: list[Rejection] = []
    for index, record in enumerate(records):
        if record.is_template:
            continue
        row = compile_record(record, skills, lexicon, rules[record.source])
        if isinstance(row, Exemplar):
            rows.append(index)
            exemplars.append(row)
        else:
            rejections.append(row)
    keys = [prefilter_key(exemplar) for exemplar in exemplars]
    return _Shard(len(records), rows, select_compiled(exemplars), rejections_to_table(rejections), keys)


def _drop_incomplete_turns(
    records: pa.Table, rows: Sequence[int], rejected: Collection[str]
) -> tuple[list[int], pa.Table]:
    """Return the indices of the exemplars whose turn is complete, and the rejections of the others.

    rows: of all exemplars; see `_Shard`. rejected: the ids of all rejected records.
    """
    turns = records.column("turn").to_pylist()
    shared = {turn for turn, count in Counter(turns).items() if count > 1}
    suspects = [number for number, turn in enumerate(turns) if turn in shared]
    if not suspects:
        return list(range(len(rows))), rejections_to_table([])
    several = records_from_table(take_rows(records, suspects))
    problems = find_incomplete_turns(several, set(rejected))
    rejections = [
        reject_row(record, "compile", [problems[record.id]]) for record in several if record.id in problems
    ]
    dropped = {number for number, record in zip(suspects, several, strict=True) if record.id in problems}
    kept = [index for index, row in enumerate(rows) if row not in dropped]
    return kept, rejections_to_table(rejections)


def _drop_contradictions(
    records: pa.Table,
    rows: Sequence[int],
    kept: Sequence[int],
    compiled: pa.Table,
    keys: Sequence[int],
    candidates: Collection[str],
) -> tuple[list[int], pa.Table]:
    """Return the indices of the exemplars that stay, and the rejections of the others.

    rows, compiled, keys: of all exemplars; see `_Shard`. kept: the indices of those whose turns are complete.
    candidates: the sources whose rows take no other row's place.
    Only exemplars of turns that share a key with another turn are built in full.
    """
    all_turns = records.column("turn").to_pylist()
    suspects = _list_suspects(kept, [all_turns[row] for row in rows], keys)
    table = join_compiled(records, [rows[index] for index in suspects], take_rows(compiled, suspects))
    ledger = Ledger("compile")
    reject_contradictions(exemplars_from_table(table), ledger, candidates)
    rejected_ids = {rejection.id for rejection in ledger.rejections}
    ids = table.column("id").to_pylist()
    rejected = {index for index, row_id in zip(suspects, ids, strict=True) if row_id in rejected_ids}
    return [index for index in kept if index not in rejected], rejections_to_table(ledger.rejections)


def _list_suspects(kept: Sequence[int], turns: Sequence[str], keys: Sequence[int]) -> list[int]:
    """List the exemplars of all turns that share a prefilter key with another turn.

    kept: the indices of the exemplars to look at. turns, keys: of all exemplars.
    """
    counts = Counter(keys[index] for index in kept)
    shared = {(keys[index], turns[index]) for index in kept if counts[keys[index]] > 1}
    turn_counts = Counter(key for key, _ in shared)
    suspects = {turn for key, turn in shared if turn_counts[key] > 1}
    return [index for index in kept if turns[index] in suspects]
