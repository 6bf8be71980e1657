"""Rows whose text is, or nearly is, in a split that is held out from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

from exemplars.core.ids import SplitName
from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason
from exemplars.core.turns import find_user_text, group_by_turn
from exemplars.dataset.texts import make_equality_key, make_similarity_text, make_spelling_key

COLUMN_NAMES: Final = {"utterance": "utterance", "exemplar": "template"}
"""The columns whose texts are compared, as people call them."""


def find_leaks(
    rows: Sequence[Exemplar],
    splits: Mapping[str, SplitName],
    context_turns: int,
    pairs: Mapping[str, Iterable[tuple[str, str]]],
) -> dict[str, Problem]:
    """Find the rows that leak; return the problem of each, by the row's id.

    A train row leaks if its utterance or template is in validation or test, in the sense of
    `make_equality_key` or in another spelling, or if a near duplicate of it is. A validation row leaks if a near
    duplicate of its text is in test. All calls of a turn leak if any of them does; of a row that follows a tool's
    result, what the user said before counts.

    rows: sorted by id. splits: the split of each group. context_turns: the number of preceding turns that
    must be equal, too, for the same text to count; near duplicates count whatever their turns. pairs: the
    verified near duplicates of each column, as `make_similarity_text` reduces them.
    """
    near = {column: _index_pairs(pairs.get(column, ())) for column in COLUMN_NAMES}
    held_out = _HeldOutTexts(near, context_turns)
    by_split: dict[SplitName, list[list[Exemplar]]] = defaultdict(list)
    for calls in group_by_turn(rows).values():
        by_split[splits[calls[0].group]].append(calls)
    for row in chain.from_iterable(by_split["test"]):
        held_out.add(row, "test")
    leaks = _find_in_turns(by_split["validation"], held_out.find_near)
    for row in chain.from_iterable(by_split["validation"]):
        if row.id not in leaks:
            held_out.add(row, "validation")
    return leaks | _find_in_turns(
        by_split["train"], lambda row: held_out.find_same(row) or held_out.find_near(row)
    )


def _find_in_turns(
    turns: Iterable[Sequence[Exemplar]], find: Callable[[Exemplar], Problem | None]
) -> dict[str, Problem]:
    """Find the turns with a call that has a problem; return it for all of their calls, by id."""
    return {
        call.id: problem
        for calls in turns
        if (problem := next(filter(None, map(find, calls)), None)) is not None
        for call in calls
    }


class _HeldOutTexts:
    """The texts of held-out rows, each with the first row that has it."""

    def __init__(self, near: Mapping[str, Mapping[str, Sequence[str]]], context_turns: int) -> None:
        self._near = near
        self._context_turns = context_turns
        self._by_key: dict[tuple[str, ...], tuple[Exemplar, SplitName]] = {}
        self._by_spelling: dict[tuple[str, ...], tuple[Exemplar, SplitName]] = {}
        self._by_text: dict[tuple[str, str], tuple[Exemplar, SplitName]] = {}

    def add(self, row: Exemplar, split: SplitName) -> None:
        for column in COLUMN_NAMES:
            self._by_key.setdefault(self._make_key(row, column, make_equality_key), (row, split))
            self._by_spelling.setdefault(self._make_key(row, column, make_spelling_key), (row, split))
            similar = make_similarity_text(find_user_text(row, column))
            self._by_text.setdefault((column, similar), (row, split))

    def find_same(self, row: Exemplar) -> Problem | None:
        """Find a text of the row, after the same turns."""
        for column in COLUMN_NAMES:
            if match := self._by_key.get(self._make_key(row, column, make_equality_key)):
                return _describe_leak(f"the same {COLUMN_NAMES[column]}", *match)
        for column in COLUMN_NAMES:
            if match := self._by_spelling.get(self._make_key(row, column, make_spelling_key)):
                return _describe_leak(f"the same {COLUMN_NAMES[column]} in another spelling", *match)
        return None

    def find_near(self, row: Exemplar) -> Problem | None:
        """Find a near duplicate of a text of the row."""
        for column in COLUMN_NAMES:
            for other in self._near[column].get(make_similarity_text(find_user_text(row, column)), ()):
                if match := self._by_text.get((column, other)):
                    return _describe_leak(f"nearly the same {COLUMN_NAMES[column]}", *match)
        return None

    def _make_key(self, row: Exemplar, column: str, make_key: Callable[[str], str]) -> tuple[str, ...]:
        turns = row.context[-self._context_turns :] if self._context_turns else ()
        return column, make_key(find_user_text(row, column)), *(make_key(turn.utterance) for turn in turns)


def _describe_leak(likeness: str, other: Exemplar, split: SplitName) -> Problem:
    return Problem(
        Reason.LEAKED,
        found=f"{likeness} as {other.id}, which is in {split}",
        fix="to keep this row, reword one of the two",
    )


def _index_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Index pairs by either of their texts."""
    near: dict[str, list[str]] = defaultdict(list)
    for first, second in pairs:
        near[first].append(second)
        near[second].append(first)
    return near
