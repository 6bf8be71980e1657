"""Calls from scores."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import numpy as np
import pytest

from exemplars.core.records import Argument, Grounding
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.calls import Call
from exemplars.models.tagger.calls import UNCERTAIN, TaggedCall, TaggedTurn, assemble_turn, make_call
from exemplars.models.tagger.features import EncodedText
from exemplars.models.tagger.right_answers import is_right
from exemplars.models.tagger.slot_filling import Logits
from exemplars.models.tagger.vocabulary import MOMENT, Choice, SkillSlots, Slot, Vocabulary
from tests.models.tagger.rows import ROWS, SKILLS, make_row, meant

HOME = Choice(Grounding.CATEGORICAL, "home")
NOTHING, CONTEXT, COMPOSED = Choice(None), Choice(Grounding.CONTEXT), Choice(Grounding.COMPOSED)


def encode(utterance: str, *before: str) -> EncodedText:
    """Encode texts as tokens that are words, the latest turn before the utterance first."""
    encoded = EncodedText([], [], [], [], [], [utterance, *before])
    for turn, text in enumerate(encoded.texts):
        position = 0
        for word in text.split():
            start = text.index(word, position)
            position = start + len(word)
            encoded.input_ids.append(0)
            encoded.segments.append(int(turn > 0))
            encoded.turns.append(turn)
            encoded.offsets.append((start, position))
            encoded.begins_word.append(True)
    return encoded


def answer(
    skill: Skill, slots: list[Slot], encoded: EncodedText, tags: Mapping[int, int], choices: list[int]
) -> TaggedCall:
    """Assemble the call of scores that are certain. tags: by token. choices: of each slot."""
    vocabulary = Vocabulary((SkillSlots(skill.name, tuple(slots)),))
    tag_scores = np.zeros((len(encoded.turns), 1 + 2 * len(slots)))
    for token in range(len(encoded.turns)):
        tag_scores[token, tags.get(token, 0)] = 50.0
    chosen = np.zeros(sum(len(slot.choices) for slot in slots))
    for place, choice in enumerate(choices):
        chosen[vocabulary.choice_starts[1][place] + choice] = 60.0
    logits = Logits(np.array([0.0, 50.0]), -50.0, tag_scores, chosen)
    today = datetime.date(2019, 3, 1)
    turn = assemble_turn(logits, encoded, vocabulary, {skill.name: skill}, today=today)
    assert turn.problem == turn.calls[0].problem
    return turn.calls[0]


def test_words_and_choices_become_arguments_in_their_canonical_form() -> None:
    skill = Skill("call", parameters=(Parameter("contact"), Parameter("device", enum=("home", "work"))))
    slots = [Slot("contact", (NOTHING,)), Slot("device", (NOTHING, HOME))]
    call = answer(skill, slots, encode("ring Ann Lee indoors"), {1: 1, 2: 2}, [0, 1])
    assert call.arguments == (
        Argument("contact", "Ann Lee", "Ann Lee", 5, 12, Grounding.VERBATIM),
        Argument("device", "home", None, None, None, Grounding.CATEGORICAL),
    )
    assert (call.skill, call.problem, round(call.score, 6)) == ("call", None, 0.0)


@pytest.mark.parametrize(
    ("parameter", "slot", "text", "tags", "value", "grounding"),
    [
        (Parameter("n", type="integer"), Slot("n", (NOTHING,), "number"), "for two", {1: 1}, "2", "normalized"),
        (Parameter("at"), Slot("at", (NOTHING,), "time"), "at noon", {1: 1}, "12:00", "normalized"),
        (Parameter("on"), Slot("on", (NOTHING,), "date"), "leave tomorrow", {1: 1}, "2019-03-02", "normalized"),
        (Parameter("to", recognizer="r"), Slot("to", (NOTHING,), None, {"bucks": "USD"}), "in Bucks", {1: 1}, "USD", "recognized"),
        (Parameter("d", enum=("home", "work")), Slot("d", (NOTHING,)), "at Home", {1: 1}, "home", "case"),
        (Parameter("d", enum=("home", "work")), Slot("d", (NOTHING, HOME)), "the landline", {1: 1}, "home", "normalized"),
    ],
)  # fmt: skip
def test_words_are_read_as_grounding_reads_them(
    parameter: Parameter, slot: Slot, text: str, tags: dict[int, int], value: str, grounding: str
) -> None:
    call = answer(Skill("s", parameters=(parameter,)), [slot], encode(text), tags, [0])
    assert [(argument.value, argument.grounding.value) for argument in call.arguments] == [(value, grounding)]


def test_a_value_from_an_earlier_turn_has_no_span() -> None:
    skill, slots = Skill("s", parameters=(Parameter("city"),)), [Slot("city", (NOTHING, CONTEXT))]
    encoded = encode("yes please", "in Rome ?")
    call = answer(skill, slots, encoded, {3: 1}, [1])
    assert call.arguments == (Argument("city", "Rome", None, None, None, Grounding.CONTEXT),)
    assert answer(skill, slots, encoded, {3: 1}, [0]).arguments == ()
    assert answer(skill, slots, encode("yes please"), {}, [1]).arguments == ()


def test_words_of_an_earlier_turn_and_the_choice_of_their_slot_are_weighed_together() -> None:
    skill, slots = Skill("s", parameters=(Parameter("city"),)), [Slot("city", (NOTHING, CONTEXT))]
    vocabulary = Vocabulary((SkillSlots("s", tuple(slots)),))
    encoded = encode("yes", "in Rome")
    tags = np.full((3, 3), [0.0, -9.0, -9.0])
    tags[2, 1] = 1.0  # And 1 for any word.
    for choice, expected in ((-1.9, ["Rome"]), (-2.1, [])):
        logits = Logits(np.array([0.0, 50.0]), -50.0, tags, np.array([0.0, choice]))
        [call] = assemble_turn(logits, encoded, vocabulary, {"s": skill}).calls
        assert [argument.value for argument in call.arguments] == expected


def test_a_choice_counts_more_than_tags_against_its_words() -> None:
    skill, slots = Skill("s", parameters=(Parameter("city"),)), [Slot("city", (NOTHING, CONTEXT))]
    vocabulary = Vocabulary((SkillSlots("s", tuple(slots)),))
    tags = np.array(
        [[0.0, -9.0, -9.0], [0.0, -9.0, -9.0], [5.0, 0.0, -9.0]]
    )  # With 1 for any word: 4 against.
    for choice, expected in ((1.1, ["Rome"]), (0.9, [])):
        logits = Logits(np.array([0.0, 50.0]), -50.0, tags, np.array([0.0, choice]))
        [call] = assemble_turn(logits, encode("yes", "in Rome"), vocabulary, {"s": skill}).calls
        assert [argument.value for argument in call.arguments] == expected


def test_words_that_are_a_part_of_a_value_are_taken_as_the_whole() -> None:
    skill = Skill("s", parameters=(Parameter("at"), Parameter("town"), Parameter("cafe")))
    slots = [Slot("at", (NOTHING,), "time"), Slot("town", (NOTHING,)), Slot("cafe", (NOTHING, CONTEXT))]
    encoded = encode("6 o'clock in Delft.", "try Kombüse Lütt there")
    call = answer(skill, slots, encoded, {0: 1, 3: 3, 5: 5}, [0, 0, 1])
    assert [(argument.slot, argument.value, argument.surface) for argument in call.arguments] == [
        ("at", "18:00", "6 o'clock"),
        ("town", "Delft", "Delft"),
        ("cafe", "Kombüse Lütt", None),
    ]


def test_a_word_fills_a_slot_if_that_is_nearly_as_likely_as_not() -> None:
    skill, slots = Skill("s", parameters=(Parameter("city"),)), [Slot("city", (NOTHING,))]
    vocabulary = Vocabulary((SkillSlots("s", tuple(slots)),))
    for outside, expected in ((0.9, ["Rome"]), (1.1, [])):
        logits = Logits(np.array([0.0, 50.0]), -50.0, np.array([[outside, 0.0, -9.0]]), np.array([0.0]))
        [call] = assemble_turn(logits, encode("Rome"), vocabulary, {"s": skill}).calls
        assert [argument.value for argument in call.arguments] == expected


def test_the_skills_of_the_service_of_the_last_call_are_likelier() -> None:
    vocabulary = Vocabulary(tuple(SkillSlots(name, ()) for name in "abc"))
    skills = {name: Skill(name, service=service) for name, service in (("a", "A"), ("b", "B"), ("c", None))}
    logits = Logits(np.array([0.0, 2.0, 0.6, 1.0]), -50.0, np.zeros((1, 1)), np.zeros(1))
    called = {
        service: assemble_turn(logits, encode("go"), vocabulary, skills, service=service).calls[0].skill
        for service in (None, "A", "B")
    }
    assert called == {None: "a", "A": "a", "B": "b"}


def test_several_skills_are_called_if_that_is_likelier_than_one() -> None:
    vocabulary = Vocabulary((SkillSlots("a", ()), SkillSlots("b", ()), SkillSlots("c", ())))
    skills = {name: Skill(name) for name in "abc"}
    shared = np.log([0.02, 0.5, 0.45, 0.03])
    answers = [
        assemble_turn(
            Logits(shared, several, np.zeros((1, 1)), np.zeros(1)), encode("go"), vocabulary, skills
        )
        for several in (-3.0, 3.0)
    ]
    assert [[call.skill for call in answer.calls] for answer in answers] == [["a"], ["a", "b"]]
    assert answers[1].score == pytest.approx(np.log(0.5 * 0.45 * 4 / (1 + np.exp(-3))))
    logits = Logits(shared, 3.0, np.zeros((1, 1)), np.zeros(1))
    assert len(assemble_turn(logits, encode("go"), vocabulary, skills, shown=["a"]).calls) == 1


def test_words_of_a_slot_that_no_row_fills_are_a_time_or_a_date_if_they_are_one() -> None:
    skill, slots = Skill("s", parameters=(Parameter("x"),)), [Slot("x", (NOTHING,), MOMENT)]
    values = [
        answer(skill, slots, encode(f"at {words}"), {1: 1, 2: 2}, [0]).arguments[0].value
        for words in ("7 pm", "March 14th", "Kino Royal")
    ]
    assert values == ["19:00", "2019-03-14", "Kino Royal"]


@pytest.mark.parametrize(
    ("parameter", "choices", "choice", "tags", "problem"),
    [
        (Parameter("n", type="integer"), (NOTHING,), 0, {1: 1}, "x does not accept 'many'"),
        (Parameter("x", enum=("a", "b")), (NOTHING,), 0, {1: 1}, "x does not accept 'many'"),
        (Parameter("x", composed=True), (NOTHING, COMPOSED), 1, {}, "x is written by a model"),
    ],
)
def test_what_the_tagger_cannot_know_is_a_problem_and_not_invented(
    parameter: Parameter, choices: tuple[Choice, ...], choice: int, tags: dict[int, int], problem: str
) -> None:
    slot = Slot("x", choices, "number" if parameter.type == "integer" else None)
    skill = Skill("s", parameters=(Parameter(**{**_fields(parameter), "name": "x"}),))
    call = answer(skill, [slot], encode("take many"), tags, [choice])
    assert (call.arguments, call.problem) == ((), problem)
    assert call.score < UNCERTAIN / 2


def _fields(parameter: Parameter) -> dict[str, object]:
    return {name: getattr(parameter, name) for name in parameter.__struct_fields__}


def test_paths_that_do_not_fit_together_are_a_problem() -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    skill = Skill("order", parameters=(Parameter("dishes", type="array", schema=schema),))
    slots = [Slot("dishes[0]", (NOTHING,)), Slot("dishes[1]", (NOTHING,))]
    assert answer(skill, slots, encode("soup rice"), {0: 1, 1: 3}, [0, 0]).problem is None
    assert answer(skill, slots, encode("soup rice"), {1: 3}, [0, 0]).problem is not None


def test_no_call_has_no_arguments() -> None:
    vocabulary = Vocabulary((SkillSlots("s", (Slot("x", (NOTHING,)),)),))
    logits = Logits(np.array([2.0, 2.0 - np.log(3)]), -50.0, np.zeros((1, 3)), np.zeros(1))
    answer = assemble_turn(logits, encode("no"), vocabulary, {})
    assert (answer.calls, answer.problem) == ((), None)
    assert answer.score == pytest.approx(np.log(0.75))


def test_a_skill_that_is_not_shown_is_not_called() -> None:
    vocabulary = Vocabulary((SkillSlots("a", ()), SkillSlots("b", ())))
    logits = Logits(np.array([0.0, 5.0, 3.0]), -50.0, np.zeros((1, 1)), np.zeros(1))
    skills = {"a": Skill("a"), "b": Skill("b")}
    answers = [
        assemble_turn(logits, encode("go"), vocabulary, skills, shown) for shown in (None, ["b", "c"], [])
    ]
    assert [[call.skill for call in answer.calls] for answer in answers] == [["a"], ["b"], []]
    assert answers[1].score == pytest.approx(3 - np.log(np.exp(3) + 1))
    assert answers[2].score == pytest.approx(0.0)


def make_turn(*calls: tuple[str, dict[str, str]], problem: str | None = None) -> TaggedTurn:
    """Make an answer of calls without spans."""
    tagged = [
        TaggedCall(skill, tuple(meant(slot, value, "verbatim") for slot, value in arguments.items()), 0.0)
        for skill, arguments in calls
    ]
    return TaggedTurn(tuple(tagged), 0.0, problem)


BY_NAME = {skill.name: skill for skill in SKILLS}


@pytest.mark.parametrize(
    ("skill", "arguments", "right"),
    [
        ("set_timer", {"minutes": "10"}, True),
        ("set_timer", {"minutes": "10.0"}, True),
        ("set_timer", {"minutes": "ten"}, False),
        ("set_timer", {"minutes": "10", "label": "tea"}, False),
        ("set_timer", {}, False),
        ("call", {"minutes": "10"}, False),
    ],
)
def test_a_call_is_right_if_skill_and_all_arguments_are(
    skill: str, arguments: dict[str, str], right: bool
) -> None:
    assert is_right(make_turn((skill, arguments)), [ROWS[3]], BY_NAME) is right


def test_an_answer_is_right_if_it_has_all_calls_of_the_turn_and_no_others() -> None:
    timer, ring = ("set_timer", {"minutes": "10"}), ("call", {"contact": "mum"})
    turn = [ROWS[0], ROWS[3]]
    assert is_right(make_turn(timer, ring), turn, BY_NAME)
    assert not is_right(make_turn(timer, ring, problem="x"), turn, BY_NAME)
    assert not is_right(make_turn(timer), turn, BY_NAME)
    assert not is_right(make_turn(timer, ring, ring), turn, BY_NAME)
    assert not is_right(make_turn(), turn, BY_NAME)
    assert is_right(make_turn(), [ROWS[7]], BY_NAME)
    assert not is_right(make_turn(ring), [ROWS[7]], BY_NAME)
    # A skill that another frame of the turn has, and one that it does not call.
    assert is_right(make_turn(ring), [ROWS[0], ROWS[7]], BY_NAME)


def test_a_text_is_right_as_said_and_in_every_accepted_form() -> None:
    row = make_row(
        "in San Fran",
        "weather",
        Argument("location", "San Francisco", "San Fran", 0, 0, Grounding.NORMALIZED, ("SF",)),
    )
    forms = ["San Francisco", "san fran", "SF", "Oslo"]
    answers = [make_turn(("weather", {"location": form})) for form in forms]
    assert [is_right(answer, [row], BY_NAME) for answer in answers] == [True, True, True, False]


def test_a_tagged_call_becomes_a_call_with_the_types_of_its_parameters() -> None:
    call = make_turn(("set_timer", {"minutes": "10", "label": "tea"})).calls[0]
    assert make_call(call, SKILLS[1]) == Call("set_timer", {"minutes": 10, "label": "tea"})
