from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.dataset.texts import (
    compute_jaccard,
    has_text,
    is_mentioned,
    list_words,
    make_equality_key,
    make_erasure_key,
    make_shingles,
    make_similarity_text,
)


@pytest.mark.parametrize(
    ("text", "similar"),
    [
        ("Call Mum!", "call mum"),
        ("  call\tMum ", "call mum"),
        ("call <who>, please", "call <who> please"),
        ("Ｃａｌｌ １２", "call 12"),
        ("set it to -1.5", "set it to 15"),
        ("…", ""),
        ("👍", ""),
        ("", ""),
    ],
)
def test_similarity_and_erasure_ignore_case_punctuation_and_extra_spaces(text: str, similar: str) -> None:
    assert make_similarity_text(text) == similar
    assert make_erasure_key(text) == similar
    assert list_words(text) == similar.split()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Call Mum, please!", "call mum please"),
        ("  call\tMum , please ", "call mum please"),
        ("call <who>, “please”", "call <who> please"),
        ("Ｃａｌｌ １２", "call 12"),
        ("(at 7 a.m.)", "at 7 am"),
        ("O’Brien", "o'brien"),
        ("at −5 °C…", "at -5 °c"),
        ("Paris–Orly", "paris-orly"),
        ("❤️", "❤"),
        ("cafe\u0301", "café"),
        ("x² is ½", "x² is ½"),
        ("...", "..."),
        ("", ""),
    ],
)
def test_the_key_of_equal_texts_has_no_case_extra_spaces_or_punctuation_around_words(
    text: str, key: str
) -> None:
    assert make_equality_key(text) == key


@pytest.mark.parametrize(
    "texts",
    [
        ("set it to 5", "set it to -5", "set it to +5", "set it to 5%", "set it to .5"),
        ("1.5", "15", "1:5", "1/5", "1-5"),
        ("what is 3+4", "what is 3*4", "what is 34", "what is 3 + 4"),
        ("books on C", "books on C++", "books on C#", "books on @C"),
        ("react with 👍", "react with 👎", "react with", "react with 👍🏽"),
        ("I'll eat it", "ill eat it"),
        ("the café list", "the cafe list"),
        ("मीरा को फोन करो", "मेरा को फोन करो"),
        ("फोन कम करो", "फोन कमी करो"),
        ("a 6' board", 'a 6" board', "a 6 board"),
        ("x²", "x2"),
        ("?", "!", ":)", ":(", ""),
    ],
)
def test_texts_that_differ_in_what_carries_meaning_are_not_equal(texts: tuple[str, ...]) -> None:
    assert len({make_equality_key(text) for text in texts}) == len(texts)


@given(st.text(min_size=1, max_size=12).filter(str.isalnum), st.sampled_from(".,?!"))
def test_the_key_of_a_word_ignores_a_sign_after_it(word: str, sign: str) -> None:
    assert make_equality_key(f"{word}{sign} now") == make_equality_key(f"{word} {sign} now")


@given(st.text("aB1 .,?!'-\t", min_size=1).filter(lambda text: any(map(str.isalnum, text))))
def test_the_key_of_a_plain_text_is_that_of_its_words_among_others(text: str) -> None:
    assert make_equality_key(f"{text} ©") == f"{make_equality_key(text)} ©"


@given(st.text(max_size=30))
def test_the_key_of_a_text_ignores_the_spaces_around_it(text: str) -> None:
    assert make_equality_key(f" {text}\n") == make_equality_key(text)


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("C", "books on C, please", True),
        ("C", "books on C++, please", False),
        ("5", "set it to -5", False),
        ("new york", "New  York?", True),
        ("york", "Yorkshire", False),
        ("", "anything", False),
    ],
)
def test_a_value_is_mentioned_as_whole_words(value: str, text: str, expected: bool) -> None:
    assert is_mentioned(value, text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", True), ("👍", True), ("", False), (" \t\n", False), ("\u200b\ufeff\x00", False)],
)
def test_a_text_of_white_space_and_format_characters_says_nothing(text: str, expected: bool) -> None:
    assert has_text(text) is expected


@pytest.mark.parametrize("unit", ["a.", "!", "(", "' ", "-", "é", '5"', "...a "])
def test_the_key_of_a_long_text_takes_time_in_proportion_to_its_length(unit: str) -> None:
    start = time.process_time()
    make_equality_key(unit * 200_000)
    assert time.process_time() - start < 60


def test_shingles_are_runs_of_characters_and_of_words() -> None:
    assert make_shingles("go on") == {"go o", "o on", "go\x1fon\x1f"}
    assert make_shingles("go") == {"go", "go\x1f"}
    assert make_shingles("") == frozenset()


def test_jaccard_is_the_share_that_both_have() -> None:
    assert compute_jaccard(frozenset("abc"), frozenset("bcd")) == 0.5
    assert compute_jaccard(frozenset(), frozenset()) == 0.0
