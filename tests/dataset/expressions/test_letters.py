from __future__ import annotations

import pytest

from exemplars.dataset.expressions.verbatim import find_exact, find_ignoring_case
from exemplars.dataset.expressions.words import find_wordings


@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        ("从广州到成都的机票", "成都", [(4, 6)]),
        ("到成都，从成都出发", "成都", [(1, 3), (5, 7)]),
        ("ฉันจะไปกระบี่พรุ่งนี้", "กระบี่", [(7, 13)]),
        ("大阪ラーメン屋へ", "ラーメン", [(2, 6)]),
        ("大阪ラーメン屋へ", "ラー", []),
        ("osaka大阪 trip", "大阪", [(5, 7)]),
        ("料理を5人前", "5", [(3, 4)]),
        ("ไม้สัก", "ไม", []),
        ("कमल को बुलाओ", "कम", []),
        ("कमी है, कम दो", "कम", [(8, 10)]),
        ("சென்னை மழை", "சென்னை", [(0, 6)]),
        ("சென்னையில் மழை", "சென்னை", []),
        ("كِتَاب", "ك", []),
        ("send 👋🏿 now", "👋", []),
        ("wave 👋 now", "👋", [(5, 6)]),
        ("👩‍💻 and 💻", "💻", [(8, 9)]),
        ("flags 🇳🇴🇸🇪", "🇸🇪", [(8, 10)]),
        ("flags 🇳🇴🇸🇪", "🇴🇸", []),
        ("co\u00adworker", "worker", []),
        ("\u200fشكرا\u200f", "شكرا", [(1, 5)]),
        ("ZWNJ می\u200cروم", "روم", []),
        ("a 🍕pizza", "pizza", [(3, 8)]),
        ("Ana's desk", "Ana", [(0, 3)]),
    ],
)
def test_a_value_is_found_between_the_letters_of_its_script_and_never_within_them(
    text: str, value: str, found: list[tuple[int, int]]
) -> None:
    assert find_exact(text, value) == found
    assert find_ignoring_case(text, value) == found


@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        ("set it to -8", "8", []),
        ("set it to \u22128", "8", []),
        ("rows 3-8", "8", [(7, 8)]),
        ("rows 3-8", "-8", []),
        ("teach me C++", "C", []),
        ("teach me F#", "F", []),
        ("teach me C, please", "C", [(9, 10)]),
        ("¥8 each", "8", []),
    ],
)
def test_a_sign_belongs_to_its_number_or_its_name(
    text: str, value: str, found: list[tuple[int, int]]
) -> None:
    assert find_exact(text, value) == found


@pytest.mark.parametrize(
    ("text", "value", "surface"),
    [
        ("मेरी किताब", "मीरा", None),
        ("ガラス", "カラス", None),
        ("мой дом", "мои дом", None),
        ("ёлка дома", "елка", "ёлка"),
        ("כָּתַב", "כתב", "כָּתַב"),
        ("كَتَبَ", "كتب", "كَتَبَ"),
        ("react 👋🏿 now", "👋", "👋🏿"),
        ("react 👎", "👍", None),
        ("book on C#", "C++", None),
        ("what is 6*7", "6+7", None),
    ],
)
def test_only_optional_marks_are_left_out(text: str, value: str, surface: str | None) -> None:
    assert [text[mention.start : mention.end] for mention in find_wordings(text, value)] == (
        [surface] if surface else []
    )


@pytest.mark.parametrize("unit", ["ก", "เ", "🇳", "👩\u200d", "タ", "\u00ad", "a\u00ad", "é ", "\u0301"])
def test_long_texts_of_any_script_are_searched_in_linear_time(unit: str) -> None:
    assert find_exact(unit * 50_000 + " Oslo", "Oslo") == [(50_000 * len(unit) + 1, 50_000 * len(unit) + 5)]
