"""Which skills a retriever would show for each turn, best first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from exemplars.core.records import Exemplar
from exemplars.dataset.catalog import Skill
from exemplars.dataset.skill_ranking import RankingEntry, SkillRanking, count_terms, describe_skills
from exemplars.models.prompt_style import ToolSource
from exemplars.models.turns import TurnRows, collect_turns
from stages.render.params import RenderParams
from stages.render.turn_models import NO_MODELS, TurnModels

ToolRanker = Callable[[Sequence[TurnRows]], list[list[str]]]
"""Ranks the names of skills for each turn, best first, without knowledge of rows of the same group."""


def make_tool_ranker(
    params: RenderParams,
    rows: Iterable[Exemplar],
    skills: Mapping[str, Skill],
    models: TurnModels = NO_MODELS,
) -> ToolRanker | None:
    """Make what `render.tools_from` names; `None` if tools are chosen at random.

    rows: those of the train split. skills: the catalog, by name; those that a model does not know come last. models:
    must have the model that is named.
    """
    match params.tools_from:
        case ToolSource.RANDOM:
            return None
        case ToolSource.RETRIEVER:
            return _rank_all(models.rank_by_retriever, skills)
        case ToolSource.TAGGER:
            return _rank_all(models.rank_by_tagger, skills)
        case ToolSource.BM25:
            return _make_word_ranker(rows, skills)


def _rank_all(rank_known: ToolRanker, skills: Iterable[str]) -> ToolRanker:
    """Make a ranker of all skills from one of those that a model knows."""
    names = sorted(skills)
    return lambda turns: [list(dict.fromkeys((*ranked, *names))) for ranked in rank_known(turns)]


def _make_word_ranker(rows: Iterable[Exemplar], skills: Mapping[str, Skill]) -> ToolRanker:
    """Make a ranker by the words that a turn has in common with descriptions and train rows (BM25)."""
    ranking = SkillRanking([*_list_entries(rows), *describe_skills(skills.values())], skills)

    def rank(turns: Sequence[TurnRows]) -> list[list[str]]:
        return [ranking.rank(_count_turn_terms(turn), turn.first.group) for turn in turns]

    return rank


def _list_entries(rows: Iterable[Exemplar]) -> list[RankingEntry]:
    """List the turns that are about a skill, as entries of the ranking."""
    return [
        RankingEntry(_count_turn_terms(turn), turn.skills, turn.first.group)
        for turn in collect_turns(rows)
        if turn.skills
    ]


def _count_turn_terms(turn: TurnRows) -> Mapping[str, float]:
    return count_terms(turn.first.utterance, turn.first.context)
