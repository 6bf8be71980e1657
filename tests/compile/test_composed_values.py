"""Values that the model writes, and defaults: grounded without a span, counted, and looked through for mistakes."""

from __future__ import annotations

import msgspec
import pytest

from exemplars.core.ledger import Problem
from exemplars.core.records import (
    Exemplar,
    Grounding,
    LabelledArgument,
    Mode,
    Origin,
    Reason,
    Record,
    Rejection,
    Speaker,
    Turn,
)
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Recognizers
from exemplars.dataset.row_tables import exemplars_to_table
from stages.compile.exemplars import SourceRules, compile_record
from stages.compile.filling import count_groundings, list_suspicious_values, sum_fillings
from stages.compile.lexicon import Lexicon

MATH = Skill(
    "math",
    parameters=(
        Parameter("question", composed=True),
        Parameter("base", type="integer", default="10"),
        Parameter("unit"),
    ),
)


def compile_example(
    utterance: str, *labels: LabelledArgument, composes: bool = False, **others: object
) -> Exemplar | Rejection:
    record = Record(
        id="s:a.md#1",
        turn="s:a.md#1",
        source="s",
        utterance=utterance,
        mode=Mode.NORMAL,
        skill="math",
        service=None,
        arguments=labels,
        context=(Turn(Speaker.USER, "My name is Ada."),),
        group="g",
        license="MIT",
        origin=Origin("a.md", "0" * 64, "1"),
    )
    record = msgspec.structs.replace(record, **others)
    return compile_record(record, {"math": MATH}, Lexicon(Recognizers({})), SourceRules(composes))


def compile_kept(utterance: str, *labels: LabelledArgument, composes: bool = False) -> Exemplar:
    row = compile_example(utterance, *labels, composes=composes)
    assert isinstance(row, Exemplar), row
    return row


def list_groundings(row: Exemplar) -> list[tuple[str, str, str | None, Grounding]]:
    return [
        (argument.slot, argument.value, argument.surface, argument.grounding) for argument in row.arguments
    ]


def test_a_composed_value_has_no_span_even_if_the_utterance_says_it() -> None:
    row = compile_kept("what is 9*9", LabelledArgument("question", "9*9"))
    assert list_groundings(row) == [("question", "9*9", None, Grounding.COMPOSED)]
    assert row.exemplar == "what is 9*9"


def test_a_value_that_is_not_said_is_the_default_or_rejected() -> None:
    assert list_groundings(compile_kept("add it up", LabelledArgument("base", "10"))) == [
        ("base", "10", None, Grounding.DEFAULT)
    ]
    row = compile_example("add it up", LabelledArgument("base", "12"))
    assert isinstance(row, Rejection)
    assert (row.reason, row.message) == (
        Reason.VALUE_NOT_FOUND,
        "a.md:1: '12' of slot 'base' occurs neither in the utterance nor in the turns before it; correct the value, say "
        "it in the text, or declare the parameter `composed` if the model writes it",
    )


def test_a_default_that_is_said_has_its_span() -> None:
    assert list_groundings(compile_kept("in base ten", LabelledArgument("base", "10"))) == [
        ("base", "10", "ten", Grounding.NORMALIZED)
    ]


def test_a_source_that_composes_keeps_values_that_are_not_said() -> None:
    row = compile_kept("in metres", LabelledArgument("unit", "meter squared"), composes=True)
    assert list_groundings(row) == [("unit", "meter squared", None, Grounding.COMPOSED)]
    row = compile_kept("in metres", LabelledArgument("unit", "metres"), composes=True)
    assert list_groundings(row) == [("unit", "metres", "metres", Grounding.VERBATIM)]


def test_a_span_of_a_composed_value_is_rejected() -> None:
    row = compile_example("what is 9*9", LabelledArgument("question", "9*9", start=8, end=11))
    assert isinstance(row, Rejection)
    expected = Problem(
        Reason.SPAN_MISMATCH,
        found="span 8:11 for slot 'question', whose value the model composes",
        expected="no span",
        fix="remove the span or the slot of the template, or declare the parameter without `composed`",
    )
    assert row.message == f"a.md:1: {expected.sentence}"


