"""Viterbi's algorithm against all sequences, and the spans of tags."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exemplars.models.tagger.decoding import TaggedSpan, decode_tags, list_spans
from exemplars.models.tagger.features import EncodedText


def is_allowed(tags: tuple[int, ...], turns: list[int], begins: list[bool]) -> bool:
    """Whether tags keep the rules, said in another way than in the code."""
    for place, tag in enumerate(tags):
        before = tags[place - 1] if place and turns[place] == turns[place - 1] else None
        if turns[place] == -1:
            fits = tag == 0
        elif tag and tag % 2 == 0:
            fits = before in (tag, tag - 1)
        elif before is not None and not begins[place]:
            fits = tag == 0 == before
        else:
            fits = tag == 0 or begins[place]
        if not fits:
            return False
    return True


@given(st.integers(1, 5), st.integers(0, 2), st.data())
def test_the_best_of_all_allowed_sequences_is_found(length: int, slots: int, data: st.DataObject) -> None:
    tags = 1 + 2 * slots
    turns = data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=length, max_size=length))
    begins = [
        place == 0 or turns[place] != turns[place - 1] or data.draw(st.booleans()) for place in range(length)
    ]
    numbers = st.lists(st.integers(-20, 0), min_size=tags, max_size=tags)
    scores = np.array([data.draw(numbers) for _ in range(length)], dtype=float)
    found = tuple(decode_tags(scores, turns, begins))
    assert is_allowed(found, turns, begins)
    best = max(
        sum(scores[place, tag] for place, tag in enumerate(sequence))
        for sequence in itertools.product(range(tags), repeat=length)
        if is_allowed(sequence, turns, begins)
    )
    assert sum(scores[place, tag] for place, tag in enumerate(found)) == best


def test_no_token_has_no_tag() -> None:
    assert decode_tags(np.zeros((0, 3)), [], []) == []


def test_of_two_spans_of_a_slot_in_a_text_the_better_stays() -> None:
    encoded = EncodedText(
        [9] * 5,
        [0] * 5,
        [0, 0, 0, -1, 1],
        [(0, 2), (3, 5), (6, 8), (0, 0), (0, 4)],
        [True] * 5,
        ["ab cd ef", "Rome"],
    )
    scores = np.log(np.full((5, 3), 0.1))
    scores[0, 1], scores[2, 1], scores[4, 1] = np.log(0.6), np.log(0.9), np.log(0.7)
    assert list_spans([1, 0, 1, 0, 1], scores, encoded) == [
        TaggedSpan(0, 0, 6, 8, float(np.log(0.9))),
        TaggedSpan(0, 1, 0, 4, float(np.log(0.7))),
    ]
