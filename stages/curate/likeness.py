"""Candidates compared with the rows that come before them: what they repeat, nearly repeat or contradict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exemplars.core.ledger import Problem
from exemplars.core.records import Reason, TextPair
from exemplars.core.tables import rows_from_table, rows_to_table
from stages.curate.facts import COLUMNS
from stages.curate.meanings import format_meaning
from stages.curate.rows import Rows
from stages.curate.steps.base import Curation
from stages.curate.steps.conflicts import find_conflicts
from stages.curate.steps.exact_duplicates import describe_repeat, find_exact_duplicates
from stages.curate.steps.near_duplicates import describe_near_duplicate, find_key_pairs, hash_meanings
from stages.curate.text_pairs import TextPairs
from stages.curate.turn_keys import Repeats, sort_by_turn

_FIX: Final = "correct it, or reject it"


Place = tuple[str, int]
"""A column of `COLUMNS`, and the hash of a text."""


class Likeness:
    """Which texts of rows are the same or nearly the same."""

    def __init__(self, rows: Rows, curation: Curation) -> None:
        """rows: all that are compared."""
        self._texts = curation.texts
        self._columns = rows.table.columns
        self._pairs = {column: find_key_pairs(rows, column, curation) for column in COLUMNS}
        earlier, later = defaultdict[Place, list[int]](list), defaultdict[Place, list[int]](list)
        for column, pairs in self._pairs.items():
            for first, second in zip(pairs.firsts.tolist(), pairs.seconds.tolist(), strict=True):
                later[column, first].append(second)
                earlier[column, second].append(first)
        self._neighbors = {place: earlier[place] + later[place] for place in {*earlier, *later}}
        """In the order of their texts."""

    def _list_texts(self, number: int) -> Iterator[Place]:
        """List the texts of a row."""
        for column in COLUMNS:
            [key] = self._columns.read(column, number, number + 1).tolist()
            if key:
                yield column, key

    def _list_near_texts(self, number: int) -> Iterator[Place]:
        """List the texts of a row, each with all that is nearly the same."""
        for column, key in self._list_texts(number):
            yield column, key
            yield from ((column, neighbor) for neighbor in self._neighbors.get((column, key), ()))

    def _are_near(self, rows: Rows, candidates: Rows) -> NDArray[np.bool_]:
        """Return whether each row has a text that is nearly that of a candidate."""
        near = {place for number in candidates.numbers.tolist() for place in self._list_near_texts(number)}
        is_near = np.zeros(len(rows), np.bool_)
        for column in COLUMNS:
            keys = [key for name, key in near if name == column]
            is_near |= np.isin(rows[column], np.array(keys, np.uint64))
        return is_near

    def find_repeats(self, rows: Rows, candidates: Rows) -> dict[int, int]:
        """Find the candidates that nearly repeat a row or an earlier candidate, with the same meaning.

        Returns their numbers, each with that of the first call of the turn that it repeats.
        """
        repeats: dict[int, int] = {}
        firsts: dict[tuple[str, int, int], int] = {}
        for number, _, meaning in _list_turns(rows.select(self._are_near(rows, candidates))):
            self._add_turn(number, meaning, firsts)
        for number, calls, meaning in _list_turns(candidates):
            near = ((*place, meaning) for place in self._list_near_texts(number))
            first = next((firsts[place] for place in near if place in firsts), None)
            if first is None:
                self._add_turn(number, meaning, firsts)
            else:
                repeats |= dict.fromkeys(calls, first)
        return repeats

    def _add_turn(self, number: int, meaning: int, firsts: dict[tuple[str, int, int], int]) -> None:
        for place in self._list_texts(number):
            firsts.setdefault((*place, meaning), number)

    def join_groups(self, rows: Rows, candidates: Rows) -> None:
        """Move candidates to the group of a row whose text is nearly theirs, if both may be in the same split.

        All candidates of a group join the same one. The groups of the rows stay as they are.
        """
        groups: dict[tuple[str, int, int], int] = {}
        names: dict[int, str] = {}
        near = rows.select(self._are_near(rows, candidates))
        for row, group, split in zip(near, near["group"].tolist(), near["split"].tolist(), strict=True):
            names[group] = row.group
            for place in self._list_texts(row.number):
                groups.setdefault((*place, split), group)
        joined: dict[int, int] = {}
        own_groups = candidates["group"].tolist()
        for number, own, split in zip(
            candidates.numbers.tolist(), own_groups, candidates["split"].tolist(), strict=True
        ):
            for place in self._list_near_texts(number):
                if (group := groups.get((*place, split))) is not None:
                    joined.setdefault(own, group)
        candidates.move(np.array([joined.get(own, own) for own in own_groups], np.uint64), names)

    def add_pairs(self, rows: Rows, known: TextPairs) -> pa.Table:
        """Add the pairs of texts of some rows to those that are known, sorted within each column."""
        tables = [*known.read()]
        for column, found in self._pairs.items():
            is_between = np.all([np.isin(keys, rows[column]) for keys in found[:2]], axis=0)
            tables += self._texts.make_tables(column, found.select(is_between))
        pairs = {pair for table in tables for pair in rows_from_table(table, TextPair)}
        ordered = sorted(pairs, key=lambda pair: (COLUMNS.index(pair.column), pair))
        return rows_to_table(ordered, TextPair)


def _list_turns(rows: Rows) -> Iterator[tuple[int, list[int], int]]:
    """List the turns of rows: the number of the first call, those of all calls, and a hash of what is asked for."""
    turns = sort_by_turn(rows)
    calls = np.split(turns.calls.numbers, turns.starts[1:])
    for numbers, meaning in zip(calls, hash_meanings(turns).tolist(), strict=False):
        yield int(numbers[0]), numbers.tolist(), meaning


def find_candidate_problems(rows: Rows, candidates: Rows, likeness: Likeness) -> dict[int, Problem]:
    """Find the candidates that contradict rows, or repeat a row or an earlier candidate: their problems, by number."""
    problems = _find_contradictions(rows, candidates)
    rest = candidates.select(~np.isin(candidates.numbers, list(problems)))
    near = likeness.find_repeats(rows, rest)
    equal = find_exact_duplicates(rows.join(rest))
    repeats = Repeats(np.array(list(near), np.int64), np.array(list(near.values()), np.int64))
    for found, describe in ((repeats, describe_near_duplicate), (equal, describe_repeat)):
        find_first = found.read_first_ids(rows.table)
        numbers = found.numbers[np.isin(found.numbers, rest.numbers)].tolist()
        problems |= {number: describe(find_first(number)) for number in numbers}
    return problems


def _find_contradictions(rows: Rows, candidates: Rows) -> dict[int, Problem]:
    """Find the candidates with the text of rows, and none of their meanings: their numbers, with the problem."""
    compared = {*candidates.numbers.tolist()}
    problems: dict[int, Problem] = {}
    for conflict in find_conflicts(rows.join(candidates)):
        settled = {
            format_meaning(calls.values()): next(iter(calls.values())).id
            for calls in conflict.turns
            if compared.isdisjoint(calls)
        }
        for calls in conflict.turns:
            meaning = format_meaning(calls.values())
            if settled and meaning not in settled:
                problems |= dict.fromkeys(calls, _describe_contradiction(meaning, settled))
    return problems


def _describe_contradiction(meaning: str, others: Mapping[str, str]) -> Problem:
    other, row_id = next(iter(others.items()))
    return Problem(
        Reason.CONFLICTING_LABEL,
        found=f"{meaning}, but {row_id} means {other}",
        expected="one meaning of one text",
        fix=_FIX,
    )
