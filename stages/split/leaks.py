"""Rows whose text is, or nearly is, in a split that is held out from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exemplars.core.digests import hash_to_key
from exemplars.core.ids import SPLITS
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.split.contamination import COLUMN_NAMES
from stages.split.row_keys import Keys, RowKeys

TRAIN, VALIDATION, TEST = (SPLITS.index(name) for name in ("train", "validation", "test"))

SplitCodes = NDArray[np.int8]
"""The split of each row: its place in `SPLITS`; -1: the row is in none."""
Rows = NDArray[np.int64]
"""Numbers of rows; -1: none."""

_SAME: Final = (("same", ""), ("spelled", " in another spelling"))
"""The kinds of `TextKeys` that are compared for equality, in this order, and what messages add to "the same text"."""


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

    splits: the split of each row; that of a turn is that of its first call. pairs: the verified near duplicates of each
    column, as `make_similarity_text` reduces them; they count whatever the turns before.
    """
    order, turns = keys.sort_by_turn()
    first_calls = order[np.unique(turns, return_index=True)[1]]
    turn_splits = splits[first_calls][turns]
    calls = {split: order[turn_splits == split] for split in (TRAIN, VALIDATION, TEST)}
    turn_of_row = np.empty(len(order), np.int64)
    turn_of_row[order] = turns
    near = {column: _hash_pairs(pairs.get(column, ())) for column in COLUMN_NAMES}

    found = _Matches(len(order))
    found.add_near(keys, calls[VALIDATION], calls[TEST], near)
    leaks = found.spread(calls[VALIDATION], turn_of_row)
    kept = calls[VALIDATION][~np.isin(calls[VALIDATION], list(leaks))]
    held_out = np.concatenate([calls[TEST], kept])
    found = _Matches(len(order))
    found.add_same(keys, calls[TRAIN], held_out)
    found.add_near(keys, calls[TRAIN], held_out, near)
    return leaks | found.spread(calls[TRAIN], turn_of_row)


class _Matches:
    """The first match of each row that has one."""

    def __init__(self, rows: int) -> None:
        """rows: the number of all rows."""
        self._others = np.full(rows, -1, np.int64)
        self._kinds = np.zeros(rows, np.int8)
        self._likenesses: list[str] = []

    def add_same(self, keys: RowKeys, rows: Rows, held_out: Rows) -> None:
        """Add the held-out rows with the same texts, after the same turns. held_out: in the order of preference."""
        for kind, addition in _SAME:
            for column, texts in keys.texts.items():
                own = getattr(texts, kind)
                self._add(
                    rows,
                    _look_up(own[held_out], held_out, own[rows]),
                    f"the same {COLUMN_NAMES[column]}{addition}",
                )

    def add_near(
        self, keys: RowKeys, rows: Rows, held_out: Rows, pairs: Mapping[str, tuple[Keys, Keys]]
    ) -> None:
        """Add the held-out rows with near duplicates. pairs: the two texts of each pair, by column, in either order."""
        for column, texts in keys.texts.items():
            first, second = pairs[column]
            others = _look_up(texts.similar[held_out], held_out, second)
            is_held_out = others >= 0
            found = _look_up(first[is_held_out], others[is_held_out], texts.similar[rows])
            self._add(rows, found, f"nearly the same {COLUMN_NAMES[column]}")

    def _add(self, rows: Rows, others: Rows, likeness: str) -> None:
        is_new = (others >= 0) & (self._others[rows] < 0)
        self._others[rows[is_new]] = others[is_new]
        self._kinds[rows[is_new]] = len(self._likenesses)
        self._likenesses.append(likeness)

    def spread(self, calls: Rows, turn_of_row: NDArray[np.int64]) -> dict[int, Leak]:
        """Return the match of each call that leaks: that of the first call of its turn that has one.

        calls: of whole turns, in the order of `RowKeys.sort_by_turn`. turn_of_row: the number of the turn of each row.
        """
        matched = calls[self._others[calls] >= 0]
        turns, first = np.unique(turn_of_row[matched], return_index=True)
        leaking = calls[np.isin(turn_of_row[calls], turns)]
        sources = matched[first][np.searchsorted(turns, turn_of_row[leaking])]
        return {
            row: Leak(self._likenesses[kind], other)
            for row, kind, other in zip(
                leaking.tolist(), self._kinds[sources].tolist(), self._others[sources].tolist(), strict=True
            )
        }


def _look_up(known: Keys, values: Rows, wanted: Keys) -> Rows:
    """Return for each wanted key the value of the first equal known key; -1: no key is equal."""
    unique, first = np.unique(known, return_index=True)
    if not len(unique):
        return np.full(len(wanted), -1, np.int64)
    places = np.searchsorted(unique, wanted).clip(max=len(unique) - 1)
    return np.where(unique[places] == wanted, values[first[places]], -1)


def _hash_pairs(pairs: Iterable[tuple[str, str]]) -> tuple[Keys, Keys]:
    """Hash the texts of pairs: each pair as it is, then with its texts exchanged, in the order of the pairs."""
    flat = np.array([hash_to_key(text) for pair in pairs for text in pair], np.uint64).reshape(-1, 2)
    both = np.stack([flat, flat[:, ::-1]], axis=1).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def describe_leak(leak: Leak, other_id: str, split: str) -> Problem:
    """Describe the problem of a row that leaks. other_id, split: of the held-out row."""
    return Problem(
        Reason.LEAKED,
        found=f"{leak.likeness} as {other_id}, which is in {split}",
        fix="to keep this row, reword one of the two",
    )
