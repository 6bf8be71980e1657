from __future__ import annotations

from exemplars.core.records import Mode
from stages.curate.steps.exact_duplicates import find_exact_duplicates
from tests.curate.rows import make_argument, make_row


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
