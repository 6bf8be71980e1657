"""References of JSON Schema, resolved within their document."""

from __future__ import annotations

import json
from typing import Any

from exemplars.dataset.references import describe_marks, resolve_references


def test_references_to_lists_escaped_keys_and_siblings_are_resolved() -> None:
    document = {"a/b%": [{"type": "string", "title": "old"}]}
    assert resolve_references({"$ref": "#/a~1b%25/0", "title": "new"}, document) == {
        "type": "string",
        "title": "new",
    }


def test_the_nearest_document_that_has_the_target_gives_it() -> None:
    near, far = {"$defs": {"A": {"type": "string"}}}, {"$defs": {"A": {}, "B": {"type": "integer"}}}
    value = [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]
    assert resolve_references(value, near, far) == [{"type": "string"}, {"type": "integer"}]


def test_what_is_not_in_the_document_is_marked_and_said_with_its_place() -> None:
    references = ["other.json#/A", "#anchor", "#/$defs/Nothing"]
    properties = {f"p{number}": {"$ref": reference} for number, reference in enumerate(references)}
    resolved = resolve_references({"properties": properties}, {"$defs": {}})
    assert describe_marks(resolved, "x") == [
        "x.p0 refers to other.json#/A, which is not in the file: any value is accepted there",
        "x.p1 refers to #anchor, which is not in the file: any value is accepted there",
        "x.p2 refers to #/$defs/Nothing, which is not in the file: any value is accepted there",
    ]


def test_a_cycle_is_cut_where_it_begins_again() -> None:
    node: dict[str, Any] = {"properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/Node"}}}
    resolved = resolve_references({"$ref": "#/$defs/Node"}, {"$defs": {"Node": node}})
    assert resolved == {"properties": {"name": {"type": "string"}, "next": {"x-cycle": "#/$defs/Node"}}}
    assert describe_marks(resolved, "list") == [
        "list.next leads back to #/$defs/Node, a schema that it is part of: what is nested there is not checked"
    ]


def test_references_that_double_at_every_level_are_cut() -> None:
    defs: dict[str, Any] = {
        str(level): {"prefixItems": [{"$ref": f"#/$defs/{level + 1}"}] * 2} for level in range(40)
    }
    resolved = resolve_references({"$ref": "#/$defs/0"}, {"$defs": {**defs, "40": {"type": "string"}}})
    assert len(json.dumps(resolved)) < 2_000_000
    assert any(
        "with its references it is nested more than 32 deep" in line for line in describe_marks(resolved, "x")
    )
