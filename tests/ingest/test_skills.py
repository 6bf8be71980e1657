from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.errors import UserError
from exemplars.core.records import LabelledArgument, Mode, Reason
from exemplars.dataset.catalog import Skill
from exemplars.dataset.leaves import build_arguments
from exemplars.dataset.parameters import Parameter
from stages.ingest.reading import Reading, SourceInfo
from stages.ingest.skills import parse_skill_file
from stages.ingest.skills.outline import parse_outline

SOURCE = SourceInfo("skills", "MIT")
HEAD = """\
#### Prompt:
weather(location="[city]", unit="celsius|fahrenheit", days=[number of days])
Reports the weather.

#### Parameters:
location: string, required
days: integer, recognizer=number

#### Examples:
"""


def parse(text: str | bytes, none_skill: str | None = "other") -> tuple[Reading, list[str]]:
    data = text.encode() if isinstance(text, str) else text
    reading, diagnostics = parse_skill_file(SOURCE, "w.md", data, none_skill)
    return reading, [
        f"{diagnostic.line}:{diagnostic.column}: {diagnostic.code}: {diagnostic.found}"
        for diagnostic in diagnostics
    ]


def pair(user: str, call: str) -> str:
    return f"### User: {user}\n### Assistant: {call}\n"


def test_a_file_gives_its_skill_and_its_pairs() -> None:
    reading, diagnostics = parse(HEAD + pair("weather in Rome", 'weather(location="Rome", days=-3)'))
    assert diagnostics == []
    assert reading.skills == (
        Skill(
            "weather",
            "Reports the weather.",
            (
                Parameter("location", "city", required=True),
                Parameter("unit", enum=("celsius", "fahrenheit")),
                Parameter("days", "number of days", type="integer", recognizer="number"),
            ),
        ),
    )
    [record] = reading.records
    assert (record.id, record.skill, record.mode, record.utterance) == (
        "skills:w.md#10",
        "weather",
        Mode.NORMAL,
        "weather in Rome",
    )
    assert record.arguments == (LabelledArgument("location", "Rome"), LabelledArgument("days", "-3"))


def test_a_description_may_follow_the_signature() -> None:
    reading, _ = parse('#### Prompt:\nping(host="[where]") Pings a host.\n#### Examples:\n')
    assert [(skill.name, skill.description) for skill in reading.skills] == [("ping", "Pings a host.")]


def test_an_unquoted_placeholder_takes_any_literal() -> None:
    head = "#### Prompt:\nnote(text=[what to note])\n#### Examples:\n"
    reading, diagnostics = parse(head + pair("a", 'note(text="x")') + pair("b", "note(text=5)"))
    assert diagnostics == []
    assert [record.arguments[0].value for record in reading.records] == ["x", "5"]


def test_both_sections_of_examples_are_read() -> None:
    text = (
        "#### Prompt:\na()\n#### Prompt Examples:\n"
        + pair("x", "a()")
        + "#### Examples:\n"
        + pair("y", "a()")
    )
    assert [record.utterance for record in parse(text)[0].records] == ["x", "y"]


def test_examples_of_the_none_skill_ask_for_nothing() -> None:
    reading, _ = parse("#### Prompt:\nother()\n#### Examples:\n" + pair("um", "other()"))
    assert [(record.mode, record.skill) for record in reading.records] == [(Mode.NONE, None)]
    assert reading.skills == ()


def test_an_exemplar_line_gives_the_span_of_a_value() -> None:
    text = (
        HEAD
        + "### User: Rome, yes Rome\n### Exemplar: Rome, yes <location>\n"
        + '### Assistant: weather(location="Rome")\n'
    )
    [record] = parse(text)[0].records
    assert record.arguments == (LabelledArgument("location", "Rome", ("Rome",), 10, 14),)
    assert record.exemplar == "Rome, yes <location>"


def test_a_user_may_say_colons_hashes_and_quotes() -> None:
    utterance = 'note: "### 10:30" # really: yes'
    assert parse(HEAD + pair(utterance, 'weather(location="10:30")'))[0].records[0].utterance == utterance


