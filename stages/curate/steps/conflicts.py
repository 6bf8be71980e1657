"""Labels that contradict each other: equal texts in equal contexts with different meanings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from exemplars.core.digests import hash_to_key
from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason
from exemplars.core.turns import group_by_turn
from stages.curate.meanings import format_meaning
from stages.curate.params import OnConflict
from stages.curate.review import make_review_item
from stages.curate.rows import Row, RowReader
from stages.curate.steps.base import Curation, CurationStep

_SHOWN: Final = 3
"""Turns of other meanings that a message names."""


class Conflict(NamedTuple):
    """Turns with the same text and different meanings, in the order of their ids."""

    turns: tuple[tuple[Exemplar, ...], ...]
    """The calls of each."""
    majority: str | None
    """The meaning of more than half of the turns; `None` if no meaning has a majority."""


def resolve_conflicts(rows: list[Row], curation: Curation) -> list[Row]:
    """List all rows with conflicting labels for review; reject those that `conflicts.action` rejects."""
    params = curation.params.conflicts
    conflicts = find_conflicts(rows, curation.reader)
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


def find_conflicts(rows: Iterable[Row], reader: RowReader) -> list[Conflict]:
    """Find all conflicts, in the order of their first turns.

    As many of the preceding turns must be equal as `conflicts.context_turns` says. Turns of different services are
    never offered to a model together, so they do not contradict each other; nor do different replies to one text.

    reader: loads the rows that conflict.
    """
    turns = list(group_by_turn(sorted(rows, key=lambda row: row.id)).values())
    keys = np.fromiter(map(_make_text_key, turns), np.uint64, len(turns))
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    turns_by_text: dict[tuple[int, int], list[list[Row]]] = defaultdict(list)
    for place in np.flatnonzero(counts[inverse] > 1).tolist():
        turns_by_text[int(keys[place]), turns[place][0].keys.before].append(turns[place])
    differing = [same for same in turns_by_text.values() if len(set(map(_make_meaning_key, same))) > 1]
    loaded = reader.load(row for same in differing for calls in same for row in calls)
    return [_describe_votes([tuple(loaded[row.id] for row in calls) for calls in same]) for same in differing]


def _make_text_key(calls: Sequence[Row]) -> int:
    return hash_to_key((sorted({call.service or "" for call in calls}), calls[0].keys.said))


def _make_meaning_key(calls: Iterable[Row]) -> tuple[int, ...]:
    return tuple(sorted(call.keys.meaning for call in calls))


def _describe_votes(turns: Sequence[tuple[Exemplar, ...]]) -> Conflict:
    meaning, count = Counter(map(format_meaning, turns)).most_common(1)[0]
    return Conflict(tuple(turns), meaning if count * 2 > len(turns) else None)


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
