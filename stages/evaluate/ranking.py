"""Skills ranked for a question without a trained retriever: by the nearest train rows."""

from __future__ import annotations

from collections.abc import Sequence

from exemplars.models.rows import TrainingRow

FALLBACK_TOOLS = 5
"""Number of tools that a language model sees under `end_to_end` without a retriever."""
UNTRAINED = "all-MiniLM-L6-v2 without training, by the nearest train rows"
"""The name in reports of what ranks skills if no retriever was trained."""


def rank_skills(nearest: Sequence[Sequence[int]], train: Sequence[TrainingRow]) -> list[list[str]]:
    """Rank the skills of train rows for each question, best first: each by its nearest row.

    nearest: the places of all train rows, the nearest first, for each question.
    """
    return [
        list(dict.fromkeys(skill for place in places for skill in train[place].skills)) for places in nearest
    ]
