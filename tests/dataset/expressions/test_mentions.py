from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exemplars.dataset.expressions.mentions import Mention, drop_parts, keep_longest, select_reading

SPANS = st.tuples(st.integers(0, 20), st.integers(1, 6)).map(lambda pair: Mention(pair[0], sum(pair), ()))


def test_of_overlapping_mentions_the_longest_is_kept_and_of_equally_long_ones_the_leftmost() -> None:
    longest, part, next_to_it = Mention(0, 8, ("a",)), Mention(4, 8, ("b",)), Mention(8, 9, ("c",))
    assert keep_longest([part, next_to_it, longest]) == (longest, next_to_it)
    assert keep_longest([Mention(2, 4, ()), Mention(1, 3, ())]) == (Mention(1, 3, ()),)


def test_of_mentions_with_equal_spans_the_first_given_is_kept() -> None:
    first, second = Mention(0, 3, ("z",)), Mention(0, 3, ("a",))
    assert keep_longest([first, second]) == (first,)
    assert keep_longest([second, first]) == (second,)


@given(st.lists(SPANS, max_size=8))
def test_kept_mentions_are_in_order_and_every_dropped_one_overlaps_one_that_is_not_shorter(
    mentions: list[Mention[str]],
) -> None:
    kept = keep_longest(mentions)
    assert all(left.end <= right.start for left, right in pairwise(kept))
    for mention in mentions:
        overlapping = [other for other in kept if other.start < mention.end and mention.start < other.end]
        assert any(other.end - other.start >= mention.end - mention.start for other in overlapping)


def test_a_mention_within_a_longer_expression_is_dropped() -> None:
    inside, equal, outside = Mention(3, 4, ()), Mention(3, 7, ()), Mention(2, 4, ())
    assert drop_parts([inside, equal, outside], [Mention(3, 7, ())]) == (outside,)


def test_the_most_likely_reading_counts_before_the_others() -> None:
    sure, unsure = Mention(0, 1, (5,)), Mention(2, 3, (17, 5))
    assert select_reading((sure, unsure), 5) == (sure,)
    assert select_reading((unsure,), 5) == (unsure,)
    assert select_reading((sure, unsure), 6) == ()
