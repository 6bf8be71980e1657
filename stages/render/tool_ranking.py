"""Which skills a retriever would show for each turn, best first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from exemplars.core.records import Exemplar
from exemplars.dataset.catalog import Skill
from exemplars.dataset.skill_ranking import RankingEntry, SkillRanking, count_terms, describe_skills
from exemplars.models.questions import Question
from exemplars.models.turns import TurnRows, collect_turns
from stages.render.params import RenderParams, ToolSource

if TYPE_CHECKING:
    from exemplars.models.retriever.retriever import Retriever

ToolRanker = Callable[[Sequence[TurnRows]], list[list[str]]]
"""Ranks the names of skills for each turn, best first, without knowledge of rows of the same group."""


def make_tool_ranker(
    params: RenderParams,
    rows: Iterable[Exemplar],
    skills: Mapping[str, Skill],
    retriever: Retriever | None = None,
) -> ToolRanker | None:
    """Make what `render.tools_from` names; `None` if tools are chosen at random.

    rows: those of the train split. skills: the catalog, by name. retriever: must be given if it is what is named.
    """
    if params.tools_from == ToolSource.RANDOM:
        return None
    if params.tools_from == ToolSource.RETRIEVER:
        assert retriever is not None
        return lambda turns: rank_by_retriever(retriever, turns)
    ranking = SkillRanking([*_list_entries(rows), *describe_skills(skills.values())], skills)

    def rank(turns: Sequence[TurnRows]) -> list[list[str]]:
        return [ranking.rank(_count_turn_terms(turn), turn.first.group) for turn in turns]

    return rank


def rank_by_retriever(retriever: Retriever, turns: Sequence[TurnRows]) -> list[list[str]]:
    """Rank the names of all skills for each turn by a trained retriever.

    Entries of the turn's own group do not count; the encoder, though, was trained on the rows of train.
    """
    questions = [
        Question(turn.first.utterance, turn.first.context, turn.first.speaker, None) for turn in turns
    ]
    ranked = retriever.rank_skills(questions, excluded=[{turn.first.group} for turn in turns])
    return [[skill.name for skill in skills] for skills in ranked]


def _list_entries(rows: Iterable[Exemplar]) -> list[RankingEntry]:
    """List the turns that are about a skill, as entries of the ranking."""
    return [
        RankingEntry(_count_turn_terms(turn), turn.skills, turn.first.group)
        for turn in collect_turns(rows)
        if turn.skills
    ]


def _count_turn_terms(turn: TurnRows) -> Mapping[str, float]:
    return count_terms(turn.first.utterance, turn.first.context)
