"""What rows are compared by, as hashes: computed row group by row group, so that the stage need not hold the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from exemplars.core.digests import hash_to_key
from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar
from exemplars.core.row_groups import RowGroups
from exemplars.core.table_streams import TableSpool
from exemplars.core.turns import find_user_text
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.dataset.texts import make_equality_key, make_similarity_text, make_spelling_key
from stages.split.arrays import Groups, Keys, TurnOrder, number_groups, sort_by_turn
from stages.split.contamination import COLUMN_NAMES, find_contaminated
from stages.split.foreign_texts import ForeignText

_KINDS: Final = ("same", "spelled", "similar")
"""Of keys of a text, or, if a row follows a tool's result, of what the user said last. `same`: the text, and the turns
before it that must be equal, too, in the sense of `make_equality_key`; `spelled`: the same in the sense of
`make_spelling_key`; `similar`: the text as `make_similarity_text` reduces it."""
KEY_SCHEMA: Final = pa.schema(
    (name, pa.uint64())
    for name in (
        *("id", "turn", "group", "call", "spoken"),
        *(f"{column}.{kind}" for column in COLUMN_NAMES for kind in _KINDS),
    )
)
"""What rows are compared by: 88 bytes a row."""


class RowKeys:
    """Hashes of what rows are compared by, in the order of the rows: on disk, and read one column at a time."""

    def __init__(self, spool: TableSpool) -> None:
        """spool: has tables of `KEY_SCHEMA`."""
        self._spool = spool

    def read(self, name: str) -> Keys:
        """Read a column: 8 bytes a row."""
        return self._spool.read_column(name)

    def sort_by_turn(self) -> TurnOrder:
        """Sort the rows by turn."""
        return sort_by_turn(self.read("turn"), self.read("call"))

    def number_groups(self) -> Groups:
        """Number the groups of the rows."""
        return number_groups(self.read("group"))


class ShardKeys(NamedTuple):
    """What is known of a row group."""

    keys: pa.Table
    """Of `KEY_SCHEMA`."""
    contaminated: dict[int, Problem]
    """The rows that are in a test set of other people, by their places in the row group."""


class KeyParams(NamedTuple):
    """What keys depend on in addition to rows."""

    context_turns: int
    """The number of preceding turns that must be equal, too."""
    foreign: Sequence[ForeignText] = ()
    similarity: float = 1.0
    """From which a text is nearly that of a test set of other people."""


def hash_shard(params: KeyParams, rows: RowGroups, group: int) -> ShardKeys:
    """Hash a row group, and compare it with the test sets of other people."""
    exemplars = exemplars_from_table(rows.read(group))
    contaminated = find_contaminated(exemplars, params.foreign, params.similarity)
    places = {place: contaminated[row.id] for place, row in enumerate(exemplars) if row.id in contaminated}
    return ShardKeys(hash_rows(exemplars, params.context_turns), places)


def hash_rows(rows: Sequence[Exemplar], context_turns: int) -> pa.Table:
    """Hash rows: a table of `KEY_SCHEMA`."""
    keys = [
        (
            hash_to_key(row.id),
            hash_to_key(row.turn),
            hash_to_key(row.group),
            row.call,
            hash_to_key(make_spelling_key(row.utterance)),
            *(key for column in COLUMN_NAMES for key in _hash_text(row, column, context_turns)),
        )
        for row in rows
    ]
    columns = np.array(keys, np.uint64).reshape(-1, len(KEY_SCHEMA)).T
    return pa.Table.from_arrays(
        [pa.array(np.ascontiguousarray(column)) for column in columns], schema=KEY_SCHEMA
    )


def _hash_text(row: Exemplar, column: str, context_turns: int) -> tuple[int, int, int]:
    text = find_user_text(row, column)
    turns = [turn.utterance for turn in row.context[-context_turns:]] if context_turns else []
    return (
        hash_to_key([make_equality_key(said) for said in (text, *turns)]),
        hash_to_key([make_spelling_key(said) for said in (text, *turns)]),
        hash_to_key(make_similarity_text(text)),
    )
