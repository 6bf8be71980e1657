from __future__ import annotations

import pytest

from exemplars.core.errors import UserError
from exemplars.core.literals import format_literal, parse_literal
from exemplars.dataset.catalog import (
    Parameter,
    Skill,
    build_tool_definition,
    decode_catalog,
    encode_catalog,
    merge_catalogs,
)

LIGHT = Skill(
    "light",
    "Switches the light.",
    (
        Parameter("action", enum=("on", "off"), required=True),
        Parameter("room", "which room", recognizer="room"),
        Parameter("percent", type="integer"),
        Parameter("note", type=None),
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
                },
                "required": ["action"],
            },
            "x-service": "Home_1",
        },
    }


def test_a_catalog_comes_back_from_its_file() -> None:
    assert decode_catalog(encode_catalog([LIGHT, Skill("call")])) == (Skill("call"), LIGHT)


def test_sources_that_agree_share_a_skill() -> None:
    assert merge_catalogs({"a": [LIGHT], "b": [LIGHT]}) == (LIGHT,)


def test_sources_that_define_a_skill_differently_are_told_apart() -> None:
    with pytest.raises(
        UserError, match="skill 'light' in source 'b' and, with another definition, in source 'a'"
    ):
        merge_catalogs({"a": [LIGHT], "b": [Skill("light")]})


@pytest.mark.parametrize(
    ("literal", "type_", "text"),
    [
        ("x", "string", "x"),
        (5, "integer", "5"),
        (2.5, "number", "2.5"),
        (-3, "number", "-3"),
        (True, "boolean", "True"),
    ],
)
def test_literals_come_back_from_their_text(literal: object, type_: str, text: str) -> None:
    assert format_literal(literal) == text
    assert parse_literal(text, type_) == literal


def test_text_that_is_no_number_stays_text() -> None:
    assert parse_literal("many", "integer") == "many"
