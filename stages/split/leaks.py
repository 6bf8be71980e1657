"""Rows whose text is, or nearly is, in a split that is held out from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exemplars.core.digests import hash_to_key
from exemplars.core.ids import SPLITS
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.split.contamination import COLUMN_NAMES
from stages.split.row_keys import RowKeys

TRAIN, VALIDATION, TEST = (SPLITS.index(name) for name in ("train", "validation", "test"))

SplitCodes = NDArray[np.int8]
"""The split of each row: its place in `SPLITS`; -1: the row is in none."""


class Leak(NamedTuple):
    """What a row has in common with a row that is held out from it."""

    likeness: str
    other: int
    """The held-out row."""


def find_leaks(
    keys: RowKeys, splits: SplitCodes, pairs: Mapping[str, Iterable[tuple[str, str]]]
) -> dict[int, Leak]:
    """Find the rows that leak, by their numbers.

    A train row leaks if its utterance or template is in validation or test, in the sense of
    `make_equality_key` or in another spelling, or if a near duplicate of it is. A validation row leaks if a near
    duplicate of its text is in test. All calls of a turn leak if any of them does; of a row that follows a tool's
    result, what the user said before counts.

    splits: the split of each row. pairs: the verified near duplicates of each column, as `make_similarity_text`
    reduces them; they count whatever the turns before.
    """
    held_out = _HeldOutTexts(keys, {column: _index_pairs(pairs.get(column, ())) for column in COLUMN_NAMES})
    for calls in _list_turns(keys, splits, TEST):
        held_out.add(calls)
    leaks = _find_in_turns(_list_turns(keys, splits, VALIDATION), held_out.find_near)
    for calls in _list_turns(keys, splits, VALIDATION):
        held_out.add(call for call in calls if call not in leaks)
    return leaks | _find_in_turns(
        _list_turns(keys, splits, TRAIN), lambda row: held_out.find_same(row) or held_out.find_near(row)
    )


def _list_turns(keys: RowKeys, splits: SplitCodes, split: int) -> Iterable[Sequence[int]]:
    return (calls for calls in keys.list_turns() if splits[calls[0]] == split)


def _find_in_turns(turns: Iterable[Sequence[int]], find: Callable[[int], Leak | None]) -> dict[int, Leak]:
    """Find the turns with a call that leaks; return its leak for all of their calls."""
    return {
        call: leak
        for calls in turns
        if (leak := next(filter(None, map(find, calls)), None)) is not None
        for call in calls
    }


class _HeldOutTexts:
    """The texts of held-out rows, each with the first row that has it."""

    def __init__(self, keys: RowKeys, near: Mapping[str, Mapping[int, Sequence[int]]]) -> None:
        self._texts = keys.texts
        self._near = near
        self._same, self._spelled, self._similar = (
            {column: dict[int, int]() for column in COLUMN_NAMES} for _ in range(3)
        )

    def add(self, rows: Iterable[int]) -> None:
        for row in rows:
            for column, texts in self._texts.items():
                self._same[column].setdefault(int(texts.same[row]), row)
                self._spelled[column].setdefault(int(texts.spelled[row]), row)
                self._similar[column].setdefault(int(texts.similar[row]), row)

    def find_same(self, row: int) -> Leak | None:
        """Find a text of the row, after the same turns."""
        for column, texts in self._texts.items():
            if (other := self._same[column].get(int(texts.same[row]))) is not None:
                return Leak(f"the same {COLUMN_NAMES[column]}", other)
        for column, texts in self._texts.items():
            if (other := self._spelled[column].get(int(texts.spelled[row]))) is not None:
                return Leak(f"the same {COLUMN_NAMES[column]} in another spelling", other)
        return None

    def find_near(self, row: int) -> Leak | None:
        """Find a near duplicate of a text of the row."""
        for column, texts in self._texts.items():
            for near in self._near[column].get(int(texts.similar[row]), ()):
                if (other := self._similar[column].get(near)) is not None:
                    return Leak(f"nearly the same {COLUMN_NAMES[column]}", other)
        return None


def describe_leak(leak: Leak, other_id: str, split: str) -> Problem:
    """Describe the problem of a row that leaks. other_id, split: of the held-out row."""
    return Problem(
        Reason.LEAKED,
        found=f"{leak.likeness} as {other_id}, which is in {split}",
        fix="to keep this row, reword one of the two",
    )


def _index_pairs(pairs: Iterable[tuple[str, str]]) -> dict[int, list[int]]:
    """Index the hashes of pairs by either of their texts."""
    near: dict[int, list[int]] = defaultdict(list)
    for first, second in pairs:
        first_key, second_key = hash_to_key(first), hash_to_key(second)
        near[first_key].append(second_key)
        near[second_key].append(first_key)
    return near
