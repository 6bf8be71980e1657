"""Two definitions of a skill as one."""

from __future__ import annotations

import pytest

from exemplars.core.errors import UserError
from exemplars.dataset.catalog import Parameter, Skill, parse_property
from exemplars.dataset.catalog_merge import merge_catalogs
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


def test_lists_of_different_items_are_not_united() -> None:
    strings, numbers = (
        Skill(
            "f",
            parameters=(
                Parameter("a", type="array", schema={"type": "array", "items": {"type": kind, **notes}}),
            ),
        )
        for kind, notes in (("string", {}), ("integer", {}))
    )
    assert unite_skills(strings, numbers) is None
    described = Skill(
        "f",
        parameters=(
            Parameter(
                "a",
                type="array",
                schema={"type": "array", "items": {"type": "string", "description": "A name."}},
            ),
        ),
    )
    assert unite_skills(strings, described) == strings


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
