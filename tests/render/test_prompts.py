from __future__ import annotations

import pytest

from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.calls import CallFormat
from exemplars.models.prompt_style import ToolForm, Values
from exemplars.models.rows import Message, View
from exemplars.models.signatures import format_signature
from exemplars.models.turns import TurnRows
from stages.render.prompts import Prompt, build_prompts
from stages.render.tool_choice import assign_tools, find_tool_need
from tests.render.rows import SKILLS, argument, exemplar, params


def try_prompts(
    row: Exemplar, others: tuple[str, ...] = (), **changes: object
) -> tuple[Prompt, ...] | Problem:
    chosen, turn = params(**changes), TurnRows((row,))
    tools = assign_tools([find_tool_need(turn, others, chosen)], sorted(SKILLS), chosen.distractors, 1)
    built = build_prompts(turn, SKILLS, tools[turn.id], chosen)
    return built if isinstance(built, tuple) else built[row.id]


def prompts(row: Exemplar, others: tuple[str, ...] = (), **changes: object) -> tuple[Prompt, ...]:
    built = try_prompts(row, others, **changes)
    assert not isinstance(built, Problem)
    return built


def answer_of(prompt: Prompt) -> str:
    return prompt.messages[-1].content


def test_the_call_view_asks_with_tools_and_answers_with_a_call() -> None:
    (prompt,) = prompts(
        exemplar("ring mum at work", "call", argument("device", "work"), argument("contact", "mum", "mum"))
    )
    signatures = "\n".join(format_signature(SKILLS[name]) for name in prompt.tools)
    assert prompt.messages == (
        Message("system", f"Call one.\n{signatures}"),
        Message("user", "ring mum at work"),
        Message("assistant", 'call(contact="mum", device="work")'),
    )
    assert "call" in prompt.tools and len(prompt.tools) == 2


def test_members_of_an_object_have_the_order_of_their_schema() -> None:
    dish = {"type": "object", "properties": {"name": {"type": "string"}, "count": {"type": "integer"}}}
    order = Skill(
        "order",
        parameters=(
            Parameter("table", type="integer"),
            Parameter("dishes", type="array", schema={"type": "array", "items": dish}),
        ),
    )
    row = exemplar(
        "two soups",
        "order",
        argument("dishes[0].count", "2", "two", "normalized"),
        argument("dishes[0].name", "soups", "soups"),
        argument("table", "7", None, "context"),
    )
    built = build_prompts(TurnRows((row,)), {"order": order}, ["order"], params())
    assert isinstance(built, tuple)
    assert answer_of(built[0]) == 'order(table=7, dishes=[{"name": "soups", "count": 2}])'


def test_the_json_format_has_the_same_call() -> None:
    (prompt,) = prompts(
        exemplar("ring mum", "call", argument("contact", "mum", "mum")), call_format=CallFormat.JSON
    )
    assert answer_of(prompt) == '{"name": "call", "arguments": {"contact": "mum"}}'


@pytest.mark.parametrize(
    ("values", "text"),
    [(Values.SPOKEN, 'weather(day="next Friday")'), (Values.CANONICAL, 'weather(day="2019-03-08")')],
)
def test_a_value_is_as_said_or_canonical_and_both_are_accepted(values: Values, text: str) -> None:
    row = exemplar("next Friday", "weather", argument("day", "2019-03-08", "next Friday", "normalized"))
    (prompt,) = prompts(row, values=values)
    assert answer_of(prompt) == text
    assert set(prompt.calls[0].answers[0].accepted) == {"next Friday", "2019-03-08"}


def test_numbers_and_listed_values_are_canonical_whatever_is_said() -> None:
    row = exemplar("ten minutes", "set_timer", argument("minutes", "10", "ten", "normalized"))
    assert answer_of(prompts(row)[0]) == "set_timer(minutes=10)"
    row = exemplar("at the office", "call", argument("device", "work", "office", "recognized"))
    assert answer_of(prompts(row)[0]) == 'call(device="work")'


@pytest.mark.parametrize("mode", ["none", "negative"])
def test_a_row_that_asks_for_nothing_or_declines_calls_nothing(mode: str) -> None:
    (prompt,) = prompts(exemplar("no thanks", None if mode == "none" else "call", mode=mode))
    assert answer_of(prompt) == "None"
    assert prompt.calls == ()
    assert ("call" in prompt.tools) or mode == "none"


def test_a_row_whose_tool_is_withheld_calls_nothing() -> None:
    (prompt,) = prompts(exemplar("ring mum", "call", argument("contact", "mum", "mum")), without_tool=1.0)
    assert (answer_of(prompt), prompt.calls, "call" in prompt.tools) == ("None", (), False)


def test_other_right_answers_are_never_distractors() -> None:
    for number in range(20):
        (prompt,) = prompts(exemplar(f"ring {number}", "call"), others=("weather",))
        assert "weather" not in prompt.tools


def test_preceding_turns_are_shown_up_to_the_limit() -> None:
    row = exemplar(
        "mum", "call", argument("contact", "mum", "mum"), before=("hi", "hello", "ring her", "whom?")
    )
    (prompt,) = prompts(row)
    assert prompt.messages[1:3] == (Message("user", "ring her"), Message("assistant", "whom?"))


def test_a_row_whose_value_is_in_a_hidden_turn_is_rejected() -> None:
    row = exemplar(
        "yes",
        "weather",
        argument("location", "Oslo", None, "context"),
        before=("Oslo", "a", "b", "c"),
        mode="extended",
    )
    problem = try_prompts(row)
    assert isinstance(problem, Problem)
    assert (problem.reason, problem.sentence) == (
        Reason.VALUE_NOT_IN_PROMPT,
        "found the value of location in a turn before the last 2; raise render.context_turns",
    )
    (shown,) = prompts(row, context_turns=4)
    assert answer_of(shown) == 'weather(location="Oslo")'


def test_skill_and_slot_views_ask_for_one_thing_each() -> None:
    row = exemplar("ring mum", "call", argument("contact", "mum", "mum"))
    built = prompts(row, views=(View.SKILL, View.SLOT))
    assert [(prompt.view, prompt.slot, answer_of(prompt)) for prompt in built] == [
        ("skill", None, '"call"'),
        ("slot", "contact", '"mum"'),
        ("slot", "device", "None"),
    ]


def test_the_template_form_passes_the_tools_to_the_template() -> None:
    (prompt,) = prompts(exemplar("ring mum", "call"), tools=ToolForm.TEMPLATE)
    assert prompt.messages[0].content == "Call one."
    assert {definition["function"]["name"] for definition in prompt.definitions} == set(prompt.tools)


@pytest.mark.parametrize("mode", ["none", "negative"])
def test_a_row_that_no_view_asks_about_is_rejected_not_lost(mode: str) -> None:
    row = exemplar("no thanks", None if mode == "none" else "call", mode=mode)
    problem = try_prompts(row, views=(View.SLOT,))
    assert isinstance(problem, Problem)
    assert (problem.reason, problem.found) == (
        Reason.NOT_SUPERVISED,
        "nothing to ask for in the views slot",
    )
