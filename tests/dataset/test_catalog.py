from __future__ import annotations

import pytest

from exemplars.core.errors import UserError
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


def test_sources_that_define_a_skill_differently_clash() -> None:
    with pytest.raises(
        UserError, match="skill 'light' in source 'b' and, with another definition, in source 'a'"
    ):
        merge_catalogs({"a": [LIGHT], "b": [Skill("light")]})
