"""Skills on one line: types, listed values, and lists and objects as JSON would have them."""

from __future__ import annotations

from typing import Any

import pytest

from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameter_schemas import parse_property
from exemplars.dataset.parameters import Parameter
from exemplars.models.signatures import format_signature


def test_a_signature_shows_types_and_listed_values() -> None:
    skill = Skill(
        "set_timer",
        parameters=(
            Parameter("minutes", type="integer"),
            Parameter("label"),
            Parameter("kind", enum=("egg", "tea")),
            Parameter("loud", type="boolean"),
            Parameter("factor", type="number"),
            Parameter("any", type=None),
        ),
    )
    assert (
        format_signature(skill) == "set_timer(minutes:int, label, kind=egg|tea, loud:bool, factor:float, any)"
    )
    assert format_signature(Skill("stop")) == "stop()"


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        ({"type": "array", "items": {"type": "string"}}, "a:[str]"),
        ({"type": "array", "items": {"enum": ["ham", "egg"]}}, "a:[ham|egg]"),
        ({"type": "array"}, "a:[]"),
        ({"type": "object"}, "a:{}"),
        (
            {"type": "object", "properties": {"street": {"type": "string"}, "flat": {"type": "integer"}}},
            "a:{street, flat:int}",
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "size": {"enum": ["small", "large"]},
                        "toppings": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
            "a:[{size=small|large, toppings:[str]}]",
        ),
        ({"type": ["integer", "null"]}, "a:int|None"),
        ({"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}, "a:int|[int]"),
        ({"enum": [1, None]}, "a=1"),
        ({}, "a"),
    ],
)
def test_lists_and_objects_are_written_as_json_would_have_them(schema: dict[str, Any], shown: str) -> None:
    assert format_signature(Skill("f", parameters=(parse_property("a", schema),))) == f"f({shown})"


def test_a_schema_without_end_is_cut() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(20):
        schema = {"type": "array", "items": schema}
    assert format_signature(Skill("f", parameters=(parse_property("a", schema),))) == "f(a:[[[[[[[[]]]]]]]])"
