"""`tools.json`: definitions of OpenAI and MCP, with any JSON Schema; what is none is one sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exemplars.core.errors import UserError
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from stages.ingest.tools import parse_tools


def parse(document: Any) -> tuple[Skill, ...]:
    return parse_tools("tools.json", json.dumps(document).encode())


def parse_parameters(parameters: dict[str, Any]) -> dict[str, Parameter]:
    [skill] = parse([{"name": "f", "parameters": parameters}])
    return {parameter.name: parameter for parameter in skill.parameters}


PARAMETERS = {"properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.mark.parametrize(
    "document",
    [
        [{"type": "function", "function": {"name": "f", "parameters": PARAMETERS}}],
        [{"name": "f", "parameters": PARAMETERS}],
        {"tools": [{"name": "f", "title": "F", "inputSchema": PARAMETERS}]},
        {"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "f", "inputSchema": PARAMETERS}]}},
    ],
)
def test_openai_and_mcp_define_the_same_skill(document: Any) -> None:
    assert parse(document) == (Skill("f", parameters=(Parameter("n", type="integer", required=True),)),)


def test_lists_objects_alternatives_tuples_and_constants_keep_their_schema() -> None:
    schemas: dict[str, Any] = {
        "list": {"type": "array", "items": {"type": "string", "x-filled-by": "composed"}, "minItems": 1},
        "object": {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False},
        "either": {"anyOf": [{"type": "array", "items": {}}, {"type": "integer"}]},
        "only": {"oneOf": [{"const": 1}, {"const": 2}]},
        "all": {"allOf": [{"type": "string"}, {"maxLength": 3}]},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}], "items": False},
        "day": {"type": ["string", "null"], "format": "date", "default": None},
    }
    found = parse_parameters({"properties": schemas})
    assert {name: parameter.schema for name, parameter in found.items()} == schemas
    assert {name: parameter.type for name, parameter in found.items()} == {
        "list": "array",
        "object": "object",
        "either": None,
        "only": "integer",
        "all": "string",
        "pair": "array",
        "day": "string",
    }
    assert found["only"].enum == ("1", "2")


def test_older_forms_are_read_as_those_of_2020_12() -> None:
    found = parse_parameters(
        {
            "properties": {
                "pair": {"type": "array", "items": [{"type": "string"}], "additionalItems": False},
                "price": {"type": "number", "minimum": 0, "exclusiveMinimum": True, "nullable": True},
            }
        }
    )
    assert found["pair"].schema == {"type": "array", "prefixItems": [{"type": "string"}], "items": False}
    assert found["price"].schema == {"type": ["number", "null"], "exclusiveMinimum": 0}


def test_references_are_resolved_and_a_cycle_leaves_the_rest() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "n": {"type": "integer"}}}
    found = parse_parameters(
        {"$defs": {"Node": node}, "properties": {"list": {"$ref": "#/$defs/Node"}, "who": {"type": "string"}}}
    )
    assert found["who"] == Parameter("who")
    assert found["list"].schema == {
        "type": "object",
        "properties": {"next": {"x-cycle": "#/$defs/Node"}, "n": {"type": "integer"}},
    }


def test_names_may_be_keywords_and_have_dots_and_brackets() -> None:
    names = ["class", "from", "zip.code", "a[0]", '"', "x y"]
    skill = Skill("f", parameters=tuple(map(Parameter, names)))
    assert parse(
        [{"name": "f", "parameters": {"properties": {name: {"type": "string"} for name in names}}}]
    ) == (skill,)
    assert [skill.find_parameter(path) for path in ("class", '["zip.code"]', '["a[0]"]')] == [
        Parameter("class"),
        Parameter("zip.code"),
        Parameter("a[0]"),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('"[]"', "tools.json: bad_tools: not a list of tool definitions: expected `array`, got `str`"),
        ('{"tools": "[]"}', "expected `array`, got `str` - at `$.tools`"),
        ("{}", "expected `array`, got `object`"),
        (
            '[{"name": "f", "parameters": {"properties": {"n": {"default": NaN}}}}]',
            "JSON is malformed: invalid",
        ),
        (
            '[{"name": "f", "parameters": {"properties": {"n": {"a": 1, "a": 2}}}}]',
            "the key 'a' twice in one object",
        ),
        (
            '[{"name": "f", "parameters": {"properties": {"n": {"type": "strnig"}}}}]',
            "the type 'strnig' at n.type of 'f'",
        ),
        (
            '[{"name": "f", "parameters": {"properties": {"n": {"items": {"anyOf": []}}}}}]',
            "the anyOf '[]' at n.items.anyOf of 'f'",
        ),
        ('{"tools": [{"name": "f"}, {"name": 5}]}', "expected `str`, got `int` - at `$.tools[1].name`"),
        (
            '[{"name": "f", "parameters": {"properties": {"n": {"items": {"x-filled-by": 5}}}}}]',
            "x-filled-by 5 of 'n[]'",
        ),
        (
            '[{"name": "f", "inputSchema": {"required": ["n"]}}]',
            "'f' requires 'n', which its properties do not have",
        ),
    ],
)
def test_what_is_no_list_of_tools_is_one_sentence(data: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        parse_tools("tools.json", data.encode())
    [problem] = error.value.diagnostics
    assert message in str(problem)


def test_all_mistakes_are_found_at_once() -> None:
    tools = [{"name": "f", "parameters": {"properties": {"n": {"type": 5}}}}, {"name": ""}, {}]
    with pytest.raises(UserError) as error:
        parse(tools)
    assert len(error.value.diagnostics) == 3
