"""Texts for an encoder."""

from __future__ import annotations

from exemplars.core.records import Speaker, Turn
from exemplars.models.retriever.texts import fit_turns

TURNS = (Turn(Speaker.USER, "a b c"), Turn(Speaker.ASSISTANT, "d e"))


def count_words(text: str) -> int:
    return len(text.split())


def test_the_oldest_turns_that_do_not_fit_are_left_out_whole() -> None:
    assert fit_turns("f", TURNS, 4, 8, count_words) == "a b c | d e | f"
    assert fit_turns("f", TURNS, 4, 7, count_words) == "d e | f"
    assert fit_turns("f", TURNS, 1, 8, count_words) == "d e | f"
    assert fit_turns("f", TURNS, 0, 8, count_words) == "f"
    assert fit_turns("f g h", TURNS, 4, 2, count_words) == "f g h"
