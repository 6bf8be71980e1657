"""Batches of rows of about the same length."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stages.train.tagger.batches import build_batches

LENGTHS = st.lists(st.integers(1, 60), max_size=80)


@given(LENGTHS, st.integers(1, 9), st.integers(1, 200), st.integers(0, 3), st.integers(0, 3))
def test_each_row_is_in_one_batch_that_keeps_its_bounds(
    lengths: list[int], batch_rows: int, batch_tokens: int, seed: int, epoch: int
) -> None:
    batches = build_batches(lengths, batch_rows, batch_tokens, seed, epoch)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        padded = len(batch) * max(lengths[place] for place in batch)
        assert len(batch) <= batch_rows
        assert padded <= batch_tokens or len(batch) == 1


def test_seed_and_epoch_determine_the_order() -> None:
    lengths = [3, 5, 7, 9] * 8
    first = build_batches(lengths, 4, 100, 1, 0)
    assert build_batches(lengths, 4, 100, 1, 0) == first
    assert build_batches(lengths, 4, 100, 1, 1) != first
    assert build_batches(lengths, 4, 100, 2, 0) != first
