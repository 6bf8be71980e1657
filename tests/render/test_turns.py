"""One prompt per turn: all calls of it, in order; a reply; a result that the turn follows."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exemplars.core.records import Exemplar, Mode, Reason, Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.leaves import build_arguments, encode_leaf, list_leaves
from exemplars.dataset.parameter_schemas import parse_property
from exemplars.dataset.parameters import Parameter
from exemplars.models.calls import Call, CallFormat, parse_calls
from exemplars.models.rows import Answer, Message, TargetCall, TrainingRow, View
from exemplars.models.turns import TurnRows, collect_turns
from stages.render.params import MaxRows
from stages.render.prompts import build_prompts
from stages.render.training_rows import RenderedSplit, render_split
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.tiny import save_tiny

ORDER = Skill(
    "order",
    parameters=(
        Parameter("table", type="integer"),
        parse_property(
            "dishes",
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string"},
                        "quantity": {"type": "integer"},
                        "extras": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        ),
    ),
)
CATALOG = {**SKILLS, ORDER.name: ORDER}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(save_tiny(tmp_path_factory.mktemp("tiny")))


def make_turn(*calls: Exemplar, name: str = "t", **changes: Any) -> list[Exemplar]:
    """Make the rows of one turn: the same utterance, and ids and places that count."""
    return [
        msgspec.structs.replace(
            row, id=f"s:f.json#/{name}/{place}", turn=f"s:f.json#/{name}", call=place, **changes
        )
        for place, row in enumerate(calls)
    ]


TWO_CALLS = make_turn(
    exemplar("ring mum and tell me the weather in Oslo", "call", argument("contact", "mum", "mum")),
    exemplar("ring mum and tell me the weather in Oslo", "weather", argument("location", "Oslo", "Oslo")),
)


def render(rows: list[Exemplar], tokenizer: Any, split: str = "test", **changes: object) -> RenderedSplit:
    return render_split(rows, split, CATALOG, tokenizer, params(**changes), 900)  # type: ignore[arg-type]


def render_row(rows: list[Exemplar], tokenizer: Any, **changes: object) -> TrainingRow:
    rendered = render(rows, tokenizer, **changes)
    assert rendered.rejections == ()
    (row,) = rendered.rows
    return row


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        (CallFormat.PYTHON, '[call(contact="mum"), weather(location="Oslo")]'),
        (
            CallFormat.JSON,
            '[{"name": "call", "arguments": {"contact": "mum"}}, {"name": "weather", "arguments": {"location": "Oslo"}}]',
        ),
    ],
)
def test_a_turn_is_one_prompt_whose_answer_is_all_its_calls(
    tokenizer: Any, form: CallFormat, answer: str
) -> None:
    row = render_row(TWO_CALLS[::-1], tokenizer, call_format=form)
    assert row.messages[-1].content == answer
    assert (row.id, row.turn) == ("s:f.json#/t", "s:f.json#/t")
    assert row.exemplar_ids == ("s:f.json#/t/0", "s:f.json#/t/1")
    assert row.digests == tuple(call.digest for call in TWO_CALLS)
    assert row.skills == ("call", "weather")
    assert row.calls == (
        TargetCall("call", (Answer("contact", "mum", ("mum",), "verbatim"),)),
        TargetCall("weather", (Answer("location", "Oslo", ("Oslo",), "verbatim"),)),
    )
    shown = {tool["function"]["name"] for tool in json.loads(row.tools)}
    assert shown >= {"call", "weather"} and len(shown) == 3


def test_calls_of_two_services_are_one_prompt_with_both(tokenizer: Any) -> None:
    rows = [
        msgspec.structs.replace(row, service=service)
        for row, service in zip(TWO_CALLS, ("Phones_1", "Weather_1"), strict=True)
    ]
    assert render_row(rows, tokenizer).services == ("Phones_1", "Weather_1")


def test_a_declined_skill_is_shown_and_not_called(tokenizer: Any) -> None:
    declined = msgspec.structs.replace(TWO_CALLS[0], mode=Mode.NEGATIVE)
    row = render_row([declined, TWO_CALLS[1]], tokenizer)
    assert row.messages[-1].content == 'weather(location="Oslo")'
    assert (row.skills, [call.skill for call in row.calls]) == (("call", "weather"), ["weather"])


def test_tools_are_withheld_from_a_turn_together(tokenizer: Any) -> None:
    row = render_row(TWO_CALLS, tokenizer, without_tool=1.0)
    assert (row.messages[-1].content, row.calls) == ("None", ())
    assert not {"call", "weather"} & {tool["function"]["name"] for tool in json.loads(row.tools)}


def test_lists_and_objects_are_in_the_call(tokenizer: Any) -> None:
    dishes = (
        argument("dishes[0].name", "soup", "soup"),
        argument("dishes[0].quantity", "2", "two", "normalized"),
        argument("dishes[1].name", "pie", "pie"),
        argument("dishes[1].extras[0]", "cream", "cream"),
        argument("table", "7", "seven", "normalized"),
    )
    row = render_row([exemplar("two soups and a pie with cream", "order", *dishes)], tokenizer)
    assert row.messages[-1].content == (
        'order(table=7, dishes=[{"name": "soup", "quantity": 2}, {"name": "pie", "extras": ["cream"]}])'
    )
    assert "order(table:int, dishes:[{name, quantity:int, extras:[str]}])" in row.messages[0].content


def test_values_that_the_source_accepts_count_as_right(tokenizer: Any) -> None:
    row = exemplar(
        "weather in Oslo",
        "weather",
        msgspec.structs.replace(argument("location", "Oslo", "Oslo"), accepted=("Oslo, NO",)),
    )
    (call,) = render_row([row], tokenizer).calls
    assert call.answers[0].accepted == ("Oslo", "Oslo, NO")


def test_a_turn_is_rejected_as_a_whole_and_its_ledger_names_the_call_at_fault(tokenizer: Any) -> None:
    hidden = exemplar(
        "that and mum",
        "weather",
        argument("location", "Oslo", None, "context"),
        before=("Oslo", "a", "b"),
        mode="extended",
    )
    said = exemplar("that and mum", "call", argument("contact", "mum", "mum"), before=("Oslo", "a", "b"))
    rendered = render(make_turn(hidden, said), tokenizer)
    assert rendered.rows == ()
    assert [(rejection.id, rejection.reason) for rejection in rendered.rejections] == [
        ("s:f.json#/t/0", Reason.VALUE_NOT_IN_PROMPT),
        ("s:f.json#/t/1", Reason.INCOMPLETE_TURN),
    ]


def test_a_turn_that_is_too_long_rejects_all_its_rows(tokenizer: Any) -> None:
    rendered = render_split(TWO_CALLS, "test", CATALOG, tokenizer, params(), 10)
    assert [rejection.reason for rejection in rendered.rejections] == [Reason.TOO_LONG, Reason.TOO_LONG]


def test_the_skill_view_asks_for_all_skills_and_the_slot_view_for_the_values_of_each(tokenizer: Any) -> None:
    rendered = render(TWO_CALLS, tokenizer, views=(View.SKILL, View.SLOT))
    assert [(row.id, row.slot, row.messages[-1].content) for row in rendered.rows] == [
        ("s:f.json#/t@skill", None, '["call", "weather"]'),
        ("s:f.json#/t@slot:call.contact", "contact", '"mum"'),
        ("s:f.json#/t@slot:call.device", "device", "None"),
        ("s:f.json#/t@slot:weather.day", "day", "None"),
        ("s:f.json#/t@slot:weather.location", "location", '"Oslo"'),
    ]


def test_the_slot_view_does_not_ask_about_a_skill_that_is_called_twice(tokenizer: Any) -> None:
    twice = make_turn(
        exemplar("ring mum and dad", "call", argument("contact", "mum", "mum")),
        exemplar("ring mum and dad", "call", argument("contact", "dad", "dad")),
    )
    assert render_row(twice, tokenizer).messages[-1].content == '[call(contact="mum"), call(contact="dad")]'
    rendered = render(twice, tokenizer, views=(View.SLOT,))
    assert {rejection.reason for rejection in rendered.rejections} == {Reason.NOT_SUPERVISED}


def reply_row(text: str, skill: str | None = None, mode: str = "none") -> Exemplar:
    row = exemplar("can horses fly?", skill, mode=mode)
    return msgspec.structs.replace(row, reply=text)


def test_a_turn_without_a_call_is_answered_by_its_reply(tokenizer: Any) -> None:
    row = render_row([reply_row("No, they cannot.")], tokenizer)
    assert row.messages[-1] == Message("assistant", "No, they cannot.")
    supervised = tokenizer.decode(row.input_ids[row.prompt_tokens :])
    assert supervised == "No, they cannot.</s>"
    assert (row.calls, row.reply) == ((), "No, they cannot.")


def test_a_reply_without_any_tool_has_no_instruction_to_call_one(tokenizer: Any) -> None:
    rendered = render_split([reply_row("No.")], "test", {}, tokenizer, params(), 900)
    assert rendered.rows[0].messages == (Message("user", "can horses fly?"), Message("assistant", "No."))


def test_text_in_addition_to_a_call_is_kept_and_not_supervised(tokenizer: Any) -> None:
    row = render_row([reply_row("I will look it up.", "weather", "normal")], tokenizer)
    assert row.messages[-1].content == "weather()"
    assert row.reply == "I will look it up."


def test_a_reply_that_reads_like_a_call_is_rejected(tokenizer: Any) -> None:
    (rejection,) = render([reply_row('call(contact="mum")')], tokenizer).rejections
    assert rejection.reason == Reason.NOT_SUPERVISED


def test_turns_with_a_reply_have_no_quota(tokenizer: Any) -> None:
    rows = [
        msgspec.structs.replace(reply_row("No."), id=f"s:{number}", turn=f"s:{number}") for number in range(3)
    ]
    silent = [exemplar(f"thanks {number}", None, mode="none") for number in range(3)]
    rendered = render([*rows, *silent], tokenizer, "train", max_none_share=0.25)
    assert [row.reply for row in rendered.rows] == ["No.", "No.", "No.", None]
    assert [rejection.reason for rejection in rendered.rejections] == [Reason.OVER_SHARE, Reason.OVER_SHARE]


def test_a_turn_that_follows_a_result_ends_with_the_tools_message(tokenizer: Any) -> None:
    row = msgspec.structs.replace(
        exemplar('{"city": "Oslo"}', "weather", argument("location", "Oslo", "Oslo")),
        speaker=Speaker.TOOL,
        context=(
            Turn(Speaker.USER, "weather where I am"),
            Turn(Speaker.ASSISTANT, '{"name": "locate", "arguments": {}}'),
        ),
    )
    rendered = render_row([row], tokenizer)
    assert rendered.speaker == Speaker.TOOL
    assert rendered.messages[1:] == (
        Message("user", "weather where I am"),
        Message("assistant", '{"name": "locate", "arguments": {}}'),
        Message("tool", '{"city": "Oslo"}'),
        Message("assistant", 'weather(location="Oslo")'),
    )


def test_a_sample_takes_turns_whole(tokenizer: Any) -> None:
    others = [exemplar(f"ring {name}") for name in ("Ada", "Bo", "Cy", "Di", "Ed")]
    turns = [
        make_turn(exemplar(f"{name}", "call"), exemplar(f"{name}", "weather"), name=name) for name in "abcde"
    ]
    rows = [*others, *(row for turn in turns for row in turn)]
    for limit in range(1, 11):
        rendered = render(rows, tokenizer, max_rows=MaxRows(test=limit))
        assert len(rendered.rows) == limit
        kept = [row_id for row in rendered.rows for row_id in row.exemplar_ids]
        lost = [rejection.id for rejection in rendered.rejections]
        assert sorted([*kept, *lost]) == sorted(row.id for row in rows)


VALUES = st.recursive(
    st.text(
        st.characters(codec="utf-8", exclude_characters="<|>", exclude_categories=["Cs", "Cc"]), max_size=6
    )
    | st.integers(-(2**40), 2**40)
    | st.booleans()
    | st.none(),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.text('abc. ["', min_size=1, max_size=4), children, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["x", "y.z", "a b"]), VALUES, max_size=3), min_size=1, max_size=3
    )
)
def test_the_answer_is_parsed_as_the_calls_of_the_rows(calls: list[dict[str, Any]]) -> None:
    skill = Skill(
        "f", parameters=tuple(Parameter(name, type=None, schema={}) for name in ("x", "y.z", "a b"))
    )
    rows = make_turn(
        *(
            exemplar(
                "do it",
                "f",
                *(
                    argument(path, encode_leaf(leaf, parameter), None, "composed")
                    for path, leaf, parameter in list_leaves(arguments, skill)
                ),
            )
            for arguments in calls
        )
    )
    (turn,) = collect_turns(rows[::-1])
    for form in CallFormat:
        prompts = build_prompts(turn, {"f": skill}, ["f"], params(call_format=form))
        assert isinstance(prompts, tuple)
        assert parse_calls(prompts[0].messages[-1].content, form) == tuple(
            Call("f", arguments) for arguments in calls
        )
        assert [
            build_arguments(((answer.slot, answer.value) for answer in call.answers), skill)
            for call in prompts[0].calls
        ] == calls


ROWS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(["call", "weather", None]),
        st.sampled_from(["normal", "extended", "negative"]),
        st.sampled_from([None, "Sure."]),
    ),
    max_size=12,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=ROWS, limit=st.integers(1, 6), split=st.sampled_from(["train", "test"]))
def test_every_row_is_in_a_prompt_or_in_the_ledger(
    tokenizer: Any, cases: list[tuple[int, str | None, str, str | None]], limit: int, split: str
) -> None:
    rows = [
        msgspec.structs.replace(
            exemplar("do it", skill, mode=mode if skill else "none"),
            id=f"s:f#{turn}/{place}",
            turn=f"s:f#{turn}",
            call=place,
            reply=reply,
        )
        for place, (turn, skill, mode, reply) in enumerate(cases)
    ]
    rendered = render(rows, tokenizer, split, max_rows=MaxRows(train=limit, test=limit), max_none_share=0.3)
    kept = [row_id for row in rendered.rows for row_id in row.exemplar_ids]
    assert sorted([*kept, *(rejection.id for rejection in rendered.rejections)]) == sorted(
        row.id for row in rows
    )
    assert rendered.kept == len(kept)


def test_the_id_of_a_turn_with_one_row_is_that_of_the_row() -> None:
    (row,) = make_turn(exemplar("ring mum"))
    assert TurnRows((row,)).id == "s:f.json#/t/0"
    assert collect_turns(TWO_CALLS) == [TurnRows(tuple(TWO_CALLS))]
