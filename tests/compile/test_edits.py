"""Edits of reviewers: compiled like any record, in the place of the row, as long as they hold for its content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from exemplars.core.records import (
    Argument,
    Exemplar,
    Grounding,
    LabelledArgument,
    Mode,
    Origin,
    Reason,
    Record,
    Rejection,
)
from exemplars.core.reviews import (
    Decision,
    Review,
    ReviewedArgument,
    ReviewedRow,
    RowEdit,
    describe_row,
    resolve_decisions,
)
from exemplars.core.tables import write_table
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Recognizers
from exemplars.dataset.row_tables import (
    exemplars_from_table,
    records_to_table,
    rejections_from_table,
)
from stages.compile.edits import EditCompiler, RowVersion
from stages.compile.exemplars import SourceRules, compile_record
from stages.compile.inputs import CompileInputs
from stages.compile.lexicon import Lexicon
from tests.compile.compiling import Compiled, compile_inputs

CALL = Skill("call", parameters=(Parameter("who", required=True), Parameter("line", enum=("home", "work"))))
TEXT = Skill("text", parameters=(Parameter("who"),), service="Chats")
SKILLS = {"call": CALL, "text": TEXT}
LEXICON = Lexicon(Recognizers())
COMPILER = EditCompiler(SKILLS, LEXICON, {"s": SourceRules()})
ROW = "s:a.md#1"


def make_record(
    number: int = 1, utterance: str = "call 😀 Bob or Ann", who: str = "Bob", **others: Any
) -> Record:
    fields: dict[str, Any] = {
        "id": f"s:a.md#{number}",
        "turn": f"s:a.md#{number}",
        "source": "s",
        "utterance": utterance,
        "mode": Mode.NORMAL,
        "skill": "call",
        "service": None,
        "arguments": (LabelledArgument("who", who),),
        "context": (),
        "group": f"s:a.md#{number}",
        "license": "MIT",
        "origin": Origin("a.md", "0" * 64, str(number)),
    }
    return Record(**{**fields, **others})


def compile_version(record: Record, shares_turn: bool = False) -> RowVersion:
    exemplar = compile_record(record, SKILLS, LEXICON)
    assert isinstance(exemplar, Exemplar)
    return RowVersion(record, exemplar, shares_turn)


def make_edit(number: int, digest: str, after: ReviewedRow, reviewer: str = "ada", row: str = ROW) -> Review:
    return Review(
        decision_id=f"{number:032x}",
        row=row,
        digest=digest,
        decision=Decision.EDITED,
        after=after,
        reviewer=reviewer,
        time=f"2026-11-27T20:00:{number:02}Z",
    )


def compile_records(folder: Path, records: list[Record], *reviews: Review, workers: int = 1) -> Compiled:
    write_table(path := folder / "s.parquet", records_to_table(records))
    inputs = CompileInputs(
        paths=(path,),
        ledgers=(),
        records={"s": len(records)},
        skills=(CALL, TEXT),
        recognizers=Recognizers(),
        rules={"s": SourceRules()},
        decisions=resolve_decisions(reviews),
    )
    return compile_inputs(folder, inputs, workers)


def say(utterance: str, *arguments: ReviewedArgument, skill: str | None = "call") -> ReviewedRow:
    return ReviewedRow(utterance, skill, Mode.NONE if skill is None else Mode.NORMAL, arguments)


ANN = say("call 😀 Ann or Bob", ReviewedArgument("who", "Ann", "Ann", 7, 10))


def test_an_edited_row_takes_the_place_of_the_row(tmp_path: Path) -> None:
    records = [make_record(0, "call Eve", "Eve"), make_record(), make_record(2, "call Zoe", "Zoe")]
    before = compile_version(records[1]).exemplar
    compiled = compile_records(tmp_path, records, make_edit(1, before.digest, ANN))
    exemplars = exemplars_from_table(compiled.exemplars)
    assert [row.utterance for row in exemplars] == ["call Eve", "call 😀 Ann or Bob", "call Zoe"]
    assert exemplars[1].arguments == (Argument("who", "Ann", "Ann", 7, 10, Grounding.VERBATIM),)
    assert (exemplars[1].id, exemplars[1].group, exemplars[1].origin) == (
        before.id,
        before.group,
        before.origin,
    )
    assert compiled.edits == [RowEdit(ROW, f"{1:032x}", before.digest, exemplars[1].digest)]


def test_without_edits_nothing_changes(tmp_path: Path) -> None:
    compiled = compile_records(tmp_path, [make_record()])
    digest = compile_version(make_record()).exemplar.digest
    rejected = msgspec.structs.replace(make_edit(1, digest, ANN), decision=Decision.REJECTED, after=None)
    with_decision = compile_records(tmp_path, [make_record()], rejected)
    assert with_decision[:-1] == compiled[:-1]
    assert vars(with_decision.counts) == vars(compiled.counts)
    assert not compiled.edits


def test_an_edit_holds_only_for_the_content_that_was_shown(tmp_path: Path) -> None:
    compiled = compile_records(tmp_path, [make_record()], make_edit(1, "0" * 64, ANN))
    assert exemplars_from_table(compiled.exemplars) == [compile_version(make_record()).exemplar]
    assert not compiled.edits


def test_edits_of_edits_hold_in_turn(tmp_path: Path) -> None:
    first = compile_version(make_record())
    second = COMPILER.compile(first, ANN)
    assert isinstance(second, RowVersion)
    edits = (
        make_edit(2, second.exemplar.digest, say("hello", skill=None)),
        make_edit(1, first.exemplar.digest, ANN),
    )
    compiled = compile_records(tmp_path, [make_record()], *edits)
    [row] = exemplars_from_table(compiled.exemplars)
    assert (row.utterance, row.skill, row.mode, row.arguments) == ("hello", None, Mode.NONE, ())
    assert [(edit.before, edit.after) for edit in compiled.edits] == [
        (first.exemplar.digest, second.exemplar.digest),
        (second.exemplar.digest, row.digest),
    ]


def test_an_edit_back_to_the_first_content_ends_there(tmp_path: Path) -> None:
    first = compile_version(make_record())
    second = COMPILER.compile(first, ANN)
    assert isinstance(second, RowVersion)
    back = make_edit(2, second.exemplar.digest, describe_row(first.exemplar), "bob")
    compiled = compile_records(tmp_path, [make_record()], make_edit(1, first.exemplar.digest, ANN), back)
    assert exemplars_from_table(compiled.exemplars) == [first.exemplar]
    assert len(compiled.edits) == 2


def test_two_reviewers_who_edit_differently_change_nothing(tmp_path: Path) -> None:
    digest = compile_version(make_record()).exemplar.digest
    other = make_edit(2, digest, say("hello", skill=None), "bob")
    compiled = compile_records(tmp_path, [make_record()], make_edit(1, digest, ANN), other)
    assert exemplars_from_table(compiled.exemplars) == [compile_version(make_record()).exemplar]


def test_an_edit_that_does_not_compile_leaves_the_row_and_says_why(tmp_path: Path) -> None:
    before = compile_version(make_record()).exemplar
    after = say("call 😀 Ann or Bob", ReviewedArgument("who", "Ann", start=14, end=17))
    compiled = compile_records(tmp_path, [make_record()], make_edit(1, before.digest, after))
    assert exemplars_from_table(compiled.exemplars) == [before]
    [edit] = compiled.edits
    assert (edit.before, edit.after) == (before.digest, None)
    assert edit.problem == (
        "a.md:1: found span 14:17 on the text 'Bob' for slot 'who', expected 'Ann'; correct the span; or, if the text "
        "means the value, say so: with a `surface` for the value, with an `exemplar`, or with an expression of the "
        "parameter's recognizer"
    )


@pytest.mark.parametrize(
    ("after", "reason", "message"),
    [
        (say("call", ReviewedArgument("whom", "Bob")), Reason.UNKNOWN_SLOT, "found slot 'whom'"),
        (say("ring Bob", skill="ring"), Reason.UNKNOWN_SKILL, "found skill 'ring'"),
        (
            say("call Bob", ReviewedArgument("who", "Zoe")),
            Reason.VALUE_NOT_FOUND,
            "'Zoe' of slot 'who' occurs neither",
        ),
        (
            say("call Bob"),
            Reason.MISSING_ARGUMENT,
            "found no who, expected the required who; add what is missing",
        ),
        (say(" \u200b", skill=None), Reason.MALFORMED_RECORD, "found an utterance without text"),
        (
            ReviewedRow("call Bob", None, Mode.NORMAL),
            Reason.MALFORMED_RECORD,
            "found mode 'normal' without a skill, expected a skill, or mode 'none'; correct one of the two",
        ),
        (
            ReviewedRow("call Bob", "text", Mode.NONE),
            Reason.MALFORMED_RECORD,
            "found mode 'none' with a skill",
        ),
    ],
)
def test_what_is_wrong_with_an_edit_is_described(after: ReviewedRow, reason: Reason, message: str) -> None:
    rejection = COMPILER.compile(compile_version(make_record()), after)
    assert isinstance(rejection, Rejection)
    assert rejection.reason is reason
    assert rejection.message.startswith(f"a.md:1: {message}")


def test_a_row_that_left_a_required_argument_out_before_may_do_so_after() -> None:
    row = compile_version(make_record(arguments=(LabelledArgument("line", "home"),)))
    edited = COMPILER.compile(row, say("call work", ReviewedArgument("line", "work", "work", 5, 9)))
    assert isinstance(edited, RowVersion)
    assert edited.exemplar.arguments == (Argument("line", "work", "work", 5, 9, Grounding.VERBATIM),)


def test_the_utterance_of_a_turn_with_several_calls_is_not_edited() -> None:
    rejection = COMPILER.compile(compile_version(make_record(), shares_turn=True), ANN)
    assert isinstance(rejection, Rejection)
    assert "found another utterance for one of several calls of a turn" in rejection.message


def test_a_row_gets_the_service_of_its_new_skill() -> None:
    after = say("call 😀 Bob or Ann", ReviewedArgument("who", "Bob", "Bob", 7, 10), skill="text")
    edited = COMPILER.compile(compile_version(make_record()), after)
    assert isinstance(edited, RowVersion)
    assert (edited.exemplar.skill, edited.exemplar.service) == ("text", "Chats")


def test_an_unchanged_argument_keeps_what_the_source_says_of_it() -> None:
    label = LabelledArgument("who", "Robert", spoken=("Bob",), accepted=("Bobby",))
    row = compile_version(make_record(arguments=(label,)))
    after = msgspec.structs.replace(describe_row(row.exemplar), mode=Mode.EXTENDED)
    edited = COMPILER.compile(row, after)
    assert isinstance(edited, RowVersion)
    assert edited.exemplar.arguments == row.exemplar.arguments
    assert edited.exemplar.arguments[0].accepted == ("Bobby",)


def test_a_surface_says_that_the_text_means_the_value() -> None:
    after = say("ring Rob", ReviewedArgument("who", "Robert", "Rob", 5, 8))
    edited = COMPILER.compile(compile_version(make_record()), after)
    assert isinstance(edited, RowVersion)
    assert edited.exemplar.arguments[0].surface == "Rob"


def test_an_edited_row_that_repeats_another_is_rejected_as_any_row_is(tmp_path: Path) -> None:
    records = [make_record(0, "call Eve", "Eve"), make_record(1)]
    digest = compile_version(records[1]).exemplar.digest
    after = say("call Eve", ReviewedArgument("who", "Eve", "Eve", 5, 8))
    compiled = compile_records(tmp_path, records, make_edit(1, digest, after))
    assert compiled.exemplars.column("id").to_pylist() == ["s:a.md#0"]
    assert [row.reason for row in rejections_from_table(compiled.rejections)] == [Reason.DUPLICATE_EXEMPLAR]
