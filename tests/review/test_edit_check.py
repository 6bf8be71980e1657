from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.records import Exemplar, Grounding, Mode
from exemplars.core.reviews import Decision, Resolution, Review, describe_row
from exemplars.review.edit_check import CheckedEdit, Edit, EditChecker, EditedArgument
from tests.review.projects import EMOJI, ROWS, write_project

MUSIC, _, _, MUM, DAD, NONE = ROWS


@pytest.fixture
def checker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EditChecker:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return EditChecker()


def check(
    checker: EditChecker, row: Exemplar, *arguments: EditedArgument, skill: str | None = None
) -> CheckedEdit:
    edit = Edit(skill or row.skill, Mode.NORMAL, arguments)
    return checker.check(row, edit, {}, shares_turn=False)


def test_a_row_that_is_left_as_it_was_is_not_changed(checker: EditChecker) -> None:
    checked = check(checker, MUM, EditedArgument("contact", "my mum", 5, 11))
    assert (checked.exemplar, checked.is_changed) == (MUM, False)


def test_the_same_wish_is_the_same_edit_whichever_way_it_was_entered(checker: EditChecker) -> None:
    by_value = check(checker, MUSIC, EditedArgument("title", "now"))
    by_span = check(
        checker, MUSIC, EditedArgument("title", "now", EMOJI.index("now"), EMOJI.index("now") + 3)
    )
    assert by_value.after == by_span.after
    assert by_value.exemplar is not None
    assert by_value.exemplar.exemplar == "play 👩‍👩‍👧 Café 🎵 <title> please"


def test_a_row_gets_another_skill_and_keeps_its_context(checker: EditChecker) -> None:
    checked = check(checker, MUM, EditedArgument("title", "mum", 8, 11), skill="play")
    assert checked.exemplar is not None
    assert (checked.exemplar.skill, checked.exemplar.context) == ("play", MUM.context)


def test_a_value_that_is_meant_needs_no_span(checker: EditChecker) -> None:
    arguments = (EditedArgument("contact", "my mum", 5, 11), EditedArgument("line", "work"))
    checked = check(checker, MUM, *arguments)
    assert checked.exemplar is not None
    assert [argument.grounding for argument in checked.exemplar.arguments] == [Grounding.VERBATIM] * 2
    assert check(checker, MUM, arguments[0], EditedArgument("line", "home")).exemplar is not None


def test_a_text_is_corrected_and_what_its_arguments_mean_stays(checker: EditChecker) -> None:
    means = check(checker, MUM, EditedArgument("contact", "Elinor", 8, 11, means=True)).exemplar
    assert means is not None
    edit = Edit("call", Mode.NORMAL, (EditedArgument("contact", "Elinor", 9, 12),), "phone my mum at work")
    checked = checker.check(means, edit, {}, shares_turn=False)
    assert checked.exemplar is not None
    assert checked.exemplar.exemplar == "phone my <contact> at work"
    assert checked.exemplar.arguments[0].surface == "mum"
    assert (checked.after.utterance, checked.exemplar.id) == ("phone my mum at work", MUM.id)


@pytest.mark.parametrize(
    ("utterance", "shares_turn", "message"),
    [
        (" \n", False, "found an utterance without text, expected what is said; write it, or reject the row"),
        ("phone my mum", True, "found another utterance for one of several calls of a turn"),
        ("phone my dad", False, "found span 6:12 on the text 'my dad' for slot 'contact', expected 'my mum'"),
    ],
)
def test_a_text_that_makes_no_row_is_explained(
    checker: EditChecker, utterance: str, shares_turn: bool, message: str
) -> None:
    edit = Edit("call", Mode.NORMAL, (EditedArgument("contact", "my mum", 6, 12),), utterance)
    checked = checker.check(MUM, edit, {}, shares_turn=shares_turn)
    assert checked.exemplar is None
    assert message in checked.message


def test_two_arguments_cannot_have_the_same_text(checker: EditChecker) -> None:
    checked = check(
        checker, MUSIC, EditedArgument("title", "Café", 9, 13), EditedArgument("title[0]", "Café", 9, 13)
    )
    assert (checked.exemplar, checked.slot) == (None, "title[0]")


def test_an_edit_goes_on_from_an_edit_that_was_applied(checker: EditChecker) -> None:
    first = check(checker, MUM, EditedArgument("contact", "Elinor", 8, 11, means=True))
    assert first.exemplar is not None
    review = Review(
        decision_id="1" * 32, row=MUM.id, digest=MUM.digest, decision=Decision.EDITED, reviewer="Ada",
        time="2026-11-27T20:00:00Z", after=first.after,
    )  # fmt: skip
    resolutions = {review.content: Resolution((review,))}
    arguments = (EditedArgument("contact", "Elinor", 8, 11), EditedArgument("line", "work", 15, 19))
    second = checker.check(
        first.exemplar, Edit("call", Mode.NORMAL, arguments), resolutions, shares_turn=False
    )
    assert second.exemplar is not None
    assert [(argument.value, argument.surface) for argument in second.exemplar.arguments] == [
        ("Elinor", "mum"),
        ("work", "work"),
    ]
    # The edit was withdrawn since: the row is still what it is.
    again = checker.check(first.exemplar, Edit("call", Mode.NORMAL, arguments), {}, shares_turn=False)
    assert again.after == second.after


def test_what_is_saved_compiles_to_what_was_shown(checker: EditChecker) -> None:
    checked = check(checker, DAD, EditedArgument("contact", "Papa", 5, 11, means=True))
    assert checked.exemplar is not None
    assert checked.after == describe_row(checked.exemplar)


def test_a_row_whose_record_is_missing_is_named(checker: EditChecker) -> None:
    layout.records("mine").unlink()
    with pytest.raises(
        UserError,
        match=r"no_record: found no record mine:rows\.jsonl#4, expected that of the row; run `dvc repro`",
    ):
        check(checker, MUM)
