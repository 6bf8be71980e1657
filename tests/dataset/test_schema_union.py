from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from exemplars.dataset.schema_union import unite_definitions, unite_schemas

SCALARS = st.sampled_from(["string", "integer", "number", "boolean", "null"]).map(lambda kind: {"type": kind})
ENUMS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True).map(
    lambda values: {"type": "string", "enum": values}
)
SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    SCALARS | ENUMS | st.just({}) | st.just({"type": "integer", "minimum": 3}),
    lambda children: (
        children.map(lambda items: {"type": "array", "items": items})
        | st.dictionaries(st.sampled_from("xy"), children, max_size=2).flatmap(
            lambda properties: st.sampled_from(
                [
                    {"type": "object", "properties": properties},
                    {"type": "object", "properties": properties, "required": list(properties)},
                    {"type": "object", "properties": properties, "additionalProperties": False},
                    {"type": "object"},
                ]
            )
        )
        | st.lists(children, min_size=2, max_size=2).map(lambda options: {"anyOf": options})
    ),
    max_leaves=4,
)
VALUES = st.recursive(
    st.sampled_from(["a", "b", "z", 1, 5, 2.5, True, None]),
    lambda children: (
        st.lists(children, max_size=2) | st.dictionaries(st.sampled_from("xyz"), children, max_size=2)
    ),
    max_leaves=4,
)


@given(SCHEMAS, SCHEMAS, VALUES)
def test_what_either_schema_accepts_is_accepted(
    first: dict[str, Any], second: dict[str, Any], value: Any
) -> None:
    united = unite_schemas(first, second)
    Draft202012Validator.check_schema(united)
    if Draft202012Validator(first).is_valid(value) or Draft202012Validator(second).is_valid(value):
        assert Draft202012Validator(united).is_valid(value), united


@pytest.mark.parametrize(
    ("first", "second", "united"),
    [
        (
            {"type": "string", "description": "", "default": "a"},
            {"type": "string", "description": "Where.", "default": "a", "format": "date"},
            {"type": "string", "description": "Where.", "default": "a"},
        ),
        ({"type": "string", "default": "a"}, {"type": "string", "default": "b"}, {"type": "string"}),
        ({"type": "string", "enum": ["a"]}, {"type": "string"}, {"type": "string"}),
        (
            {"type": "array", "items": {"type": "string"}},
            {"type": "array", "items": {"type": "integer"}},
            {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            {"type": "number", "description": "A number."},
            {"anyOf": [{"type": "string"}, {"type": "number"}], "description": "A number."},
        ),
    ],
)
def test_what_both_schemas_say_is_kept(
    first: dict[str, Any], second: dict[str, Any], united: dict[str, Any]
) -> None:
    assert unite_schemas(first, second) == united


def test_parameters_of_one_definition_alone_are_optional() -> None:
    def define(*names: str) -> dict[str, Any]:
        properties = {name: {"type": "string"} for name in names}
        schema = {"type": "object", "properties": properties, "required": list(names)}
        return {"type": "function", "function": {"name": "f", "description": "", "parameters": schema}}

    united = unite_definitions(define("a", "b"), define("b", "c"))["function"]["parameters"]
    assert (list(united["properties"]), united["required"]) == (["a", "b", "c"], ["b"])
