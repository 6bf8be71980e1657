"""What `render.tools_from` names."""

from __future__ import annotations

from typing import Any

from exemplars.models.prompt_style import ToolSource
from exemplars.models.questions import Question
from exemplars.models.retriever.ranking import RankedSkill
from exemplars.models.turns import collect_turns
from stages.render.tool_choice import choose_tools
from stages.render.tool_ranking import make_tool_ranker
from stages.render.turn_models import TurnModels
from tests.render.rows import SKILLS, exemplar, params

ROWS = [
    exemplar("ring mum", "call", group="a"),
    exemplar("ring dad", "call", group="b"),
    exemplar("ring in an hour", "set_timer", group="b"),
    exemplar("rain in Oslo", "weather", group="c"),
]


def test_bm25_shows_the_skills_of_the_most_similar_rows_of_other_groups() -> None:
    chosen = params(tools_from=ToolSource.BM25, distractors=1)
    rank_tools = make_tool_ranker(chosen, ROWS, SKILLS)
    asked = [exemplar("ring mum now", "call", group="a"), exemplar("an hour of rain", None, group="d")]
    shown = choose_tools(collect_turns(asked), sorted(SKILLS), chosen, 1, rank_tools)
    assert shown == {"s:ring mum now": ("call", "set_timer"), "s:an hour of rain": ("set_timer", "weather")}


def test_tools_at_random_need_no_ranking() -> None:
    assert make_tool_ranker(params(), ROWS, SKILLS) is None


class _Retriever:
    """Ranks by name, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, set[str]]] = []

    def rank_skills(
        self, questions: list[Question], limit: int | None = None, excluded: list[set[str]] | None = None
    ) -> list[list[RankedSkill]]:
        assert excluded is not None
        self.asked += [
            (question.utterance, groups) for question, groups in zip(questions, excluded, strict=True)
        ]
        return [[RankedSkill(name, 1.0) for name in sorted(SKILLS, reverse=True)] for _ in questions]


def test_a_retriever_ranks_tools_without_the_own_group() -> None:
    retriever: Any = _Retriever()
    chosen = params(tools_from=ToolSource.RETRIEVER, distractors=1)
    rank_tools = make_tool_ranker(chosen, ROWS, SKILLS, TurnModels(retriever=retriever))
    shown = choose_tools(collect_turns(ROWS[:1]), sorted(SKILLS), chosen, 1, rank_tools)
    assert shown == {"s:ring mum": ("weather", "call")}
    assert retriever.asked == [("ring mum", {"a"})]
