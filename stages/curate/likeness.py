"""Candidates compared with the rows that come before them: what they repeat, nearly repeat or contradict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from exemplars.core.ledger import Problem
from exemplars.core.records import Reason, TextPair
from exemplars.core.turns import group_by_turn
from stages.curate.facts import COLUMNS
from stages.curate.meanings import format_meaning
from stages.curate.rows import Row, RowReader, move_row
from stages.curate.steps.base import Curation
from stages.curate.steps.conflicts import find_conflicts
from stages.curate.steps.exact_duplicates import describe_repeat, find_exact_duplicates
from stages.curate.steps.near_duplicates import (
    describe_near_duplicate,
    find_row_pairs,
    list_text_keys,
    make_repeat_key,
)

_FIX: Final = "correct it, or reject it"


class Likeness:
    """Which texts of rows are the same or nearly the same."""

    def __init__(self, rows: Sequence[Row], curation: Curation) -> None:
        """rows: all that are compared."""
        self._texts: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for column in COLUMNS:
            texts = curation.texts.read(list_text_keys(rows, column))
            for row, text in zip(rows, texts, strict=True):
                if text:
                    self._texts[row.number].append((column, text))
        self._pairs = find_row_pairs(rows, curation)
        self._neighbors: dict[tuple[str, str], set[str]] = defaultdict(set)
        for pair in self._pairs:
            self._neighbors[pair.column, pair.first].add(pair.second)
            self._neighbors[pair.column, pair.second].add(pair.first)

    def list_near_texts(self, row: Row) -> Iterator[tuple[str, str]]:
        """List the column and text of a row and of all that is nearly the same."""
        for column, text in self._texts[row.number]:
            yield column, text
            yield from ((column, neighbor) for neighbor in sorted(self._neighbors.get((column, text), ())))

    def find_repeats(self, rows: Sequence[Row], candidates: Sequence[Row]) -> dict[str, Problem]:
        """Find the candidates that nearly repeat a row or an earlier candidate, with the same meaning.

        Returns their ids, each with its problem.
        """
        problems: dict[str, Problem] = {}
        first_ids: dict[tuple[object, ...], str] = {}
        for calls in group_by_turn(rows).values():
            self._add_turn(calls, first_ids)
        for calls in group_by_turn(candidates).values():
            key = make_repeat_key(calls)
            near = ((*place, *key) for place in self.list_near_texts(calls[0]))
            first = next((first_ids[place] for place in near if place in first_ids), None)
            if first is None:
                self._add_turn(calls, first_ids)
            else:
                problems.update({call.id: describe_near_duplicate(first) for call in calls})
        return problems

    def _add_turn(self, calls: Sequence[Row], first_ids: dict[tuple[object, ...], str]) -> None:
        key = make_repeat_key(calls)
        for place in self._texts[calls[0].number]:
            first_ids.setdefault((*place, *key), calls[0].id)

    def join_groups(self, rows: Iterable[Row], candidates: Sequence[Row]) -> list[Row]:
        """Return candidates with the group of a row whose text is nearly theirs, if both may be in the same split.

        All candidates of a group join the same one. The groups of the rows stay as they are.
        """
        groups: dict[tuple[str, ...], str] = {}
        for row in rows:
            for place in self._texts[row.number]:
                groups.setdefault((*place, row.split or ""), row.group)
        joined: dict[str, str] = {}
        for row in candidates:
            for place in self.list_near_texts(row):
                if (group := groups.get((*place, row.split or ""))) is not None:
                    joined.setdefault(row.group, group)
        return [move_row(row, joined) for row in candidates]

    def list_pairs(self, rows: Iterable[Row], known: Iterable[TextPair]) -> list[TextPair]:
        """List the pairs of texts of some rows, and those that are known, sorted within each column."""
        texts = {text for row in rows for text in self._texts[row.number]}
        pairs = {
            pair
            for pair in self._pairs
            if (pair.column, pair.first) in texts and (pair.column, pair.second) in texts
        }
        return sorted({*pairs, *known}, key=lambda pair: (COLUMNS.index(pair.column), pair))


def find_candidate_problems(
    rows: Sequence[Row], candidates: Sequence[Row], likeness: Likeness, reader: RowReader
) -> dict[str, Problem]:
    """Find the candidates that contradict rows, or repeat a row or an earlier candidate: their ids, with the problem.

    reader: as in `find_conflicts`.
    """
    problems = _find_contradictions(rows, candidates, reader)
    rest = [row for row in candidates if row.id not in problems]
    repeats = find_exact_duplicates([*rows, *rest])
    problems |= likeness.find_repeats(rows, rest)
    return problems | {row.id: describe_repeat(repeats[row.id]) for row in rest if row.id in repeats}


def _find_contradictions(
    rows: Sequence[Row], candidates: Sequence[Row], reader: RowReader
) -> dict[str, Problem]:
    """Find the candidates with the text of rows, and none of their meanings: their ids, with the problem."""
    compared = {row.id for row in candidates}
    problems: dict[str, Problem] = {}
    for conflict in find_conflicts([*rows, *candidates], reader):
        settled = {
            format_meaning(calls): calls[0].id for calls in conflict.turns if calls[0].id not in compared
        }
        for calls in conflict.turns:
            meaning = format_meaning(calls)
            if settled and meaning not in settled:
                problem = _describe_contradiction(meaning, settled)
                problems.update({call.id: problem for call in calls})
    return problems


def _describe_contradiction(meaning: str, others: Mapping[str, str]) -> Problem:
    other, row_id = next(iter(others.items()))
    return Problem(
        Reason.CONFLICTING_LABEL,
        found=f"{meaning}, but {row_id} means {other}",
        expected="one meaning of one text",
        fix=_FIX,
    )
