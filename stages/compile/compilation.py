"""The records of all sources, compiled: what only all shards together decide, and the tables that the stage writes.

Exemplars wait on disk until it is known which of them stay. In memory are a few numbers for each record, and a batch of
the rows that are compared with each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from exemplars.core.arrays import sort_unique
from exemplars.core.ledger import Ledger, check_conservation, find_incomplete_turns, reject_row
from exemplars.core.memory import return_freed_pages
from exemplars.core.records import Exemplar, Record, Rejection
from exemplars.core.reviews import RowEdit
from exemplars.core.schemas import REJECTION_SCHEMA
from exemplars.core.table_streams import TableSink, TableSpool, merge_sorted
from exemplars.core.tables import read_row_groups, rows_from_table, rows_to_table, take_rows
from exemplars.core.workers import map_shards
from exemplars.dataset.row_tables import exemplars_from_table, rejections_to_table
from stages.compile.contradictions import reject_contradictions
from stages.compile.edits import EditCompiler, RowVersion, list_edited_rows
from stages.compile.inputs import CompileInputs
from stages.compile.lexicon import Lexicon
from stages.compile.report import CompileCounts
from stages.compile.row_keys import Keys, divide_classes
from stages.compile.shards import RowGroup, ShardCompiler, read_row_group
from stages.compile.waiting_exemplars import WaitingExemplars

BATCH_ROWS: Final = 1024
"""Exemplars that are compared at a time; each takes some 6 kB then, and 1 kB in a table."""
_BATCHES_READ: Final = 8
"""Batches whose tables are in memory at a time, since the spool is read once for all of them."""

R = TypeVar("R", bound=msgspec.Struct)


class CompileSpools(NamedTuple):
    """What the stage keeps on disk while it runs: files without names, empty at first."""

    exemplars: TableSpool
    keys: TableSpool
    """Those of the exemplars."""
    suspects: TableSpool
    """Exemplars that are compared with each other."""
    rejections: TableSpool
    """Those of this stage."""


class _LostCall(msgspec.Struct):
    """A rejected record: what its turn needs to know of it."""

    id: str
    turn: str
    service: str | None


class CompiledSinks(NamedTuple):
    """Where the rows of the stage go; every record is a row of exactly one of them."""

    exemplars: TableSink
    rejections: TableSink
    templates: TableSink
    """Records that are templates without values."""
    edits: TableSink
    """The edits of reviewers, as `RowEdit`, by the id of the row."""


def compile_sources(
    inputs: CompileInputs,
    workers: int,
    spools: CompileSpools,
    sinks: CompiledSinks,
    batch_rows: int = BATCH_ROWS,
) -> CompileCounts:
    """Compile the records of all sources; return the counts of all rows.

    The rejections include those of the sources' readers. batch_rows: how many exemplars are compared at a time; it
    changes no row.
    Raises `UserError` unless every record is an exemplar, a rejection or a template without values.
    """
    counts = CompileCounts()
    compilation = _Compilation(inputs, spools, batch_rows)
    for templates in compilation.compile_shards(workers):
        sinks.templates.write(templates)
        counts.add_templates(templates)
    sinks.edits.write(rows_to_table(compilation.apply_edits(), RowEdit))
    # First, because a part of a turn must not be compared with whole ones.
    compilation.drop_incomplete_turns()
    compilation.drop_contradictions()
    counts.templates = compilation.exemplars.count_templates()
    for exemplars in compilation.exemplars.read_kept():
        sinks.exemplars.write(exemplars)
        counts.add_exemplars(exemplars)
        return_freed_pages()
    for rejections in compilation.read_rejections():
        sinks.rejections.write(rejections)
        counts.add_rejections(rejections)
        return_freed_pages()
    kept = counts.sources.total() + counts.unfilled.total()
    check_conservation("compile", sum(inputs.records.values()), kept, counts.rejections.total())
    return counts


class _Compilation:
    """The state of a compilation; exemplars and records are known by their numbers, over all shards."""

    def __init__(self, inputs: CompileInputs, spools: CompileSpools, batch_rows: int) -> None:
        self.exemplars = WaitingExemplars(spools.exemplars, spools.keys)
        self._inputs = inputs
        self._suspects, self._rejections = spools.suspects, spools.rejections
        self._batch_rows = batch_rows
        self._skills = {skill.name: skill for skill in inputs.skills}
        self._lexicon = Lexicon(inputs.recognizers)
        self._row_groups = _list_row_groups(inputs.paths)
        self._record_starts = [0]
        """The number of records before each row group."""
        self._lost: Keys = np.empty(0, np.int64)
        """The numbers of the rejected records."""
        self._lost_answers: Keys = np.empty(0, np.int64)
        """Their `hash_answer`."""
        self._to_edit: dict[int, int] = {}
        """The exemplars that reviewers have edited, with their records."""

    def compile_shards(self, workers: int) -> Iterator[pa.Table]:
        """Compile the records; yield the templates without values."""
        work = ShardCompiler(
            self._skills, self._lexicon, self._inputs.rules, list_edited_rows(self._inputs.decisions)
        )
        lost, lost_answers = [self._lost], [self._lost_answers]
        for shard in map_shards(work, self._row_groups, workers, "compile", _name_row_group):
            start, first = self._record_starts[-1], len(self.exemplars)
            self._record_starts.append(start + len(shard.exemplars) + len(shard.lost) + len(shard.templates))
            self._to_edit |= {first + number: start + record for number, record in shard.edited}
            lost.append(start + shard.lost)
            lost_answers.append(shard.lost_answers)
            self._rejections.append(shard.rejections)
            self.exemplars.append(shard.exemplars, shard.keys)
            yield shard.templates
        return_freed_pages()
        self._lost, self._lost_answers = np.concatenate(lost), np.concatenate(lost_answers)

    def apply_edits(self) -> list[RowEdit]:
        """Let the rows that reviewers have edited take the places of the rows; return the edits, by row."""
        if not self._to_edit:
            return []
        compiler = EditCompiler(self._skills, self._lexicon, self._inputs.rules)
        exemplars = exemplars_from_table(self.exemplars.take(np.array(list(self._to_edit))))
        records = self._read_records(np.array(list(self._to_edit.values())), Record)
        calls = self._count_calls({exemplar.turn for exemplar in exemplars})
        edits: list[RowEdit] = []
        for number, exemplar, record in zip(self._to_edit, exemplars, records, strict=True):
            version = RowVersion(record, exemplar, calls[exemplar.turn] > 1)
            row, made = compiler.apply(version, self._inputs.decisions)
            edits += made
            self.exemplars.replace(number, row.exemplar)
        return sorted(edits, key=lambda edit: edit.id)

    def drop_incomplete_turns(self) -> None:
        """Reject the exemplars whose turn has lost a call."""
        answers, first = np.unique(self._lost_answers, return_index=True)
        suspects, keys = self.exemplars.find_answers(answers)
        lost = self._lost[first[np.searchsorted(answers, keys)]]
        for start, table in self.exemplars.select(suspects):
            end = start + table.num_rows
            exemplars = exemplars_from_table(table)
            calls = self._read_records(sort_unique(lost[start:end]), _LostCall)
            problems = find_incomplete_turns([*calls, *exemplars], {call.id for call in calls})
            rejections = [
                reject_row(row, "compile", [problems[row.id]]) for row in exemplars if row.id in problems
            ]
            self._reject(suspects[start:end], exemplars, rejections)

    def drop_contradictions(self) -> None:
        """Reject duplicates and contradictions; only turns that share a key with a different turn are compared."""
        suspects, keys = self.exemplars.find_alike()
        for _, table in self.exemplars.select(suspects):
            self._suspects.append(table)
        for places in divide_classes(keys, _BATCHES_READ * self._batch_rows):
            table = self._suspects.take(places)
            for batch in divide_classes(keys[places], self._batch_rows):
                exemplars = exemplars_from_table(take_rows(table, batch))
                ledger = Ledger("compile")
                reject_contradictions(exemplars, ledger, self._inputs.candidates)
                self._reject(suspects[places[batch]], exemplars, ledger.rejections)
            return_freed_pages()

    def read_rejections(self) -> Iterator[pa.Table]:
        """Read the rejections of the sources' readers and of this stage, by their ids."""
        ledgers = (read_row_groups(path, REJECTION_SCHEMA) for path in self._inputs.ledgers)
        return merge_sorted(chain.from_iterable(ledgers), self._rejections.read_by_id())

    def _count_calls(self, turns: Collection[str]) -> Counter[str]:
        """Count the records of some turns."""
        names = pa.array(turns, pa.string())
        calls: Counter[str] = Counter()
        for row_group in self._row_groups:
            column = read_row_group(row_group, ["turn"]).column("turn")
            calls.update(column.filter(pc.is_in(column, value_set=names)).to_pylist())
        return calls

    def _read_records(self, numbers: Keys, record_type: type[R]) -> list[R]:
        """Read records again. numbers: in ascending order. record_type: has the fields that are read."""
        groups = np.searchsorted(self._record_starts, numbers, side="right") - 1
        records: list[R] = []
        for group in sort_unique(groups).tolist():
            table = read_row_group(self._row_groups[group], record_type.__struct_fields__)
            rows = numbers[groups == group] - self._record_starts[group]
            records += rows_from_table(take_rows(table, rows), record_type)
        return records

    def _reject(self, numbers: Keys, exemplars: Sequence[Exemplar], rejections: Sequence[Rejection]) -> None:
        """Reject some of the exemplars with these numbers."""
        rejected = {rejection.id for rejection in rejections}
        self.exemplars.drop(numbers[[row.id in rejected for row in exemplars]])
        self._rejections.append(rejections_to_table(rejections))


def _list_row_groups(paths: Sequence[Path]) -> list[RowGroup]:
    return [(path, group) for path in paths for group in range(pq.read_metadata(path).num_row_groups)]


def _name_row_group(row_group: RowGroup) -> str:
    path, group = row_group
    return f"{path}, row group {group}"
