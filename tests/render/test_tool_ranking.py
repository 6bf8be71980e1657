"""What `render.tools_from` names."""

from __future__ import annotations

from exemplars.models.turns import collect_turns
from stages.render.params import ToolSource
from stages.render.tool_choice import choose_tools
from stages.render.tool_ranking import make_tool_ranker
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
