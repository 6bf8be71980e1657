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
