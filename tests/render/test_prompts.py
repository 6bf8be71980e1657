from __future__ import annotations

import pytest

from exemplars.core.records import Exemplar, Reason
from exemplars.models.calls import CallFormat
from exemplars.models.rows import View
from stages.render.params import ToolForm, Values
from stages.render.prompts import Prompt, Refused, need_of, prompts_of
from stages.render.tools import signature, tools_of_rows
from tests.render.rows import SKILLS, argument, exemplar, params


def prompts(row: Exemplar, others: tuple[str, ...] = (), **changes: object) -> list[Prompt | Refused]:
    chosen = params(**changes)
    tools = tools_of_rows([need_of(row, others, chosen)], sorted(SKILLS), chosen.distractors, 1)
    return list(prompts_of(row, SKILLS, tools[row.id], chosen))


def answer_of(prompt: Prompt | Refused) -> str:
    assert isinstance(prompt, Prompt)
    return prompt.messages[-1]["content"]


def test_call_view_asks_with_tools_and_answers_with_a_call() -> None:
    (found,) = prompts(
        exemplar("ring mum at work", "call", argument("device", "work"), argument("contact", "mum", "mum"))
    )
    assert isinstance(found, Prompt)
    assert found.messages == (
        {"role": "system", "content": "Call one.\n" + "\n".join(_signatures(found.tools))},
        {"role": "user", "content": "ring mum at work"},
        {"role": "assistant", "content": 'call(contact="mum", device="work")'},
    )
    assert "call" in found.tools and len(found.tools) == 2


def test_json_format_holds_the_same_call() -> None:
    (found,) = prompts(
        exemplar("ring mum", "call", argument("contact", "mum", "mum")), call_format=CallFormat.JSON
    )
    assert answer_of(found) == '{"name": "call", "arguments": {"contact": "mum"}}'


@pytest.mark.parametrize(
    ("values", "text"),
    [(Values.SPOKEN, 'weather(day="next Friday")'), (Values.CANONICAL, 'weather(day="2019-03-08")')],
)
def test_value_is_as_said_or_canonical_and_both_are_right(values: Values, text: str) -> None:
    row = exemplar("next Friday", "weather", argument("day", "2019-03-08", "next Friday", "normalized"))
    (found,) = prompts(row, values=values)
    assert answer_of(found) == text
    assert isinstance(found, Prompt)
    assert set(found.answers[0].accepted) == {"next Friday", "2019-03-08"}


def test_numbers_and_listed_values_are_canonical_whatever_is_said() -> None:
    row = exemplar("ten minutes", "set_timer", argument("minutes", "10", "ten", "normalized"))
    assert answer_of(prompts(row)[0]) == "set_timer(minutes=10)"
    row = exemplar("at the office", "call", argument("device", "work", "office", "recognized"))
    assert answer_of(prompts(row)[0]) == 'call(device="work")'


@pytest.mark.parametrize("mode", ["none", "negative"])
def test_row_that_asks_for_nothing_or_declines_calls_nothing(mode: str) -> None:
    (found,) = prompts(exemplar("no thanks", None if mode == "none" else "call", mode=mode))
    assert answer_of(found) == "None"
    assert isinstance(found, Prompt)
    assert found.skill is None
    assert ("call" in found.tools) or mode == "none"


def test_row_without_its_tool_calls_nothing() -> None:
    (found,) = prompts(exemplar("ring mum", "call", argument("contact", "mum", "mum")), without_tool=1.0)
    assert isinstance(found, Prompt)
    assert (answer_of(found), found.answers, "call" in found.tools) == ("None", (), False)


def test_other_right_answers_are_never_distractors() -> None:
    for number in range(20):
        (found,) = prompts(exemplar(f"ring {number}", "call"), others=("weather",))
        assert isinstance(found, Prompt)
        assert "weather" not in found.tools


def test_turns_before_are_shown_up_to_the_bound() -> None:
    row = exemplar(
        "mum", "call", argument("contact", "mum", "mum"), before=("hi", "hello", "ring her", "whom?")
    )
    (found,) = prompts(row)
    assert isinstance(found, Prompt)
    assert found.messages[1:3] == (
        {"role": "user", "content": "ring her"},
        {"role": "assistant", "content": "whom?"},
    )


def test_value_of_a_turn_that_is_not_shown_is_refused() -> None:
    row = exemplar(
        "yes",
        "weather",
        argument("location", "Oslo", None, "context"),
        before=("Oslo", "a", "b", "c"),
        mode="extended",
    )
    (found,) = prompts(row)
    assert isinstance(found, Refused)
    assert (found.reason, found.fix) == (Reason.VALUE_NOT_IN_PROMPT, "raise render.context_turns")
    (shown,) = prompts(row, context_turns=4)
    assert answer_of(shown) == 'weather(location="Oslo")'


def test_skill_and_slot_views_ask_one_thing_each() -> None:
    row = exemplar("ring mum", "call", argument("contact", "mum", "mum"))
    found = prompts(row, views=(View.SKILL, View.SLOT))
    assert [(one.view, one.slot, answer_of(one)) for one in found if isinstance(one, Prompt)] == [
        ("skill", None, '"call"'),
        ("slot", "contact", '"mum"'),
        ("slot", "device", "None"),
    ]


def test_template_form_hands_the_tools_to_the_template() -> None:
    (found,) = prompts(exemplar("ring mum", "call"), tools=ToolForm.TEMPLATE)
    assert isinstance(found, Prompt)
    assert found.messages[0]["content"] == "Call one."
    assert {one["function"]["name"] for one in found.definitions} == set(found.tools)


def _signatures(names: tuple[str, ...]) -> list[str]:
    return [signature(SKILLS[name]) for name in names]


@pytest.mark.parametrize("mode", ["none", "negative"])
def test_a_row_that_no_view_asks_about_is_refused_not_lost(mode: str) -> None:
    row = exemplar("no thanks", None if mode == "none" else "call", mode=mode)
    (refused,) = prompts(row, views=(View.SLOT,))
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.found) == (
        Reason.NOT_SUPERVISED,
        "no parameter to ask for in the views slot",
    )
