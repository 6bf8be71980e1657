from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.core.records import Exemplar
from stages.curate.params import CurateParams, QualityFlag, QualityParams
from stages.curate.steps.quality import flag_rows
from tests.curate.rows import make_row, read_rows

PARAMS = QualityParams(min_tokens=2, max_tokens=12, max_repetition=0.5, reject=())


def find_flags(folder: Path, row: Exemplar) -> tuple[QualityFlag, ...]:
    flagged = flag_rows(read_rows(folder, [row], CurateParams(quality=PARAMS)), None)
    return flagged[0][1] if flagged else ()


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
def test_each_flag_has_its_texts(text: str, flags: tuple[QualityFlag, ...], tmp_path: Path) -> None:
    assert find_flags(tmp_path, make_row("1", text)) == flags


def test_fillers_that_answer_a_question_are_fine(tmp_path: Path) -> None:
    assert find_flags(tmp_path, make_row("1", "um yeah okay", before=("Call mum?",))) == ()
