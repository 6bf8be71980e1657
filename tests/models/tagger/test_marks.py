"""Marks of words: speaker, distance, and what an earlier turn said."""

from __future__ import annotations

from exemplars.core.records import Speaker, Turn
from exemplars.models.tagger.marks import MARKS, UNMARKED, mark_turns

USER, ASSISTANT = Speaker.USER, Speaker.ASSISTANT
TURNS = [
    Turn(USER, "Yes, on the 14th"),
    Turn(ASSISTANT, "Three seats on March 14th, at 9 pm?"),
    Turn(USER, "Buy 3 seats for March 14"),
]
"""The utterance first."""


def find_word(turn: int, word: str) -> tuple[int, int]:
    start = TURNS[turn].utterance.index(word)
    return start, start + len(word)


def test_a_mark_says_who_speaks_and_how_long_ago() -> None:
    starts = [marks.start for marks in mark_turns([*TURNS, Turn(ASSISTANT, "Hi"), Turn(USER, "Hello")])]
    assert starts == [(1, 0, 0, 0), (0, 1, 0, 0), (1, 0, 1, 0), (0, 0, 0, 1), (1, 0, 0, 1)]


def test_words_that_an_earlier_turn_said_are_marked_by_who_said_them() -> None:
    marks = mark_turns(TURNS)
    said = [marks[1].mark(find_word(1, word))[4:6] for word in ("Three", "seats", "14th", "9", "pm", "?")]
    assert said == [(1, 0), (1, 0), (1, 0), (0, 0), (0, 0), (0, 0)]
    assert marks[0].mark(find_word(0, "14th"))[4:6] == (1, 1)
    assert marks[0].mark(find_word(0, "Yes"))[4:6] == (0, 0)
    assert marks[2].mark(find_word(2, "seats"))[4:6] == (0, 0)  # Said later, not before.


def test_a_part_of_a_word_has_the_marks_of_the_word() -> None:
    [first, _] = mark_turns([Turn(USER, "to Portoferraio"), Turn(USER, "Portoferraio please")])
    assert first.mark((3, 7)) == first.mark((7, 15)) == (1, 0, 0, 0, 1, 0, 1, 0, 0, 0)
    assert len(UNMARKED) == MARKS == 10


def test_names_and_expressions_are_marked_but_not_the_first_word_of_a_sentence() -> None:
    [marks] = mark_turns([Turn(USER, "Good. See Dr. Wen in Oslo tomorrow at 3 pm")])
    text = "Good. See Dr. Wen in Oslo tomorrow at 3 pm"
    found = {}
    for word in ("Good", "See", "Dr", "in", "Oslo", "tomorrow", "pm"):
        start = text.index(word)
        found[word] = marks.mark((start, start + len(word)))[6:]
    assert found == {
        "Good": (0, 0, 0, 0),
        "See": (0, 0, 0, 0),
        "Dr": (1, 0, 0, 0),
        "in": (0, 0, 0, 0),
        "Oslo": (1, 0, 0, 0),
        "tomorrow": (0, 1, 0, 0),
        "pm": (0, 0, 0, 1),
    }
