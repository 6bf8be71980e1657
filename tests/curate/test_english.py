from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stages.curate.english import (
    bound_tokens,
    count_tokens,
    has_fewer_tokens,
    has_more_tokens,
    load_blank_english,
)

TEXTS = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            ["wouldntve", "ima", "don't", "cannot", "U.S.", ":-)", "\u00a0", "10km", "$5.50", "a/b", "…"]
        ),
    ),
    max_size=30,
).map(" ".join)


@given(TEXTS)
@example("im gonna go, dontcha think? it'll cost 10kg/m² :-D http://a.example/b?c=d#e")
def test_the_bounds_of_a_text_hold_its_tokens(text: str) -> None:
    low, high = bound_tokens(text)
    assert low <= count_tokens(text) <= high


def test_the_bounds_hold_for_each_exception_of_spacy() -> None:
    for text in load_blank_english().tokenizer.rules:
        low, high = bound_tokens(text)
        assert low <= count_tokens(text) <= high, text


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), (" \n ", 0), ("call Ada", 2), ("don't", 2), ("wouldntve", 3), ("two-way", 3)],
)
def test_texts_are_compared_with_limits_by_their_exact_number_of_tokens(text: str, tokens: int) -> None:
    assert [has_fewer_tokens(text, limit) for limit in (tokens, tokens + 1)] == [False, True]
    assert [has_more_tokens(text, limit) for limit in (tokens - 1, tokens)] == [True, False]


@given(TEXTS, st.integers(0, 90))
@example("call my mother and my father at home today, please, if you can, and then call me back.", 18)
def test_limits_that_are_ruled_out_early_are_those_of_the_tokenizer(text: str, limit: int) -> None:
    tokens = count_tokens(text)
    assert (has_fewer_tokens(text, limit), has_more_tokens(text, limit)) == (tokens < limit, tokens > limit)
