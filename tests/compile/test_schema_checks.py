"""Calls against the JSON Schema of their skill."""

from __future__ import annotations

from typing import Any

import pytest

from exemplars.core.records import (
    Exemplar,
    Grounding,
    LabelledArgument,
    Mode,
    Origin,
    Reason,
    Record,
    Rejection,
)
from exemplars.dataset.catalog import Skill, parse_tool_definition
from exemplars.dataset.leaves import encode_leaf, list_leaves
from exemplars.dataset.parameter_schemas import parse_property
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Recognizers
from exemplars.dataset.row_tables import exemplars_to_table
from stages.compile.exemplars import compile_record
from stages.compile.filling import count_groundings, sum_fillings
from stages.compile.lexicon import Lexicon
from stages.compile.schema_checks import find_schema_problems

LEXICON = Lexicon(Recognizers({}))
DISH = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "count": {"type": "integer", "minimum": 1, "default": 1},
        "size": {"enum": ["S", "L"]},
        "side": {"const": "rice"},
    },
    "required": ["name"],
    "additionalProperties": False,
}
ORDER = parse_tool_definition(
    {
        "function": {
            "name": "order",
            "parameters": {
                "properties": {
                    "dishes": {"type": "array", "items": DISH, "minItems": 1, "maxItems": 2},
                    "day": {"type": "string", "format": "date"},
                    "pair": {
                        "type": "array",
                        "prefixItems": [{"type": "string"}, {"type": "integer"}],
                        "items": False,
                    },
                    "to": {"anyOf": [{"type": "string", "maxLength": 4}, {"type": "integer"}]},
                    "extras": {"type": ["array", "null"], "items": {"type": "string"}, "default": None},
                    "class": {"type": "string"},
                },
                "required": ["dishes"],
            },
        }
    }
)


def make_record(utterance: str, arguments: dict[str, Any], skill: Skill = ORDER) -> Record:
    labels = tuple(
        LabelledArgument(path, encode_leaf(leaf, parameter))
        for path, leaf, parameter in list_leaves(arguments, skill)
    )
    return Record(
        id="t:a.jsonl#1",
        turn="t:a.jsonl#1",
        source="t",
        utterance=utterance,
        mode=Mode.NORMAL,
        skill=skill.name,
        service=None,
        arguments=labels,
        context=(),
        group="g",
        license="MIT",
        origin=Origin("a.jsonl", "0", "1"),
    )


def compile_call(utterance: str, arguments: dict[str, Any]) -> Exemplar | Rejection:
    return compile_record(make_record(utterance, arguments), {"order": ORDER}, LEXICON)


@pytest.mark.parametrize(
    ("arguments", "reason", "slot", "message"),
    [
        (
            {"dishes": []},
            Reason.INVALID_VALUE,
            "dishes",
            "found a list of 0 for slot 'dishes', expected at least 1 item(s); correct the value",
        ),
        (
            {"dishes": [{"name": "soup"}, {"count": 2}]},
            Reason.MISSING_ARGUMENT,
            "dishes[1].name",
            "found no dishes[1].name, expected the required dishes[1].name; add what is missing",
        ),
        (
            {"dishes": [{"name": "soup", "cuont": 2}]},
            Reason.UNKNOWN_SLOT,
            "dishes[0].cuont",
            "found slot 'dishes[0].cuont', expected one of dishes[], dishes[].name, dishes[].count, dishes[].size, "
            "dishes[].side; did you mean 'dishes[].count'?",
        ),
        (
            {"dishes": [{"name": "soup", "count": 0}]},
            Reason.INVALID_VALUE,
            "dishes[0].count",
            "found '0' for slot 'dishes[0].count', expected at least 1; correct the value",
        ),
        (
            {"dishes": [{"name": "soup", "size": "M"}]},
            Reason.INVALID_VALUE,
            "dishes[0].size",
            "found 'M' for slot 'dishes[0].size', expected one of S, L; correct the value",
        ),
        (
            {"dishes": [{"name": "soup", "side": "soup"}]},
            Reason.INVALID_VALUE,
            "dishes[0].side",
            "found 'soup' for slot 'dishes[0].side', expected one of rice; correct the value",
        ),
        (
            {"dishes": [{"name": "soup"}, {"name": "soup"}, {"name": "soup"}]},
            Reason.INVALID_VALUE,
            "dishes",
            "found a list of 3 for slot 'dishes', expected at most 2 item(s); correct the value",
        ),
        (
            {"day": "soup"},
            Reason.INVALID_VALUE,
            "day",
            "found 'soup' for slot 'day', expected a text of the format date; correct the value",
        ),
        (
            {"pair": ["soup", 1, 2]},
            Reason.UNKNOWN_SLOT,
            "pair[2]",
            "found slot 'pair[2]', expected one of pair[]; did you mean 'pair[]'?",
        ),
        (
            {"pair": ["soup", "salad"]},
            Reason.INVALID_VALUE,
            "pair[1]",
            "found 'salad' for slot 'pair[1]', expected a value of type integer; correct the value",
        ),
        (
            {"to": "soup or salad"},
            Reason.INVALID_VALUE,
            "to",
            "found 'soup or salad' for slot 'to', expected at most 4 characters; correct the value",
        ),
    ],
)
def test_what_the_schema_does_not_accept_is_rejected_with_its_path(
    arguments: dict[str, Any], reason: Reason, slot: str, message: str
) -> None:
    row = compile_call("soup or salad", arguments)
    assert isinstance(row, Rejection), row
    assert (row.reason, row.slot, row.message) == (reason, slot, f"a.jsonl:1: {message}")


