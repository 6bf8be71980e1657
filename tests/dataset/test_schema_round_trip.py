"""The catalog keeps arbitrary JSON Schemas: what is parsed, built and parsed again is the same, and admits the same."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from exemplars.dataset.catalog import (
    Skill,
    build_tool_definition,
    decode_catalog,
    encode_catalog,
    parse_tool_definition,
)
from exemplars.dataset.parameters import Parameter

NAMES = st.sampled_from(["class", "zip.code", "a[0]", "from", "x y", "größe", "<b>", "a", '"', "$ref"])
LITERALS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([0.5, 1.0, 1e30]),
    st.sampled_from(["", "a", "1", "True", "None", "dontcare", "[]"]),
)
VALUES = st.recursive(
    LITERALS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])
KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
    "description": st.text(max_size=3),
    "default": VALUES,
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "const": VALUES,
    "format": st.sampled_from(["date", "email", "home-made"]),
    "minimum": st.integers(-3, 3),
    "maxLength": st.integers(0, 3),
    "minItems": st.integers(0, 2),
    "x-dontcare": st.just(True),
    "x-filled-by": st.sampled_from(["span", "composed", "date"]),
}


def _nest(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    containers: dict[str, st.SearchStrategy[Any]] = {
        "items": inner,
        "prefixItems": st.lists(inner, min_size=1, max_size=2),
        "properties": st.dictionaries(NAMES, inner, max_size=2),
        "required": st.lists(NAMES, max_size=2, unique=True),
        "additionalProperties": st.booleans() | inner,
        **{key: st.lists(inner, min_size=1, max_size=2) for key in ("anyOf", "oneOf", "allOf")},
    }
    return st.fixed_dictionaries({}, optional={**KEYWORDS, **containers})


SCHEMAS = st.recursive(st.fixed_dictionaries({}, optional=KEYWORDS), _nest, max_leaves=4)


def parse(properties: dict[str, Any], required: list[str]) -> Skill:
    parameters = {"type": "object", "properties": properties, "required": required}
    return parse_tool_definition({"function": {"name": "f", "parameters": parameters}})


@given(st.dictionaries(NAMES, SCHEMAS, max_size=3), st.lists(NAMES, max_size=2))
def test_a_parsed_skill_comes_back_from_its_definition_and_from_the_file(
    properties: dict[str, Any], required: list[str]
) -> None:
    skill = parse(properties, required)
    assert parse_tool_definition(build_tool_definition(skill)) == skill
    [decoded] = decode_catalog(encode_catalog([skill]))
    assert msgspec.to_builtins(decoded) == msgspec.to_builtins(skill)


@given(SCHEMAS, st.lists(VALUES, min_size=1, max_size=8))
def test_a_definition_admits_the_values_that_its_source_does(
    schema: dict[str, Any], values: list[Any]
) -> None:
    schema.pop("x-dontcare", None)
    [built] = build_tool_definition(parse({"p": schema}, []))["function"]["parameters"]["properties"].values()
    before, after = Draft202012Validator(schema), Draft202012Validator(built)
    assert [after.is_valid(value) for value in values] == [before.is_valid(value) for value in values]


@given(SCHEMAS)
def test_dontcare_is_a_value_of_whatever_declares_it(schema: dict[str, Any]) -> None:
    [built] = build_tool_definition(parse({"p": {**schema, "x-dontcare": True}}, []))["function"][
        "parameters"
    ]["properties"].values()
    parameter = parse({"p": built}, []).parameters[0]
    assert parameter.dontcare
    assert parameter.accepts_dontcare
    assert Draft202012Validator(built).is_valid("dontcare") or parameter.type == "string"


def test_a_name_with_a_dot_is_not_taken_for_the_path_of_a_leaf() -> None:
    inner = {"type": "object", "properties": {"b": {"type": "integer"}}}
    skill = parse({"a": inner, "a.b": {"type": "boolean"}, "class": {"type": "string"}}, [])
    assert skill.find_parameter("a.b") == Parameter("a.b", type="integer")
    assert skill.find_parameter('["a.b"]') == Parameter("a.b", type="boolean")
    assert skill.find_parameter("class") == Parameter("class")


def test_what_fills_a_list_fills_its_leaves_unless_they_say_something_else() -> None:
    dish = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "day": {"type": "string", "x-recognizer": "date"},
            "note": {"type": "string", "x-filled-by": "span"},
        },
    }
    skill = parse({"dishes": {"type": "array", "items": dish, "x-filled-by": "composed"}}, [])
    assert skill.find_parameter("dishes[3].name") == Parameter("dishes[3].name", composed=True)
    assert skill.find_parameter("dishes[0].day") == Parameter("dishes[0].day", recognizer="date")
    assert skill.find_parameter("dishes[0].note") == Parameter("dishes[0].note")
    assert skill.list_recognizers() == [("dishes[].day", "date")]
