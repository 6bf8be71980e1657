"""Labels that contradict each other: equal texts in equal contexts with different meanings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason
from stages.curate.key_arrays import join_keys
from stages.curate.meanings import format_meaning
from stages.curate.params import OnConflict
from stages.curate.review import make_review_item
from stages.curate.rows import Rows
from stages.curate.steps.base import Curation, CurationStep
from stages.curate.turn_keys import sort_by_turn

_SHOWN: Final = 3
"""Turns of other meanings that a message names."""

Calls = Mapping[int, Exemplar]
"""The calls of a turn, by the numbers of their rows."""


class Conflict(NamedTuple):
    """Turns with the same text and different meanings, in the order of their ids."""

    turns: tuple[Calls, ...]
    majority: str | None
    """The meaning of more than half of the turns; `None` if no meaning has a majority."""


def resolve_conflicts(rows: Rows, curation: Curation) -> Rows:
    """List all rows with conflicting labels for review; reject those that `conflicts.action` rejects."""
    params = curation.params.conflicts
    conflicts = find_conflicts(rows)
    curation.figures["conflicts"] = len(conflicts)
    curation.review += [
        make_review_item(
            row, "conflict", _describe_conflict(calls, conflict).sentence, suggested=conflict.majority
        )
        for conflict in conflicts
        for calls in conflict.turns
        for row in calls.values()
    ]
    return curation.ledger.drop_found(rows, find_conflict_problems(conflicts, params.action))


def find_conflicts(rows: Rows) -> list[Conflict]:
    """Find all conflicts, in the order of their first turns.

    As many of the preceding turns must be equal as `conflicts.context_turns` says. Turns of different services are
    never offered to a model together, so they do not contradict each other; nor do different replies to one text.
    """
    turns = sort_by_turn(rows.select(np.argsort(rows.numbers)))
    texts = join_keys(turns.hash_different("service"), turns.get_first("said"), turns.get_first("before"))
    meanings = turns.hash_all("meaning")
    _, codes = np.unique(texts, return_inverse=True)
    _, first = np.unique(join_keys(codes, meanings), return_index=True)
    is_conflict = np.bincount(codes[first])[codes] > 1 if len(codes) else np.zeros(0, np.bool_)
    in_conflict = is_conflict[turns.turns]
    loaded = turns.calls.select(in_conflict).load()
    calls_by_turn: dict[int, dict[int, Exemplar]] = defaultdict(dict)
    numbers, own = turns.calls.numbers[in_conflict].tolist(), turns.turns[in_conflict].tolist()
    for number, turn in zip(numbers, own, strict=True):
        calls_by_turn[turn][number] = loaded[number]
    turns_by_text: dict[int, list[Calls]] = defaultdict(list)
    for turn, calls in calls_by_turn.items():
        turns_by_text[int(codes[turn])].append(calls)
    return list(map(_describe_votes, turns_by_text.values()))


def _describe_votes(turns: Sequence[Calls]) -> Conflict:
    meaning, count = Counter(format_meaning(calls.values()) for calls in turns).most_common(1)[0]
    return Conflict(tuple(turns), meaning if count * 2 > len(turns) else None)


def find_conflict_problems(conflicts: Iterable[Conflict], action: OnConflict) -> dict[int, Problem]:
    """Find the rows that `action` rejects: their numbers, each with its problem.

    If the majority decides, a conflict without a majority keeps no row.
    """
    if action is OnConflict.KEEP:
        return {}
    return {
        number: _describe_conflict(calls, conflict)
        for conflict in conflicts
        for calls in conflict.turns
        if action is OnConflict.REJECT or format_meaning(calls.values()) != conflict.majority
        for number in calls
    }


def _describe_conflict(calls: Calls, conflict: Conflict) -> Problem:
    meaning = format_meaning(calls.values())
    turns = [[*turn.values()] for turn in conflict.turns]
    others = [(turn[0].id, other) for turn in turns if (other := format_meaning(turn)) != meaning]
    contradictions = "; ".join(f"{row_id} means {other}" for row_id, other in others[:_SHOWN])
    return Problem(
        Reason.CONFLICTING_LABEL,
        found=f"{meaning}, but {contradictions}",
        expected="one meaning of one text",
        fix="correct one of them",
    )


STEP: Final = CurationStep("conflicting labels", resolve_conflicts)