def test_a_call_that_the_schema_accepts_has_a_grounding_for_each_leaf() -> None:
    arguments = {"dishes": [{"name": "soup", "count": 2}, {"name": "rice", "count": 1}], "extras": None}
    row = compile_call("2 soup and rice", arguments)
    assert isinstance(row, Exemplar), row
    assert [(argument.slot, argument.value, argument.grounding) for argument in row.arguments] == [
        ("dishes[0].name", "soup", Grounding.VERBATIM),
        ("dishes[0].count", "2", Grounding.VERBATIM),
        ("dishes[1].name", "rice", Grounding.VERBATIM),
        ("dishes[1].count", "1", Grounding.DEFAULT),
        ("extras", "None", Grounding.DEFAULT),
    ]
    assert row.exemplar == "<dishes[0].count> <dishes[0].name> and <dishes[1].name>"


def test_the_items_of_a_list_are_counted_as_one_parameter() -> None:
    row = compile_call("2 soup and rice", {"dishes": [{"name": "soup", "count": 2}, {"name": "rice"}]})
    assert isinstance(row, Exemplar), row
    assert sum_fillings(count_groundings(exemplars_to_table([row]))) == {
        "order.dishes[].count": {"verbatim": 1},
        "order.dishes[].name": {"verbatim": 2},
    }


def test_a_list_that_leaves_out_an_item_is_no_call() -> None:
    record = make_record("soup", {})
    labels = (LabelledArgument("dishes[1].name", "soup"),)
    row = compile_record(
        Record(
            **{**{field: getattr(record, field) for field in record.__struct_fields__}, "arguments": labels}
        ),
        {"order": ORDER},
        LEXICON,
    )
    assert isinstance(row, Rejection)
    assert row.message == (
        "a.jsonl:1: found slots that make no call: 'dishes' is a list that leaves out an item, expected one call; "
        "number the items of a list from 0, and give each value one path"
    )


def test_a_schema_that_is_none_accepts_any_value() -> None:
    skill = Skill("order", parameters=(Parameter("x", type=None, schema={"minimum": "many"}),))
    row = compile_record(make_record("a 5", {"x": 5}, skill), {"order": skill}, LEXICON)
    assert isinstance(row, Exemplar)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "object", "patternProperties": {"(": {"type": "integer"}}}, {"b": 1}),
        ({"type": "array", "items": {"pattern": "("}}, ["b"]),
        ({"type": "array", "items": {"$dynamicRef": "#absent"}}, [1]),
        ({"type": "array", "items": {"$ref": "#/absent"}}, [1]),
    ],
)
def test_a_schema_that_makes_no_sense_admits_all(schema: dict[str, Any], value: Any) -> None:
    skill = Skill("f", parameters=(parse_property("a", schema),))
    record = make_record("go 1 b", {"a": value}, skill)
    assert find_schema_problems(record.arguments, skill) == []
