"""Rows whose text another split holds too: the same one, or nearly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.records import Turn
from exemplars.dataset.texts import normalize_text

COLUMNS: Final = ("utterance", "exemplar")


class Row(NamedTuple):
    """What leaks are told by."""

    id: str
    split: str
    utterance: str
    exemplar: str
    context: tuple[Turn, ...]


class Seen(NamedTuple):
    """Where a text stands that must not stand there too."""

    id: str
    split: str
    nearly: bool
    """The text is not the same, but a verified near duplicate."""


def leaked_rows(
    rows: Sequence[Row], context_turns: int, pairs: Mapping[str, Iterable[tuple[str, str]]]
) -> dict[str, Seen]:
    """The ids of the rows that leak, each with a row that shows it.

    A train row leaks if its utterance or template stands in validation or test, after normalization, or
    if a near duplicate of it does. A validation row leaks if a near duplicate of its text is in test.
    rows: sorted by id. context_turns: how many of the turns before must be equal too for the same text
    to count; of near duplicates the turns before are not asked.
    pairs: for each of `COLUMNS` the verified pairs of normalized texts.
    """
    near = {column: _neighbours(pairs.get(column, ())) for column in COLUMNS}
    held = _Held(near, context_turns)
    for one in rows:
        if one.split == "test":
            held.add(one)
    leaked = {one.id: seen for one in rows if one.split == "validation" and (seen := held.nearly(one))}
    for one in rows:
        if one.split == "validation" and one.id not in leaked:
            held.add(one)
    leaked.update(
        {
            one.id: seen
            for one in rows
            if one.split == "train" and (seen := held.same(one) or held.nearly(one))
        }
    )
    return leaked


class _Held:
    """The texts of rows that are held out."""

    def __init__(self, near: Mapping[str, Mapping[str, Sequence[str]]], context_turns: int) -> None:
        self._near = near
        self._context_turns = context_turns
        self._by_key: dict[tuple[str, ...], Row] = {}
        self._by_text: dict[tuple[str, str], Row] = {}

    def add(self, row: Row) -> None:
        for column in COLUMNS:
            self._by_key.setdefault(self._key(row, column), row)
            self._by_text.setdefault((column, normalize_text(getattr(row, column))), row)

    def same(self, row: Row) -> Seen | None:
        """The first row with the same text in the same turns before."""
        for column in COLUMNS:
            if found := self._by_key.get(self._key(row, column)):
                return Seen(found.id, found.split, False)
        return None

    def nearly(self, row: Row) -> Seen | None:
        """The first row with nearly the same text."""
        for column in COLUMNS:
            for other in self._near[column].get(normalize_text(getattr(row, column)), ()):
                if found := self._by_text.get((column, other)):
                    return Seen(found.id, found.split, True)
        return None

    def _key(self, row: Row, column: str) -> tuple[str, ...]:
        turns = row.context[-self._context_turns :] if self._context_turns else ()
        return (
            column,
            normalize_text(getattr(row, column)),
            *(normalize_text(turn.utterance) for turn in turns),
        )


def _neighbours(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    near: dict[str, list[str]] = defaultdict(list)
    for first, second in pairs:
        near[first].append(second)
        near[second].append(first)
    return near
