from __future__ import annotations

from typing import Any

import pytest

from exemplars.models.preference_rows import PreferredCall
from exemplars.models.rows import Message
from exemplars.preferences.forms import FormProblem, PairDraft, read_item

ASKED = (Message("user", "hi"),)
HUMAN = {"from": "human", "value": "hi"}
USER = {"role": "user", "content": "hi"}
GOOD, BAD = {"role": "assistant", "content": "Yes."}, {"role": "assistant", "content": "No."}
CALL = {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "ring", "arguments": '{"to": "Mum"}'}}]}  # fmt: skip
TOOL = {"type": "function", "function": {"name": "ring", "parameters": {"type": "object", "properties": {"to": {"type": "string"}}}}}  # fmt: skip


@pytest.mark.parametrize(
    "item",
    [
        {"prompt": "hi", "chosen": "Yes.", "rejected": "No."},
        {"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": "hi", "chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"question": "hi", "chosen": "Yes.", "rejected": "No."},
        {"conversations": [HUMAN], "chosen": {"from": "gpt", "value": "Yes."}, "rejected": {"from": "gpt", "value": "No."}},
        {"messages": [USER], "chosen": GOOD, "rejected": BAD},
        {"input": {"messages": [USER]}, "preferred_output": [GOOD], "non_preferred_output": [BAD]},
    ],
)  # fmt: skip
def test_a_pair_is_the_same_in_every_form(item: dict[str, Any]) -> None:
    assert read_item(item) == PairDraft(ASKED, (), "Yes.", "No.")


@pytest.mark.parametrize(
    "item",
    [
        {"prompt": "hi", "completion": "Yes.", "label": True},
        {"prompt": [USER], "completion": [GOOD], "label": 1},
        {"messages": [USER, GOOD], "label": "true"},
        {"conversations": [HUMAN, {"from": "gpt", "value": "Yes."}], "kto_tag": True},
    ],
)
def test_a_label_is_one_side(item: dict[str, Any]) -> None:
    assert read_item(item) == PairDraft(ASKED, (), "Yes.", None)
    key = "label" if "label" in item else "kto_tag"
    assert read_item({**item, key: False}) == PairDraft(ASKED, (), None, "Yes.")


def test_calls_tools_and_the_system_message_are_kept() -> None:
    given = {"messages": [{"role": "system", "content": "Be brief."}, USER], "tools": [TOOL]}
    draft = read_item({"input": given, "preferred_output": [CALL], "non_preferred_output": [BAD]})
    assert isinstance(draft, PairDraft)
    assert draft.prompt == (Message("system", "Be brief."), *ASKED)
    assert draft.chosen == (PreferredCall("ring", {"to": "Mum"}),)
    assert [tool["function"]["name"] for tool in draft.tools] == ["ring"]


def test_calls_of_earlier_turns_are_written_as_in_prompts() -> None:
    turns = [HUMAN, {"from": "function_call", "value": '{"name": "ring", "arguments": {}}'}, {"from": "observation", "value": "{}"}]  # fmt: skip
    draft = read_item(
        {"conversations": turns, "chosen": {"from": "gpt", "value": "Done."}, "rejected": "Hm."}
    )
    assert isinstance(draft, PairDraft)
    assert draft.prompt[1:] == (
        Message("assistant", '{"name": "ring", "arguments": {}}'),
        Message("tool", "{}"),
    )


def test_alpaca_items_join_instruction_and_input() -> None:
    item = {"system": "S", "instruction": "Add", "input": "1 2", "chosen": "3", "rejected": "4"}
    assert read_item(item) == PairDraft((Message("system", "S"), Message("user", "Add\n1 2")), (), "3", "4")


@pytest.mark.parametrize(
    ("item", "pointer", "found"),
    [
        ([], "", "the list '[]'"),
        ({}, "", "no keys"),
        ({"text": "hi"}, "", "the keys text"),
        ({"prompt": "hi", "chosen": "Yes."}, "/rejected", "no rejected"),
        ({"prompt": "hi", "chosen": [], "rejected": "No."}, "/chosen", "an empty list"),
        ({"prompt": "hi", "chosen": [GOOD, GOOD], "rejected": "No."}, "/chosen/0", "an answer of assistant, assistant"),
        ({"prompt": "hi", "chosen": [USER], "rejected": "No."}, "/chosen/0", "an answer of user"),
        ({"chosen": "Yes.", "rejected": "No."}, "", "no prompt"),
        ({"prompt": "hi", "completion": "Yes.", "label": "good"}, "/label", "the text 'good'"),
        ({"completion": "Yes.", "label": True}, "", "no prompt"),
        ({"prompt": [{"role": "bot", "content": "a"}], "chosen": "Yes.", "rejected": "No."}, "/prompt/0/role", "the text 'bot'"),
        ({"preferred_output": [GOOD], "input": "hi"}, "/input", "the text 'hi'"),
    ],
)  # fmt: skip
def test_an_item_of_another_form_says_where_and_what(item: Any, pointer: str, found: str) -> None:
    problem = read_item(item)
    assert isinstance(problem, FormProblem)
    assert (problem.pointer, problem.problem.found) == (pointer, found)
