"""Rows as the steps see them: columns of what is compared, and the rest of a row, both read when they are needed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from exemplars.core.records import Exemplar, Origin
from exemplars.core.row_groups import RowGroups
from exemplars.core.tables import rows_from_table, take_rows
from exemplars.dataset.row_tables import exemplars_from_table
from stages.curate.column_file import ColumnFile
from stages.curate.facts import RowKeys, ShardFacts
from stages.curate.privacy.findings import Finding

_CODED: Final = ("source", "service", "skill", "mode", "speaker", "split")
"""Columns with few different texts."""
_BATCH: Final = 4096
"""Rows that are read at a time, but for those that belong together."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """What steps read of a row that they report or reject."""

    number: int
    """In the input, from 0; rows are sorted by id."""
    id: str
    digest: str
    source: str
    skill: str | None
    utterance: str
    exemplar: str
    group: str
    origin: Origin


_FIELDS: Final = Row.__struct_fields__[1:]


class RowTable:
    """All rows of the stage's input, as columns of numbers: 120 bytes a row on disk, whatever is in it."""

    def __init__(self, groups: RowGroups, file: BinaryIO) -> None:
        """groups: the stage's input. file: for the columns; empty."""
        self.groups = groups
        types: dict[str, type[np.generic]] = {
            **dict.fromkeys(RowKeys._fields, np.uint64),
            **dict.fromkeys((*_CODED, "call"), np.int32),
            "flags": np.uint8,
            "has_private_reply": np.bool_,
            "has_private_context": np.bool_,
        }
        self.columns = ColumnFile(file, groups.rows, types)
        """`RowKeys`, facts, and codes of texts: see `Rows.match`."""
        self.findings: dict[int, Sequence[Finding]] = {}
        """The personal data in the utterances of rows that have any, by number."""
        self.replaced: dict[int, Exemplar] = {}
        """Rows that a step has changed, by number."""
        self.group_names: dict[int, str] = {}
        """The names of groups that rows have joined, by their keys."""
        self.codes: dict[str, dict[str, int]] = {name: {} for name in _CODED}
        """The code of each text of a column; that of the empty text: the row has none."""

    def fill(self, group: int, facts: ShardFacts) -> None:
        """Fill in the rows of a row group. facts: of all of them."""
        start, end = self.groups.starts[group : group + 2]
        self._set_facts(np.arange(start, end), facts)
        table = self.groups.read(group, (*_CODED, "call"))
        self.columns.write("call", start, table.column("call").to_numpy())
        for name in _CODED:
            self.columns.write(name, start, self._encode(name, table.column(name)))

    def replace(self, exemplars: Mapping[int, Exemplar], facts: ShardFacts) -> None:
        """Give rows another content, which is read instead of that of the input from then on.

        exemplars: the contents, by number. facts: of all of them, in their order.
        """
        self.replaced |= exemplars
        for number in exemplars:
            self.findings.pop(number, None)
        self._set_facts(np.array(list(exemplars), np.int64), facts)

    def _set_facts(self, numbers: NDArray[np.int64], facts: ShardFacts) -> None:
        for name, keys in zip(RowKeys._fields, facts.keys.T, strict=True):
            self.columns.put(name, numbers, keys)
        for name in ("flags", "has_private_reply", "has_private_context"):
            self.columns.put(name, numbers, getattr(facts, name))
        self.findings |= {int(numbers[place]): found for place, found in facts.findings.items()}

    def _encode(self, name: str, column: pa.ChunkedArray) -> NDArray[np.int32]:
        encoded = column.combine_chunks().dictionary_encode("encode")
        known = self.codes[name]
        codes = [known.setdefault(text or "", len(known)) for text in encoded.dictionary.to_pylist()]
        values: NDArray[np.int32] = np.array(codes, np.int32)[encoded.indices.to_numpy()]
        return values

    def read_texts(self, column: str, numbers: NDArray[np.int64]) -> pa.Array:
        """Read a column of texts of rows as it is in the input."""
        order = np.argsort(numbers)
        texts = self.groups.take(numbers[order].tolist(), [column]).column(column)
        return texts.take(pa.array(np.argsort(order))).combine_chunks()

    def select_all(self) -> Rows:
        """Select all rows."""
        return Rows(self, np.arange(self.groups.rows))

    def find(self, ids: Sequence[str]) -> Rows:
        """Find rows by their ids; those that do not exist are left out."""
        if not ids:
            return Rows(self, np.empty(0, np.int64))
        wanted = pa.array(ids, pa.string())
        numbers = [
            start + np.flatnonzero(pc.is_in(table.column("id"), wanted).to_numpy())
            for start, table in zip(self.groups.starts, self.groups.scan(["id"]), strict=False)
        ]
        return Rows(self, np.concatenate(numbers))

    def read(self, group: int, numbers: NDArray[np.int64]) -> list[Row]:
        """Read rows of a row group."""
        table = take_rows(self.groups.read(group, _FIELDS), (numbers - self.groups.starts[group]).tolist())
        rows = rows_from_table(table.append_column("number", pa.array(numbers)), Row)
        if not self.replaced and not self.group_names:
            return rows
        return [self._update(row, key) for row, key in zip(rows, self._read_groups(numbers), strict=True)]

    def _update(self, row: Row, group: int) -> Row:
        if row.number in self.replaced:
            exemplar = self.replaced[row.number]
            row = Row(row.number, *(getattr(exemplar, name) for name in _FIELDS))
        return msgspec.structs.replace(row, group=self.group_names.get(group, row.group))

    def load(self, numbers: Sequence[int]) -> dict[int, Exemplar]:
        """Load rows as a whole, by number. numbers: in ascending order."""
        loaded = {}
        rows = exemplars_from_table(self.groups.take(numbers))
        groups = self._read_groups(np.array(numbers, np.int64))
        for number, read, key in zip(numbers, rows, groups, strict=True):
            exemplar = self.replaced.get(number, read)
            group = self.group_names.get(key, exemplar.group)
            is_moved = group != exemplar.group
            loaded[number] = msgspec.structs.replace(exemplar, group=group) if is_moved else exemplar
        return loaded

    def _read_groups(self, numbers: NDArray[np.int64]) -> list[int]:
        keys: list[int] = self.columns.take("group", numbers).tolist()
        return keys


