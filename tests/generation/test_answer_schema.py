from __future__ import annotations

from typing import Any

import pytest

from exemplars.dataset.catalog import Skill
from exemplars.dataset.generated_answers import Cell
from exemplars.dataset.parameters import Parameter
from exemplars.generation.answer_schema import NotStrictError, build_answer_format, make_strict

CALL = Skill(
    "call",
    parameters=(
        Parameter("contact", required=True),
        Parameter("device", enum=("mobile", "home")),
        Parameter("times", type="integer"),
    ),
)


def build_arguments(cell: Cell) -> dict[str, Any]:
    form = build_answer_format(CALL, cell)["json_schema"]
    assert form["strict"] is True
    example = form["schema"]["properties"]["examples"]["items"]
    assert example["required"] == ["utterance", "template", "skill", "arguments"]
    assert example["additionalProperties"] is False
    assert example["properties"]["skill"] == {"type": "string", "enum": ["call"]}
    arguments: dict[str, Any] = example["properties"]["arguments"]
    assert arguments["required"] == ["contact", "device", "times"]
    assert arguments["additionalProperties"] is False
    return dict(arguments["properties"])


def test_an_argument_outside_the_cell_may_be_null_and_one_of_it_may_not() -> None:
    arguments = build_arguments(Cell("call", ("contact",)))
    assert arguments["contact"] == {"type": "string"}
    assert arguments["device"] == {
        "anyOf": [{"type": "string", "enum": ["mobile", "home"]}, {"type": "null"}]
    }
    assert arguments["times"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}


def test_a_prescribed_value_is_the_only_one() -> None:
    arguments = build_arguments(Cell("call", ("contact", "device"), "device", "home"))
    assert arguments["device"] == {"type": "string", "enum": ["home"]}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9}, {"type": "integer"}),
        (
            {"type": "array", "items": {"type": "string", "pattern": "a"}, "minItems": 1},
            {"type": "array", "items": {"type": "string"}},
        ),
        ({"type": ["string", "null"]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        ),
        ({"const": 3}, {"const": 3}),
        ({}, {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}]}),
        (
            {
                "type": "object",
                "properties": {"row": {"type": "integer"}, "seat": {"type": "string"}},
                "required": ["row"],
            },
            {
                "type": "object",
                "properties": {
                    "row": {"type": "integer"},
                    "seat": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
                "required": ["row", "seat"],
                "additionalProperties": False,
            },
        ),
    ],
)
def test_a_schema_keeps_what_strict_output_knows(schema: dict[str, Any], strict: dict[str, Any]) -> None:
    assert make_strict(schema) == strict


@pytest.mark.parametrize(
    "schema", [{"type": "object"}, {"type": "object", "additionalProperties": {"type": "string"}}]
)
def test_an_object_with_any_names_is_not_strict(schema: dict[str, Any]) -> None:
    with pytest.raises(NotStrictError):
        make_strict(schema)
    form = build_answer_format(
        Skill("tag", parameters=(Parameter("map", type="object", schema=schema),)), Cell("tag")
    )
    assert form["json_schema"]["strict"] is False
