from __future__ import annotations

import pytest

from stages.curate.params import QualityFlag, QualityParams
from stages.curate.quality_flags import find_text_flags, flag_rows
from tests.curate.rows import make_row

PARAMS = QualityParams(min_tokens=2, max_tokens=12, max_repetition=0.5, reject=())


def flag_text(text: str) -> tuple[QualityFlag, ...]:
    return find_text_flags(text, PARAMS)


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("call mum at home", ()),
        ("call", (QualityFlag.TOO_SHORT,)),
        ("call \t  \n ", (QualityFlag.TOO_SHORT,)),
        ("call " + "my mum or dad " * 4, (QualityFlag.TOO_LONG,)),
        ("no no no no no call mum", (QualityFlag.REPETITIVE,)),
        ("call mum and the", (QualityFlag.TRUNCATED,)),
        ("call mum (at", (QualityFlag.TRUNCATED,)),
        ("what is it for", ()),
        ("позвони маме сегодня вечером", (QualityFlag.WRONG_LANGUAGE,)),
        ("rufe bitte heute Abend meine Mutter zu Hause an", (QualityFlag.WRONG_LANGUAGE,)),
        ("call <b>mum</b> now", (QualityFlag.MARKUP,)),
        ("call [mum](tel:1) now", (QualityFlag.MARKUP,)),
        ("<|im_start|>call mum", (QualityFlag.MARKUP,)),
        ("call mum if 3 < 4 &amp; 5", (QualityFlag.MARKUP,)),
        ("um uh well", (QualityFlag.FILLER_ONLY,)),
        ("pleese call her tomorrow", (QualityFlag.MISSPELLING,)),
        ("👍 👍", ()),
    ],
)
def test_each_flag_has_its_texts(text: str, flags: tuple[QualityFlag, ...]) -> None:
    assert flag_rows([make_row("1", text)], flag_text).get("s:1", ()) == flags


def test_fillers_that_answer_a_question_are_fine() -> None:
    rows = [make_row("1", "um yeah okay", before=("Call mum?",))]
    assert flag_rows(rows, flag_text) == {}
