from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.errors import UserError
from exemplars.core.records import LabelledArgument, Mode, Reason, Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from stages.ingest.combinations import sample_combinations
from stages.ingest.opencui import group_bot_files, parse_bot
from stages.ingest.opencui.schemas import parse_schemas
from stages.ingest.reading import Reading, SourceInfo

SOURCE = SourceInfo("bots", "MIT")
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


def parse(templates: Any, limit: int = 20, schemas: Any = SCHEMAS) -> Reading:
    files = {"b/schemas.json": schemas, "b/exemplars.json": templates, "b/recognizers.json": RECOGNIZERS}
    return parse_bot(SOURCE, {path: msgspec.json.encode(document) for path, document in files.items()}, limit)


def test_templates_are_filled_with_exact_spans() -> None:
    reading = parse({"order": [{"template": "<count> loaves of <bread>!"}]})
    assert sorted(record.utterance for record in reading.records) == [
        "two loaves of bun!",
        "two loaves of rye bread!",
        "two loaves of rye!",
    ]
    for record in reading.records:
        surfaces = [record.utterance[argument.start : argument.end] for argument in record.arguments]
        assert surfaces == [argument.spoken[0] for argument in record.arguments]
    assert reading.records[0].arguments[0] == LabelledArgument("count", "2", ("two",), 0, 3)
    assert len({record.group for record in reading.records}) == 1
    assert [record.id for record in reading.records] == [
        f"bots:b/exemplars.json#/order/0/{n}" for n in range(3)
    ]


def test_the_number_of_records_per_template_is_bounded() -> None:
    assert len(parse({"order": [{"template": "<count> loaves of <bread>"}]}, limit=2).records) == 2


def test_a_template_that_answers_a_question_has_it_as_context() -> None:
    template = {
        "template": "<bread>",
        "owner_mode": "extended",
        "context_frame": "order",
        "context_slot": "bread",
    }
    record = parse({"order": [template]}).records[0]
    assert (record.mode, record.context) == (
        Mode.EXTENDED,
        (Turn(Speaker.ASSISTANT, "Order bread: which bread?"),),
    )


@pytest.mark.parametrize(
    ("templates", "reason", "message"),
    [
        ({"bake": [{"template": "x"}]}, Reason.UNKNOWN_SKILL, "skill 'bake', expected one of order"),
        (
            {"order": [{"template": "<flour>"}]},
            Reason.UNKNOWN_SLOT,
            "found <flour>, expected one of bread, count",
        ),
        ({"order": [{"text": "x"}]}, Reason.MALFORMED_RECORD, "missing required field `template`"),
        (
            {"order": [{"template": "x", "owner_mode": "loud"}]},
            Reason.MALFORMED_RECORD,
            "found owner_mode 'loud', expected normal or extended",
        ),
        ({"order": [{"template": "<bread> <bread>"}]}, Reason.DUPLICATE_SLOT, "a slot twice"),
    ],
)
def test_a_template_that_does_not_fit_is_rejected(templates: Any, reason: Reason, message: str) -> None:
    [rejection] = parse(templates).rejections
    assert rejection.reason is reason
    assert message in rejection.message


def test_a_template_with_a_slot_without_values_is_kept_as_a_template() -> None:
    schemas = {"skills": [{"name": "order", "slots": ["note"]}], "slots": {"note": {}}}
    [record] = parse({"order": [{"template": "note < note >"}]}, schemas=schemas).records
    assert (record.id, record.utterance, record.arguments, record.is_template) == (
        "bots:b/exemplars.json#/order/0",
        "note <note>",
        (),
        True,
    )


def test_the_three_forms_of_schemas_give_the_same_skill() -> None:
    expected = (Skill("order", "Order bread", (Parameter("count", "how many", "integer", needed=True),)),)
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
        assert parse_schemas("schemas.json", msgspec.json.encode(document)) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "schemas.json, byte 1: bad_schemas: not JSON: input data was truncated; correct the file"),
        (b'{"a": 1}', "found the keys a, expected OpenCUI skills and slots"),
        (b'[{"description": "x"}]', "no key 'name'"),
        (
            b'[{"name": "a", "parameters": 5}]',
            "found a value where an object or a list belongs, expected OpenCUI",
        ),
        (b'{"skills": 5}', "found a value where an object or a list belongs, expected OpenCUI"),
        (
            b'{"openapi": "3.0.0", "paths": {"/": {"get": {"operationId": "a", "requestBody": {"$ref": "#/x"}}}}, "x": {"$ref": "#/x"}}',
            r"found the \$ref '#/x', which leads to itself or to nothing in the file, expected OpenCUI",
        ),
    ],
)
def test_a_schema_of_a_different_shape_is_reported(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_schemas("schemas.json", data)


def test_a_bot_without_its_files_is_reported() -> None:
    with pytest.raises(UserError, match=r"b/exemplars\.json: missing_file"):
        parse_bot(SOURCE, {"b/schemas.json": b"{}"}, 5)


def test_each_folder_is_a_bot() -> None:
    paths = ["a/schemas.json", "a/exemplars.json", "b/schemas.json", "b/notes.json", "exemplars.json"]
    assert group_bot_files(paths) == [
        ("exemplars.json",),
        ("a/exemplars.json", "a/schemas.json"),
        ("b/schemas.json",),
    ]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 30))
def test_sampled_combinations_are_distinct_bounded_and_in_range(counts: list[int], limit: int) -> None:
    sample = sample_combinations(counts, limit, "seed")
    assert len(set(sample)) == len(sample) == min(limit, math.prod(counts))
    assert all(
        0 <= choice < count
        for combination in sample
        for choice, count in zip(combination, counts, strict=True)
    )


def test_a_huge_product_is_not_enumerated() -> None:
    assert len(sample_combinations([1000] * 12, 3, "seed")) == 3


@pytest.mark.parametrize("name", ["schemas.json", "exemplars.json", "recognizers.json"])
def test_a_file_of_a_bot_with_a_key_twice_in_one_object_is_reported_with_its_place(name: str) -> None:
    files = {
        "b/schemas.json": b'{"skills": [{"name": "order"}]}',
        "b/exemplars.json": b'{"order": [{"template": "bread"}]}',
        "b/recognizers.json": b'{"recognizers": {}}',
    }
    files[f"b/{name}"] = b'{"x": [],\n "x": [], ' + files[f"b/{name}"][1:]
    with pytest.raises(
        UserError, match=rf"^b/{name}:2:2: repeated_key: found the key 'x' twice in one object"
    ):
        parse_bot(SOURCE, files, 5)
