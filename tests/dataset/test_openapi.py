"""Operations of OpenAPI documents as tool definitions."""

from __future__ import annotations

import json
from typing import Any

from exemplars.dataset.openapi import parse_openapi


def parse(paths: dict[str, Any], **others: Any) -> list[dict[str, Any]]:
    text = json.dumps({"openapi": "3.0.3", "paths": paths, **others})
    return [definition["function"] for definition in parse_openapi("api.json", text)]


def test_methods_may_be_in_any_case_and_operations_keep_the_order_of_the_document() -> None:
    paths = {"/b": {"Post": {"operationId": "second"}, "GET": {}}, "/a": {"summary": "x", "delete": {}}}
    assert [function["name"] for function in parse(paths)] == ["second", "get_b", "delete_a"]


def test_parameters_of_path_query_and_body_are_one_object_with_nested_schemas() -> None:
    order = {
        "allOf": [
            {"$ref": "#/components/schemas/Base"},
            {
                "type": "object",
                "required": ["dishes"],
                "properties": {
                    "dishes": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"$ref": "#/components/schemas/Dish"},
                    },
                    "table": {"type": "integer", "nullable": True, "minimum": 0, "exclusiveMinimum": True},
                },
            },
        ]
    }
    components = {
        "parameters": {"Lang": {"name": "lang", "in": "query", "schema": {"enum": ["en", "it"]}}},
        "requestBodies": {"Order": {"content": {"application/vnd.api+json": {"schema": order}}}},
        "schemas": {
            "Base": {"properties": {"note": {"type": "string"}}, "required": ["note"]},
            "Dish": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        },
    }
    operation = {
        "operationId": "order",
        "parameters": [{"$ref": "#/components/parameters/Lang"}],
        "requestBody": {"$ref": "#/components/requestBodies/Order"},
    }
    shared = {"name": "restaurant", "in": "path", "required": True, "schema": {"type": "string"}}
    [function] = parse(
        {"/r/{restaurant}": {"parameters": [shared], "post": operation}}, components=components
    )
    dish = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    assert function["parameters"] == {
        "type": "object",
        "properties": {
            "restaurant": {"type": "string"},
            "lang": {"enum": ["en", "it"]},
            "note": {"type": "string"},
            "dishes": {"type": "array", "minItems": 1, "items": dish},
            "table": {"type": ["integer", "null"], "exclusiveMinimum": 0},
        },
        "required": ["restaurant", "note", "dishes"],
    }


def test_a_body_that_is_no_object_is_the_parameter_body_and_a_form_is_its_fields() -> None:
    text = {"required": True, "content": {"application/json": {"schema": {"type": "array", "items": {}}}}}
    form = {"content": {"multipart/form-data": {"schema": {"properties": {"file": {"type": "string"}}}}}}
    first, second = parse({"/a": {"put": {"requestBody": text}}, "/b": {"put": {"requestBody": form}}})
    assert first["parameters"] == {
        "type": "object",
        "properties": {"body": {"type": "array", "items": {}}},
        "required": ["body"],
    }
    assert list(second["parameters"]["properties"]) == ["file"]


def test_keys_and_dates_of_yaml_are_text() -> None:
    text = """\
openapi: 3.1.0
paths:
  /a:
    get:
      operationId: a
      parameters:
        - {name: day, in: query, schema: {type: string, default: 2026-01-05}}
      requestBody: {content: {application/json: {schema: {properties: {on: {type: boolean}}}}}}
"""
    [definition] = parse_openapi("api.yaml", text)
    assert definition["function"]["parameters"]["properties"] == {
        "day": {"type": "string", "default": "2026-01-05"},
        "true": {"type": "boolean"},
    }
