"""What changed between two catalogs, with the examples that no longer fit."""

from __future__ import annotations

import msgspec

from exemplars.audit.catalog_changes import CatalogChange, count_misfits, find_catalog_changes
from exemplars.core.records import Argument, Exemplar, Grounding, Origin
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameter_schemas import parse_property
from exemplars.dataset.parameters import Parameter
from tests.curate.rows import make_row

OLD = [
    Skill(
        "call",
        "Calls.",
        (Parameter("who", required=True), Parameter("device", enum=("home", "work")), Parameter("times")),
    ),
    Skill("gone", "", (Parameter("x"),)),
]
NEW = [
    Skill(
        "call",
        "Makes a call.",
        (
            Parameter("device", enum=("home", "mobile"), required=True),
            Parameter("times", type="integer"),
            Parameter("loud", type="boolean"),
            Parameter("line", required=True),
        ),
    ),
    Skill("new"),
]


def make_exemplar(line: int, skill: str, **values: str) -> Exemplar:
    arguments = tuple(
        Argument(slot, value, None, None, None, Grounding.CATEGORICAL) for slot, value in values.items()
    )
    return msgspec.structs.replace(
        make_row(str(line), "x"),
        skill=skill,
        arguments=arguments,
        origin=Origin("call.md", "0" * 64, str(line)),
    )


def test_every_change_has_the_examples_that_no_longer_fit() -> None:
    exemplars = [
        make_exemplar(1, "call", who="mum", device="home"),
        make_exemplar(2, "call", who="dad", device="work", times="twice"),
        make_exemplar(3, "call", device="dontcare", times="2"),
        make_exemplar(4, "gone", x="1"),
    ]
    changes = find_catalog_changes(OLD, NEW, exemplars, {"s": "data/raw/skills"})
    call = ("call.md:1", "call.md:2", "call.md:3")
    places = tuple(f"data/raw/skills/{place}" for place in call)
    assert changes == [
        CatalogChange("changed", "call", None, "description", "Calls.", "Makes a call."),
        CatalogChange("parameter removed", "call", "who", places=places[:2]),
        CatalogChange("changed", "call", "device", "enum", "home, work", "home, mobile", places[1:]),
        CatalogChange("changed", "call", "device", "required", "no", "yes"),
        CatalogChange("changed", "call", "times", "type", "string", "integer", places[1:2]),
        CatalogChange("parameter added", "call", "loud", new="optional"),
        CatalogChange("parameter added", "call", "line", new="required", places=places),
        CatalogChange("skill removed", "gone", places=("data/raw/skills/call.md:4",)),
        CatalogChange("skill added", "new"),
    ]
    assert count_misfits(changes) == 4


def test_equal_catalogs_have_no_changes() -> None:
    assert find_catalog_changes(OLD, OLD, [make_exemplar(1, "call", who="mum")], {}) == []


def test_changes_of_a_schema_are_named_by_place_with_the_examples_that_no_longer_fit() -> None:
    dish = {"type": "object", "properties": {"name": {"type": "string"}, "count": {"type": "integer"}}}
    before = {"type": "array", "items": dish}
    after = {"type": "array", "items": {**dish, "required": ["count"]}, "maxItems": 1}
    old, new = (
        [Skill("order", parameters=(parse_property("dishes", schema),))] for schema in (before, after)
    )
    exemplars = [
        make_exemplar(1, "order", **{"dishes[0].name": "soup", "dishes[0].count": "2"}),
        make_exemplar(2, "order", **{"dishes[0].name": "soup"}),
        make_exemplar(3, "order"),
    ]
    place = ("call.md:2",)
    assert find_catalog_changes(old, new, exemplars, {}) == [
        CatalogChange("changed", "order", "dishes", "schema.items.required", "missing", "['count']", place),
        CatalogChange("changed", "order", "dishes", "schema.maxItems", "missing", "1", place),
    ]
    [removed] = find_catalog_changes(old, [Skill("order")], exemplars, {})
    assert (removed.kind, removed.places) == ("parameter removed", ("call.md:1", "call.md:2"))
