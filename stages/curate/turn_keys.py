"""Turns as keys: what the calls of each turn have in common with those of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exemplars.core.arrays import sort_unique
from stages.curate.key_arrays import Keys, mix_bits
from stages.curate.rows import Row, Rows, RowTable


class Repeats(NamedTuple):
    """Rows whose turn repeats an earlier one."""

    numbers: NDArray[np.int64]
    """Of the rows, in ascending order."""
    firsts: NDArray[np.int64]
    """For each of them, the number of the first call of the turn that it repeats."""

    def read_first_ids(self, table: RowTable) -> Callable[[int], str]:
        """Read the ids of `firsts`; return a function that finds that of a row by its number."""
        firsts, places = np.unique(self.firsts, return_inverse=True)
        ids = table.read_texts("id", firsts)
        return lambda number: str(ids[int(places[np.searchsorted(self.numbers, number)])])


class Turns(NamedTuple):
    """The turns of some rows, in the order of their first rows."""

    order: NDArray[np.int64]
    """The places of the rows: the calls of a turn one after the other, by position and number."""
    calls: Rows
    """The rows in this order."""
    turns: NDArray[np.int64]
    """The turn of each call, from 0."""
    starts: NDArray[np.int64]
    """The place of the first call of each turn."""

    def get_first(self, column: str) -> NDArray[Any]:
        """Return the value of the first call of each turn."""
        return self.calls[column][self.starts]

    def hash_all(self, column: str) -> Keys:
        """Hash the values of each turn's calls, whatever their order."""
        return self._add_up(mix_bits(self.calls[column]), self.starts)

    def hash_different(self, column: str) -> Keys:
        """Hash the different values of each turn's calls, whatever their order. column: of codes."""
        values = self.calls[column].astype(np.int64)
        width = values.max(initial=0) + 1
        turns, different = np.divmod(sort_unique(self.turns * width + values), width)
        return self._add_up(mix_bits(different), np.searchsorted(turns, np.arange(len(self.starts))))

    def _add_up(self, keys: Keys, starts: NDArray[np.int64]) -> Keys:
        return np.add.reduceat(keys, starts) if len(starts) else keys

    def find_repeats(self, keys: Keys, compared: NDArray[np.bool_] | None = None) -> Repeats:
        """Find the turns with the key of an earlier one. compared: whether each turn counts; `None`: all."""
        places = np.arange(len(self.starts)) if compared is None else np.flatnonzero(compared)
        _, first, inverse = np.unique(keys[places], return_index=True, return_inverse=True)
        firsts = np.arange(len(self.starts))
        firsts[places] = places[first[inverse]]
        is_repeat = (firsts != np.arange(len(firsts)))[self.turns]
        numbers = self.calls.numbers[is_repeat]
        repeated = self.calls.numbers[self.starts[firsts[self.turns[is_repeat]]]]
        order = np.argsort(numbers)
        return Repeats(numbers[order], repeated[order])


def sort_by_turn(rows: Rows) -> Turns:
    """Sort rows by their turns."""
    _, first, inverse = np.unique(rows["turn"], return_index=True, return_inverse=True)
    firsts = first[inverse]
    order = np.lexsort((rows.numbers, rows["call"], firsts))
    starts = np.flatnonzero(np.diff(firsts[order], prepend=-1))
    turns = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(order)))
    return Turns(order, rows.select(order), turns, starts)


def read_turns(rows: Rows) -> Iterator[list[Row]]:
    """Read rows by turn: turns in the order of their first rows, calls by position and number."""
    for part in rows.divide_by("turn"):
        turns = sort_by_turn(part)
        calls = {row.number: row for row in part}
        for start, end in pairwise([*turns.starts.tolist(), len(part)]):
            yield [calls[number] for number in turns.calls.numbers[start:end].tolist()]