@pytest.mark.parametrize(
    "change", [lambda data: data.replace(b"\n", b"\r\n"), lambda data: b"\xef\xbb\xbf" + data]
)
def test_line_ends_and_byte_order_marks_change_nothing(change: object) -> None:
    data = (HEAD + pair("weather in Rome", 'weather(location="Rome")')).encode()
    reading, diagnostics = parse(change(data))  # type: ignore[operator]
    assert diagnostics == []
    assert [(record.id, record.utterance) for record in reading.records] == [
        ("skills:w.md#10", "weather in Rome")
    ]


GOOD = pair("weather in Oslo", 'weather(location="Oslo")')


@pytest.mark.parametrize(
    ("bad", "diagnostic", "reason"),
    [
        (
            'User: in Rome\n### Assistant: weather(location="Rome")\n',
            "10:1: malformed_marker: 'User:'",
            Reason.MALFORMED_RECORD,
        ),
        (
            "### User: one\n",
            "10:11: user_without_assistant: `### User:` without a call",
            Reason.MALFORMED_RECORD,
        ),
        (
            '### Assistant: weather(location="Rome")\n',
            "10:16: assistant_without_user: `### Assistant:` without a `### User:` before it",
            Reason.MALFORMED_RECORD,
        ),
        ("some text\n", "10:1: stray_text: 'some text'", Reason.MALFORMED_RECORD),
        (
            pair("x", 'weather(location="C:\\Users")'),
            "11:36: malformed_call: a backslash that begins no character in 'weather(location=\"C:\\\\Users\")'",
            Reason.MALFORMED_RECORD,
        ),
        (
            pair("x", 'weather(location="C:\\new")'),
            "11:33: invalid_value: location='C:\\new'",
            Reason.INVALID_VALUE,
        ),
        (
            pair("x", 'weather(location="x", days=2e0)'),
            "11:43: invalid_value: days=2.0",
            Reason.INVALID_VALUE,
        ),
        (
            pair("x", 'weather(location="x"), weather(location="y")'),
            '11:37: malformed_call: \'weather(location="x"), weather(location="y")\'',
            Reason.MALFORMED_RECORD,
        ),
        (pair("x", "weather("), "11:23: malformed_call: 'weather('", Reason.MALFORMED_RECORD),
        (pair("x", "__import__('os')"), "11:16: unknown_skill: a call of '__import__'", Reason.UNKNOWN_SKILL),
        (pair("x", 'weather("Rome")'), "11:16: missing_argument: no location", Reason.MALFORMED_RECORD),
        (pair("x", "weather(days=3)"), "11:16: missing_argument: no location", Reason.MISSING_ARGUMENT),
        (
            pair("é", 'weather(location="é", dais=3)'),
            "11:38: unknown_slot: slot 'dais'",
            Reason.UNKNOWN_SLOT,
        ),
        (
            pair("x", 'weather(location="x", unit="kelvin")'),
            "11:43: invalid_value: unit='kelvin'",
            Reason.INVALID_VALUE,
        ),
        (
            pair("x", 'weather(location="x", days=2.5)'),
            "11:43: invalid_value: days=2.5",
            Reason.INVALID_VALUE,
        ),
        (
            pair("x", 'weather(location=open("x"))'),
            "11:33: invalid_value: location without a literal",
            Reason.INVALID_VALUE,
        ),
        (
            '### User: Rome\n### Exemplar: to <location>\n### Assistant: weather(location="Rome")\n',
            "11:15: exemplar_mismatch: the template and the utterance differ from code point 0 on",
            Reason.EXEMPLAR_MISMATCH,
        ),
        (
            '### User: a Rome a b a\n### Exemplar: a <location> a\n### Assistant: weather(location="Rome")\n',
            "",
            Reason.SPAN_MISMATCH,
        ),
        (
            '### User:\n### Assistant: weather(location="x")\n',
            "10:10: empty_utterance: no text",
            Reason.MALFORMED_RECORD,
        ),
    ],
)
def test_what_does_not_parse_is_reported_and_the_rest_is_compiled(
    bad: str, diagnostic: str, reason: Reason
) -> None:
    reading, diagnostics = parse(HEAD + bad + GOOD)
    assert "weather in Oslo" in [record.utterance for record in reading.records]
    if not diagnostic:
        # The template fits the utterance; `compile` reports that its value differs.
        assert diagnostics == []
        return
    assert diagnostic in diagnostics
    assert reason in [rejection.reason for rejection in reading.rejections]


