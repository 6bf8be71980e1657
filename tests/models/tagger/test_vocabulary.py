"""What a tagger can say."""

from __future__ import annotations

from exemplars.core.records import Grounding
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.tagger.vocabulary import MOMENT, Choice, Slot, build_vocabulary
from tests.models.tagger.rows import ROWS, SKILLS, make_row, meant, said

DONTCARE = Choice(Grounding.DONTCARE, "dontcare")


def test_a_skill_without_rows_is_known_by_its_description_if_it_has_one() -> None:
    sing = Skill(
        "sing",
        "Sing a song",
        (
            Parameter("song"),
            Parameter("loud", type="boolean", dontcare=True),
            Parameter("text", composed=True),
        ),
    )
    vocabulary = build_vocabulary([*SKILLS, sing, Skill("hum")], ROWS)
    assert [skill.name for skill in vocabulary.skills] == ["call", "set_timer", "sing", "weather"]
    assert [vocabulary.number_skill(name) for name in (None, "call", "weather", "hum")] == [0, 1, 4, None]
    assert [skill.has_rows for skill in vocabulary.skills] == [True, True, False, True]
    context = Choice(Grounding.CONTEXT)
    preference = [Choice(Grounding.BOOLEAN, "True"), Choice(Grounding.BOOLEAN, "False"), DONTCARE]
    assert vocabulary.find_slots(3) == (
        Slot("song", (Choice(None), context), MOMENT),
        Slot("loud", (Choice(None), *preference, context)),
        Slot("text", (Choice(None), Choice(Grounding.COMPOSED), context), MOMENT),
    )


def test_no_preference_is_one_choice_of_an_enumeration_that_lists_it() -> None:
    skill = Skill("sit", parameters=(Parameter("deck", enum=("cabin", "dontcare"), dontcare=True),))
    row = make_row("anywhere", "sit", meant("deck", "dontcare", "dontcare"))
    choices = build_vocabulary([skill], [row]).find_slots(1)[0].choices
    assert choices == (Choice(None), Choice(Grounding.CATEGORICAL, "cabin"), DONTCARE)


def test_every_slot_of_a_skill_of_dialogues_may_have_a_value_from_an_earlier_turn() -> None:
    weather = build_vocabulary(SKILLS, ROWS).find_slots(3)
    assert [slot.choices[-1] for slot in weather] == [Choice(Grounding.CONTEXT)] * 2
    without = build_vocabulary(SKILLS, [row for row in ROWS if not row.context])
    assert [slot.choices for slot in without.find_slots(3)] == [(Choice(None),)] * 2


def test_each_slot_has_two_tags_and_the_choices_that_the_catalog_and_the_rows_know() -> None:
    vocabulary = build_vocabulary(SKILLS, ROWS)
    assert vocabulary.tag_starts == [1, 1, 5, 9, 13]
    assert vocabulary.choice_starts == [[0], [0, 1, 4], [4, 5, 6], [6, 8, 10]]
    assert [slot.choices for slot in vocabulary.find_slots(1)] == [
        (Choice(None),),
        (Choice(None), Choice(Grounding.CATEGORICAL, "home"), Choice(Grounding.CATEGORICAL, "work")),
    ]
    assert vocabulary.find_slots(3)[0].choices == (Choice(None), Choice(Grounding.CONTEXT))
    assert vocabulary.find_slots(0) == ()


def test_the_leaves_of_an_array_are_the_paths_that_rows_fill() -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    skill = Skill("order", parameters=(Parameter("dishes", type="array", schema=schema),))
    rows = [make_row("soup and rice", "order", said("dishes[0]", "soup"), said("dishes[1]", "rice"))]
    assert [slot.path for slot in build_vocabulary([skill], rows).find_slots(1)] == ["dishes[0]", "dishes[1]"]


def test_what_is_composed_or_without_preference_is_a_choice() -> None:
    skill = Skill("send", parameters=(Parameter("text", composed=True), Parameter("to", dontcare=True)))
    row = make_row("say hi", "send", meant("text", "Hi!", "composed"), meant("to", "dontcare", "dontcare"))
    slots = build_vocabulary([skill], [row]).find_slots(1)
    assert slots[0].choices == (Choice(None), Choice(Grounding.COMPOSED))
    assert slots[1].choices == (Choice(None), DONTCARE)


def test_words_are_read_as_their_type_recognizer_or_most_of_their_values_are() -> None:
    skill = Skill(
        "alarm",
        parameters=(Parameter("time"), Parameter("at", recognizer="time"), Parameter("n", type="number")),
    )
    rows = [
        make_row("at 7 am", "alarm", said("time", "07:00", "7 am", "normalized")),
        make_row("at noon", "alarm", said("time", "12:00", "noon", "normalized")),
        make_row("at dawn", "alarm", said("time", "dawn")),
    ]
    assert [slot.kind for slot in build_vocabulary([skill], rows).find_slots(1)] == ["time", "time", "number"]


def test_words_that_are_values_as_said_are_not_read() -> None:
    skill = Skill("book", parameters=(Parameter("guests"),))
    rows = [make_row(f"for {words}", "book", said("guests", words)) for words in ("4", "5", "two")]
    assert build_vocabulary([skill], rows).find_slots(1)[0].kind is None
    assert build_vocabulary([skill], rows[:2]).find_slots(1)[0].kind == "number"


def test_an_alias_is_what_no_expression_reads_and_the_most_frequent_value_of_it() -> None:
    skill = Skill(
        "convert", parameters=(Parameter("source", recognizer="currency"), Parameter("n", type="number"))
    )
    rows = [
        make_row("2 bucks", "convert", said("source", "USD", "bucks", "recognized"), said("n", "2")),
        make_row(
            "two bucks now", "convert", said("source", "USD", "bucks"), said("n", "2", "two", "normalized")
        ),
        make_row("3 Bucks", "convert", said("source", "AUD", "Bucks", "recognized")),
    ]
    slots = build_vocabulary([skill], rows).find_slots(1)
    assert (slots[0].aliases, slots[1].aliases) == ({"bucks": "USD"}, {})


def test_words_that_an_expression_reads_as_their_most_frequent_value_have_no_alias() -> None:
    skill = Skill("alarm", parameters=(Parameter("time", recognizer="time"),))
    evening = [
        make_row(f"at 5 {word}", "alarm", said("time", "17:00", "5", "recognized")) for word in ("a", "b")
    ]
    morning = make_row("early at 5", "alarm", said("time", "05:00", "5", "recognized"))
    assert build_vocabulary([skill], [*evening, morning]).find_slots(1)[0].aliases == {}
    assert build_vocabulary([skill], [morning]).find_slots(1)[0].aliases == {"5": "05:00"}
