"""Labels that contradict each other: equal texts in equal contexts with different meanings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason
from exemplars.dataset.texts import make_equality_key
from stages.curate.meanings import format_meaning
from stages.curate.params import OnConflict
from stages.curate.review import make_review_item
from stages.curate.steps.base import Curation, CurationStep

_SHOWN: Final = 3
"""Rows of other meanings that a message names."""


class Conflict(NamedTuple):
    """Rows with the same text and different meanings, sorted by id."""

    rows: tuple[Exemplar, ...]
    majority: str | None
    """The meaning of more than half of the rows; `None` if no meaning has a majority."""


def resolve_conflicts(rows: list[Exemplar], curation: Curation) -> list[Exemplar]:
    """List all rows with conflicting labels for review; reject those that `conflicts.action` rejects."""
    params = curation.params.conflicts
    conflicts = find_conflicts(rows, params.context_turns)
    curation.figures["conflicts"] = len(conflicts)
    curation.review += [
        make_review_item(
            row, "conflict", _describe_conflict(row, conflict).sentence, suggested=conflict.majority
        )
        for conflict in conflicts
        for row in conflict.rows
    ]
    return curation.ledger.drop(rows, find_conflict_problems(conflicts, params.action))


def find_conflicts(exemplars: Iterable[Exemplar], context_turns: int) -> list[Conflict]:
    """Find all conflicts, in the order of their first rows.

    context_turns: how many of the preceding turns must be equal, too. Rows of different services are never
    offered to a model together, so they do not contradict each other.
    """
    rows_by_text: dict[tuple[object, ...], list[Exemplar]] = defaultdict(list)
    for row in sorted(exemplars, key=lambda exemplar: exemplar.id):
        turns = row.context[-context_turns:] if context_turns else ()
        context = tuple(make_equality_key(turn.utterance) for turn in turns)
        rows_by_text[row.service, make_equality_key(row.utterance), context].append(row)
    conflicts = []
    for rows in rows_by_text.values():
        votes = Counter(format_meaning(row) for row in rows)
        if len(votes) > 1:
            meaning, count = votes.most_common(1)[0]
            conflicts.append(Conflict(tuple(rows), meaning if count * 2 > len(rows) else None))
    return conflicts


def find_conflict_problems(conflicts: Iterable[Conflict], action: OnConflict) -> dict[str, Problem]:
    """Find the rows that `action` rejects: their ids, each with its problem.

    If the majority decides, a conflict without a majority keeps no row.
    """
    if action is OnConflict.KEEP:
        return {}
    return {
        row.id: _describe_conflict(row, conflict)
        for conflict in conflicts
        for row in conflict.rows
        if action is OnConflict.REJECT or format_meaning(row) != conflict.majority
    }


def _describe_conflict(exemplar: Exemplar, conflict: Conflict) -> Problem:
    meaning = format_meaning(exemplar)
    others = [(row.id, format_meaning(row)) for row in conflict.rows if format_meaning(row) != meaning]
    contradictions = "; ".join(f"{row_id} means {other}" for row_id, other in others[:_SHOWN])
    return Problem(
        Reason.CONFLICTING_LABEL,
        found=f"{meaning}, but {contradictions}",
        expected="one meaning of one text",
        fix="correct one of them",
    )


STEP: Final = CurationStep("conflicting labels", resolve_conflicts)
