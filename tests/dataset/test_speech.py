from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.records import Argument, Grounding, Speaker
from exemplars.dataset.speech import FILLERS, make_speech_views, make_turn_views, write_as_spoken
from exemplars.dataset.templates import write_template
from tests.curate.rows import make_argument, make_row, make_turn


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Call Mum, please!", "call mum please"),
        ("Wake me at 7:30.", "wake me at seven thirty"),
        ("at 7:05", "at seven oh five"),
        ("at 7:00", "at seven o'clock"),
        ("at 19:00", "at nineteen hundred"),
        ("$20 or €1", "twenty dollars or one euro"),
        ("the 21st", "the twenty first"),
        ("1,250 at 2.5%", "one thousand two hundred and fifty at two point five percent"),
        ("call 4155550123", "call four one five five five five zero one two three"),
        ("room 007", "room zero zero seven"),
        ("don't - it's Bob's", "don't it's bob's"),
        ("Soup & Salad", "soup and salad"),
        ("…", ""),
        ("👍 ok", "ok"),
        ("İstanbul", "i̇stanbul"),
        ("set it to -5, or −2.5", "set it to minus five or minus two point five"),
        ("10-12 guests", "ten twelve guests"),
        ("C, C# and C++", "c c sharp and c plus plus"),
        ("what is 3*4, 3+4?", "what is three times four three plus four"),
        ("मीरा को फोन करो!", "मीरा को फोन करो"),
    ],
)
def test_a_text_is_written_as_it_is_spoken(text: str, spoken: str) -> None:
    assert write_as_spoken(text) == spoken


def test_spans_move_and_values_stay() -> None:
    text = "Wake me at 7:30, Bob!"
    arguments = (make_argument("time", "7:30", text, "07:30"), make_argument("who", "Bob", text))
    [view] = make_turn_views([make_row("plain", text, arguments=arguments)])
    assert (view.id, view.utterance) == ("s:plain~speech", "wake me at seven thirty bob")
    assert view.exemplar == "wake me at <time> <who>"
    assert view.arguments == (
        Argument("time", "07:30", "seven thirty", 11, 23, Grounding.NORMALIZED),
        Argument("who", "Bob", "bob", 24, 27, Grounding.CASE),
    )


def test_the_calls_of_a_turn_have_one_utterance_and_may_share_spans() -> None:
    text = "Rain in New York, NY at 7:30?"
    city, state = make_argument("city", "New York", text), make_argument("place", "York, NY", text)
    turn = make_turn("2", text, ("rain", (city,)), ("map", (state, make_argument("time", "7:30", text))))
    views = make_speech_views(turn)
    assert [(view.id, view.turn, view.call) for view in views] == [
        ("s:2/0~speech", "s:2~speech", 0),
        ("s:2/1~speech", "s:2~speech", 1),
    ]
    assert {view.utterance for view in views} == {"rain in new york ny at seven thirty"}
    assert [view.exemplar for view in views] == [
        "rain in <city> ny at seven thirty",
        "rain in new <place> at <time>",
    ]


def test_what_a_tool_returned_has_no_view() -> None:
    assert make_speech_views([make_row("1", '{"ok": true}', speaker=Speaker.TOOL)]) == []


def test_some_views_begin_with_a_filler_always_the_same_ones() -> None:
    rows = [make_row(str(number), "Call mum") for number in range(100)]
    filled = [view for view in make_speech_views(rows) if view.utterance.split()[0] in FILLERS]
    assert len(filled) == 35
    assert make_speech_views(rows) == make_speech_views(rows)


def test_a_text_of_punctuation_alone_has_no_view() -> None:
    assert make_speech_views([make_row("plain", "…")]) == []


PIECES = st.lists(
    st.sampled_from(["Call", "7:30", "$5", "Zoë", "👍", "don't", "!!", "22nd", "a,b", "İ", " "]),
    min_size=1,
    max_size=9,
)


@given(pieces=PIECES, picks=st.sets(st.integers(0, 8)), name=st.text("abc", min_size=1, max_size=4))
def test_the_view_keeps_every_span_exact(pieces: list[str], picks: set[int], name: str) -> None:
    text, arguments, position = "".join(pieces), [], 0
    for number, piece in enumerate(pieces):
        if number in picks:
            arguments.append(
                Argument(f"s{number}", piece, piece, position, position + len(piece), Grounding.VERBATIM)
            )
        position += len(piece)
    [view] = make_turn_views([make_row(name, text, arguments=tuple(arguments))])
    assert [argument.value for argument in view.arguments] == [argument.value for argument in arguments]
    spans = sorted(
        (argument.start, argument.end)
        for argument in view.arguments
        if argument.start is not None and argument.end is not None
    )
    assert len(spans) == len(arguments)
    for argument in view.arguments:
        assert view.utterance[argument.start : argument.end] == argument.surface
        assert argument.surface
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert view.exemplar == write_template(view.utterance, view.arguments)


def test_the_calls_of_a_turn_have_one_utterance_and_keep_what_counts_as_right() -> None:
    text = "Lock it and call Bob"
    called = Argument("who", "Robert", "Bob", 17, 20, Grounding.NORMALIZED, ("Bob", "Bobby"))
    for turn in map(str, range(20)):
        rows = [
            msgspec.structs.replace(make_row(f"{turn}/0", text), turn=turn),
            msgspec.structs.replace(make_row(f"{turn}/1", text, arguments=(called,)), turn=turn),
        ]
        first, second = make_speech_views(rows)
        assert first.utterance == second.utterance
        assert [argument.accepted for argument in second.arguments] == [("Bob", "Bobby")]
