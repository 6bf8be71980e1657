from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stages.validate.plain_schemas import PlainValidator, is_plain, is_plain_call

TEXTS = st.sampled_from(["", "a", "b", "1", "True"])
VALUES = st.one_of(
    TEXTS,
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from([1.0, 1.5]),
    st.none(),
    st.lists(TEXTS, max_size=1),
)
SCHEMAS = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "boolean", "number", "integer"])},
    optional={
        "enum": st.lists(VALUES, max_size=3),
        "default": VALUES,
        "description": st.one_of(TEXTS, st.none()),
        "title": TEXTS,
        "x-dontcare": st.booleans(),
        "pattern": st.just("^a$"),
    },
)


@given(schema=SCHEMAS, value=VALUES)
def test_plain_schemas_are_judged_as_jsonschema_judges_them(schema: dict[str, Any], value: Any) -> None:
    if is_plain(schema):
        Draft202012Validator.check_schema(schema)
        expected = Draft202012Validator(schema).is_valid(value)
        assert PlainValidator("slot", schema).is_valid({"slot": value}) == expected


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"type": ["string", "null"]},
        {"type": ["string"]},
        {"type": "text"},
        {"type": "string", "pattern": "^a$"},
        {"type": "string", "enum": "ab"},
        {"type": "integer", "enum": [1]},
        {"type": "string", "description": None},
        {"type": "string", "$ref": "#/x"},
    ],
)
def test_everything_else_is_left_to_jsonschema(schema: Any) -> None:
    assert not is_plain(schema)
    assert not is_plain_call({"type": "object", "properties": {"slot": schema}, "required": []})


def test_an_argument_that_is_missing_breaks_no_schema() -> None:
    assert PlainValidator("slot", {"type": "string"}).is_valid({})
