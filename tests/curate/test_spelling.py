from __future__ import annotations

from stages.curate.spelling import find_misspelled_words
from tests.curate.rows import make_argument, make_row, make_turn


def test_a_name_in_an_argument_is_not_misspelled() -> None:
    text = "call wuffels tomorrow"
    row = make_row("1", text, arguments=(make_argument("who", "wuffels", text),))
    assert find_misspelled_words({"1": [row]}) == {}


def test_a_word_of_several_rows_is_vocabulary() -> None:
    rows = [make_row("1", "pleese call"), make_row("2", "pleese ring")]
    assert find_misspelled_words({row.turn: [row] for row in rows}) == {}


def test_without_rows_nothing_is_misspelled() -> None:
    assert find_misspelled_words({}) == {}


def test_a_word_of_a_turn_with_two_calls_counts_once_and_not_if_a_call_has_it_as_an_argument() -> None:
    text = "plaese call jonathn"
    first, second = make_turn("1", text, ("call", (make_argument("who", "jonathn", text),)), ("text", ()))
    assert find_misspelled_words({"1": [first, second]}) == {"plaese": "1"}
