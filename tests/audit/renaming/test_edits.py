"""The places of a name in skill files, labeled examples and tool definitions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.audit.renaming.edits import Rename, apply_edits
from exemplars.audit.renaming.json_edits import find_example_edits, find_tool_edits, list_strings
from exemplars.audit.renaming.plan import apply_to_params
from exemplars.audit.renaming.skill_edits import find_skill_edits

SKILL = """\
#### Prompt:
ring(who="[who to ring]",  at = "home|work")
Rings who is asked for.

#### Parameters:
- who: string, required

#### Examples:
### User: ring <who> who
### Exemplar: ring <who> <who>
### Assistant: ring( at="home", who="who" )

### User: who
### Assistant: text(who="a")
"""


def test_a_parameter_is_renamed_in_signature_declaration_template_and_call() -> None:
    rename = Rename("ring", "who", "contact")
    assert (
        apply_edits(SKILL, find_skill_edits("ring.md", SKILL, rename))
        == """\
#### Prompt:
ring(contact="[who to ring]",  at = "home|work")
Rings who is asked for.

#### Parameters:
- contact: string, required

#### Examples:
### User: ring <who> who
### Exemplar: ring <contact> <contact>
### Assistant: ring( at="home", contact="who" )

### User: who
### Assistant: text(who="a")
"""
    )


def test_a_skill_is_renamed_in_signature_and_calls() -> None:
    text = apply_edits(SKILL, find_skill_edits("ring.md", SKILL, Rename("ring", None, "dial")))
    assert text == SKILL.replace("ring(", "dial(")


def test_the_paths_of_leaves_follow_a_parameter() -> None:
    text = """\
#### Prompt:
order(dishes=[what to eat], dish="[what else]")
#### Parameters:
dishes: array
#### Examples:
### User: two soups
### Exemplar: <dishes[0].quantity> <dishes[0].name>
### Assistant: order(dishes=[{"quantity": 2, "name": "soups"}], dish="dishes")
"""
    assert (
        apply_edits(text, find_skill_edits("order.md", text, Rename("order", "dishes", "meals")))
        == """\
#### Prompt:
order(meals=[what to eat], dish="[what else]")
#### Parameters:
meals: array
#### Examples:
### User: two soups
### Exemplar: <meals[0].quantity> <meals[0].name>
### Assistant: order(meals=[{"quantity": 2, "name": "soups"}], dish="dishes")
"""
    )


def test_line_ends_of_windows_stay() -> None:
    text = SKILL.replace("\n", "\r\n")
    edits = find_skill_edits("ring.md", text, Rename("ring", "at", "place"))
    assert apply_edits(text, edits) == text.replace("  at = ", "  place = ").replace("( at=", "( place=")


def test_a_file_of_a_different_skill_has_no_edits() -> None:
    assert find_skill_edits("ring.md", SKILL, Rename("text", "who", "contact")) == []


EXAMPLES = """\
{"utterance": "who", "skill": "ring", "arguments": {"who": "who", "at": "who"},   "spans": {"who": [0, 3]}}

