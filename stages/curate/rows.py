"""Rows as the steps see them: a few fields and facts of each, and the rest of it read when it is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from exemplars.core.records import Exemplar, Mode, Origin, Speaker
from exemplars.core.row_groups import RowGroups
from exemplars.core.tables import read_values
from exemplars.dataset.row_tables import exemplars_from_table
from stages.curate.facts import RowKeys, ShardFacts
from stages.curate.params import QualityFlag
from stages.curate.privacy.findings import Finding

_FIELDS: Final = (
    "id", "turn", "call", "source", "service", "skill", "mode", "speaker", "group", "split",
)  # fmt: skip
"""The columns that every row keeps."""
_ON_DEMAND: Final = ("digest", "utterance", "exemplar", "origin")
"""The columns that steps ask single rows for."""


class Row(msgspec.Struct, frozen=True, gc=False, eq=False):
    """A row of the stage's input: 0.4 kB, whatever its context and its arguments are."""

    number: int
    """In the input, from 0; rows are sorted by id."""
    id: str
    turn: str
    call: int
    source: str
    service: str | None
    skill: str | None
    mode: Mode
    speaker: Speaker
    group: str
    split: str | None
    flags: tuple[QualityFlag, ...]
    findings: Sequence[Finding]
    has_private_reply: bool
    has_private_context: bool
    reader: RowReader

    @property
    def keys(self) -> RowKeys:
        """What the row is compared by."""
        return RowKeys._make(self.reader.keys[self.number].tolist())

    @property
    def utterance(self) -> str:
        """What is said."""
        return str(self.reader.get(self.number, "utterance"))

    @property
    def exemplar(self) -> str:
        """The template."""
        return str(self.reader.get(self.number, "exemplar"))

    @property
    def digest(self) -> str:
        """The hash of the row's content."""
        return str(self.reader.get(self.number, "digest"))

    @property
    def origin(self) -> Origin:
        """Where the row came from."""
        return msgspec.convert(self.reader.get(self.number, "origin"), Origin)


class RowReader:
    """Reads what rows do not keep. Rows that are asked for in their order are read a row group at a time."""

    def __init__(self, groups: RowGroups) -> None:
        """groups: the stage's input."""
        self.groups = groups
        self.keys = np.zeros((groups.rows, len(RowKeys._fields)), np.uint64)
        """The `RowKeys` of each row."""
        self.replaced: dict[int, Exemplar] = {}
        """Rows that a step has changed, by number."""
        self._group = -1
        self._columns: dict[str, pa.ChunkedArray] = {}

    def get(self, number: int, column: str) -> Any:
        """Read a column of `_ON_DEMAND` of a row."""
        if number in self.replaced:
            value = getattr(self.replaced[number], column)
            return msgspec.to_builtins(value)
        group = self.groups.find_group(number)
        if group != self._group:
            table = self.groups.read(group, _ON_DEMAND)
            self._columns = {name: table.column(name).combine_chunks() for name in _ON_DEMAND}
            self._group = group
        return self._columns[column][number - self.groups.starts[group]].as_py()

    def make_rows(self, group: int, facts: ShardFacts) -> Iterator[Row]:
        """Make the rows of a row group. facts: of all of them."""
        table = self.groups.read(group, _FIELDS)
        columns = [read_values(table.column(name), Exemplar, name) for name in _FIELDS]
        start, end = self.groups.starts[group : group + 2]
        self.keys[start:end] = facts.keys
        for number, fact, *fields in zip(range(start, end), facts.rows, *columns, strict=True):
            values: list[Any] = [number, *fields, *fact, self]
            yield Row(*values)

    def load(self, rows: Iterable[Row]) -> dict[str, Exemplar]:
        """Load rows as a whole, each row group once; return them by id, in the order of their numbers."""
        ordered = sorted(rows, key=lambda row: row.number)
        table = self.groups.take([row.number for row in ordered])
        loaded: dict[str, Exemplar] = {}
        for row, read in zip(ordered, exemplars_from_table(table), strict=True):
            exemplar = self.replaced.get(row.number, read)
            is_moved = exemplar.group != row.group
            loaded[row.id] = msgspec.structs.replace(exemplar, group=row.group) if is_moved else exemplar
        return loaded


def replace_rows(rows: Sequence[Row], exemplars: Sequence[Exemplar], facts: ShardFacts) -> list[Row]:
    """Return rows with another content, which is read instead of that of the input from then on.

    exemplars, facts: the new contents, and what is known of them.
    """
    replaced = []
    for row, exemplar, keys, fact in zip(rows, exemplars, facts.keys, facts.rows, strict=True):
        row.reader.replaced[row.number] = exemplar
        row.reader.keys[row.number] = keys
        replaced.append(msgspec.structs.replace(row, **fact._asdict()))
    return replaced


def move_row(row: Row, groups: Mapping[str, str]) -> Row:
    """Return a row in the group that its own one joins, if it joins one."""
    group = groups.get(row.group)
    return row if group is None else msgspec.structs.replace(row, group=group)
