"""The words of the turns of the input, and of those turns that are left of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from exemplars.core.records import Speaker
from exemplars.core.turns import group_by_turn
from stages.curate.rows import Row
from stages.curate.spelling import WordCounts, list_plain_words


class InputWords:
    """The words of all turns of users in the input, from which those of the turns that are left follow."""

    def __init__(self, counts: WordCounts, rows: Iterable[Row]) -> None:
        """counts: of each row group by itself. rows: all of the input."""
        self._counts = counts
        self._rows = [row for row in rows if row.speaker is Speaker.USER]

    def count(self, rows: Iterable[Row]) -> WordCounts:
        """Count the words of rows of users. Only turns that are not whole, or in several row groups, are read again."""
        counts = WordCounts()
        counts.extend(self._counts)
        left = {row.number for row in rows}
        for calls in group_by_turn(self._rows).values():
            rest = [call for call in calls if call.number in left]
            parts = _divide_by_group(calls)
            if len(parts) > 1 or len(rest) < len(calls):
                for part in parts:
                    counts.remove(_name_turn(part), list_plain_words(part))
                if rest:
                    counts.add(_name_turn(rest), list_plain_words(rest))
        return counts


def count_words(rows: Iterable[Row]) -> WordCounts:
    """Count the words of rows of users, reading all of them."""
    counts = WordCounts()
    for calls in group_by_turn(rows).values():
        counts.add(_name_turn(calls), list_plain_words(calls))
    return counts


def _divide_by_group(calls: Sequence[Row]) -> list[list[Row]]:
    parts: dict[int, list[Row]] = defaultdict(list)
    for call in calls:
        parts[call.reader.groups.find_group(call.number)].append(call)
    return list(parts.values())


def _name_turn(calls: Iterable[Row]) -> int:
    return min(call.number for call in calls)