@dataclass(frozen=True)
class Rows:
    """Some rows of a table, in an order."""

    table: RowTable
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.numbers)

    def __getitem__(self, column: str) -> NDArray[Any]:
        """Return the values of a column of `RowTable.columns`."""
        return self.table.columns.take(column, self.numbers)

    def __iter__(self) -> Iterator[Row]:
        """Read the rows, a row group at a time if they are in the order of their numbers."""
        for part in self.divide_by_row_group():
            yield from self.table.read(self.table.groups.find_group(int(part.numbers[0])), part.numbers)

    def divide_by_row_group(self) -> Iterator[Rows]:
        """Divide rows where the next one is in another row group."""
        groups = self.find_row_groups()
        for numbers in np.split(self.numbers, np.flatnonzero(np.diff(groups)) + 1):
            if len(numbers):
                yield Rows(self.table, numbers)

    def find_row_groups(self) -> NDArray[np.int64]:
        """Find the row group of each row."""
        return np.searchsorted(self.table.groups.starts, self.numbers, "right") - 1

    def select(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Rows:
        """Select rows, by a mask or by their places."""
        return Rows(self.table, self.numbers[chosen])

    def join(self, *others: Rows) -> Rows:
        """Put these rows and others one after the other."""
        return Rows(self.table, np.concatenate([self.numbers, *(other.numbers for other in others)]))

    def match(self, column: str, texts: Collection[str]) -> NDArray[np.bool_]:
        """Return whether each row has one of some texts in a column of codes; the empty text: it has none."""
        return np.isin(
            self[column], [code for text, code in self.table.codes[column].items() if text in texts]
        )

    def rank_texts(self, column: str) -> NDArray[np.int64]:
        """Return a number for each row in the order of the texts of a column of codes."""
        ranks: NDArray[np.int64] = np.argsort(np.argsort(list(self.table.codes[column])))
        ranked: NDArray[np.int64] = ranks[self[column]]
        return ranked

    def load(self) -> dict[int, Exemplar]:
        """Load the rows as a whole, by number, in ascending order."""
        return self.table.load(np.sort(self.numbers).tolist())

    def divide_by(self, column: str) -> Iterator[Rows]:
        """Divide rows into parts of bounded size; those with the same value are in one part, whatever their number.

        Parts are in the order of their first rows, and rows within a part in ascending order.
        """
        _, first, inverse = np.unique(self[column], return_index=True, return_inverse=True)
        firsts = first[inverse]
        order = np.argsort(firsts, kind="stable")
        starts = np.flatnonzero(np.diff(firsts[order], prepend=-1))
        cuts = starts[np.flatnonzero(np.diff(starts // _BATCH)) + 1]
        for places in np.split(order, cuts):
            if len(places):
                yield self.select(np.sort(places))

    def move(self, groups: NDArray[np.uint64], names: Mapping[int, str]) -> None:
        """Move the rows to other groups. groups: their keys. names: of the groups, by key."""
        self.table.columns.put("group", self.numbers, groups)
        self.table.group_names |= names