{"skill": "ring", "utterance": "ring who", "exemplar": "ring <who>", "arguments": [{"slot": "who", "value": "who"}]}
{"utterance": "who", "skill": "text", "arguments": {"who": "who"}}
{"utterance": "who", "skill": "ring", "arguments": {"who"
"""


def test_a_parameter_is_renamed_in_the_examples_of_its_skill() -> None:
    edits = find_example_edits(EXAMPLES, Rename("ring", "who", "con\u00adtact"))
    assert (
        apply_edits(EXAMPLES, edits)
        == """\
{"utterance": "who", "skill": "ring", "arguments": {"con\u00adtact": "who", "at": "who"},   "spans": {"con\u00adtact": [0, 3]}}

{"skill": "ring", "utterance": "ring who", "exemplar": "ring <con\u00adtact>", "arguments": [{"slot": "con\u00adtact", "value": "who"}]}
{"utterance": "who", "skill": "text", "arguments": {"who": "who"}}
{"utterance": "who", "skill": "ring", "arguments": {"who"
"""
    )


TURN = (
    '{"utterance": "who", "exemplar": "who", "calls": ['
    '{"skill": "ring", "exemplar": "<who[0].name> <whom> <who>", "arguments": {"who": [{"who": "a"}]}, "spans": {"who[0].who": [0, 3], "whom": [0, 3]}}, '
    '{"skill": "text", "arguments": {"who": "a"}}, '
    '{"skill": "ring", "arguments": [{"slot": "who[0].who", "value": "who"}, {"slot": "whole", "value": 1}]}]}'
)


def test_the_calls_of_a_turn_are_renamed_where_they_call_the_skill_and_paths_by_their_root() -> None:
    assert apply_edits(TURN, find_example_edits(TURN, Rename("ring", "who", "contact"))) == (
        '{"utterance": "who", "exemplar": "who", "calls": ['
        '{"skill": "ring", "exemplar": "<contact[0].name> <whom> <contact>", "arguments": {"contact": [{"who": "a"}]}, "spans": {"contact[0].who": [0, 3], "whom": [0, 3]}}, '
        '{"skill": "text", "arguments": {"who": "a"}}, '
        '{"skill": "ring", "arguments": [{"slot": "contact[0].who", "value": "who"}, {"slot": "whole", "value": 1}]}]}'
    )
    dialed = apply_edits(TURN, find_example_edits(TURN, Rename("ring", None, "dial")))
    assert dialed == TURN.replace('"skill": "ring"', '"skill": "dial"')


def test_a_skill_is_renamed_in_its_examples() -> None:
    edits = find_example_edits(EXAMPLES, Rename("ring", None, "dial"))
    lines = EXAMPLES.splitlines(keepends=True)
    expected = [*(line.replace('"skill": "ring"', '"skill": "dial"') for line in lines[:4]), lines[4]]
    assert apply_edits(EXAMPLES, edits) == "".join(expected)


TOOLS = """\
[{"type": "function", "function": {"name": "ring", "description": "who", "parameters": {"type": "object",
  "properties": {"who": {"type": "string", "description": "who", "enum": ["who"]}}, "required": ["who"]}}},
 {"type": "function", "function": {"name": "text", "parameters": {"properties": {"who": {}}, "required": ["who"]}}}]
"""


def test_a_parameter_is_renamed_in_the_definition_of_its_tool() -> None:
    edits = find_tool_edits(TOOLS, Rename("ring", "who", "contact"))
    first, second, third = apply_edits(TOOLS, edits).splitlines()
    assert second == (
        '  "properties": {"contact": {"type": "string", "description": "who", "enum": ["who"]}}, "required": ["contact"]}}},'
    )
    assert [first, third] == [TOOLS.splitlines()[0], TOOLS.splitlines()[2]]


def test_a_tool_is_renamed_by_its_name_alone() -> None:
    text = apply_edits(TOOLS, find_tool_edits(TOOLS, Rename("ring", None, "dial")))
    assert text == TOOLS.replace('"name": "ring"', '"name": "dial"')


@pytest.mark.parametrize("text", ["", "{", "5", '{"function": {"name": "ring"}}', "[5]"])
def test_what_is_no_list_of_tools_has_no_edits(text: str) -> None:
    assert find_tool_edits(text, Rename("ring", None, "dial")) == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda child: st.lists(child, max_size=4) | st.dictionaries(st.text(), child, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUES, st.sampled_from([None, 2]), st.booleans())
def test_the_strings_of_a_document_are_found_with_their_paths(
    value: object, indent: int | None, escapes: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=escapes)
    for string in list_strings(text):
        assert json.loads(text[string.start : string.end]) == string.value
        target: object = value
        for key in string.path[: -1 if string.is_key else None]:
            target = target[key]  # type: ignore[index]
        assert string.value in target if string.is_key else target == string.value  # type: ignore[operator]


def test_the_skill_for_no_call_is_renamed_in_the_parameters() -> None:
    text = "ingest:\n  sources:\n    a:\n      none_skill: other  # no call\n    b: {none_skill: 'other', c: other}\n"
    assert apply_to_params(text, Rename("other", None, "small_talk")) == (
        "ingest:\n  sources:\n    a:\n      none_skill: small_talk  # no call\n    b: {none_skill: small_talk, c: other}\n",
        2,
    )
    assert apply_to_params(text, Rename("other", None, "no"))[0].count('none_skill: "no"') == 2
    assert apply_to_params(text, Rename("other", "x", "y")) == (text, 0)


def test_the_paths_that_begin_with_a_parameter_are_renamed_in_labeled_examples() -> None:
    lines = [
        '{"skill": "order", "arguments": {"dishes": [{"dishes": "dishes"}]}, "spans": {"dishes[0].dishes": [0, 6]}, '
        '"exemplar": "<dishes[0].dishes> <dishes2>"}',
        '{"calls": [{"skill": "order", "arguments": [{"slot": "dishes[0].dishes", "value": "dishes"}]}, '
        '{"skill": "pay", "arguments": {"dishes": 1}}]}',
    ]
    text = "\n".join(lines)
    assert apply_edits(text, find_example_edits(text, Rename("order", "dishes", "meals"))).split("\n") == [
        '{"skill": "order", "arguments": {"meals": [{"dishes": "dishes"}]}, "spans": {"meals[0].dishes": [0, 6]}, '
        '"exemplar": "<meals[0].dishes> <dishes2>"}',
        '{"calls": [{"skill": "order", "arguments": [{"slot": "meals[0].dishes", "value": "dishes"}]}, '
        '{"skill": "pay", "arguments": {"dishes": 1}}]}',
    ]


def test_a_quoted_name_is_renamed_with_its_quotes() -> None:
    row = {
        "skill": "go",
        "arguments": {"zip.code": "1"},
        "spans": {'["zip.code"]': [0, 1]},
        "exemplar": '<["zip.code"]>',
    }
    renamed = apply_edits(
        json.dumps(row), find_example_edits(json.dumps(row), Rename("go", "zip.code", "zip"))
    )
    assert json.loads(renamed) == {
        "skill": "go",
        "arguments": {"zip": "1"},
        "spans": {"zip": [0, 1]},
        "exemplar": "<zip>",
    }


def test_tools_of_mcp_are_renamed_and_nested_properties_are_not() -> None:
    properties = {"a": {"type": "object", "properties": {"a": {}}, "required": ["a"]}}
    tool = {"name": "f", "inputSchema": {"properties": properties, "required": ["a"]}}
    text = json.dumps({"result": {"tools": [tool, {**tool, "name": "g"}]}})
    renamed = json.loads(apply_edits(text, find_tool_edits(text, Rename("f", "a", "b"))))["result"]["tools"]
    assert renamed == [
        {"name": "f", "inputSchema": {"properties": {"b": properties["a"]}, "required": ["b"]}},
        {**tool, "name": "g"},
    ]
    named = apply_edits(text, find_tool_edits(text, Rename("f", None, "h")))
    assert [tool["name"] for tool in json.loads(named)["result"]["tools"]] == ["h", "g"]
