from __future__ import annotations

from exemplars.core.records import Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.skill_ranking import RankingEntry, SkillRanking, count_terms, describe_skills

SKILLS = [
    Skill("call", "Calls somebody.", (Parameter("contact"),)),
    Skill("set_timer", "Counts down.", (Parameter("minutes"),)),
    Skill("weather", "Tells the forecast.", (Parameter("location"),)),
]
ROWS = [
    RankingEntry(count_terms("ring mum"), ("call",), "a"),
    RankingEntry(count_terms("ring in ten minutes"), ("set_timer",), "b"),
]


def rank(text: str, group: str | None = None) -> list[str]:
    ranking = SkillRanking([*ROWS, *describe_skills(SKILLS)], [skill.name for skill in SKILLS])
    return ranking.rank(count_terms(text), group)


def test_skills_are_ranked_by_the_words_of_their_rows_and_descriptions() -> None:
    assert rank("ring mum") == ["call", "set_timer", "weather"]
    assert rank("the forecast, please") == ["weather", "call", "set_timer"]


def test_entries_of_the_own_group_do_not_count() -> None:
    assert rank("ring mum", group="a") == ["set_timer", "call", "weather"]


def test_skills_without_a_word_in_common_come_last_by_name() -> None:
    assert rank("minutes") == ["set_timer", "call", "weather"]
    assert rank("hello") == ["call", "set_timer", "weather"]


def test_words_of_earlier_turns_count_less_than_those_of_the_utterance() -> None:
    before = (Turn(Speaker.USER, "tea"), Turn(Speaker.ASSISTANT, "For the forecast?"))
    assert count_terms("For ten", before) == {"for": 1.3, "ten": 1, "the": 0.3, "forecast": 0.3, "tea": 0.15}
