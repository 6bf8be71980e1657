"""Words that a text has in common with the catalog."""

from __future__ import annotations

import math

import pytest

from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.tagger.features import EncodedText
from exemplars.models.tagger.matches import Matcher
from exemplars.models.tagger.vocabulary import build_vocabulary

SKILLS = {
    "find_sauna": Skill(
        "find_sauna",
        "Find a sauna",
        (Parameter("heating", enum=("wood-fired", "steam")), Parameter("guests", enum=("1", "2"))),
    ),
    "find_garden": Skill("find_garden", "Find public gardens", (Parameter("region"),)),
    "call": Skill("call", "Ring somebody"),
}
VOCABULARY = build_vocabulary(SKILLS.values(), [])


def match(*texts: str) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """The weights of skills that have some, and the values that are said. texts: the utterance, then earlier turns."""
    matches = Matcher(VOCABULARY, SKILLS).match(EncodedText([], [], [], [], [], list(texts)))
    names = ["none", *(skill.name for skill in VOCABULARY.skills)]
    values = [
        choice.value or "" for skill in VOCABULARY.skills for slot in skill.slots for choice in slot.choices
    ]
    assert (len(matches.skills), len(matches.choices)) == (len(names), len(values))
    weights = {name: weight for name, weight in zip(names, matches.skills, strict=True) if any(weight)}
    return weights, [value for value, said in zip(values, matches.choices, strict=True) if said]


def test_a_rare_word_weighs_more_than_one_that_many_skills_have() -> None:
    weights, _ = match("find me a Sauna", "which garden?")
    rare, common = math.log(3) / 3, math.log(3 / 2) / 3
    assert {name: [round(weight, 6) for weight in pair] for name, pair in weights.items()} == {
        "find_garden": [round(common, 6), round(rare, 6)],
        "find_sauna": [round(common + rare, 6), 0.0],
    }


@pytest.mark.parametrize(
    ("utterance", "values"),
    [
        ("a wood fired sauna", ["wood-fired"]),
        ("Steam, for two", ["steam", "2"]),
        ("steamed firewood, 21 of it", []),
    ],
)
def test_values_of_enumerations_are_said_in_whole_words(utterance: str, values: list[str]) -> None:
    assert match(utterance)[1] == values


def test_a_catalog_without_skills_and_an_empty_text_have_nothing_in_common() -> None:
    empty = build_vocabulary([], [])
    assert Matcher(empty, {}).match(EncodedText([], [], [], [], [], [""])) == ([(0.0, 0.0)], [0.0])
    assert match("") == ({}, [])
