"""Skills ranked for the test turns: by a trained retriever, or by the nearest train rows without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from exemplars.models.prompt_style import FALLBACK_TOOLS
from exemplars.models.questions import Question
from exemplars.models.retriever.metrics import rate_rows
from exemplars.models.rows import TrainingRow
from exemplars.models.turns import TurnRows

UNTRAINED: Final = "nearest_rows"
"""The name in reports of the ranking by the nearest train rows: all-MiniLM-L6-v2 without training."""
_FUSED: Final = "fused"
_TAGGER: Final = "tagger"


class Ranking(NamedTuple):
    """The skills that are ranked for each test turn, the best first."""

    by: str
    """The ranking that prompts show: `fused` of a retriever, `tagger`, or `UNTRAINED`."""
    tools: int
    """The number of tools that a prompt shows."""
    rankings: Mapping[str, Sequence[Sequence[str]]]
    """All rankings, by name."""

    def add_tagger(self, ranked: Sequence[Sequence[str]]) -> Ranking:
        """Add the ranking of a tagger, which prompts then show."""
        return self._replace(by=_TAGGER, rankings={**self.rankings, _TAGGER: ranked})

    def list_shown(self) -> list[Sequence[str]]:
        """List the names of the tools that the prompt of each turn shows."""
        return [ranked[: self.tools] for ranked in self.rankings[self.by]]


def rank_skills(
    retriever: Any | None,
    questions: Sequence[Question],
    nearest: Sequence[Sequence[int]],
    train: Sequence[TrainingRow],
    tools: int | None,
) -> Ranking:
    """Rank the skills for questions.

    retriever: `None`: the nearest train rows rank them. nearest: the places of all train rows, the nearest first, for
    each question. tools: the number that prompts show; `None`: as many as the retriever needs.
    """
    rankings: dict[str, Sequence[Sequence[str]]] = {UNTRAINED: rank_by_rows(nearest, train)}
    if retriever is None:
        return Ranking(UNTRAINED, tools or FALLBACK_TOOLS, rankings)
    for view, ranked in retriever.rank_by_view(questions).items():
        rankings[str(view)] = [[skill.name for skill in skills] for skills in ranked]
    return Ranking(_FUSED, tools or retriever.tools, rankings)


def rank_by_rows(nearest: Sequence[Sequence[int]], train: Sequence[TrainingRow]) -> list[list[str]]:
    """Rank the skills of train rows for each question, best first: each by its nearest row."""
    return [
        list(dict.fromkeys(skill for place in places for skill in train[place].skills)) for places in nearest
    ]


def rate_ranking(ranking: Ranking, turns: Sequence[TurnRows], train: Sequence[TrainingRow]) -> dict[str, Any]:
    """Rate all rankings on the test rows that call something, as written: by slice, ranking and metric."""
    pairs = [
        (place, row) for place, turn in enumerate(turns) if not turn.is_speech for row in turn.called_rows
    ]
    by_row = {
        name: [ranked[place] for place, _ in pairs] for name, ranked in sorted(ranking.rankings.items())
    }
    seen = {skill for row in train for skill in row.skills}
    return rate_rows(by_row, [row for _, row in pairs], seen)
