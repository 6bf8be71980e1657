"""BM25 over train rows and descriptions."""

from __future__ import annotations

from exemplars.dataset.catalog import Skill
from exemplars.models.retriever.words import rank_by_words
from tests.models.tagger.rows import ROWS, make_row


def test_words_of_other_groups_and_of_descriptions_rank_skills() -> None:
    skills = [Skill("call"), Skill("set_timer"), Skill("sing", "Sing a song"), Skill("weather")]
    rows = [make_row("weather in Rome", "weather"), make_row("a song please", "sing"), ROWS[5]]
    ranked = rank_by_words(ROWS, skills, rows)
    assert [names[0] for names in ranked] == ["weather", "sing", "weather"]
    # Without its own group, which is the only other row that says "ring", the name of the skill is no help.
    assert rank_by_words(ROWS[:1], skills, ROWS[:1]) == [["call", "set_timer", "sing", "weather"]]
    assert sorted(ranked[0]) == ["call", "set_timer", "sing", "weather"]
