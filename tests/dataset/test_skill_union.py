"""Two definitions of a skill as one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from exemplars.core.errors import UserError
from exemplars.dataset.catalog import Skill
from exemplars.dataset.catalog_merge import merge_catalogs
from exemplars.dataset.parameter_schemas import build_value_schema, parse_property
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.schema_inference import infer_schema
from exemplars.dataset.skill_union import unite_inferred, unite_skills

BOOK = Skill(
    "book_room", "Books a room.", (Parameter("city", required=True), Parameter("nights", type="integer"))
)
INFERRED = Skill("book_room", parameters=(Parameter("city"), Parameter("breakfast", type="boolean")))


def test_a_clash_offers_the_union_if_there_is_one() -> None:
    with pytest.raises(UserError, match=r"or set compile\.same_skill to union$"):
        merge_catalogs({"logs": [INFERRED], "hotel": [BOOK]})
    with pytest.raises(UserError, match=r"rename one of the two$"):
        merge_catalogs({"a": [BOOK, INFERRED]})


def test_united_skills_have_the_parameters_of_both_and_what_only_one_has_is_optional() -> None:
    assert merge_catalogs({"hotel": [BOOK], "logs": [INFERRED]}, unite=True) == (
        Skill(
            "book_room",
            "Books a room.",
            (Parameter("city"), Parameter("nights", type="integer"), Parameter("breakfast", type="boolean")),
        ),
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Parameter("x", type="integer"), Parameter("x", type="string")),
        (Parameter("x", enum=("a", "b")), Parameter("x", enum=("a", "c"))),
        (Parameter("x", recognizer="date"), Parameter("x", recognizer="time")),
    ],
)
def test_parameters_that_contradict_each_other_cannot_be_united(first: Parameter, second: Parameter) -> None:
    skills = Skill("s", parameters=(first,)), Skill("s", parameters=(second,))
    assert unite_skills(*skills) is None
    with pytest.raises(UserError, match=r"make them equal, or rename one of the two$"):
        merge_catalogs({"a": [skills[0]], "b": [skills[1]]}, unite=True)


def test_two_services_cannot_share_a_skill() -> None:
    assert unite_skills(Skill("s", service="A_1"), Skill("s", service="B_1")) is None


def _nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)


LIST = {"type": "array", "items": {"type": "string"}}
NUMBERS = {"type": "array", "items": {"type": "integer"}, "minItems": 1}


def make_skill(schema: dict[str, Any], *, required: bool = True, inferred: bool = False) -> Skill:
    parameter = msgspec.structs.replace(parse_property("tags", schema), required=required)
    return Skill("s", parameters=(parameter,), inferred=inferred)


def test_two_schemas_of_a_parameter_clash_with_the_places_at_which_they_differ() -> None:
    with pytest.raises(UserError) as error:
        merge_catalogs({"a": [make_skill(LIST)], "b": [make_skill(NUMBERS)]})
    assert (
        "parameter 'tags': schema.items.type 'string' or 'integer', parameter 'tags': schema.minItems missing or 1"
    ) in str(error.value)


def test_united_schemas_accept_what_either_accepts() -> None:
    [united] = merge_catalogs(
        {"a": [make_skill(LIST)], "b": [make_skill(NUMBERS, required=False)]}, unite=True
    )
    items = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    assert united == make_skill({"type": "array", "items": items}, required=False)
    assert unite_skills(united, make_skill(LIST)) == united


def test_a_description_of_an_item_is_no_difference() -> None:
    described = make_skill({"type": "array", "items": {"type": "string", "description": "A name."}})
    assert unite_skills(make_skill(LIST), described) == make_skill(LIST)


def test_schemas_with_the_same_content_are_equal_whatever_the_order_of_their_keys() -> None:
    turned = {"items": {"type": "string"}, "type": "array"}
    assert merge_catalogs({"a": [make_skill(LIST)], "b": [make_skill(turned)]}) == (make_skill(LIST),)


def test_a_list_and_a_text_are_united_and_two_recognizers_are_not() -> None:
    assert unite_skills(make_skill(LIST), make_skill({"type": "string"})) == make_skill(
        {"anyOf": [LIST, {"type": "string"}]}
    )
    days, times = ({**LIST, "x-recognizer": name} for name in ("date", "time"))
    assert unite_skills(make_skill(days), make_skill(times)) is None


def test_inferred_schemas_of_two_sources_accept_the_values_of_both() -> None:
    values = [[{"n": 1, "of": "x"}], []], [[{"n": 2.5, "who": None}], "all"]
    first, second = (make_skill(infer_schema(own), inferred=True) for own in values)
    [merged] = merge_catalogs({"a": [first], "b": [second]})
    validator = Draft202012Validator(build_value_schema(merged.parameters[0]))
    assert [validator.is_valid(value) for own in values for value in (*own, 5)] == [True, True, False] * 2


@given(
    st.lists(
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), _nest), min_size=1, max_size=4
    )
)
def test_an_inferred_schema_accepts_the_values_that_it_comes_from(values: list[Any]) -> None:
    validator = Draft202012Validator(infer_schema(values))
    assert all(map(validator.is_valid, values))


def test_what_two_sources_infer_of_lists_accepts_the_values_of_both() -> None:
    def infer(*values: object) -> Skill:
        schema = infer_schema(values)
        return Skill("f", parameters=(parse_property("a", schema),), inferred=True)

    numbers, texts, number = infer([1]), infer(["x"]), infer(5)
    assert unite_inferred(numbers, texts).parameters[0].schema == {
        "type": "array",
        "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    }
    assert unite_inferred(numbers, number).parameters[0].schema == {
        "anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "integer"}]
    }
