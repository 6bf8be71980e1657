"""Candidates: rows of sources with `review: required`, which count only if a person has approved them.

They come after all other rows, and change nothing for them. A candidate that repeats, nearly repeats or contradicts a
row that counts is rejected, approved or not; of the others, those that nobody has approved are pending.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.curate.likeness import Likeness, find_candidate_problems
from stages.curate.rejected_rows import RejectedRows
from stages.curate.rows import Rows
from stages.curate.steps import conflicts, exact_duplicates, near_duplicates, personal_data, quality
from stages.curate.steps.base import Curation, CurationStep
from stages.curate.text_pairs import TextPairs

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


def admit_candidates(rows: Rows, curation: Curation) -> Rows:
    """Return the rows with the approved candidates among them; the other candidates are rejected."""
    candidates, curation.candidates = curation.candidates, curation.candidates.select(np.empty(0, np.int64))
    if len(candidates):
        rows = _admit(rows, candidates, curation)
    sources = sorted(curation.candidate_sources)
    kept = rows.select(rows.match("source", sources))
    reviewers: dict[str, set[str]] = {source: set() for source in sources}
    for row in kept:
        reviewers[row.source] |= curation.approved[row.number].reviewers
    curation.figures["candidates"] = {
        "sources": sources,
        "kept": len(kept),
        "reviewers": {source: len(names) for source, names in reviewers.items()},
        "rejected": curation.ledger.count_by_reason(sources),
    }
    return rows


def _admit(rows: Rows, candidates: Rows, curation: Curation) -> Rows:
    is_approved = np.isin(candidates.numbers, list(curation.approved))
    is_whole = ~np.isin(candidates["turn"], candidates["turn"][~is_approved])
    accepted = _run_steps(candidates.select(is_whole), _APPROVED, curation)
    pending = _run_steps(candidates.select(~is_whole), _PENDING, curation)
    likeness = Likeness(rows.join(accepted, pending), curation)
    accepted = curation.ledger.drop_found(accepted, find_candidate_problems(rows, accepted, likeness))
    likeness.join_groups(rows, accepted)
    kept = rows.join(accepted)
    kept = kept.select(np.argsort(kept.numbers))
    pending = curation.ledger.drop_found(pending, find_candidate_problems(kept, pending, likeness))
    curation.ledger.drop(pending, pending.numbers, lambda _: _IS_PENDING)
    curation.pairs.replace(likeness.add_pairs(kept, curation.pairs))
    curation.figures["duplicates"]["pairs"] = curation.pairs.count_by_column()
    return kept


def _run_steps(rows: Rows, steps: Sequence[CurationStep], curation: Curation) -> Rows:
    """Run steps on candidates by themselves; those of approved candidates count in the figures of the stage."""
    own = Curation(
        curation.params,
        curation.lexicons,
        curation.table,
        curation.texts,
        RejectedRows(curation.ledger.spool),
        TextPairs(curation.pairs.spool),
        curation.surrogate_key,
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
