"""Skills ranked by each view of an index, and by both: reciprocal rank fusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exemplars.models.retriever.index import IndexEntry

Scores = NDArray[np.float64]
"""Of shape (questions, skills); minus infinity for a skill that a view does not have."""
RANK_CONSTANT: Final = 60
"""The constant k of Cormack, Clarke, Büttcher: Reciprocal Rank Fusion outperforms Condorcet (SIGIR 2009)."""
_TIE: Final = 1e-9
"""Times a similarity, it is less than the difference that a rank makes."""


class View(StrEnum):
    """How a question is compared with skills."""

    EXAMPLES = "examples"
    """With the train rows and templates of a skill: the most similar one counts."""
    DESCRIPTIONS = "descriptions"
    """With the description of a skill."""
    FUSED = "fused"
    """Both, by reciprocal rank."""


class RankedSkill(NamedTuple):
    """A skill and its score: the higher, the better; comparable within one ranking only."""

    name: str
    score: float


def score_by_entries(
    similarities: NDArray[np.float32], entries: Sequence[IndexEntry], skills: Sequence[str]
) -> Scores:
    """Score skills by their most similar entry.

    similarities: of shape (questions, entries). Entries without a skill, or of one not in `skills`, are ignored.
    """
    numbers = {name: number for number, name in enumerate(skills)}
    scores = np.full((len(similarities), len(skills)), -np.inf)
    places: dict[int, list[int]] = {}
    for place, entry in enumerate(entries):
        if entry.skill in numbers:
            places.setdefault(numbers[entry.skill], []).append(place)
    for number, own in places.items():
        scores[:, number] = similarities[:, own].max(axis=1)
    return scores


def rank_scores(scores: Scores) -> Scores:
    """Rank the skills of each question from 1, equal scores by place; infinity for a skill without a score.

    >>> rank_scores(np.array([[0.2, -np.inf, 0.9]])).tolist()
    [[2.0, inf, 1.0]]
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    ranks = np.empty(scores.shape)
    np.put_along_axis(ranks, order, np.arange(1.0, scores.shape[1] + 1)[None, :], axis=1)
    return np.where(np.isfinite(scores), ranks, np.inf)


def fuse_views(views: Sequence[Scores]) -> Scores:
    """Combine the scores of views: the mean of 1 / (k + rank) over the views that have a skill (Cormack et al. 2009).

    The mean, not the sum: a new skill has a description but no example yet, and must not rank last for that. Of equal
    means, the higher mean of the views' scores wins: it is added as less than what a rank makes.

    >>> fuse_views([np.array([[0.9, 0.5]]), np.array([[0.1, 0.3]])]).round(4).tolist()
    [[0.0163, 0.0163]]
    """
    has_skill = np.stack([np.isfinite(scores) for scores in views])
    counts = np.maximum(1, has_skill.sum(axis=0))
    reciprocal = sum(1 / (RANK_CONSTANT + rank_scores(scores)) for scores in views) / counts
    means = sum(np.where(np.isfinite(scores), scores, 0.0) for scores in views) / counts
    fused: Scores = np.where(has_skill.any(axis=0), reciprocal + _TIE * means, -np.inf)
    return fused


def list_rankings(scores: Scores, skills: Sequence[str], limit: int | None) -> list[list[RankedSkill]]:
    """List the skills of each question, the best first, those without a score left out. limit: skills, at most."""
    rankings = []
    for row in scores:
        order = np.argsort(-row, kind="stable")
        ranked = [RankedSkill(skills[place], float(row[place])) for place in order if np.isfinite(row[place])]
        rankings.append(ranked[:limit])
    return rankings


def rank_views(
    examples: Scores, descriptions: Scores, skills: Sequence[str], limit: int | None = None
) -> Mapping[View, list[list[RankedSkill]]]:
    """Rank skills by each view. examples, descriptions: the scores of the two views."""
    scores = {
        View.EXAMPLES: examples,
        View.DESCRIPTIONS: descriptions,
        View.FUSED: fuse_views([examples, descriptions]),
    }
    return {view: list_rankings(values, skills, limit) for view, values in scores.items()}
