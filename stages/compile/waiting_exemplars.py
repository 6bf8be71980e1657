"""The exemplars of the stage: on disk until it is known which of them stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exemplars.core.records import Exemplar
from exemplars.core.table_streams import TableSpool
from exemplars.core.tables import take_rows
from exemplars.dataset.row_tables import exemplars_to_table
from stages.compile.row_keys import KEYS, Keys, find_repeated, find_shared, mark_members


class WaitingExemplars:
    """Exemplars by their numbers, from 0; of each, only whether it stays is in memory, and a key while one is used."""

    def __init__(self, rows: TableSpool, keys: TableSpool) -> None:
        """rows: empty, for the exemplars. keys: empty, for their keys."""
        self._rows = rows
        self._keys = keys
        self._edited: dict[int, Exemplar] = {}
        """The exemplars that take the places of others."""
        self._dropped: list[Keys] = []

    def __len__(self) -> int:
        """Return the number of exemplars, including those that do not stay."""
        return self._rows.starts[-1]

    def append(self, exemplars: pa.Table, keys: pa.Table) -> None:
        """Add exemplars. keys: theirs, of `KEY_SCHEMA`."""
        self._rows.append(exemplars)
        self._keys.append(keys)

    def replace(self, number: int, exemplar: Exemplar) -> None:
        """Put an exemplar in the place of the one with a number."""
        self._edited[number] = exemplar

    def drop(self, numbers: Keys) -> None:
        """Drop exemplars."""
        self._dropped.append(numbers)

    def take(self, numbers: Keys) -> pa.Table:
        """Take exemplars. numbers: in ascending order."""
        table = self._rows.take(numbers)
        if not self._edited:
            return table
        places = [place for place, number in enumerate(numbers.tolist()) if number in self._edited]
        return _replace_rows(table, places, [self._edited[number] for number in numbers[places].tolist()])

    def select(self, numbers: Keys) -> Iterator[tuple[int, pa.Table]]:
        """Take many exemplars; yield them in parts, each with the place of its first number.

        numbers: in ascending order.
        """
        for start, end in pairwise(np.searchsorted(numbers, self._rows.starts).tolist()):
            if start < end:
                yield start, self.take(numbers[start:end])

    def read_kept(self) -> Iterator[pa.Table]:
        """Read the exemplars that stay, in parts."""
        is_kept = self._mark_kept()
        for start, end in pairwise(self._rows.starts):
            yield self.take(start + np.flatnonzero(is_kept[start:end]))

    def find_answers(self, answers: Keys) -> tuple[Keys, Keys]:
        """Find the exemplars that stay and have one of some `hash_answer`, which are in ascending order.

        Returns their numbers, in ascending order, and these keys.
        """
        return self._find(self._read_keys("answer"), answers)

    def find_alike(self) -> tuple[Keys, Keys]:
        """Find the exemplars that stay whose `prefilter_key` another turn has, too.

        Returns their numbers, in ascending order, and these keys.
        """
        contents = self._read_keys("content")
        numbers, keys = self._find(contents, find_repeated(contents[self._mark_kept()]))
        del contents
        is_shared = mark_members(keys, find_shared(keys, self._read_keys("turn")[numbers]))
        return numbers[is_shared], keys[is_shared]

    def count_templates(self) -> int:
        """Count the different templates of the exemplars that stay."""
        keys = np.sort(self._read_keys("template")[self._mark_kept()])
        return int(np.count_nonzero(np.diff(keys))) + bool(len(keys))

    def _read_keys(self, name: str) -> Keys:
        keys = self._keys.read_column(name)
        for number, exemplar in self._edited.items():
            keys[number] = KEYS[name](exemplar)
        return keys

    def _find(self, keys: Keys, wanted: Keys) -> tuple[Keys, Keys]:
        """Find the exemplars that stay and have one of the wanted keys: their numbers, and these keys.

        keys: of all exemplars. wanted: in ascending order.
        """
        is_kept = self._mark_kept()
        for start, end in pairwise(self._rows.starts):
            is_kept[start:end] &= mark_members(keys[start:end], wanted)
        numbers = np.flatnonzero(is_kept)
        return numbers, keys[numbers]

    def _mark_kept(self) -> NDArray[np.bool_]:
        is_kept = np.ones(len(self), np.bool_)
        for numbers in self._dropped:
            is_kept[numbers] = False
        return is_kept


def _replace_rows(table: pa.Table, numbers: Sequence[int], rows: Sequence[Exemplar]) -> pa.Table:
    """Return a table with other rows in some places, and all rows in their order. numbers: the places."""
    order = list(range(table.num_rows))
    for position, number in enumerate(numbers):
        order[number] = table.num_rows + position
    return take_rows(pa.concat_tables([table, exemplars_to_table(rows)]), order)