def test_a_rejection_says_where_it_is_and_all_that_is_wrong() -> None:
    [rejection] = parse(HEAD + pair("x", 'weather(dais=3, unit="kelvin")'))[0].rejections
    assert (rejection.reason, rejection.skill, rejection.utterance) == (Reason.UNKNOWN_SLOT, "weather", "x")
    assert rejection.message == (
        "w.md:11:24: found slot 'dais', expected one of location, unit, days; did you mean 'days'?; "
        "found unit='kelvin', expected one of celsius, fahrenheit; correct the call; "
        "found no location, expected the required location; correct the call"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            'weather(location="C:\\new")',
            "w.md:11:33: found location='C:\\new', expected text without control characters; write each backslash "
            "twice, or an r before the quotes",
        ),
        (
            'weather(location="x", days=2e0)',
            "w.md:11:43: found days=2.0, expected a value of type integer, such as days=2; correct the call",
        ),
        (
            'weather(location="x", days=2.5)',
            "w.md:11:43: found days=2.5, expected a value of type integer; correct the call",
        ),
        (
            'weather(location="x", days=None)',
            "w.md:11:43: found days without a literal, expected text in quotes, a number, True or False; "
            "correct the call",
        ),
    ],
)
def test_a_wrong_value_is_rejected_with_a_remedy_that_is_right(call: str, message: str) -> None:
    assert [rejection.message for rejection in parse(HEAD + pair("x", call))[0].rejections] == [message]


def test_parameters_may_be_called_like_words_that_python_reserves() -> None:
    text = (
        '#### Prompt:\nfly(from="[city]", class="economy|first")\nBooks a flight.\n\n#### Examples:\n'
        + pair("first class from Oslo", 'fly(from="Oslo", class="first")')
        + pair("from C:\\docs", 'fly(from=r"C:\\docs")')
    )
    reading, diagnostics = parse(text)
    assert diagnostics == []
    assert [
        [(argument.slot, argument.value) for argument in record.arguments] for record in reading.records
    ] == [[("from", "Oslo"), ("class", "first")], [("from", "C:\\docs")]]


def test_a_redacted_pair_is_rejected_as_erased_without_its_text() -> None:
    reading, diagnostics = parse(HEAD + pair("[erased]", "[erased]") + GOOD)
    assert diagnostics == []
    [rejection] = reading.rejections
    assert (rejection.id, rejection.reason, rejection.utterance) == ("skills:w.md#10", Reason.ERASED, None)
    assert rejection.message == "w.md:10: the example was erased from the file"
    assert [record.utterance for record in reading.records] == ["weather in Oslo"]


def test_two_users_in_a_row_lose_only_the_first() -> None:
    reading, diagnostics = parse(HEAD + "### User: one\n" + GOOD)
    assert [rejection.utterance for rejection in reading.rejections] == ["one"]
    assert [record.utterance for record in reading.records] == ["weather in Oslo"]
    assert len(diagnostics) == 1


def test_an_unknown_section_gets_a_suggestion_and_its_pairs_are_kept() -> None:
    reading, _ = parse(HEAD.replace("#### Examples:", "#### Exmples:") + GOOD)
    assert len(reading.records) == 1
    assert "did you mean `#### Examples:`?" in reading.rejections[0].message


def test_a_broken_signature_rejects_every_pair_and_loses_none() -> None:
    reading, diagnostics = parse("#### Prompt:\nweather(location=)\n#### Examples:\n" + GOOD + GOOD)
    assert diagnostics == ["2:9: malformed_signature: 'location=)'"]
    assert reading.records == ()
    assert [rejection.id for rejection in reading.rejections] == [
        "skills:w.md#2",
        "skills:w.md#4",
        "skills:w.md#6",
    ]


