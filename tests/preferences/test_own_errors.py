from __future__ import annotations

import pytest

from exemplars.models.calls import CallFormat
from exemplars.models.decoding import Completion
from exemplars.models.preference_rows import PairSource, PreferredCall
from exemplars.models.scoring import ErrorKind
from exemplars.preferences.own_errors import collect_errors, divide_folds
from stages.render.training_rows import render_split
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.tiny import make_tokenizer

EXEMPLARS = [
    exemplar("ring mum", "call", argument("contact", "mum", "mum"), group="a"),
    exemplar("ring dad", "call", argument("contact", "dad", "dad"), group="d"),
    exemplar("no thanks", None, mode="none", group="c"),
    exemplar("no, never", None, mode="none", group="c"),
]
ROWS = render_split(EXEMPLARS, "train", SKILLS, make_tokenizer(), params(), 400).rows
RING = next(row for row in ROWS if row.utterance == "ring mum")
NONE = next(row for row in ROWS if row.utterance == "no thanks")


def test_folds_divide_the_rows_by_their_groups_and_a_model_never_answers_what_it_saw() -> None:
    folds = divide_folds(ROWS, [], 2, None)
    assert sorted(row.id for fold in folds for row in fold.asked) == sorted(row.id for row in ROWS)
    for fold in folds:
        assert not {row.group for row in fold.train} & {row.group for row in fold.asked}
        assert len(fold.train) + len(fold.asked) == len(ROWS)


def test_rows_of_validation_are_answered_by_one_model_and_trained_on_by_none() -> None:
    train, validation = [row for row in ROWS if row.group != "c"], [row for row in ROWS if row.group == "c"]
    folds = divide_folds(train, validation, 2, None)
    assert sorted(row.id for fold in folds for row in fold.asked if row.group == "c") == sorted(
        row.id for row in validation
    )
    assert not any(row.group == "c" for fold in folds for row in fold.train)
    assert [len(fold.asked) for fold in divide_folds(train, validation, 2, 1)] == [1, 1]


@pytest.mark.parametrize(
    ("answer", "ended", "kind", "rejected"),
    [
        ('call(contact="mum")', True, ErrorKind.RIGHT, None),
        ('call(contact="Mum!")', True, ErrorKind.RIGHT, None),
        ('call(contact="dad")', True, ErrorKind.WRONG_VALUE, (PreferredCall("call", {"contact": "dad"}),)),
        ("None", True, ErrorKind.MISSED, ()),
        ("call(contact=", True, ErrorKind.MALFORMED, "call(contact="),
        ('call(contact="mum mum', False, ErrorKind.TOO_LONG, None),
        ("", True, ErrorKind.MALFORMED, None),
    ],
)
def test_a_wrong_answer_that_ended_makes_a_pair_that_names_its_error(
    answer: str, ended: bool, kind: ErrorKind, rejected: object
) -> None:
    answers = {RING.id: Completion(answer, ended)}
    ((found, pair),) = collect_errors([RING], answers, SKILLS, CallFormat.PYTHON, "lora-1-2")
    assert found is kind
    if rejected is None:
        assert pair is None
        return
    assert pair is not None
    assert (pair.row, pair.kind, pair.rejected_by, pair.source) == (
        RING.digests[0], kind.value, "lora-1-2", PairSource.ERRORS,
    )  # fmt: skip
    assert pair.chosen == (PreferredCall("call", {"contact": "mum"}),)
    assert pair.rejected == rejected


def test_the_id_of_a_pair_depends_on_the_row_and_its_sides_alone() -> None:
    answers = {NONE.id: Completion('call(contact="me")', True)}
    pairs = [
        pair
        for model in ("lora-1-2", "lora-3-4")
        for _, pair in collect_errors([NONE], answers, SKILLS, CallFormat.PYTHON, model)
    ]
    assert pairs[0] is not None and pairs[1] is not None
    assert pairs[0].id == pairs[1].id
    assert pairs[0].chosen == ()
