from __future__ import annotations

from stages.curate.spelling import find_misspelled_words
from tests.curate.rows import make_argument, make_row


def test_a_name_in_an_argument_is_not_misspelled() -> None:
    text = "call wuffels tomorrow"
    row = make_row("1", text, arguments=(make_argument("who", "wuffels", text),))
    assert find_misspelled_words([row]) == frozenset()


def test_a_word_of_several_rows_is_vocabulary() -> None:
    rows = [make_row("1", "pleese call"), make_row("2", "pleese ring")]
    assert find_misspelled_words(rows) == frozenset()


def test_without_rows_nothing_is_misspelled() -> None:
    assert find_misspelled_words([]) == frozenset()