def test_a_file_without_a_prompt_is_reported() -> None:
    assert parse("#### Examples:\n" + GOOD)[1] == [
        "1:1: missing_prompt: no section `#### Prompt:` with a signature"
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "w.md, byte 0: empty_file"), (b"#### Prompt:\n\xe9", "w.md, byte 13: not_utf8")],
)
def test_a_file_that_cannot_be_read_is_reported_with_its_byte(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(data)


def test_inserting_lines_does_not_change_groups() -> None:
    before = parse(HEAD + GOOD)[0].records[0].group
    after = parse(HEAD + pair("weather in Bonn today", 'weather(location="Bonn")') + "\n" + GOOD)[0]
    assert after.records[1].group == before


def test_examples_that_differ_in_values_share_a_group() -> None:
    reading, _ = parse(HEAD + GOOD + pair("Weather in Bonn!", 'weather(location="Bonn")'))
    assert reading.records[0].group == reading.records[1].group


def test_a_megabyte_of_text_and_ten_thousand_arguments_are_read() -> None:
    assert len(parse(HEAD + pair("x" * 1_000_000, 'weather(location="x")'))[0].records) == 1
    names = [f"p{number}" for number in range(10_000)]
    head = f"#### Prompt:\nwide({', '.join(f'{name}=[x]' for name in names)})\n#### Examples:\n"
    call = f"wide({', '.join(f'{name}=1' for name in names)})"
    assert len(parse(head + pair("1", call))[0].records[0].arguments) == 10_000


LINES = st.lists(
    st.sampled_from(
        [
            "### User: weather in Rome",
            '### Assistant: weather(location="Rome")',
            "### Assistant: weather()",
            "### Exemplar: weather in <location>",
            "User: hi",
            "noise",
            "",
            "#### Examples:",
            "#### Nonsense",
        ]
    ),
    max_size=12,
)


@given(LINES)
def test_every_user_line_is_a_record_or_a_rejection(lines: list[str]) -> None:
    reading, diagnostics = parse(HEAD + "\n".join(lines))
    users = sum("User:" in line for line in lines)
    rows = [*reading.records, *reading.rejections]
    assert len({row.id for row in rows}) == len(rows)
    lines_of_rows = {int(row.origin.locator) for row in rows}
    assert sum("User:" in line and number in lines_of_rows for number, line in enumerate(lines, 10)) == users
    assert bool(diagnostics) == bool(reading.rejections)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_user_error(data: bytes) -> None:
    try:
        parse(data)
    except UserError as error:
        assert error.diagnostics


@pytest.mark.parametrize(
    "line",
    [
        "#### a" + " " * 20_000 + "b",
        "#### a" + " :" * 10_000 + "b",
        " " * 20_000 + "x",
        " " * 20_000 + "User" + " " * 20_000 + "x",
        "#" * 20_000 + " User x",
    ],
    ids=["heading", "colons", "spaces", "marker", "signs"],
)
def test_long_lines_are_read_in_time(line: str) -> None:
    start = time.process_time()
    parse_outline("a.md", f"#### Examples:\n{line}\n")
    assert time.process_time() - start < 60


def test_a_parameter_may_be_composed_and_have_a_default() -> None:
    text = """\
#### Prompt:
math(question="[what to compute]", base=[of the result], day="[of the rate]")
#### Parameters:
question: string, required, composed
base: integer, default=10
day: string, composed, recognizer=date
#### Examples:
### User: what is nine times nine
### Assistant: math(question="9*9")
"""
    reading, diagnostics = parse_skill_file(SourceInfo("s", "MIT"), "math.md", text.encode(), None)
    [skill] = reading.skills
    assert skill.parameters == (
        Parameter("question", "what to compute", required=True, composed=True),
        Parameter("base", "of the result", type="integer", default="10"),
        Parameter("day", "of the rate"),
    )
    assert [str(diagnostic) for diagnostic in diagnostics] == [
        "math.md:6:1: malformed_parameter: found 'recognizer=date', expected one of string, integer, number, boolean, "
        "array, object, a JSON Schema, required, optional, composed or recognizer=NAME, default=VALUE; correct the line"
    ]


ORDER = """\
#### Prompt:
order(dishes=[what to eat], notes=[for the cook])
Orders food.

#### Parameters:
dishes: {"type": "array", "items": {"type": "object", "properties": {"category": {"type": "string"}, \
"quantity": {"type": "integer"}, "spice": {"enum": ["mild", "hot"]}}, "additionalProperties": false}}, required
notes: array, composed

#### Examples:
"""
DISHES: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "category": {"type": "string"},
            "quantity": {"type": "integer"},
            "spice": {"enum": ["mild", "hot"]},
        },
        "additionalProperties": False,
    },
}


