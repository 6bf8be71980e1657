from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.errors import UserError
from exemplars.core.records import LabelledArgument, Mode, Reason, Speaker, Turn
from exemplars.dataset.catalog import Parameter, Skill
from stages.ingest.opencui import bots_of, parse_bot
from stages.ingest.opencui.bot import combinations
from stages.ingest.opencui.schemas import parse_schemas
from stages.ingest.reading import Reading, SourceFacts

FACTS = SourceFacts("bots", "MIT")
SCHEMAS = {
    "skills": [{"name": "order", "description": "Order bread", "slots": ["bread", "count"]}],
    "slots": {
        "bread": {"description": "which bread"},
        "count": {"type": "integer", "description": "how many"},
    },
}
RECOGNIZERS = {
    "recognizers": {
        "bread": {"instances": [{"label": "rye", "expressions": ["rye bread", "rye"]}, {"label": "bun", "expressions": ["bun"]}]},
        "number": {"instances": [{"label": "2", "expressions": ["two"]}]},
    },
    "slots": {"count": "number"},
}  # fmt: skip


def bot(templates: Any, bound: int = 20, schemas: Any = SCHEMAS) -> Reading:
    files = {"b/schemas.json": schemas, "b/exemplars.json": templates, "b/recognizers.json": RECOGNIZERS}
    return parse_bot(FACTS, {path: msgspec.json.encode(one) for path, one in files.items()}, bound)


def test_templates_are_filled_with_exact_spans() -> None:
    reading = bot({"order": [{"template": "<count> loaves of <bread>!"}]})
    assert sorted(one.utterance for one in reading.records) == [
        "two loaves of bun!",
        "two loaves of rye bread!",
        "two loaves of rye!",
    ]
    for one in reading.records:
        assert [one.utterance[a.start : a.end] for a in one.arguments] == [a.spoken[0] for a in one.arguments]
    assert reading.records[0].arguments[0] == LabelledArgument("count", "2", ("two",), 0, 3)
    assert len({one.group for one in reading.records}) == 1
    assert [one.id for one in reading.records] == [f"bots:b/exemplars.json#/order/0/{n}" for n in range(3)]


def test_a_template_leads_to_a_bounded_number_of_records() -> None:
    assert len(bot({"order": [{"template": "<count> loaves of <bread>"}]}, bound=2).records) == 2


def test_a_template_that_answers_a_question_has_it_as_context() -> None:
    template = {
        "template": "<bread>",
        "owner_mode": "extended",
        "context_frame": "order",
        "context_slot": "bread",
    }
    one = bot({"order": [template]}).records[0]
    assert (one.mode, one.context) == (Mode.EXTENDED, (Turn(Speaker.SYSTEM, "Order bread: which bread?"),))


@pytest.mark.parametrize(
    ("templates", "reason", "message"),
    [
        ({"bake": [{"template": "x"}]}, Reason.UNKNOWN_SKILL, "skill 'bake', expected one of order"),
        ({"order": [{"template": "<flour>"}]}, Reason.UNKNOWN_SLOT, "<flour>, expected bread, count"),
        ({"order": [{"text": "x"}]}, Reason.MALFORMED_RECORD, "missing required field `template`"),
        ({"order": [{"template": "x", "owner_mode": "loud"}]}, Reason.MALFORMED_RECORD, "found loud"),
        ({"order": [{"template": "<bread> <bread>"}]}, Reason.DUPLICATE_SLOT, "a slot twice"),
    ],
)
def test_a_template_that_does_not_fit_is_rejected(templates: Any, reason: Reason, message: str) -> None:
    [one] = bot(templates).rejections
    assert one.reason is reason
    assert message in one.message


def test_a_slot_without_instances_says_to_add_some() -> None:
    schemas = {"skills": [{"name": "order", "slots": ["note"]}], "slots": {"note": {}}}
    [one] = bot({"order": [{"template": "note <note>"}]}, schemas=schemas).rejections
    assert "a recognizer with instances for 'note' in recognizers.json" in one.message


def test_the_three_forms_of_schemas_give_the_same_skill() -> None:
    wanted = (Skill("order", "Order bread", (Parameter("count", "how many", "integer", required=True),)),)
    schema = {
        "type": "object",
        "description": "Order bread",
        "required": ["count"],
        "properties": {"count": {"type": "integer", "description": "how many"}},
    }
    functions = [{"name": "order", "description": "Order bread", "parameters": schema}]
    operation = {
        "operationId": "order",
        "summary": "Order bread",
        "parameters": [{"name": "count", "in": "query", "required": True, "description": "how many", "schema": {"$ref": "#/components/schemas/Count"}}],
    }  # fmt: skip
    openapi = {
        "openapi": "3.1.0",
        "paths": {"/orders": {"post": operation}},
        "components": {"schemas": {"Count": {"type": "integer"}}},
    }
    components = {"openapi": "3.0.0", "paths": {}, "components": {"schemas": {"order": schema}}}
    for document in (functions, [{"type": "function", "function": functions[0]}], openapi, components):
        assert parse_schemas("schemas.json", msgspec.json.encode(document)) == wanted


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "schemas.json, byte 1: bad_schemas: found Input data was truncated"),
        (b'{"a": 1}', "found the keys a, expected OpenCUI skills and slots"),
        (b'[{"description": "x"}]', "no key 'name'"),
        (
            b'{"openapi": "3.0.0", "paths": {"/": {"get": {"operationId": "a", "requestBody": {"$ref": "#/x"}}}}, "x": {"$ref": "#/x"}}',
            "a \\$ref that leads to itself",
        ),
    ],
)
def test_a_schema_of_another_shape_is_told(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_schemas("schemas.json", data)


def test_a_bot_without_its_files_is_told() -> None:
    with pytest.raises(UserError, match=r"b/exemplars\.json: missing_file"):
        parse_bot(FACTS, {"b/schemas.json": b"{}"}, 5)


def test_each_folder_is_a_bot() -> None:
    paths = ["a/schemas.json", "a/exemplars.json", "b/schemas.json", "b/notes.json", "exemplars.json"]
    assert bots_of(paths) == [
        ("exemplars.json",),
        ("a/exemplars.json", "a/schemas.json"),
        ("b/schemas.json",),
    ]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 30))
def test_chosen_combinations_are_distinct_bounded_and_in_range(counts: list[int], bound: int) -> None:
    chosen = combinations(counts, bound, "seed")
    assert len(set(chosen)) == len(chosen) == min(bound, math.prod(counts))
    assert all(0 <= one < count for way in chosen for one, count in zip(way, counts, strict=True))


def test_a_huge_product_is_not_enumerated() -> None:
    assert len(combinations([1000] * 12, 3, "seed")) == 3
