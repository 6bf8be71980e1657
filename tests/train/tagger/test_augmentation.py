"""Other values and other forms of rows, drawn for each epoch."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.records import Grounding
from stages.train.tagger.augmentation import SpokenValue, augment_row, build_pools
from tests.models.tagger.rows import ROWS, make_row, said

POOLS = build_pools(ROWS)
SHARES = st.floats(0, 1)


def test_the_pool_of_a_slot_has_what_train_rows_say() -> None:
    assert POOLS["set_timer", "minutes"] == [
        SpokenValue("5", "5", Grounding.VERBATIM),
        SpokenValue("ten", "10", Grounding.NORMALIZED),
    ]
    assert ("weather", "location") in POOLS
    assert [value.surface for value in POOLS["call", "device"]] == ["work"]


@given(st.sampled_from(ROWS), st.integers(0, 20), SHARES, SHARES)
def test_every_span_has_its_surface_and_a_value_that_it_may_mean(
    row, epoch, swap_share, speech_share
) -> None:  # type: ignore[no-untyped-def]
    drawn = augment_row(row, epoch, POOLS, swap_share, speech_share)
    assert [argument.slot for argument in drawn.arguments] == [argument.slot for argument in row.arguments]
    for argument in drawn.arguments:
        if argument.start is not None:
            assert drawn.utterance[argument.start : argument.end] == argument.surface
            pool = POOLS[str(row.skill), argument.slot]
            assert argument.value in {value.value for value in pool}


def test_the_first_epoch_has_the_rows_as_written_and_later_ones_differ() -> None:
    row = ROWS[4]
    drawn = [augment_row(row, epoch, POOLS, 0.5, 0.3).utterance for epoch in range(12)]
    assert drawn[0] == "timer for 5 minutes, tea"
    assert set(drawn) == {
        "timer for 5 minutes, tea",
        "timer for ten minutes, tea",
        "okay timer for five minutes tea",
    }


def test_nothing_is_drawn_at_a_share_of_zero() -> None:
    assert [augment_row(row, 5, POOLS, 0.0, 0.0) for row in ROWS] == ROWS


def test_the_draw_does_not_depend_on_the_other_rows() -> None:
    row = make_row("ring mum", "call", said("contact", "mum"))
    assert augment_row(row, 3, POOLS, 1.0, 0.0) == augment_row(ROWS[0], 3, POOLS, 1.0, 0.0)
