from __future__ import annotations

from exemplars.core.records import Exemplar
from stages.curate import spelling
from stages.curate.spelling import WordCounts, list_plain_words
from tests.curate.rows import make_argument, make_row, make_turn


def find_misspelled_words(turns: dict[int, list[Exemplar]]) -> dict[str, int]:
    counts = WordCounts()
    for number, calls in turns.items():
        counts.add(number, list_plain_words(calls))
    return spelling.find_misspelled_words(counts)


def test_a_name_in_an_argument_is_not_misspelled() -> None:
    text = "call wuffels tomorrow"
    row = make_row("1", text, arguments=(make_argument("who", "wuffels", text),))
    assert find_misspelled_words({1: [row]}) == {}


def test_a_word_of_several_rows_is_vocabulary() -> None:
    rows = [make_row("1", "pleese call"), make_row("2", "pleese ring")]
    assert find_misspelled_words(dict(enumerate([row] for row in rows))) == {}


def test_without_rows_nothing_is_misspelled() -> None:
    assert find_misspelled_words({}) == {}


def test_a_word_of_a_turn_with_two_calls_counts_once_and_not_if_a_call_has_it_as_an_argument() -> None:
    text = "plaese call jonathn"
    first, second = make_turn("1", text, ("call", (make_argument("who", "jonathn", text),)), ("text", ()))
    assert find_misspelled_words({1: [first, second]}) == {"plaese": 1}


def test_a_turn_that_is_taken_away_leaves_its_words_to_another_turn() -> None:
    counts, other = WordCounts(), WordCounts()
    counts.add(3, {"pleese", "call"})
    other.add(7, {"pleese"})
    counts.extend(other)
    assert counts.list_rare() == {}
    counts.remove(3, {"pleese", "call"})
    assert counts.list_rare() == {"pleese": 7}
