"""The words of the turns of the input, and of those turns that are left of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from exemplars.core.arrays import sort_unique
from exemplars.core.records import Speaker
from stages.curate.rows import Row, Rows
from stages.curate.spelling import WordCounts, list_plain_words
from stages.curate.turn_keys import read_turns, sort_by_turn


class InputWords:
    """The words of all turns of users in the input, from which those of the turns that are left follow."""

    def __init__(self, counts: WordCounts, rows: Rows) -> None:
        """counts: of each row group by itself. rows: all of the input."""
        self._counts = counts
        self._rows = rows

    def count(self, rows: Rows) -> WordCounts:
        """Count the words of rows of users. Only turns that are not whole, or in several row groups, are read again."""
        counts = WordCounts()
        counts.extend(self._counts)
        changed = self._select_changed(rows)
        left = {*changed.numbers[np.isin(changed.numbers, rows.numbers)].tolist()}
        for calls in read_turns(changed):
            for part in self._divide_by_group(calls):
                counts.remove(_name_turn(part), list_plain_words(part))
            rest = [call for call in calls if call.number in left]
            if rest:
                counts.add(_name_turn(rest), list_plain_words(rest))
        return counts

    def _select_changed(self, rows: Rows) -> Rows:
        """Select the rows of users whose turn is not whole in `rows`, or in several row groups."""
        users = self._rows.select(self._rows.match("speaker", [Speaker.USER]))
        turns = sort_by_turn(users)
        groups = turns.calls.find_row_groups()
        is_other_group = groups != groups[turns.starts][turns.turns]
        is_lost = ~np.isin(turns.calls.numbers, rows.numbers)
        changed = sort_unique(turns.turns[is_lost | is_other_group])
        return users.select(np.sort(turns.order[np.isin(turns.turns, changed)]))

    def _divide_by_group(self, calls: Iterable[Row]) -> list[list[Row]]:
        parts: dict[int, list[Row]] = defaultdict(list)
        for call in calls:
            parts[self._rows.table.groups.find_group(call.number)].append(call)
        return list(parts.values())


def count_words(rows: Rows) -> WordCounts:
    """Count the words of rows of users, reading all of them."""
    counts = WordCounts()
    for calls in read_turns(rows):
        counts.add(_name_turn(calls), list_plain_words(calls))
    return counts


def _name_turn(calls: Sequence[Row]) -> int:
    return min(call.number for call in calls)