def test_fillings_are_counted_by_parameter() -> None:
    rows = [
        compile_kept("what is 9*9", LabelledArgument("question", "9*9"), LabelledArgument("base", "10")),
        compile_kept("in base ten", LabelledArgument("base", "10")),
        compile_kept("thanks"),
    ]
    assert sum_fillings(count_groundings(exemplars_to_table(rows))) == {
        "math.base": {"default": 1, "normalized": 1},
        "math.question": {"composed": 1},
    }


def test_composed_numbers_and_names_from_nowhere_are_suspicious() -> None:
    rows = [
        msgspec.structs.replace(
            compile_kept(utterance, LabelledArgument("question", value)), id=f"s:a.md#{number}"
        )
        for number, (utterance, value) in enumerate(
            [
                ("what is nine times nine", "9*9"),
                ("what is nine times nine", "9*8"),
                ("ask whether horses can fly", "Can horses fly?"),
                ("ask about horses", "Can horses of Zaphod fly? Maybe."),
                ("ask who I am", "Who is Ada?"),
            ]
        )
    ]
    assert list_suspicious_values(exemplars_to_table(rows)) == [
        {"id": "s:a.md#1", "slot": "question", "value": "9*8", "not_said": ["8"]},
        {
            "id": "s:a.md#3",
            "slot": "question",
            "value": "Can horses of Zaphod fly? Maybe.",
            "not_said": ["Zaphod"],
        },
    ]


def test_a_dataset_without_composed_values_has_no_suspicious_ones() -> None:
    assert list_suspicious_values(exemplars_to_table([])) == []
    assert sum_fillings(count_groundings(exemplars_to_table([]))) == {}


def test_a_call_of_a_skill_that_another_source_defines_has_all_required_arguments() -> None:
    record = msgspec.structs.replace(
        Record(
            "s:a#1",
            "s:a#1",
            "s",
            "add it up",
            Mode.NORMAL,
            "sum",
            None,
            (),
            (),
            "g",
            "MIT",
            Origin("a", "0" * 64, "1"),
        )
    )
    skills = {"sum": Skill("sum", parameters=(Parameter("of", required=True),))}
    lexicon = Lexicon(Recognizers({}))
    assert isinstance(compile_record(record, skills, lexicon), Exemplar)
    row = compile_record(record, skills, lexicon, SourceRules(adopted=frozenset({"sum"})))
    assert isinstance(row, Rejection)
    assert (row.reason, row.slot, row.message) == (
        Reason.MISSING_ARGUMENT,
        "of",
        "a:1: found no of, expected the required of; add what is missing, or make it optional where the skill is defined",
    )


def test_the_grounding_that_a_source_gives_is_kept_where_no_text_can_check_it() -> None:
    said = LabelledArgument("unit", "meter", ("metres",), 3, 9, grounding=Grounding.RECOGNIZED)
    earlier = LabelledArgument("question", "Ada", grounding=Grounding.CONTEXT)
    assert list_groundings(compile_kept("in metres", said, earlier)) == [
        ("unit", "meter", "metres", Grounding.RECOGNIZED),
        ("question", "Ada", None, Grounding.CONTEXT),
    ]


def test_the_grounding_that_a_source_gives_does_not_excuse_a_wrong_span() -> None:
    label = LabelledArgument("unit", "meter", ("metres",), 0, 2, grounding=Grounding.RECOGNIZED)
    row = compile_example("in metres", label)
    assert isinstance(row, Rejection)
    assert row.reason is Reason.SPAN_MISMATCH


@pytest.mark.parametrize("grounding", [Grounding.CONTEXT, Grounding.CATEGORICAL, Grounding.DEFAULT])
def test_a_grounding_that_is_not_true_does_not_excuse_a_value_that_nobody_says(grounding: Grounding) -> None:
    row = compile_example("in metres", LabelledArgument("unit", "furlong", grounding=grounding))
    assert isinstance(row, Rejection)
    assert row.reason is Reason.VALUE_NOT_FOUND
