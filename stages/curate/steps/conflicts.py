"""Labels that contradict each other: equal texts in equal contexts with different meanings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason
from exemplars.core.turns import find_user_text, group_by_turn
from exemplars.dataset.texts import make_equality_key
from stages.curate.meanings import format_meaning
from stages.curate.params import OnConflict
from stages.curate.review import make_review_item
from stages.curate.steps.base import Curation, CurationStep

_SHOWN: Final = 3
"""Turns of other meanings that a message names."""


class Conflict(NamedTuple):
    """Turns with the same text and different meanings, in the order of their ids."""

    turns: tuple[tuple[Exemplar, ...], ...]
    """The calls of each."""
    majority: str | None
    """The meaning of more than half of the turns; `None` if no meaning has a majority."""


def resolve_conflicts(rows: list[Exemplar], curation: Curation) -> list[Exemplar]:
    """List all rows with conflicting labels for review; reject those that `conflicts.action` rejects."""
    params = curation.params.conflicts
    conflicts = find_conflicts(rows, params.context_turns)
    curation.figures["conflicts"] = len(conflicts)
    curation.review += [
        make_review_item(
            row, "conflict", _describe_conflict(calls, conflict).sentence, suggested=conflict.majority
        )
        for conflict in conflicts
        for calls in conflict.turns
        for row in calls
    ]
    return curation.ledger.drop(rows, find_conflict_problems(conflicts, params.action))


def find_conflicts(exemplars: Iterable[Exemplar], context_turns: int) -> list[Conflict]:
    """Find all conflicts, in the order of their first turns.

    context_turns: how many of the preceding turns must be equal, too. Turns of different services are never
    offered to a model together, so they do not contradict each other; nor do different replies to one text.
    """
    turns = group_by_turn(sorted(exemplars, key=lambda exemplar: exemplar.id))
    text_keys = {turn: _make_text_key(calls) for turn, calls in turns.items()}
    counts = Counter(text_keys.values())
    turns_by_text: dict[tuple[object, ...], list[tuple[Exemplar, ...]]] = defaultdict(list)
    for turn, key in text_keys.items():
        if counts[key] > 1:  # Few texts occur twice, and contexts are long.
            context_key = _make_context_key(turns[turn][0], context_turns)
            turns_by_text[key, context_key].append(tuple(turns[turn]))
    conflicts = []
    for same in turns_by_text.values():
        votes = Counter(map(format_meaning, same))
        if len(votes) > 1:
            meaning, count = votes.most_common(1)[0]
            conflicts.append(Conflict(tuple(same), meaning if count * 2 > len(same) else None))
    return conflicts


def _make_text_key(calls: Sequence[Exemplar]) -> tuple[object, ...]:
    row = calls[0]
    return (
        tuple(sorted({call.service or "" for call in calls})),
        row.speaker,
        make_equality_key(row.utterance),
        make_equality_key(find_user_text(row)),
    )


def _make_context_key(row: Exemplar, context_turns: int) -> tuple[str, ...]:
    turns = row.context[-context_turns:] if context_turns else ()
    return tuple(make_equality_key(turn.utterance) for turn in turns)


def find_conflict_problems(conflicts: Iterable[Conflict], action: OnConflict) -> dict[str, Problem]:
    """Find the rows that `action` rejects: their ids, each with its problem.

    If the majority decides, a conflict without a majority keeps no row.
    """
    if action is OnConflict.KEEP:
        return {}
    return {
        row.id: _describe_conflict(calls, conflict)
        for conflict in conflicts
        for calls in conflict.turns
        if action is OnConflict.REJECT or format_meaning(calls) != conflict.majority
        for row in calls
    }


def _describe_conflict(calls: Sequence[Exemplar], conflict: Conflict) -> Problem:
    meaning = format_meaning(calls)
    others = [(turn[0].id, other) for turn in conflict.turns if (other := format_meaning(turn)) != meaning]
    contradictions = "; ".join(f"{row_id} means {other}" for row_id, other in others[:_SHOWN])
    return Problem(
        Reason.CONFLICTING_LABEL,
        found=f"{meaning}, but {contradictions}",
        expected="one meaning of one text",
        fix="correct one of them",
    )


STEP: Final = CurationStep("conflicting labels", resolve_conflicts)
