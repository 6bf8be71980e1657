from __future__ import annotations

import pytest

from exemplars.dataset.expressions.spelling import normalize_word
from exemplars.dataset.expressions.words import find_wordings


@pytest.mark.parametrize(
    ("word", "base"),
    [
        ("horses", "horse"),
        ("Movies", "movie"),
        ("cookies", "cookie"),
        ("potatoes", "potato"),
        ("children", "child"),
        ("mice", "mouse"),
        ("feet", "foot"),
        ("people", "person"),
        ("buses", "bus"),
        ("bus", "bus"),
        ("lenses", "lens"),
        ("tennis", "tennis"),
        ("colours", "color"),
        ("Grey", "gray"),
        ("fifty", "50"),
        ("Øresund", "oresund"),
    ],
)
def test_forms_of_a_word_have_the_same_base(word: str, base: str) -> None:
    assert normalize_word(word) == base


@pytest.mark.parametrize(
    ("text", "value", "surface"),
    [
        ("two horses", "horse", "horses"),
        ("a mouse", "mice", "mouse"),
        ("is there wifi?", "wi-fi", "wifi"),
        ("is there Wi-Fi?", "wifi", "Wi-Fi"),
        ("send an e-mail", "email", "e-mail"),
        ("ask Herr Mueller", "Müller", "Mueller"),
        ("ask Herr Müller", "Mueller", "Müller"),
        ("ask Herr Muller", "Müller", "Muller"),
        ("the favourite colour", "favorite color", "favourite colour"),
        ("to Paris-Orly", "Paris–Orly", "Paris-Orly"),
        ("call O’Neill", "oneill", "O’Neill"),
        ("call o'neill", "ONeill", "o'neill"),
        ("fifty shades", "50 shades", "fifty shades"),
    ],
)
def test_a_value_is_found_in_other_forms_of_its_words(text: str, value: str, surface: str) -> None:
    assert [text[mention.start : mention.end] for mention in find_wordings(text, value)] == [surface]


@pytest.mark.parametrize(
    ("text", "value"), [("a house", "horse"), ("a lens", "Lena"), ("the moose", "mouse")]
)
def test_another_word_is_not_a_form_of_a_value(text: str, value: str) -> None:
    assert find_wordings(text, value) == ()
