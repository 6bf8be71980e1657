from __future__ import annotations

from typing import Any

import pytest

from exemplars.dataset.catalog import (
    Skill,
    build_tool_definition,
    decode_catalog,
    encode_catalog,
    parse_tool_definition,
)
from exemplars.dataset.parameters import Parameter

LIGHT = Skill(
    "light",
    "Switches the light.",
    (
        Parameter("action", enum=("on", "off"), required=True),
        Parameter("room", "which room", recognizer="room"),
        Parameter("percent", type="integer"),
        Parameter("note", type=None),
        Parameter("color", enum=("red", "blue"), dontcare=True, needed=True),
        Parameter("fade", type="boolean", dontcare=True),
    ),
    "Home_1",
)


def test_a_skill_is_an_openai_tool_definition() -> None:
    assert build_tool_definition(LIGHT) == {
        "type": "function",
        "function": {
            "name": "light",
            "description": "Switches the light.",
            "parameters": {
                "type": "object",
                "properties": {
                    "action": {"type": "string", "description": "", "enum": ["on", "off"]},
                    "room": {"type": "string", "description": "which room", "x-recognizer": "room"},
                    "percent": {"type": "integer", "description": ""},
                    "note": {"type": ["string", "integer", "number", "boolean"], "description": ""},
                    "color": {
                        "type": "string",
                        "description": "",
                        "enum": ["red", "blue", "dontcare"],
                        "x-dontcare": True,
                    },
                    "fade": {
                        "anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["dontcare"]}],
                        "description": "",
                        "x-dontcare": True,
                    },
                },
                "required": ["action"],
            },
            "x-required": ["color"],
            "x-service": "Home_1",
        },
    }


def test_a_catalog_comes_back_from_its_file() -> None:
    assert decode_catalog(encode_catalog([LIGHT, Skill("call", place="a.md:1")])) == (
        Skill("call", place="a.md:1"),
        LIGHT,
    )


@pytest.mark.parametrize(
    ("schema", "parameter"),
    [
        ({"type": ["integer", "null"]}, Parameter("p", type="integer", schema={"type": ["integer", "null"]})),
        (
                {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                Parameter("p", type="integer", schema={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
            ),
        ({"enum": [1, 2]}, Parameter("p", type="integer", enum=("1", "2"))),
        ({"enum": ["1", "2", None]}, Parameter("p", enum=("1", "2"), schema={"enum": ["1", "2", None]})),
        ({"enum": [1, "two"]}, Parameter("p", type=None, enum=("1", "two"))),
        ({"type": ["integer", "string"]}, Parameter("p", type=None, schema={"type": ["integer", "string"]})),
        ({"anyOf": [{"type": "boolean"}, {"const": "dontcare"}]}, Parameter("p", type="boolean", dontcare=True)),
        ({"type": "boolean", "x-dontcare": True}, Parameter("p", type="boolean", dontcare=True)),
        ({}, Parameter("p", type=None, schema={})),
    ],
)  # fmt: skip
def test_a_property_has_the_one_type_that_its_schema_leaves(
    schema: dict[str, Any], parameter: Parameter
) -> None:
    function = {"name": "f", "parameters": {"type": "object", "properties": {"p": schema}}}
    assert parse_tool_definition({"function": function}).parameters == (parameter,)


def test_how_a_parameter_is_filled_and_its_default_come_back() -> None:
    skill = Skill(
        "math",
        parameters=(
            Parameter("question", composed=True),
            Parameter("base", type="integer", default="10"),
            Parameter("day", recognizer="date"),
        ),
    )
    definition = build_tool_definition(skill)
    assert definition["function"]["parameters"]["properties"] == {
        "question": {"type": "string", "description": "", "x-filled-by": "composed"},
        "base": {"type": "integer", "description": "", "default": 10},
        "day": {"type": "string", "description": "", "x-recognizer": "date"},
    }
    assert parse_tool_definition(definition) == skill


def test_x_filled_by_may_name_a_recognizer_or_say_span() -> None:
    properties = {
        "day": {"type": "string", "x-filled-by": "date"},
        "who": {"type": "string", "x-filled-by": "span"},
    }
    skill = parse_tool_definition({"function": {"name": "f", "parameters": {"properties": properties}}})
    assert skill.parameters == (Parameter("day", recognizer="date"), Parameter("who"))
