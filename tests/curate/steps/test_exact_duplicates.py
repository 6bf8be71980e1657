from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from exemplars.core.records import Exemplar, Mode, Speaker, Turn
from stages.curate.params import CurateParams
from stages.curate.steps import exact_duplicates
from tests.curate.rows import make_argument, make_row, make_turn, read_rows


def find_exact_duplicates(rows: list[Exemplar]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        read = read_rows(Path(folder), rows, CurateParams())
        repeats = exact_duplicates.find_exact_duplicates(read)
        ids = [row.id for row in read]
        return {
            ids[number]: ids[first]
            for number, first in zip(repeats.numbers.tolist(), repeats.firsts.tolist(), strict=True)
        }


def test_rows_that_differ_in_case_and_punctuation_repeat_the_first() -> None:
    mum = "call Mum"
    rows = [
        make_row("1", mum, arguments=(make_argument("who", "Mum", mum),)),
        make_row("2", "Call mum!", arguments=(make_argument("who", "mum", "Call mum!"),)),
        make_row("3", "Call mum!", "ring", arguments=(make_argument("who", "mum", "Call mum!"),)),
        make_row("4", "Call mum!", arguments=(make_argument("whom", "mum", "Call mum!"),)),
        make_row("5", "Call mum!", mode=Mode.NEGATIVE),
    ]
    assert find_exact_duplicates(rows) == {"s:2": "s:1"}


def test_rows_that_differ_in_a_sign_or_a_symbol_do_not_repeat_each_other() -> None:
    said = ["-5", "5", "1.5", "15", "C++", "C#", "C", "3+4", "3*4", "👍", "👎", "मीरा", "मेरा"]
    rows = [
        make_row(str(number), f"take {value}", arguments=(make_argument("what", value, f"take {value}"),))
        for number, value in enumerate(said)
    ]
    assert find_exact_duplicates(rows) == {}
    without_values = [make_row(str(number), f"take {value}") for number, value in enumerate(said)]
    assert find_exact_duplicates(without_values) == {}


def test_all_calls_of_a_turn_repeat_those_of_an_earlier_turn_whatever_their_order() -> None:
    text = "Call mum and dad"
    mum, dad = (make_argument("who", who, text) for who in ("mum", "dad"))
    rows = [
        *make_turn("1", text, ("call", (mum,)), ("call", (dad,))),
        *make_turn("2", text, ("call", (dad,)), ("call", (mum,))),
        *make_turn("3", text, ("call", (mum,)), ("call", (mum,))),
        *make_turn("4", text, ("call", (mum,))),
    ]
    assert find_exact_duplicates(rows) == {"s:2/0": "s:1/0", "s:2/1": "s:1/0"}


def test_turns_of_the_same_services_repeat_each_other() -> None:
    def frames(name: str, *services: str) -> list[Exemplar]:
        rows = make_turn(name, "yes", *((service, ()) for service in services))
        return [msgspec.structs.replace(row, service=row.skill) for row in rows]

    rows = [*frames("1", "A", "B"), *frames("2", "A"), *frames("3", "A", "B")]
    assert find_exact_duplicates(rows) == {"s:3/0": "s:1/0", "s:3/1": "s:1/0"}


def test_a_different_reply_or_another_request_before_the_result_is_no_repeat() -> None:
    def after_result(name: str, asked: str) -> Exemplar:
        context = (Turn(Speaker.USER, asked), Turn(Speaker.ASSISTANT, "…"))
        return make_row(name, '{"ok": true}', None, reply="Done.", context=context, speaker=Speaker.TOOL)

    rows = [
        make_row("1", "hi", None, reply="Hello."),
        make_row("2", "Hi!", None, reply="Good day."),
        make_row("3", "Hi", None, reply="hello"),
        after_result("4", "call mum"),
        after_result("5", "text mum"),
        after_result("6", "Call mum!"),
    ]
    assert find_exact_duplicates(rows) == {"s:3": "s:1", "s:6": "s:4"}
