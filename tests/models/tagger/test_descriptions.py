"""What the catalog says about everything that a tagger can say."""

from __future__ import annotations

from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.tagger.descriptions import Descriptions, describe_vocabulary
from exemplars.models.tagger.vocabulary import build_vocabulary
from tests.models.tagger.rows import ROWS, make_row


def test_names_are_words_and_values_of_enumerations_are_described_by_themselves() -> None:
    skill = Skill(
        "Cafes_1_FindCafe",
        "Look for a café",
        (
            Parameter("town", "Where it is"),
            Parameter("dogs_welcome", type="boolean"),
            Parameter("known_for", "Its fame", enum=("soup",)),
        ),
    )
    vocabulary = build_vocabulary([skill], [make_row("a café", skill.name)])
    assert describe_vocabulary(vocabulary, {skill.name: skill}) == Descriptions(
        skills=["Cafes 1 FindCafe: Look for a café"],
        slots=["town: Where it is", "dogs welcome", "known for: Its fame"],
        choices=[
            "town: Where it is",
            "dogs welcome",
            "dogs welcome: True",
            "dogs welcome: False",
            "known for: Its fame",
            "soup known for",
        ],
    )


def test_each_skill_slot_and_choice_has_a_description() -> None:
    from tests.models.tagger.rows import SKILLS

    vocabulary = build_vocabulary(SKILLS, ROWS)
    described = describe_vocabulary(vocabulary, {skill.name: skill for skill in SKILLS})
    assert [len(texts) for texts in described] == [3, 6, vocabulary.choice_starts[-1][-1]]