def test_a_parameter_may_be_an_array_or_an_object_with_a_schema() -> None:
    [skill] = parse(ORDER)[0].skills
    assert skill.parameters == (
        Parameter("dishes", "what to eat", type="array", required=True, schema=DISHES),
        Parameter("notes", "for the cook", type="array", composed=True, schema={"type": "array"}),
    )


def test_the_leaves_of_a_nested_value_are_slots_with_spans() -> None:
    reading, diagnostics = parse(
        ORDER
        + "### User: two soups, and soup for Ann\n"
        + "### Exemplar: <dishes[0].quantity> soups, and <dishes[1].category> for Ann\n"
        + '### Assistant: order(dishes=[{"category": "soup", "quantity": 2}, {"category": "soup"}], notes=["for Ann"])\n'
    )
    assert diagnostics == []
    [record] = reading.records
    assert record.arguments == (
        LabelledArgument("dishes[0].category", "soup"),
        LabelledArgument("dishes[0].quantity", "2", ("two",), 0, 3),
        LabelledArgument("dishes[1].category", "soup", ("soup",), 15, 19),
        LabelledArgument("notes[0]", "for Ann"),
    )
    [skill] = reading.skills
    leaves = [(argument.slot, argument.value) for argument in record.arguments]
    assert build_arguments(leaves, skill) == {
        "dishes": [{"category": "soup", "quantity": 2}, {"category": "soup"}],
        "notes": ["for Ann"],
    }


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            'order(dishes=[{"category": "soup", "size": "big"}])',
            "w.md:11:29: found slot 'dishes[0].size', expected a path that the parameter's schema has; correct the call",
        ),
        (
            'order(dishes=[{"quantity": "two"}])',
            "w.md:11:29: found dishes[0].quantity='two', expected a value of type integer; correct the call",
        ),
        (
            'order(dishes=[{"spice": "sweet"}])',
            "w.md:11:29: found dishes[0].spice='sweet', expected one of mild, hot; correct the call",
        ),
        (
            'order(dishes="soup")',
            "w.md:11:29: found dishes='soup', expected a value of type array; correct the call",
        ),
        (
            'order(dishes=[{"quantity": 1, "quantity": 2}])',
            "w.md:11:29: found dishes with quantity twice, expected each key once, and at most 32 levels; correct the call",
        ),
        (
            f"order(dishes={'[' * 50}{']' * 50})",
            "w.md:11:29: found dishes with values nested more than 32 deep, expected each key once, and at most 32 "
            "levels; correct the call",
        ),
    ],
)
def test_a_wrong_leaf_is_rejected_with_its_path(call: str, message: str) -> None:
    assert [rejection.message for rejection in parse(ORDER + pair("x", call))[0].rejections] == [message]


def test_a_list_is_not_a_value_of_a_parameter_of_literals() -> None:
    call = 'weather(location=["Rome", "Oslo"])'
    assert [rejection.message for rejection in parse(HEAD + pair("x", call))[0].rejections] == [
        'w.md:11:33: found location=\'["Rome", "Oslo"]\', expected a value of type string; correct the call'
    ]


@pytest.mark.parametrize(
    "line",
    [
        'dishes: {"type": "array"',
        'dishes: {"type": "array"} required',
        'dishes: {"type": "list"}',
        'dishes: {"type": "array", "type": "object"}',
        'dishes: {"$ref": "#/dish"}',
    ],
)
def test_a_schema_that_is_none_is_reported(line: str) -> None:
    _, diagnostics = parse(
        f"#### Prompt:\norder(dishes=[dishes])\n#### Parameters:\n{line}\n#### Examples:\n"
    )
    assert diagnostics == [f"4:1: malformed_parameter: {line.removeprefix('dishes: ')!r}"]
