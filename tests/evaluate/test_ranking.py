from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from exemplars.core.errors import UserError
from exemplars.models.prompt_style import CandidateSource, PromptStyle, ToolSource
from exemplars.models.questions import Question
from exemplars.models.retriever.ranking import RankedSkill, View
from exemplars.models.turns import collect_turns
from stages.evaluate.loaders import Models, choose_prompt_tagger
from stages.evaluate.ranking import rank_skills, rate_ranking
from tests.chat_rows import make_training_row
from tests.render.rows import exemplar

TRAIN = [make_training_row(skills=skills) for skills in (("call",), ("call", "weather"), (), ("set_timer",))]
QUESTIONS = [Question("ring mum"), Question("rain?")]
NEAREST = [[2, 0, 3, 1], [1, 0, 2, 3]]


class FixedRetriever:
    """Ranks "weather" first, whatever is asked."""

    tools = 1

    def rank_by_view(self, questions: Sequence[Question]) -> dict[View, list[list[RankedSkill]]]:
        ranked = [RankedSkill("weather", 1.0), RankedSkill("call", 0.5)]
        return {view: [ranked for _ in questions] for view in View}


def test_without_a_retriever_a_skill_is_as_near_as_its_nearest_row() -> None:
    ranking = rank_skills(None, QUESTIONS, NEAREST, TRAIN, 2)
    assert ranking.by == "nearest_rows"
    assert ranking.rankings["nearest_rows"] == [
        ["call", "set_timer", "weather"],
        ["call", "weather", "set_timer"],
    ]
    assert ranking.list_shown() == [["call", "set_timer"], ["call", "weather"]]
    assert rank_skills(None, QUESTIONS, NEAREST, TRAIN, None).tools == 5


def test_a_retriever_says_how_many_tools_are_shown_and_is_rated_next_to_the_nearest_rows() -> None:
    retriever: Any = FixedRetriever()
    ranking = rank_skills(retriever, QUESTIONS, NEAREST, TRAIN, None)
    assert ranking.list_shown() == [["weather"], ["weather"]]
    turns = collect_turns([exemplar("ring mum", "call"), exemplar("rain?", "weather")])
    figures = rate_ranking(ranking, turns, TRAIN)
    assert list(figures["all"]) == ["rows", "descriptions", "examples", "fused", "nearest_rows"]
    assert (figures["all"]["rows"], figures["seen"]["rows"], "unseen" in figures) == (2, 2, False)
    assert figures["all"]["fused"]["hit_at_1"]["value"] == 0.5
    assert figures["all"]["fused"]["mrr"]["value"] == 0.75
    assert figures["all"]["nearest_rows"]["hit_at_1"]["value"] == 0.5


def test_speech_views_are_ranked_and_not_rated() -> None:
    turns = collect_turns([exemplar("ring mum", "call"), exemplar("ring mum~speech", "call")])
    ranking = rank_skills(None, QUESTIONS, NEAREST, TRAIN, 1)
    assert rate_ranking(ranking, turns, TRAIN)["all"]["rows"] == 1


def test_a_tagger_ranks_what_prompts_show_and_others_are_still_rated() -> None:
    retriever: Any = FixedRetriever()
    ranking = rank_skills(retriever, QUESTIONS, NEAREST, TRAIN, 2).add_tagger(
        [["call", "weather", "set_timer"]] * 2
    )
    assert (ranking.by, ranking.tools) == ("tagger", 2)
    assert ranking.list_shown() == [["call", "weather"]] * 2
    assert list(ranking.rankings) == ["nearest_rows", "examples", "descriptions", "fused", "tagger"]


@pytest.mark.parametrize(
    "changes", [{"candidates": CandidateSource.TAGGER}, {"tools_from": ToolSource.TAGGER}]
)
def test_prompts_that_need_a_tagger_are_not_evaluated_without_one(changes: dict[str, Any]) -> None:
    assert choose_prompt_tagger(Models({}, {"own": "tagger"}), PromptStyle()) is None
    assert choose_prompt_tagger(Models({}, {"own": "tagger"}), PromptStyle(**changes)) == "tagger"
    with pytest.raises(
        UserError, match=r"found no tagger in train\.runs, expected the one that prompts have"
    ):
        choose_prompt_tagger(Models({}, {}), PromptStyle(**changes))
