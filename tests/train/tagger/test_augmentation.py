"""Other values and other forms of rows, drawn for each epoch."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.records import Grounding
from stages.train.tagger.augmentation import Shares, SpokenValue, augment_turn, build_pools, list_passes
from tests.models.tagger.rows import ROWS, make_row, said

POOLS = build_pools([[row] for row in ROWS])
SHARES = st.builds(Shares, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))


def test_the_pool_of_a_slot_has_what_train_rows_say() -> None:
    assert POOLS.values["set_timer", "minutes"] == [
        SpokenValue("5", "5", Grounding.VERBATIM),
        SpokenValue("ten", "10", Grounding.NORMALIZED),
    ]
    assert [value.surface for value in POOLS.values["weather", "location"]] == ["Oslo", "Rome"]
    assert [value.surface for value in POOLS.values["call", "device"]] == ["work"]
    assert [turn.utterance for turn in POOLS.turns] == [row.utterance for row in ROWS[:6]]


@given(st.sampled_from(ROWS), st.integers(0, 20), SHARES)
def test_every_span_has_its_surface_and_a_value_that_it_may_mean(row, epoch, shares) -> None:  # type: ignore[no-untyped-def]
    drawn = augment_turn([row], epoch, POOLS, shares)
    slots = [argument.slot for argument in drawn[0].arguments]
    assert slots == [argument.slot for argument in row.arguments]
    assert len({call.utterance for call in drawn}) == 1
    for call in drawn:
        for argument in call.arguments:
            if argument.start is not None:
                assert call.utterance[argument.start : argument.end] == argument.surface
                pool = POOLS.values[str(call.skill), argument.slot]
                assert argument.value in {value.value for value in pool}


def test_the_first_epoch_has_the_rows_as_written_and_later_ones_differ() -> None:
    drawn = [augment_turn([ROWS[4]], epoch, POOLS, Shares(0.5, 0.3))[0].utterance for epoch in range(12)]
    assert drawn[0] == "timer for 5 minutes, tea"
    assert set(drawn) == {
        "timer for 5 minutes, tea",
        "timer for ten minutes, tea",
        "okay timer for five minutes tea",
    }


def test_a_value_of_an_earlier_turn_is_replaced_where_it_is_said() -> None:
    drawn = [augment_turn([ROWS[6]], epoch, POOLS, Shares(swap=1.0))[0] for epoch in range(1, 9)]
    heard = {(row.context[1].utterance, row.arguments[0].value) for row in drawn}
    assert heard == {("In Rome?", "Rome"), ("In Oslo?", "Oslo")}
    phone = make_row("one phone", "call", said("contact", "one"), before=("one phone?",))
    swapped = augment_turn([phone], 1, POOLS, Shares(swap=1.0))[0]
    assert swapped.context[0].utterance == f"{swapped.arguments[0].value} phone?"


def test_a_joined_turn_has_the_calls_of_both_utterances() -> None:
    drawn = [augment_turn([ROWS[1]], epoch, POOLS, Shares(join=1.0)) for epoch in range(1, 30)]
    joined = [turn for turn in drawn if len(turn) > 1]
    assert len(joined) > 10
    assert {len(turn) for turn in drawn} == {1, 2}  # Alone, if the second one would have the same skill.
    assert {turn[1].skill for turn in joined} == {"set_timer", "weather"}
    assert any(turn[0].utterance == "ring dad at work. Then weather in Oslo" for turn in joined)
    assert len({call.turn for turn in joined for call in turn}) == 1
    assert len(augment_turn([ROWS[6]], 1, POOLS, Shares(join=1.0))) == 1


def test_nothing_is_drawn_at_a_share_of_zero_and_nothing_but_speech_of_several_calls() -> None:
    assert [augment_turn([row], 5, POOLS, Shares()) for row in ROWS] == [[row] for row in ROWS]
    assert augment_turn(ROWS[:2], 5, POOLS, Shares(swap=1.0, join=1.0)) == ROWS[:2]


def test_the_draw_does_not_depend_on_the_other_rows() -> None:
    row = make_row("ring mum", "call", said("contact", "mum"))
    shares = Shares(1.0, 0.0, 0.5)
    assert augment_turn([row], 3, POOLS, shares) == augment_turn([ROWS[0]], 3, POOLS, shares)


def test_turns_of_dialogues_come_several_times_in_an_epoch_each_in_its_own_form() -> None:
    turns = [[row] for row in ROWS]
    passes = [list_passes(turns, epoch, 3) for epoch in range(2)]
    assert passes == [
        [(0, turns), (1, [[ROWS[6]]]), (2, [[ROWS[6]]])],
        [(3, turns), (4, [[ROWS[6]]]), (5, [[ROWS[6]]])],
    ]
    assert list_passes(turns, 2, 1) == [(2, turns)]
