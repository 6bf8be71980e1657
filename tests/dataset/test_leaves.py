from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.dataset.catalog import Skill, build_tool_definition, parse_tool_definition
from exemplars.dataset.leaves import build_arguments, decode_leaf, encode_leaf, list_leaves, rank_path
from exemplars.dataset.parameter_schemas import parse_property
from exemplars.dataset.parameters import Parameter

TEXTS = st.one_of(
    st.text(max_size=6), st.sampled_from(["5", "2.5", "True", "None", "[]", "{}", '"a"', '"', "null"])
)
SCHEMAS: dict[str, Any] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "optional": {"type": ["string", "null"]},
    "any": {},
    "several": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
    "texts": {"type": "array", "items": {"type": "string"}},
    "table": {"type": "object", "additionalProperties": {"type": "integer"}},
}
LEAVES = {
    "string": TEXTS,
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": st.one_of(st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False)),
    "boolean": st.booleans(),
    "optional": st.one_of(st.none(), TEXTS),
    "any": st.one_of(
        st.none(), TEXTS, st.booleans(), st.integers(-5, 5), st.sampled_from([[], {}, 1e16, 2e-9])
    ),
    "several": st.one_of(st.none(), TEXTS, st.integers(-5, 5)),
    "texts": st.just([]),
    "table": st.just({}),
}


@given(st.data(), st.sampled_from(sorted(SCHEMAS)))
def test_a_leaf_comes_back_from_its_text_with_its_type(data: Any, name: str) -> None:
    leaf = data.draw(LEAVES[name])
    parameter = parse_property(name, SCHEMAS[name])
    assert repr(decode_leaf(encode_leaf(leaf, parameter), parameter)) == repr(leaf)


SKILL = parse_tool_definition(
    {"function": {"name": "f", "parameters": {"type": "object", "properties": SCHEMAS}}}
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            **{name: LEAVES[name] for name in ("string", "integer", "optional", "several", "any")},
            "texts": st.lists(TEXTS, max_size=3),
            "table": st.dictionaries(TEXTS, st.integers(-5, 5), max_size=3),
        },
    )
)
def test_the_arguments_of_a_call_come_back_from_their_leaves(arguments: dict[str, Any]) -> None:
    leaves = [(path, encode_leaf(leaf, parameter)) for path, leaf, parameter in list_leaves(arguments, SKILL)]
    assert repr(build_arguments(leaves, SKILL)) == repr(arguments)


def test_the_catalog_keeps_the_schema_of_every_parameter() -> None:
    assert parse_tool_definition(build_tool_definition(SKILL)) == SKILL
    definition = build_tool_definition(SKILL)["function"]["parameters"]["properties"]
    assert definition["several"] == {**SCHEMAS["several"], "description": ""}
    assert definition["texts"] == {**SCHEMAS["texts"], "description": ""}


DISHES = Skill(
    "order",
    parameters=(
        parse_property(
            "dishes",
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "category": {"type": "string", "x-recognizer": "dish"},
                        "quantity": {"type": "integer", "minimum": 1},
                    },
                },
            },
        ),
    ),
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("dishes[0].category", Parameter("dishes[0].category", recognizer="dish")),
        (
            "dishes[7].quantity",
            Parameter("dishes[7].quantity", type="integer", schema={"type": "integer", "minimum": 1}),
        ),
        ("dishes[0].price", None),
        ("dishes.category", None),
        ("drinks", None),
        ("dishes[", None),
    ],
)
def test_a_path_leads_to_the_parameter_of_a_leaf(path: str, expected: Parameter | None) -> None:
    assert DISHES.find_parameter(path) == expected


MEALS = {
    "type": "array",
    "items": {
        "anyOf": [{"type": "object", "properties": {"name": {}, "count": {}}}, {"properties": {"code": {}}}]
    },
}
ORDER = Skill("order", parameters=(Parameter("table"), Parameter("dishes", type="array", schema=MEALS)))


def test_leaves_are_ranked_as_the_catalog_names_them() -> None:
    paths = [
        "other",
        "dishes[10].name",
        "dishes[2].size",
        "dishes[2].code",
        "dishes[2].count",
        "dishes[2].name",
        "table",
        "not a path",
    ]
    assert sorted(paths, key=lambda path: rank_path(path, ORDER)) == [
        "table",
        "dishes[2].name",
        "dishes[2].count",
        "dishes[2].code",
        "dishes[2].size",
        "dishes[10].name",
        "other",
        "not a path",
    ]
