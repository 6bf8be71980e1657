from __future__ import annotations

import pytest

from exemplars.dataset.texts import compute_jaccard, make_shingles, normalize_text


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Call Mum!", "call mum"),
        ("  call\tMum ", "call mum"),
        ("call <who>, please", "call <who> please"),
        ("Ｃａｌｌ １２", "call 12"),
        ("…", ""),
        ("👍", ""),
        ("", ""),
    ],
)
def test_texts_are_compared_without_case_punctuation_and_extra_spaces(text: str, key: str) -> None:
    assert normalize_text(text) == key


def test_shingles_are_runs_of_characters_and_of_words() -> None:
    assert make_shingles("go on") == {"go o", "o on", "go\x1fon\x1f"}
    assert make_shingles("go") == {"go", "go\x1f"}
    assert make_shingles("") == frozenset()


def test_jaccard_is_the_share_that_both_have() -> None:
    assert compute_jaccard(frozenset("abc"), frozenset("bcd")) == 0.5
    assert compute_jaccard(frozenset(), frozenset()) == 0.0
