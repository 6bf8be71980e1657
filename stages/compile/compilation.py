"""The records of all sources, compiled: what only all shards together decide, and the tables that the stage writes.

Exemplars wait in a spool until it is known which of them stay. In memory are a few numbers for each record, and the
rows that are compared with each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core.ledger import Ledger, check_conservation, find_incomplete_turns, reject_row
from exemplars.core.records import Exemplar, Record, Rejection
from exemplars.core.reviews import RowEdit
from exemplars.core.schemas import REJECTION_SCHEMA
from exemplars.core.table_streams import TableSink, TableSpool, merge_sorted
from exemplars.core.tables import read_row_groups, rows_to_table, take_rows
from exemplars.core.workers import map_shards
from exemplars.dataset.row_tables import (
    exemplars_from_table,
    exemplars_to_table,
    records_from_table,
    rejections_to_table,
)
from stages.compile.contradictions import prefilter_key, reject_contradictions
from stages.compile.edits import EditCompiler, RowVersion, list_edited_rows
from stages.compile.inputs import CompileInputs
from stages.compile.lexicon import Lexicon
from stages.compile.report import CompileCounts
from stages.compile.shards import Keys, LostCall, RowGroup, ShardCompiler, read_row_group, template_key


class CompiledSinks(NamedTuple):
    """Where the rows of the stage go; every record is a row of exactly one of them."""

    exemplars: TableSink
    rejections: TableSink
    templates: TableSink
    """Records that are templates without values."""
    edits: TableSink
    """The edits of reviewers, as `RowEdit`, by the id of the row."""


def compile_sources(
    inputs: CompileInputs, workers: int, spool: TableSpool, sinks: CompiledSinks
) -> CompileCounts:
    """Compile the records of all sources; return the counts of all rows.

    The rejections include those of the sources' readers. spool: for exemplars, empty.
    Raises `UserError` unless every record is an exemplar, a rejection or a template without values.
    """
    counts = CompileCounts()
    compilation = _Compilation(inputs, spool)
    for templates in compilation.compile_shards(workers):
        sinks.templates.write(templates)
        counts.add_templates(templates)
    sinks.edits.write(rows_to_table(compilation.apply_edits(), RowEdit))
    # First, because a part of a turn must not be compared with whole ones.
    compilation.drop_incomplete_turns()
    compilation.drop_contradictions()
    for exemplars in compilation.read_kept():
        sinks.exemplars.write(exemplars)
        counts.add_exemplars(exemplars)
    for rejections in compilation.read_rejections():
        sinks.rejections.write(rejections)
        counts.add_rejections(rejections)
    counts.templates = compilation.count_templates()
    kept = counts.sources.total() + counts.unfilled.total()
    check_conservation("compile", sum(inputs.records.values()), kept, counts.rejections.total())
    return counts


class _Compilation:
    """The state of a compilation; exemplars and records are known by their numbers, over all shards."""

    def __init__(self, inputs: CompileInputs, spool: TableSpool) -> None:
        self._inputs = inputs
        self._skills = {skill.name: skill for skill in inputs.skills}
        self._lexicon = Lexicon(inputs.recognizers)
        self._spool = spool
        self._row_groups = _list_row_groups(inputs.paths)
        self._record_starts = [0]
        """The number of records before each row group."""
        self._turns: Keys
        """A key of the turn of each record."""
        self._rows: Keys
        """For each exemplar, the number of its record."""
        self._contents: Keys
        """The `prefilter_key` of each exemplar."""
        self._filled: Keys
        """A key of the template of each exemplar."""
        self._is_kept: np.ndarray[tuple[int], np.dtype[np.bool_]]
        """Of each exemplar."""
        self._lost: list[LostCall] = []
        """The rejected records."""
        self._rejections: list[pa.Table] = []
        """The rejections of this stage."""
        self._to_edit: list[int] = []
        """The exemplars that reviewers have edited."""
        self._edited: dict[int, Exemplar] = {}
        """The exemplars that take the places of others."""

    def compile_shards(self, workers: int) -> Iterator[pa.Table]:
        """Compile the records; yield the templates without values."""
        work = ShardCompiler(
            self._skills, self._lexicon, self._inputs.rules, list_edited_rows(self._inputs.decisions)
        )
        turns, rows, contents, filled = ([np.empty(0, np.int64)] for _ in range(4))
        for shard in map_shards(work, self._row_groups, workers, "compile", _name_row_group):
            start = self._record_starts[-1]
            self._record_starts.append(start + len(shard.turns))
            self._to_edit += [self._spool.starts[-1] + number for number in shard.edited]
            self._lost += [call._replace(number=start + call.number) for call in shard.lost]
            self._rejections.append(shard.rejections)
            turns.append(shard.turns)
            rows.append(start + shard.rows)
            contents.append(shard.contents)
            filled.append(shard.filled)
            self._spool.append(shard.exemplars)
            yield shard.templates
        self._turns, self._rows, self._contents, self._filled = map(
            np.concatenate, (turns, rows, contents, filled)
        )
        self._is_kept = np.ones(len(self._rows), np.bool_)

    def apply_edits(self) -> list[RowEdit]:
        """Let the rows that reviewers have edited take the places of the rows; return the edits, by row."""
        if not self._to_edit:
            return []
        compiler = EditCompiler(self._skills, self._lexicon, self._inputs.rules)
        numbers = self._rows[self._to_edit]
        exemplars = self._take_exemplars(np.array(self._to_edit))
        edits: list[RowEdit] = []
        for number, exemplar, record in zip(
            self._to_edit, exemplars, self._read_records(numbers), strict=True
        ):
            same_turn = self._turns == self._turns[self._rows[number]]
            row, made = compiler.apply(
                RowVersion(record, exemplar, bool(same_turn.sum() > 1)), self._inputs.decisions
            )
            edits += made
            self._edited[number] = row.exemplar
            self._contents[number] = prefilter_key(row.exemplar)
            self._filled[number] = template_key(row.exemplar)
        return sorted(edits, key=lambda edit: edit.id)

    def drop_incomplete_turns(self) -> None:
        """Reject the exemplars whose turn has lost a call."""
        lost_turns = self._turns[[call.number for call in self._lost]]
        suspects = np.flatnonzero(np.isin(self._turns[self._rows], lost_turns))
        if not len(suspects):
            return
        calls: list[tuple[int, LostCall | Exemplar]] = [(call.number, call) for call in self._lost]
        calls += zip(self._rows[suspects].tolist(), self._take_exemplars(suspects), strict=True)
        ordered = [call for _, call in sorted(calls, key=lambda call: call[0])]
        problems = find_incomplete_turns(ordered, {call.id for call in self._lost})
        exemplars = [call for call in ordered if isinstance(call, Exemplar)]
        self._reject(
            suspects,
            exemplars,
            [reject_row(row, "compile", [problems[row.id]]) for row in exemplars if row.id in problems],
        )

    def drop_contradictions(self) -> None:
        """Reject duplicates and contradictions; only turns that share a key with a different turn are compared."""
        suspects = self._list_suspects()
        exemplars = self._take_exemplars(suspects)
        ledger = Ledger("compile")
        reject_contradictions(exemplars, ledger, self._inputs.candidates)
        self._reject(suspects, exemplars, ledger.rejections)

    def read_kept(self) -> Iterator[pa.Table]:
        """Read the exemplars that stay."""
        edited = sorted(self._edited)
        for start, part in zip(self._spool.starts, self._spool.read_parts(), strict=False):
            end = start + part.num_rows
            numbers = [number for number in edited if start <= number < end]
            if numbers:
                rows = exemplars_to_table([self._edited[number] for number in numbers])
                part = _replace_rows(part, [number - start for number in numbers], rows)
            is_kept = self._is_kept[start:end]
            yield part if is_kept.all() else part.filter(pa.array(is_kept))

    def read_rejections(self) -> Iterator[pa.Table]:
        """Read the rejections of the sources' readers and of this stage, by their ids."""
        ledgers = (read_row_groups(path, REJECTION_SCHEMA) for path in self._inputs.ledgers)
        own = pa.concat_tables([REJECTION_SCHEMA.empty_table(), *self._rejections])
        return merge_sorted(chain.from_iterable(ledgers), own)

    def count_templates(self) -> int:
        """Count the different templates of the exemplars that stay."""
        return len(np.unique(self._filled[self._is_kept]))

    def _list_suspects(self) -> Keys:
        """List the kept exemplars of all turns that share a prefilter key with another turn."""
        kept = np.flatnonzero(self._is_kept)
        turns = self._turns[self._rows[kept]]
        pairs = np.unique(np.stack([self._contents[kept], turns]), axis=1)
        contents, counts = np.unique(pairs[0], return_counts=True)
        shared = pairs[1][np.isin(pairs[0], contents[counts > 1])]
        return kept[np.isin(turns, shared)]

    def _take_exemplars(self, numbers: Keys) -> list[Exemplar]:
        """Take exemplars from the spool, as reviewers have edited them. numbers: in ascending order."""
        exemplars = exemplars_from_table(self._spool.take(numbers.tolist()))
        return [
            self._edited.get(number, exemplar)
            for number, exemplar in zip(numbers.tolist(), exemplars, strict=True)
        ]

    def _read_records(self, numbers: Keys) -> list[Record]:
        """Read records again. numbers: in ascending order."""
        records: list[Record] = []
        for row_group, start, end in zip(
            self._row_groups, self._record_starts[:-1], self._record_starts[1:], strict=True
        ):
            wanted = [number - start for number in numbers.tolist() if start <= number < end]
            if wanted:
                records += records_from_table(take_rows(read_row_group(row_group), wanted))
        return records

    def _reject(self, numbers: Keys, exemplars: Sequence[Exemplar], rejections: Sequence[Rejection]) -> None:
        """Reject some of the exemplars with these numbers."""
        rejected = {rejection.id for rejection in rejections}
        self._is_kept[
            [number for number, row in zip(numbers, exemplars, strict=True) if row.id in rejected]
        ] = False
        self._rejections.append(rejections_to_table(rejections))


def _list_row_groups(paths: Sequence[Path]) -> list[RowGroup]:
    return [(path, group) for path in paths for group in range(pq.read_metadata(path).num_row_groups)]


def _name_row_group(row_group: RowGroup) -> str:
    path, group = row_group
    return f"{path}, row group {group}"


def _replace_rows(table: pa.Table, numbers: Sequence[int], rows: pa.Table) -> pa.Table:
    """Return a table with other rows in some places, and all rows in their order. numbers: the places."""
    order = list(range(table.num_rows))
    for position, number in enumerate(numbers):
        order[number] = table.num_rows + position
    return take_rows(pa.concat_tables([table, rows]), order)
