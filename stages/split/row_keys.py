"""What rows are compared by, as hashes: computed row group by row group, so that the stage need not hold the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exemplars.core.digests import hash_to_key
from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar
from exemplars.core.row_groups import RowGroups
from exemplars.core.turns import find_user_text
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.dataset.texts import make_equality_key, make_similarity_text, make_spelling_key
from stages.split.contamination import COLUMN_NAMES, find_contaminated
from stages.split.foreign_texts import ForeignText

Keys = NDArray[np.uint64]
_COUNT: Final = 5 + 3 * len(COLUMN_NAMES)


class TextKeys(NamedTuple):
    """Hashes of a text of each row; of what the user said last, if a row follows a tool's result."""

    same: Keys
    """The text, and the turns before it that must be equal, too, in the sense of `make_equality_key`."""
    spelled: Keys
    """The same in the sense of `make_spelling_key`."""
    similar: Keys
    """The text as `make_similarity_text` reduces it."""


class RowKeys:
    """Hashes of what rows are compared by: 88 bytes a row, in the order of the rows."""

    def __init__(self, parts: Iterable[Keys]) -> None:
        """parts: of the row groups, as `hash_rows` returns them."""
        table = np.concatenate([np.empty((0, _COUNT), np.uint64), *parts])
        self.id, self.turn, self.group, self.call, self.spoken = table.T[:5]
        self.texts = {
            column: TextKeys(*table.T[5 + 3 * place : 8 + 3 * place])
            for place, column in enumerate(COLUMN_NAMES)
        }

    def sort_by_turn(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sort rows: turns in the order of their first rows, calls by position and row.

        Return the numbers of the rows, and of the turn of each, from 0 and ascending.
        """
        _, first, inverse = np.unique(self.turn, return_index=True, return_inverse=True)
        firsts = first[inverse]
        order = np.lexsort((np.arange(len(firsts)), self.call, firsts))
        is_next = np.diff(firsts[order], prepend=firsts[order[:1]]) != 0
        return order, np.cumsum(is_next)

    def list_turns(self) -> Iterator[list[int]]:
        """Yield the rows of each turn, in the order of `sort_by_turn`."""
        order, turns = self.sort_by_turn()
        borders = np.flatnonzero(np.diff(turns)) + 1
        for start, end in pairwise([0, *borders.tolist(), len(order)] if len(order) else []):
            yield order[start:end].tolist()

    def find_torn_turns(self) -> list[list[int]]:
        """Find the turns whose calls are in several groups; return their rows."""
        order, turns = self.sort_by_turn()
        groups = self.group[order]
        is_torn = (turns[1:] == turns[:-1]) & (groups[1:] != groups[:-1])
        return [order[turns == turn].tolist() for turn in np.unique(turns[1:][is_torn])]


class ShardKeys(NamedTuple):
    """What is known of a row group."""

    keys: Keys
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


def hash_rows(rows: Sequence[Exemplar], context_turns: int) -> Keys:
    """Hash rows: (rows, keys), for `RowKeys`."""
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
    return np.array(keys, np.uint64).reshape(-1, _COUNT)


def _hash_text(row: Exemplar, column: str, context_turns: int) -> tuple[int, int, int]:
    text = find_user_text(row, column)
    turns = [turn.utterance for turn in row.context[-context_turns:]] if context_turns else []
    return (
        hash_to_key([make_equality_key(said) for said in (text, *turns)]),
        hash_to_key([make_spelling_key(said) for said in (text, *turns)]),
        hash_to_key(make_similarity_text(text)),
    )
