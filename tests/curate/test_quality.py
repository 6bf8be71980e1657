from __future__ import annotations

import pytest

from stages.curate.quality import Flag, Limits, english_or_other, flags_of, misspelt_words
from tests.curate.rows import located, row

LIMITS = Limits(min_tokens=2, max_tokens=12, max_repetition=0.5)


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("call mum at home", ()),
        ("call", (Flag.TOO_SHORT,)),
        ("call " + "my mum or dad " * 4, (Flag.TOO_LONG,)),
        ("no no no no no call mum", (Flag.REPETITIVE,)),
        ("call mum and the", (Flag.TRUNCATED,)),
        ("call mum (at", (Flag.TRUNCATED,)),
        ("what is it for", ()),
        ("позвони маме сегодня вечером", (Flag.WRONG_LANGUAGE,)),
        ("rufe bitte heute Abend meine Mutter zu Hause an", (Flag.WRONG_LANGUAGE,)),
        ("call <b>mum</b> now", (Flag.MARKUP,)),
        ("call [mum](tel:1) now", (Flag.MARKUP,)),
        ("<|im_start|>call mum", (Flag.MARKUP,)),
        ("call mum if 3 < 4 &amp; 5", (Flag.MARKUP,)),
        ("um uh well", (Flag.FILLER_ONLY,)),
        ("pleese call her tomorrow", (Flag.MISSPELLING,)),
        ("👍 👍", ()),
    ],
)
def test_each_flag_is_told(text: str, flags: tuple[Flag, ...]) -> None:
    assert flags_of([row("1", text)], LIMITS, english_or_other()).get("s:1", ()) == flags


def test_a_name_in_an_argument_is_not_misspelt() -> None:
    text = "call wuffels tomorrow"
    assert misspelt_words([row("1", text, arguments=(located("who", "wuffels", text),))]) == frozenset()


def test_a_word_that_several_rows_have_is_a_word() -> None:
    assert misspelt_words([row("1", "pleese call"), row("2", "pleese ring")]) == frozenset()


def test_without_rows_nothing_is_misspelt() -> None:
    assert misspelt_words([]) == frozenset()


def test_fillers_that_answer_a_question_are_fine() -> None:
    rows = [row("1", "um yeah okay", before=("Call mum?",))]
    assert flags_of(rows, LIMITS, english_or_other()) == {}
