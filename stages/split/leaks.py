"""Rows whose text is, or nearly is, in a split that is held out from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exemplars.core.digests import hash_to_key
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.split.arrays import TEST, TRAIN, VALIDATION, Keys, Rows, SplitCodes, TurnOrder
from stages.split.contamination import COLUMN_NAMES
from stages.split.row_keys import RowKeys

Pairs = Mapping[str, Keys]
"""Near duplicates by column: the keys of the two texts of each pair, (pairs, 2)."""
_CHUNK: Final = 2**16
"""Rows, or pairs, whose keys are looked up at a time."""
_COMPARISONS: Final = tuple(
    (kind, column, f"{likeness} {name}{addition}")
    for kind, likeness, addition in (
        ("same", "the same", ""),
        ("spelled", "the same", " in another spelling"),
        ("similar", "nearly the same", ""),
    )
    for column, name in COLUMN_NAMES.items()
)
"""The kinds of keys that rows are compared by, in this order, and what a message says of equal ones."""


class Leaks(NamedTuple):
    """The rows that leak, in ascending order."""

    rows: Rows
    others: Rows
    """The held-out row that each has a text in common with."""
    likenesses: NDArray[np.int8]
    """What they have in common: a place in `_COMPARISONS`."""


def find_leaks(keys: RowKeys, order: TurnOrder, splits: SplitCodes, pairs: Pairs) -> Leaks:
    """Find the rows that leak.

    A train row leaks if its utterance or template is in validation or test, in the sense of
    `make_equality_key` or in another spelling, or if a near duplicate of it is. A validation row leaks if a near
    duplicate of its text is in test. All calls of a turn leak if any of them does; of a row that follows a tool's
    result, what the user said before counts.

    splits: the split of each row; that of a turn is that of its first call. pairs: the verified near duplicates, as
    `make_similarity_text` reduces them; they count whatever the turns before.
    """
    first_calls = order.rows[np.flatnonzero(np.diff(order.turns, prepend=-1))]
    turn_splits = splits[first_calls][order.turns]
    train, validation, test = (order.rows[turn_splits == split] for split in (TRAIN, VALIDATION, TEST))
    found = _Matches(len(splits))
    found.add_near(keys, validation, test, pairs)
    of_validation = found.spread(order, turn_splits == VALIDATION)
    is_kept = np.ones(len(splits), np.bool_)
    is_kept[of_validation.rows] = False
    held_out = np.concatenate([test, validation[is_kept[validation]]])
    found = _Matches(len(splits))
    found.add_same(keys, train, held_out)
    found.add_near(keys, train, held_out, pairs)
    of_train = found.spread(order, turn_splits == TRAIN)
    return _join_leaks(of_validation, of_train)


def _join_leaks(first: Leaks, second: Leaks) -> Leaks:
    rows = np.concatenate([first.rows, second.rows])
    order = np.argsort(rows)
    others = np.concatenate([first.others, second.others])
    return Leaks(rows[order], others[order], np.concatenate([first.likenesses, second.likenesses])[order])


class _Matches:
    """The first match of each row that has one."""

    def __init__(self, rows: int) -> None:
        """rows: the number of all rows."""
        self._others = np.full(rows, -1, np.int32)
        self._likenesses = np.zeros(rows, np.int8)

    def add_same(self, keys: RowKeys, rows: Rows, held_out: Rows) -> None:
        """Add the held-out rows with the same texts, after the same turns. held_out: in the order of preference."""
        for place, (kind, column, _) in enumerate(_COMPARISONS):
            if kind != "similar":
                own = keys.read(f"{column}.{kind}")
                self._add(place, rows, own, _Index(own[held_out], held_out))

    def add_near(self, keys: RowKeys, rows: Rows, held_out: Rows, pairs: Pairs) -> None:
        """Add the held-out rows with near duplicates. held_out: in the order of preference."""
        for place, (kind, column, _) in enumerate(_COMPARISONS):
            if kind == "similar" and column in pairs:
                own = keys.read(f"{column}.similar")
                near = _find_near(pairs[column], _Index(own[held_out], held_out))
                self._add(place, rows, own, near)

    def _add(self, place: int, rows: Rows, own: Keys, known: _Index) -> None:
        """Add the matches of rows that have none yet. own: the keys of all rows."""
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            others = known.look_up(own[part])
            is_new = (others >= 0) & (self._others[part] < 0)
            self._others[part[is_new]] = others[is_new]
            self._likenesses[part[is_new]] = place

    def spread(self, order: TurnOrder, is_compared: NDArray[np.bool_]) -> Leaks:
        """Return the match of each call that leaks: that of the first call of its turn that has one.

        is_compared: whether each call, in the given order, is of a turn that is looked at.
        """
        matched = np.flatnonzero(is_compared & (self._others[order.rows] >= 0))
        turns, first = np.unique(order.turns[matched], return_index=True)
        leaking = np.flatnonzero(np.isin(order.turns, turns))
        sources = order.rows[matched[first]][np.searchsorted(turns, order.turns[leaking])]
        return Leaks(order.rows[leaking], self._others[sources], self._likenesses[sources])


class _Index:
    """Finds the value of the first of equal keys."""

    def __init__(self, keys: Keys, values: Rows) -> None:
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        is_first = np.diff(ordered, prepend=~ordered[:1]) != 0
        self._keys, self._values = ordered[is_first], values[order[is_first]]

    def look_up(self, wanted: Keys) -> Rows:
        """Return the value of each key; -1: it is not known."""
        if not len(self._keys):
            return np.full(len(wanted), -1, np.int32)
        places = np.searchsorted(self._keys, wanted).clip(max=len(self._keys) - 1)
        return np.where(self._keys[places] == wanted, self._values[places], np.int32(-1))


def _find_near(pairs: Keys, held_out: _Index) -> _Index:
    """Find the texts with near duplicates that are held out, and one of the rows that have these."""
    texts, rows = [np.empty(0, np.uint64)], [np.empty(0, np.int32)]
    for start in range(0, len(pairs), _CHUNK):
        part = pairs[start : start + _CHUNK]
        others = held_out.look_up(part[:, ::-1].ravel())
        texts.append(part.ravel()[others >= 0])
        rows.append(others[others >= 0])
    return _Index(np.concatenate(texts), np.concatenate(rows))


def hash_pairs(pairs: Iterable[tuple[str, str]]) -> Keys:
    """Hash the texts of pairs: (pairs, 2)."""
    return np.array([hash_to_key(text) for pair in pairs for text in pair], np.uint64).reshape(-1, 2)


def describe_leak(likeness: int, other_id: str, split: str) -> Problem:
    """Describe the problem of a row that leaks.

    likeness: a place in `_COMPARISONS`. other_id, split: of the held-out row.
    """
    return Problem(
        Reason.LEAKED,
        found=f"{_COMPARISONS[likeness][2]} as {other_id}, which is in {split}",
        fix="to keep this row, reword one of the two",
    )
