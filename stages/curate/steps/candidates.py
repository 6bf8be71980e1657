"""Candidates: rows of sources with `review: required`, which count only if a person has approved them.

They come after all other rows, and change nothing for them. A candidate that repeats, nearly repeats or contradicts a
row that counts is rejected, approved or not; of the others, those that nobody has approved are pending.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from exemplars.core.reports import count_sorted
from exemplars.core.turns import group_by_turn
from stages.curate.likeness import Likeness, find_candidate_problems
from stages.curate.rows import Row
from stages.curate.steps import conflicts, exact_duplicates, near_duplicates, personal_data, quality
from stages.curate.steps.base import Curation, CurationStep

_APPROVED: Final = (
    exact_duplicates.STEP,
    conflicts.STEP,
    quality.STEP,
    personal_data.STEP,
    near_duplicates.STEP,
)
"""The steps of approved candidates, as of any rows; those of the others change no figures."""
_PENDING: Final = (quality.STEP, personal_data.STEP)
_IS_PENDING: Final = Problem(
    Reason.PENDING_REVIEW,
    summary="nobody has approved it, and its source has `review: required`",
    fix="decide on it: `exemplars review --queue generated`",
)


def admit_candidates(rows: list[Row], curation: Curation) -> list[Row]:
    """Return the rows with the approved candidates among them, sorted by id; the other candidates are rejected."""
    candidates, curation.candidates = curation.candidates, []
    if candidates:
        rows = _admit(rows, candidates, curation)
    sources = curation.candidate_sources
    reviewers: dict[str, set[str]] = {source: set() for source in sources}
    for row in rows:
        if row.source in sources:
            reviewers[row.source] |= curation.approved[row.id]
    curation.figures["candidates"] = {
        "sources": sorted(sources),
        "kept": sum(row.source in sources for row in rows),
        "reviewers": {source: len(names) for source, names in sorted(reviewers.items())},
        "rejected": count_sorted(
            rejection.reason for rejection in curation.ledger.rejections if rejection.source in sources
        ),
    }
    return rows


def _admit(rows: list[Row], candidates: list[Row], curation: Curation) -> list[Row]:
    turns = group_by_turn(candidates).values()
    approved = {
        call.id for calls in turns for call in calls if {row.id for row in calls} <= curation.approved.keys()
    }
    accepted = _run_steps([row for row in candidates if row.id in approved], _APPROVED, curation)
    pending = _run_steps([row for row in candidates if row.id not in approved], _PENDING, curation)
    likeness = Likeness([*rows, *accepted, *pending], curation)
    problems = find_candidate_problems(rows, accepted, likeness, curation.reader)
    accepted = likeness.join_groups(rows, curation.ledger.drop(accepted, problems))
    kept = sorted([*rows, *accepted], key=lambda row: row.id)
    problems = find_candidate_problems(kept, pending, likeness, curation.reader)
    pending = curation.ledger.drop(pending, problems)
    curation.ledger.drop(pending, dict.fromkeys((row.id for row in pending), _IS_PENDING))
    curation.pairs = likeness.list_pairs(kept, curation.pairs)
    curation.figures["duplicates"]["pairs"] = count_sorted(pair.column for pair in curation.pairs)
    return kept


def _run_steps(rows: list[Row], steps: Sequence[CurationStep], curation: Curation) -> list[Row]:
    """Run steps on candidates by themselves; those of approved candidates count in the figures of the stage."""
    own = Curation(
        curation.params, curation.lexicons, curation.reader, curation.texts, curation.surrogate_key
    )
    for step in steps:
        rows = step.run(rows, own)
    curation.ledger.extend(own.ledger)
    if steps is _APPROVED:
        curation.figures |= _add_figures(curation.figures, own.figures)
    return rows


def _add_figures(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Add the counts of two reports, at any depth; what only one of them has stays."""
    added = dict(first)
    for name, figure in second.items():
        if isinstance(figure, Mapping):
            added[name] = _add_figures(added.get(name, {}), figure)
        else:
            added[name] = added.get(name, 0) + figure
    return added


STEP: Final = CurationStep("candidates", admit_candidates)
