"""Candidate values: found without a model, in the form that a prompt shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.records import Argument, Grounding, Speaker, Turn
from exemplars.dataset.recognizers import Instance, Recognizer
from exemplars.models.candidates import (
    MOST,
    ExpressionIndex,
    SaidValue,
    add_candidates,
    choose_candidates,
    find_recognized,
    list_tagged,
    make_candidate_finder,
)
from exemplars.models.prompt_style import CandidateSource, PromptStyle, Values
from exemplars.models.prompting import build_messages
from exemplars.models.questions import Candidate, Question
from exemplars.models.tagger.calls import TaggedCall, TaggedTurn
from tests.render.rows import SKILLS

CITIES = {
    "city": Recognizer((Instance("Rome", ("Roma", "the eternal city")), Instance("New York", ("NYC",)))),
    "month": Recognizer((Instance("may"), Instance("7"))),
}
INDEX = ExpressionIndex(CITIES)


def find(utterance: str, *before: str, turns: int = 2) -> list[tuple[str, str, str]]:
    context = [Turn(Speaker.USER, text) for text in before]
    found = find_recognized(Question(utterance, context), turns, INDEX)
    return [(said.name, said.surface, said.value) for said in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "two seats at half past 7, please",
            [("number", "two", "2"), ("time", "half past 7", "07:30")],
        ),
        ("from ROMA to new york.", [("city", "ROMA", "Rome"), ("city", "new york", "New York")]),
        ("The  eternal city, not nycity", [("city", "The  eternal city", "Rome")]),
        # What a relative date means depends on the day, so that it is shown as said.
        ("tomorrow", [("date", "tomorrow", "tomorrow")]),
        # An expression comes before a listed word of the same length.
        ("7", [("number", "7", "7")]),
        ("hello there", []),
    ],
)
def test_expressions_and_listed_words_are_found(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert find(text) == expected


def test_only_shown_turns_count_and_the_utterance_comes_last() -> None:
    before = ("in Rome", "at 8:30", "or NYC")
    assert [surface for _, surface, _ in find("two", *before)] == ["8:30", "NYC", "two"]
    assert [surface for _, surface, _ in find("two", *before, turns=0)] == ["two"]


def test_a_text_full_of_numbers_shows_the_last_ones_once() -> None:
    said = [SaidValue("number", str(number), str(number)) for number in [*range(30), 29]]
    shown = choose_candidates(said, Values.SPOKEN)
    assert [candidate.text for candidate in shown] == [str(number) for number in range(30 - MOST, 30)]


@given(st.text(alphabet="Roma newyc.,'7 twohalfpst", max_size=60))
def test_what_is_found_is_said_and_does_not_overlap(text: str) -> None:
    end = 0
    for said in find_recognized(Question(text), 2, INDEX):
        start = text.index(said.surface, end)
        end = start + len(said.surface)


def test_a_tagger_names_the_arguments_of_what_is_said() -> None:
    arguments = (
        Argument("time", "07:30", "half past 7", 11, 22, Grounding.NORMALIZED),
        Argument("mode", "walk", None, None, None, Grounding.CATEGORICAL),
        Argument("city", "Rome", None, None, None, Grounding.CONTEXT),
    )
    said = list_tagged(TaggedTurn((TaggedCall("wake", arguments, -1.0),), -1.0))
    assert choose_candidates(said, Values.SPOKEN) == (
        Candidate("time", "half past 7"),
        Candidate("city", "Rome"),
    )
    assert choose_candidates(said, Values.CANONICAL) == (
        Candidate("time", "07:30"),
        Candidate("city", "Rome"),
    )


@pytest.mark.parametrize(("values", "shown"), [(Values.SPOKEN, "ROMA"), (Values.CANONICAL, "Rome")])
def test_the_system_message_ends_with_what_is_said(values: Values, shown: str) -> None:
    style = PromptStyle(values=values, candidates=CandidateSource.RECOGNIZER)
    (question,) = add_candidates([Question('ring "ROMA"')], make_candidate_finder(style, CITIES))
    system, user = build_messages(style, [SKILLS["call"]], question)
    assert system.content == f'{style.instruction}\ncall(contact, device=home|work)\nSaid: city="{shown}"'
    assert user.content == 'ring "ROMA"'


def test_nothing_is_shown_where_nothing_is_wanted_or_said() -> None:
    for source in CandidateSource.NONE, CandidateSource.RECOGNIZER:
        style = PromptStyle(candidates=source)
        text = "ring ROMA" if source is CandidateSource.NONE else "ring mum"
        (question,) = add_candidates([Question(text)], make_candidate_finder(style, CITIES))
        assert build_messages(style, [SKILLS["call"]], question)[0].content.endswith("device=home|work)")
