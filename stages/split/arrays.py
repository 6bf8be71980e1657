"""The arrays that the stage computes with: a few bytes a row, since they are all that it holds of all rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exemplars.core.arrays import sort_unique
from exemplars.core.ids import SPLITS

TRAIN, VALIDATION, TEST = (SPLITS.index(name) for name in ("train", "validation", "test"))

Keys = NDArray[np.uint64]
"""Hashes."""
Rows = NDArray[np.int32]
"""Numbers of rows, or of groups; -1: none."""
SplitCodes = NDArray[np.int8]
"""The split of each row: its place in `SPLITS`; -1: the row is in none."""


class Groups(NamedTuple):
    """The groups of rows, by numbers in the order of their first rows."""

    numbers: Rows
    """The group of each row."""
    first_rows: Rows
    """The first row of each group."""

    def count_in(self, is_chosen: NDArray[np.bool_]) -> int:
        """Count the groups that have a row among those chosen."""
        has_row = np.zeros(len(self.first_rows), np.bool_)
        has_row[self.numbers[is_chosen]] = True
        return int(has_row.sum())


class TurnOrder(NamedTuple):
    """Rows by turn: turns in the order of their first rows, calls by position and row."""

    rows: Rows
    turns: Rows
    """The number of the turn of each of these rows, from 0 and ascending."""

    def list_calls(self, turn: int) -> list[int]:
        """List the rows of a turn."""
        start, end = np.searchsorted(self.turns, [turn, turn + 1])
        return list(map(int, self.rows[start:end]))


def find_first_rows(keys: Keys) -> Rows:
    """Find for each row the first row with the same key."""
    order = np.argsort(keys, kind="stable").astype(np.int32)
    is_new = np.diff(keys[order], prepend=~keys[order[:1]]) != 0
    first = np.empty(len(keys), np.int32)
    first[order] = order[is_new][np.cumsum(is_new, dtype=np.int32) - 1]
    return first


def number_groups(keys: Keys) -> Groups:
    """Number the groups of rows. keys: of the group of each row."""
    first = find_first_rows(keys)
    is_first = first == np.arange(len(first))
    numbers = np.cumsum(is_first, dtype=np.int32) - 1
    return Groups(numbers[first], np.flatnonzero(is_first).astype(np.int32))


def sort_by_turn(turns: Keys, calls: Keys) -> TurnOrder:
    """Sort rows by turn. turns: the key of the turn of each row. calls: its position in the turn."""
    first = find_first_rows(turns)
    rows = np.lexsort((calls, first)).astype(np.int32)
    ordered = first[rows]
    return TurnOrder(rows, np.cumsum(np.diff(ordered, prepend=ordered[:1]) != 0, dtype=np.int32))


def find_torn_turns(order: TurnOrder, groups: Groups) -> list[list[int]]:
    """Find the turns whose calls are in several groups; return their rows."""
    numbers = groups.numbers[order.rows]
    is_torn = (order.turns[1:] == order.turns[:-1]) & (numbers[1:] != numbers[:-1])
    return [order.list_calls(turn) for turn in sort_unique(order.turns[1:][is_torn]).tolist()]
