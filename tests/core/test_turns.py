from __future__ import annotations

from exemplars.core.records import Speaker, Turn
from exemplars.core.turns import find_user_text, group_by_turn
from tests.curate.rows import make_row, make_turn


def test_rows_are_grouped_by_turn_and_calls_ordered() -> None:
    first, second = make_turn("2", "call mum", ("call", ()), ("ring", ()))
    other = make_row("1", "text dad")
    assert group_by_turn([second, other, first]) == {"s:2": [first, second], "s:1": [other]}


def test_what_the_user_said_is_the_utterance_or_the_last_user_turn_before_a_result() -> None:
    asked = (Turn(Speaker.USER, "hi"), Turn(Speaker.USER, "call mum"), Turn(Speaker.TOOL, "1"))
    assert find_user_text(make_row("1", "call dad", context=asked)) == "call dad"
    assert find_user_text(make_row("1", "{}", context=asked, speaker=Speaker.TOOL)) == "call mum"
    assert find_user_text(make_row("1", "{}", speaker=Speaker.TOOL)) == "{}"
